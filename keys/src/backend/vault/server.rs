//! Vault servers as this environment may reach them, with a session for each.

use std::sync::Arc;

use reqwest::{
    Method, StatusCode, Url,
    header::{HeaderMap, HeaderValue},
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::login::{self, Login};
use super::settings::{connection, limits, variable};
use crate::remote::{Answer, Call, Service, Session, Sessions, reason, secret_header};
use crate::{env::Env, master_key::KeyError};

/// All servers of an environment.
pub(super) struct Servers {
    service: Service,
    namespace: Option<HeaderValue>,
    sessions: Sessions,
}

/// What is sent.
pub(super) struct Body {
    /// All of it.
    pub(super) json: Zeroizing<Vec<u8>>,
    /// What of it nobody may see; may be empty.
    pub(super) secret: Zeroizing<String>,
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    errors: Vec<String>,
}

impl Servers {
    pub(super) fn new(env: &Env) -> Result<Self, KeyError> {
        let namespace = variable(env, "NAMESPACE").map(|name| HeaderValue::from_str(&name));
        let namespace = namespace.transpose().map_err(|_| {
            KeyError("VAULT_NAMESPACE holds characters that no header takes".to_owned())
        })?;
        Ok(Self {
            service: Service::new(limits(env)?, env, connection(env)?)?,
            namespace,
            sessions: Sessions::default(),
        })
    }

    /// Sends JSON to `ORIGIN/v1/PATH` with a token, and reads the answer.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        url: &Url,
        path: &str,
        body: &Body,
        env: &Env,
    ) -> Result<T, KeyError> {
        let session = self.session(url, None, env).await?;
        let answer = self.send(url, path, Some(&session), body, env).await?;
        if answer.status != StatusCode::FORBIDDEN || !session.may_be_replaced() {
            return read(path, &answer, &[&session.token, &body.secret]);
        }
        // The token may have been taken back; another login shows it.
        let session = self.session(url, Some(&session), env).await?;
        let answer = self.send(url, path, Some(&session), body, env).await?;
        read(path, &answer, &[&session.token, &body.secret])
    }

    /// The session with a server: one login however many ask. Not `refused`, if there is one.
    async fn session(
        &self,
        url: &Url,
        refused: Option<&Arc<Session>>,
        env: &Env,
    ) -> Result<Arc<Session>, KeyError> {
        let origin = url.origin().ascii_serialization();
        let login = self.log_in(url, env);
        self.sessions.session(&origin, refused, login).await
    }

    async fn log_in(&self, url: &Url, env: &Env) -> Result<Session, KeyError> {
        match Login::of(env)? {
            Login::Token(token) => Ok(Session::given(token)),
            Login::Call { path, body } => {
                let answer = self.send(url, &path, None, &body, env).await?;
                let reply: login::Reply = read(&path, &answer, &[&body.secret])?;
                reply.session()
            }
        }
    }

    async fn send(
        &self,
        url: &Url,
        path: &str,
        session: Option<&Session>,
        body: &Body,
        env: &Env,
    ) -> Result<Answer, KeyError> {
        let mut url = url.clone();
        url.set_path(&format!("v1/{path}"));
        let mut headers = HeaderMap::new();
        headers.insert("x-vault-request", HeaderValue::from_static("true"));
        if let Some(namespace) = &self.namespace {
            headers.insert("x-vault-namespace", namespace.clone());
        }
        if let Some(session) = session {
            headers.insert("x-vault-token", secret_header(&session.token)?);
        }
        let call = Call {
            method: Method::PUT,
            url: &url,
            headers,
            body: body.json.clone(),
            // A login may use up what it shows.
            repeats: session.is_some(),
        };
        let answer = self.service.call(call, env).await;
        answer.map_err(|KeyError(text)| match text.contains("certificate") {
            true => KeyError(format!(
                "{text} (VAULT_CACERT names a file with the authority of its certificate)"
            )),
            false => KeyError(text),
        })
    }
}

/// Reads an answer, or says what the server says, without what was `sent`.
fn read<T: DeserializeOwned>(path: &str, answer: &Answer, sent: &[&str]) -> Result<T, KeyError> {
    if answer.status.is_success() {
        return serde_json::from_slice(&answer.body)
            .map_err(|_| KeyError(format!("{path}: the answer is not what Vault answers")));
    }
    let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = match reason(&refusal.errors.join("; "), sent) {
        said if said.is_empty() => "nothing is said of why".to_owned(),
        said => said,
    };
    let next = match answer.status.as_u16() {
        403 => " (the token is not valid there, or its policies do not allow this path)",
        404 => " (there is no such engine or key; is VAULT_NAMESPACE right?)",
        503 => " (the server is sealed or not ready)",
        _ => "",
    };
    Err(KeyError(format!("{path}: {}: {said}{next}", answer.status)))
}
