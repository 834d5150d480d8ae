//! Where a token comes from: a variable, a login with what the machine has, or a file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use super::server::Body;
use super::settings::{read, variable};
use crate::remote::Session;
use crate::{env::Env, master_key::KeyError};

/// No token or identity document is longer.
const LONGEST_TOKEN: u64 = 64 << 10;
/// Where Kubernetes puts the token of a pod.
const POD_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// How a token is had.
pub(super) enum Login {
    /// It is given.
    Token(Zeroizing<String>),
    /// A call makes it.
    Call {
        /// Behind `/v1/`.
        path: String,
        body: Body,
    },
}

/// What a login answers.
#[derive(Deserialize)]
pub(super) struct Reply {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: String,
    #[serde(default)]
    lease_duration: u32,
}

impl Login {
    /// What the environment says. Identity documents are read now: they are replaced from time to time.
    pub(super) fn of(env: &Env) -> Result<Self, KeyError> {
        if let Some(token) = variable(env, "TOKEN") {
            return Ok(Self::Token(Zeroizing::new(token.trim().to_owned())));
        }
        match variable(env, "AUTH_METHOD").as_deref() {
            None | Some("token") => Self::of_file(env),
            Some(method @ ("kubernetes" | "jwt")) => {
                let role = needed(env, "AUTH_ROLE", method)?;
                let file = variable(env, "JWT_FILE").unwrap_or_else(|| POD_TOKEN.to_owned());
                let jwt = document(env, Path::new(&file))?;
                Ok(Self::call(env, method, ("role", &role), ("jwt", jwt)))
            }
            Some(method @ "approle") => {
                let role = needed(env, "ROLE_ID", method)?;
                let secret = match variable(env, "SECRET_ID_FILE") {
                    Some(file) => document(env, Path::new(&file))?,
                    None => Zeroizing::new(variable(env, "SECRET_ID").unwrap_or_default()),
                };
                let secret = ("secret_id", secret);
                Ok(Self::call(env, method, ("role_id", &role), secret))
            }
            Some(other) => Err(KeyError(format!(
                "VAULT_AUTH_METHOD is {other:?}; known are token, kubernetes, jwt and approle"
            ))),
        }
    }

    fn of_file(env: &Env) -> Result<Self, KeyError> {
        let file: Option<PathBuf> = env.home().map(|home| home.join(".vault-token"));
        let token = file.as_deref().map(|file| env.read(file, LONGEST_TOKEN));
        let token = token.and_then(Result::ok).and_then(|bytes| text(&bytes));
        token.filter(|token| !token.is_empty()).map(Self::Token).ok_or_else(|| {
            KeyError("there is no token: set VAULT_TOKEN or VAULT_AUTH_METHOD, or log in with `vault login`, which writes ~/.vault-token".to_owned())
        })
    }

    /// The call that shows who somebody is, and a secret that proves it. One that is empty is left out.
    fn call(
        env: &Env,
        method: &str,
        (who, name): (&str, &str),
        (proof, secret): (&str, Zeroizing<String>),
    ) -> Self {
        let mount = variable(env, "AUTH_MOUNT").unwrap_or_else(|| method.to_owned());
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let (name, value) = (text(name), Zeroizing::new(text(&secret)));
        let mut json = Zeroizing::new(Vec::with_capacity(name.len() + value.len() + 64));
        json.extend_from_slice(format!("{{\"{who}\":{name}").as_bytes());
        if !secret.is_empty() {
            json.extend_from_slice(format!(",\"{proof}\":").as_bytes());
            json.extend_from_slice(value.as_bytes());
        }
        json.push(b'}');
        Self::Call {
            path: format!("auth/{}/login", mount.trim_matches('/')),
            body: Body { json, secret },
        }
    }
}

impl Reply {
    /// The session that the login gave.
    pub(super) fn session(mut self) -> Result<Session, KeyError> {
        let token = Zeroizing::new(std::mem::take(&mut self.auth.client_token));
        if token.is_empty() {
            return Err(KeyError("the login gave no token".to_owned()));
        }
        let lease = Duration::from_secs(self.auth.lease_duration.into());
        Ok(Session::lent(token, lease))
    }
}

impl Drop for Auth {
    fn drop(&mut self) {
        self.client_token.zeroize();
    }
}

fn needed(env: &Env, name: &str, method: &str) -> Result<String, KeyError> {
    variable(env, name)
        .ok_or_else(|| KeyError(format!("VAULT_AUTH_METHOD={method} needs VAULT_{name}")))
}

fn document(env: &Env, file: &Path) -> Result<Zeroizing<String>, KeyError> {
    text(&read(env, file, LONGEST_TOKEN)?)
        .ok_or_else(|| KeyError(format!("{} is not text", file.display())))
}

fn text(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let text = str::from_utf8(bytes).ok()?;
    Some(Zeroizing::new(text.trim().to_owned()))
}
