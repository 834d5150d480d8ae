//! Vaults as this environment may reach them, with the tokens that they ask for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::{Method, StatusCode, Url, header::HeaderMap};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use super::challenge::Challenge;
use super::credentials::Chain;
use crate::remote::{Answer, Call, Limits, Service, Session, Sessions, reason, secret_header};
use crate::{env::Env, master_key::KeyError};

/// The version of the contract, that of the client in sops 3.13.3.
const VERSION: &str = "api-version=2025-07-01";

/// All vaults of an environment.
pub(super) struct Vaults {
    service: Service,
    chain: Chain,
    /// What each vault asks for, by origin.
    challenges: Mutex<HashMap<String, Arc<OnceCell<Challenge>>>>,
    /// By what they are for, and whose.
    sessions: Sessions,
}

/// What is sent.
#[derive(Default)]
pub(super) struct Body {
    json: Zeroizing<Vec<u8>>,
    secret: Zeroizing<String>,
}

impl Body {
    /// A value in base64url.
    pub(super) fn new(secret: Zeroizing<String>) -> Self {
        let parts = ["{\"alg\":\"RSA-OAEP-256\",\"value\":\"", &secret, "\"}"];
        // Growing would leave copies behind.
        let length = parts.iter().map(|part| part.len()).sum();
        let mut json = Zeroizing::new(Vec::with_capacity(length));
        for part in parts {
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

impl Vaults {
    pub(super) fn new(env: &Env) -> Result<Self, KeyError> {
        Ok(Self {
            service: Service::new(Limits::default(), env, Ok)?,
            chain: Chain::of(env)?,
            challenges: Mutex::default(),
            sessions: Sessions::default(),
        })
    }

    /// Asks a vault, and reads the answer.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        vault: &Url,
        path: &str,
        body: &Body,
        env: &Env,
    ) -> Result<T, KeyError> {
        let challenge = self.challenge(&method, vault, path, env).await?;
        let mut session = self.session(&challenge, None, env).await?;
        let url = url(vault, path);
        let mut answer = self.send(&method, &url, Some(&session), body, env).await?;
        if answer.status == StatusCode::UNAUTHORIZED && session.may_be_replaced() {
            // The token may have been taken back; another one shows it.
            session = self.session(&challenge, Some(&session), env).await?;
            answer = self.send(&method, &url, Some(&session), body, env).await?;
        }
        read(path, &answer, &[&session.token, &body.secret])
    }

    /// What a vault asks for: it is asked once, without what is secret.
    async fn challenge(
        &self,
        method: &Method,
        vault: &Url,
        path: &str,
        env: &Env,
    ) -> Result<Challenge, KeyError> {
        let known = {
            let challenges = self.challenges.lock();
            let mut challenges = challenges.unwrap_or_else(PoisonError::into_inner);
            let origin = vault.origin().ascii_serialization();
            challenges.entry(origin).or_default().clone()
        };
        let ask = async || {
            let (url, body) = (url(vault, path), Body::default());
            let answer = self.send(method, &url, None, &body, env).await?;
            match answer.header("www-authenticate") {
                Some(header) if answer.status == StatusCode::UNAUTHORIZED => {
                    Challenge::read(header, vault, env)
                }
                _ => Err(KeyError(format!(
                    "{path}: {} without asking for a token, which no vault does",
                    answer.status
                ))),
            }
        };
        known.get_or_try_init(ask).await.cloned()
    }

    async fn session(
        &self,
        challenge: &Challenge,
        refused: Option<&Arc<Session>>,
        env: &Env,
    ) -> Result<Arc<Session>, KeyError> {
        let with = format!("{} {}", challenge.resource, challenge.tenant);
        let login = self.chain.log_in(challenge, &self.service, env);
        self.sessions.session(&with, refused, login).await
    }

    async fn send(
        &self,
        method: &Method,
        url: &Url,
        session: Option<&Session>,
        body: &Body,
        env: &Env,
    ) -> Result<Answer, KeyError> {
        let mut headers = HeaderMap::new();
        if let Some(session) = session {
            let bearer = Zeroizing::new(format!("Bearer {}", *session.token));
            headers.insert("authorization", secret_header(&bearer)?);
        }
        let call = Call {
            method: method.clone(),
            url,
            headers,
            body: body.json.clone(),
            repeats: true,
        };
        self.service.call(call, env).await
    }
}

fn url(vault: &Url, path: &str) -> Url {
    let mut url = vault.clone();
    url.set_path(path);
    url.set_query(Some(VERSION));
    url
}

/// Reads an answer, or says what the vault says, without what was `sent`.
fn read<T: DeserializeOwned>(path: &str, answer: &Answer, sent: &[&str]) -> Result<T, KeyError> {
    if answer.status.is_success() {
        return serde_json::from_slice(&answer.body)
            .map_err(|_| KeyError(format!("{path}: the answer is not what a vault answers")));
    }
    let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = match reason(&refusal.error.message, sent) {
        said if said.is_empty() => "nothing is said of why".to_owned(),
        said => said,
    };
    let action = path.rsplit_once('/').map_or("", |(_, action)| action);
    let next = match (answer.status.as_u16(), action) {
        (401, _) => " (the token is not valid there, or its time is over)".to_owned(),
        (403, "encrypt" | "decrypt") => {
            format!(
                " (it takes the permission keys/{action} on the key, as in the role Key Vault Crypto User)"
            )
        }
        (403, _) => " (without a version it takes the permission keys/read, too)".to_owned(),
        (404, _) => " (there is no such key or version)".to_owned(),
        _ => String::new(),
    };
    Err(KeyError(format!("{path}: {}: {said}{next}", answer.status)))
}
