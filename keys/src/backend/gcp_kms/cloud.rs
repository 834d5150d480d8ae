//! Cloud KMS as this environment may reach it, with a token.

use std::sync::Arc;

use reqwest::{Method, StatusCode, header::HeaderMap};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::credentials::Credentials;
use super::endpoint::Endpoint;
use crate::remote::{Answer, Call, Limits, Service, Session, Sessions, reason, secret_header};
use crate::{env::Env, master_key::KeyError};

/// The server, and what is known of the way there.
pub(super) struct Cloud {
    service: Service,
    endpoint: Endpoint,
    credentials: Credentials,
    sessions: Sessions,
}

/// What is sent.
pub(super) struct Body {
    json: Zeroizing<Vec<u8>>,
    secret: Zeroizing<String>,
}

impl Body {
    /// A text of base64, and the checksum of what it stands for.
    pub(super) fn new(name: &str, secret: Zeroizing<String>, checksum: u32) -> Self {
        let end = format!("\",\"{name}Crc32c\":\"{checksum}\"}}");
        let start = format!("{{\"{name}\":\"");
        let length = start.len() + secret.len() + end.len();
        // Growing would leave copies behind.
        let mut json = Zeroizing::new(Vec::with_capacity(length));
        for part in [&start, &*secret, &end] {
            json.extend_from_slice(part.as_bytes());
        }
        Self { json, secret }
    }
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: Reason,
}

#[derive(Default, Deserialize)]
struct Reason {
    #[serde(default)]
    message: String,
}

impl Cloud {
    /// The one of this environment, made when it is first asked for.
    pub(super) fn of(env: &Env) -> Result<Arc<Self>, KeyError> {
        let cloud = env.once(|| Self::new(env).map(Arc::new));
        (*cloud).clone()
    }

    fn new(env: &Env) -> Result<Self, KeyError> {
        let endpoint = Endpoint::of(env)?;
        Ok(Self {
            credentials: Credentials::of(env, &endpoint.universe)?,
            service: Service::new(Limits::default(), env, Ok)?,
            endpoint,
            sessions: Sessions::default(),
        })
    }

    /// Asks for an action of a key, and reads the answer.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        key: &str,
        action: &str,
        body: Body,
        env: &Env,
    ) -> Result<T, KeyError> {
        let mut session = self.session(None, env).await?;
        let mut answer = self.send(key, action, &session, &body, env).await?;
        if answer.status == StatusCode::UNAUTHORIZED && session.may_be_replaced() {
            // The token may have been taken back; another one shows it.
            session = self.session(Some(&session), env).await?;
            answer = self.send(key, action, &session, &body, env).await?;
        }
        read(action, &answer, &[&session.token, &body.secret])
    }

    async fn session(
        &self,
        refused: Option<&Arc<Session>>,
        env: &Env,
    ) -> Result<Arc<Session>, KeyError> {
        let login = self.credentials.log_in(&self.service, env);
        self.sessions.session("", refused, login).await
    }

    async fn send(
        &self,
        key: &str,
        action: &str,
        session: &Session,
        body: &Body,
        env: &Env,
    ) -> Result<Answer, KeyError> {
        let mut headers = HeaderMap::new();
        let bearer = Zeroizing::new(format!("Bearer {}", *session.token));
        headers.insert("authorization", secret_header(&bearer)?);
        if let Some(project) = &self.credentials.quota_project {
            headers.insert("x-goog-user-project", secret_header(project)?);
        }
        let call = Call {
            method: Method::POST,
            url: &self.endpoint.url(key, action),
            headers,
            body: body.json.clone(),
            repeats: true,
        };
        self.service.call(call, env).await
    }
}

/// Reads an answer, or says what the server says, without what was `sent`.
fn read<T: DeserializeOwned>(action: &str, answer: &Answer, sent: &[&str]) -> Result<T, KeyError> {
    if answer.status.is_success() {
        return serde_json::from_slice(&answer.body).map_err(|_| {
            KeyError(format!(
                "{action}: the answer is not what Cloud KMS answers"
            ))
        });
    }
    let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = match reason(&refusal.error.message, sent) {
        said if said.is_empty() => "nothing is said of why".to_owned(),
        said => said,
    };
    let next = match (answer.status.as_u16(), action) {
        (401, _) => " (the token is not valid, or its time is over)".to_owned(),
        (403, "encrypt") => role("Encrypter"),
        (403, _) => role("Decrypter"),
        (404, _) => " (there is no such key)".to_owned(),
        _ => String::new(),
    };
    Err(KeyError(format!(
        "{action}: {}: {said}{next}",
        answer.status
    )))
}

fn role(name: &str) -> String {
    format!(" (it takes the role roles/cloudkms.cryptoKey{name} on the key)")
}

/// A variable. Set to nothing, it is not set.
pub(super) fn variable(env: &Env, name: &str) -> Option<String> {
    let value = env.variable(name)?.to_string_lossy();
    (!value.is_empty()).then(|| value.into_owned())
}
