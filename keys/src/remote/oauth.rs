//! Tokens by OAuth 2.0 (RFC 6749): a form goes there, a token comes back.

use std::ops::Deref;
use std::time::Duration;

use reqwest::{
    Method, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::form::form;
use super::said::{reason, shown};
use super::{Call, Service, Session};
use crate::{env::Env, master_key::KeyError};

/// Fields that a service may not repeat to the person.
const SECRETS: [&str; 5] = [
    "client_secret",
    "refresh_token",
    "assertion",
    "client_assertion",
    "subject_token",
];

/// Text that no log may show, as it stands in JSON.
#[derive(Default)]
pub(crate) struct Hidden(Zeroizing<String>);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl Deref for Hidden {
    type Target = Zeroizing<String>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// What a service answers to whoever asks for a token.
#[derive(Deserialize)]
struct Reply {
    access_token: Hidden,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: u64,
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Asks for a token with a form.
pub(crate) async fn token(
    service: &Service,
    url: &Url,
    mut headers: HeaderMap,
    fields: &[(&str, &str)],
    env: &Env,
) -> Result<Session, KeyError> {
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(CONTENT_TYPE, kind);
    let call = Call {
        method: Method::POST,
        url,
        headers,
        body: form(fields),
        repeats: true,
    };
    let answer = service.call(call, env).await?;
    if answer.status.is_success() {
        return session(&answer.body)
            .ok_or_else(|| KeyError(format!("{}: the answer holds no token", shown(url))));
    }
    let sent = fields.iter().filter(|(name, _)| SECRETS.contains(name));
    let sent: Vec<&str> = sent.map(|(_, value)| *value).collect();
    let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = [refusal.error, refusal.error_description].join(" ");
    let said = match reason(&said, &sent) {
        said if said.is_empty() => "nothing is said of why".to_owned(),
        said => said,
    };
    let status = answer.status;
    Err(KeyError(format!("{}: {status}: {said}", shown(url))))
}

/// The session that an answer gives.
pub(crate) fn session(answer: &[u8]) -> Option<Session> {
    let reply: Reply = serde_json::from_slice(answer).ok()?;
    let lease = Duration::from_secs(reply.expires_in);
    (!reply.access_token.is_empty()).then(|| Session::lent(reply.access_token.0, lease))
}

/// A place that secrets are sent to: with TLS, or on this machine.
pub(crate) fn place(text: &str) -> Result<Url, KeyError> {
    let is_local = |url: &Url| {
        matches!(
            url.host_str(),
            Some("localhost" | "127.0.0.1" | "[::1]" | "169.254.169.254")
        )
    };
    let is_safe = |url: &Url| {
        let with_tls = url.scheme() == "https" || (url.scheme() == "http" && is_local(url));
        with_tls && url.has_host() && url.username().is_empty() && url.password().is_none()
    };
    let url = Url::parse(text).ok().filter(is_safe);
    url.ok_or_else(|| {
        KeyError(format!(
            "{text:?} is no address that secrets may be sent to: it must begin with https://"
        ))
    })
}

/// Some services write the number as text.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Number(u64),
        Text(String),
    }
    Ok(match Seconds::deserialize(deserializer)? {
        Seconds::Number(number) => number,
        Seconds::Text(text) => text.parse().map_err(serde::de::Error::custom)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_nowhere_without_tls_but_to_this_machine() {
        for text in [
            "https://oauth2.example/token",
            "http://127.0.0.1:1/token",
            "http://localhost/",
            "http://169.254.169.254/metadata",
        ] {
            assert!(place(text).is_ok(), "{text}");
        }
        for text in [
            "http://oauth2.example/token",
            "http://127.0.0.1.example/",
            "https://me:pw@oauth2.example/",
            "file:///etc/passwd",
            "oauth2.example/token",
        ] {
            assert!(place(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_comes_with_its_time_in_either_spelling() {
        for (answer, is_token) in [
            (r#"{"access_token":"t","expires_in":3599}"#, true),
            (r#"{"access_token":"t","expires_in":"3599"}"#, true),
            (r#"{"access_token":"t"}"#, true),
            (r#"{"access_token":""}"#, false),
            (r#"{"access_token":"t","expires_in":"soon"}"#, false),
            ("{}", false),
        ] {
            let found = session(answer.as_bytes()).map(|session| session.token.to_string());
            assert_eq!(found, is_token.then(|| "t".to_owned()), "{answer}");
        }
    }
}
