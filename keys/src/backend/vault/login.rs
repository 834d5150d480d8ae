//! Where a token comes from: a variable, a login with what the machine has, or a file.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use super::server::variable;
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
        body: Zeroizing<Vec<u8>>,
    },
}

/// A token of a login, and until when it serves.
pub(super) struct Session {
    pub(super) token: Zeroizing<String>,
    /// From then on it is better to log in again.
    pub(super) fresh_until: Option<Instant>,
    /// Whether it came of a login: then another can be had.
    pub(super) is_login: bool,
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
    lease_duration: u64,
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
                let jwt = read(env, Path::new(&file))?;
                Ok(Self::call(env, method, &[("role", &role), ("jwt", &jwt)]))
            }
            Some(method @ "approle") => {
                let role = needed(env, "ROLE_ID", method)?;
                let secret = match variable(env, "SECRET_ID_FILE") {
                    Some(file) => read(env, Path::new(&file))?,
                    None => Zeroizing::new(variable(env, "SECRET_ID").unwrap_or_default()),
                };
                let mut fields = vec![("role_id", role.as_str())];
                if !secret.is_empty() {
                    fields.push(("secret_id", &secret));
                }
                Ok(Self::call(env, method, &fields))
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

    fn call(env: &Env, method: &str, fields: &[(&str, &str)]) -> Self {
        let mount = variable(env, "AUTH_MOUNT").unwrap_or_else(|| method.to_owned());
        let fields: serde_json::Map<_, _> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect();
        let body = serde_json::Value::Object(fields).to_string();
        Self::Call {
            path: format!("auth/{}/login", mount.trim_matches('/')),
            body: Zeroizing::new(body.into_bytes()),
        }
    }
}

impl Session {
    pub(super) fn given(token: Zeroizing<String>) -> Self {
        Self {
            token,
            fresh_until: None,
            is_login: false,
        }
    }

    /// A third of the lease is left for whoever is slow.
    pub(super) fn of_login(mut reply: Reply) -> Self {
        let lease = Duration::from_secs(reply.auth.lease_duration);
        Self {
            token: Zeroizing::new(std::mem::take(&mut reply.auth.client_token)),
            fresh_until: (!lease.is_zero()).then(|| Instant::now() + lease * 2 / 3),
            is_login: true,
        }
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.fresh_until.is_none_or(|until| Instant::now() < until)
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

fn read(env: &Env, file: &Path) -> Result<Zeroizing<String>, KeyError> {
    let bytes = env.read(file, LONGEST_TOKEN);
    let bytes = bytes.map_err(|e| KeyError(format!("cannot read {}: {e}", file.display())))?;
    text(&bytes).ok_or_else(|| KeyError(format!("{} is not text", file.display())))
}

fn text(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let text = str::from_utf8(bytes).ok()?;
    Some(Zeroizing::new(text.trim().to_owned()))
}
