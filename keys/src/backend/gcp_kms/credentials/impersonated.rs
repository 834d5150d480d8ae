//! A service account that somebody else may act as: their token gives one of it.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Method, Url, header::HeaderMap};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::{File, Kind, SCOPE};
use crate::remote::{Call, Hidden, Service, Session, place, reason, secret_header};
use crate::{env::Env, master_key::KeyError};

/// How long a token serves, if nothing else is said.
const LIFE: u32 = 3600;

/// Somebody, and the account that they act as.
pub(super) struct Impersonated {
    source: Box<Kind>,
    account: Account,
}

/// The account.
pub(super) struct Account {
    url: Url,
    delegates: Vec<String>,
    lifetime: u32,
}

/// What `service_account_impersonation` says.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Lifetime {
    token_lifetime_seconds: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    access_token: Hidden,
    expire_time: Timestamp,
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

impl Impersonated {
    pub(super) fn of(file: File) -> Result<Self, KeyError> {
        let missing = |name: &str| KeyError(format!("{name} is missing"));
        let url = file.service_account_impersonation_url;
        let url = url.ok_or_else(|| missing("service_account_impersonation_url"))?;
        let source = file.source_credentials;
        let source = *source.ok_or_else(|| missing("source_credentials"))?;
        if source.r#type == file.r#type {
            let text = "one who acts as another one acts as a third one: name that one";
            return Err(KeyError(text.to_owned()));
        }
        let lifetime = &file.service_account_impersonation;
        Ok(Self {
            source: Box::new(Kind::of(source)?),
            account: Account::new(&url, file.delegates, lifetime)?,
        })
    }

    pub(super) async fn token(&self, service: &Service, env: &Env) -> Result<Session, KeyError> {
        // It has none in turn: `of` sees to that.
        let source = Box::pin(self.source.log_in(service, env)).await?;
        self.account.token(&source, service, env).await
    }
}

impl Account {
    pub(super) fn new(
        url: &str,
        delegates: Vec<String>,
        lifetime: &Lifetime,
    ) -> Result<Self, KeyError> {
        Ok(Self {
            url: place(url)?,
            delegates,
            lifetime: lifetime.token_lifetime_seconds.unwrap_or(LIFE),
        })
    }

    /// Its token, for somebody's.
    pub(super) async fn token(
        &self,
        source: &Session,
        service: &Service,
        env: &Env,
    ) -> Result<Session, KeyError> {
        let body = json!({
            "scope": [SCOPE],
            "lifetime": format!("{}s", self.lifetime),
            "delegates": self.delegates,
        });
        let mut headers = HeaderMap::new();
        let bearer = Zeroizing::new(format!("Bearer {}", *source.token));
        headers.insert("authorization", secret_header(&bearer)?);
        let call = Call {
            method: Method::POST,
            url: &self.url,
            headers,
            body: Zeroizing::new(body.to_string().into_bytes()),
            repeats: true,
        };
        let answer = service.call(call, env).await?;
        let failed = |why: String| KeyError(format!("{}: {why}", self.url));
        if !answer.status.is_success() {
            let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
            let said = reason(&refusal.error.message, &[&source.token]);
            return Err(failed(format!("{}: {said}", answer.status)));
        }
        let reply: Option<Reply> = serde_json::from_slice(&answer.body).ok();
        let reply = reply.filter(|reply| !reply.access_token.is_empty());
        let reply = reply.ok_or_else(|| failed("the answer holds no token".to_owned()))?;
        let left = reply.expire_time.duration_since(env.now());
        let left = Duration::try_from(left).unwrap_or(Duration::from_secs(1));
        Ok(Session::lent(reply.access_token.clone(), left))
    }
}
