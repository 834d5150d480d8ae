//! Somebody of another identity provider, such as a pod or a job of CI: Google's STS takes that token for one of its own
//! (RFC 8693).

use std::collections::BTreeMap;
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine};
use reqwest::{
    Method, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::impersonated::Account;
use super::{File, LONGEST_FILE, SCOPE, needed};
use crate::remote::{Call, Hidden, Service, Session, place, secret_header, token};
use crate::{env::Env, master_key::KeyError};

pub(super) struct ExternalAccount {
    audience: String,
    subject_token_type: String,
    url: Url,
    /// Shown to STS, by whoever has them.
    client: Option<(String, Hidden)>,
    /// Whose quota a workforce pool counts for.
    user_project: Option<String>,
    subject: Subject,
    format: Format,
    account: Option<Account>,
}

/// Where the other provider's token is.
enum Subject {
    File(String),
    Url(Url, HeaderMap),
}

/// What `credential_source` says.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Source {
    file: Option<String>,
    url: Option<String>,
    headers: BTreeMap<String, String>,
    format: Format,
    executable: Option<serde::de::IgnoredAny>,
    environment_id: Option<String>,
    certificate: Option<serde::de::IgnoredAny>,
}

/// How the token is written there.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Format {
    r#type: String,
    subject_token_field_name: String,
}

impl ExternalAccount {
    pub(super) fn of(file: File) -> Result<Self, KeyError> {
        let source = file.credential_source.unwrap_or_default();
        let account = file.service_account_impersonation_url.as_deref();
        let lifetime = file.service_account_impersonation;
        Ok(Self {
            audience: needed("audience", file.audience)?,
            subject_token_type: needed("subject_token_type", file.subject_token_type)?,
            url: place(&file.token_url)?,
            client: (!file.client_id.is_empty()).then_some((file.client_id, file.client_secret)),
            user_project: file.workforce_pool_user_project,
            subject: Subject::of(&source)?,
            format: source.format,
            account: account
                .map(|url| Account::new(url, Vec::new(), &lifetime))
                .transpose()?,
        })
    }

    pub(super) async fn token(&self, service: &Service, env: &Env) -> Result<Session, KeyError> {
        let text = self.subject.read(service, env).await?;
        let subject = self.format.token(&text)?;
        let options = self.user_project.as_ref().filter(|_| self.client.is_none());
        let options =
            options.map(|project| serde_json::json!({"userProject": project}).to_string());
        let mut fields = vec![
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ),
            ("audience", &self.audience),
            ("scope", SCOPE),
            (
                "requested_token_type",
                "urn:ietf:params:oauth:token-type:access_token",
            ),
            ("subject_token", &subject),
            ("subject_token_type", &self.subject_token_type),
        ];
        if let Some(options) = &options {
            fields.push(("options", options));
        }
        let mut headers = HeaderMap::new();
        if let Some((id, secret)) = &self.client {
            let both = Zeroizing::new(format!("{id}:{}", secret.as_str()));
            let basic = Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(&*both)));
            headers.insert("authorization", secret_header(&basic)?);
        }
        let session = token(service, &self.url, headers, &fields, env).await?;
        match &self.account {
            None => Ok(session),
            Some(account) => account.token(&session, service, env).await,
        }
    }
}

impl Subject {
    fn of(source: &Source) -> Result<Self, KeyError> {
        let unsupported = |what: &str| {
            let text =
                format!("{what} as the source of a token is not supported: use a file or a URL");
            Err(KeyError(text))
        };
        match source {
            Source {
                executable: Some(_),
                ..
            } => unsupported("a program"),
            Source {
                certificate: Some(_),
                ..
            } => unsupported("a certificate"),
            Source {
                environment_id: Some(id),
                ..
            } => unsupported(&format!("{id:?}")),
            Source {
                file: Some(file), ..
            } => Ok(Self::File(file.clone())),
            Source {
                url: Some(url),
                headers,
                ..
            } => {
                let header = |(name, value): (&String, &String)| {
                    let name = name.parse::<HeaderName>().ok()?;
                    Some((name, HeaderValue::from_str(value).ok()?))
                };
                let headers: Option<HeaderMap> = headers.iter().map(header).collect();
                let headers = headers
                    .ok_or_else(|| KeyError("headers hold what no header takes".to_owned()))?;
                Ok(Self::Url(place(url)?, headers))
            }
            _ => Err(KeyError(
                "credential_source names neither a file nor a URL".to_owned(),
            )),
        }
    }

    /// What is there now: such tokens do not last.
    async fn read(&self, service: &Service, env: &Env) -> Result<Zeroizing<String>, KeyError> {
        let (bytes, place) = match self {
            Self::File(file) => {
                let bytes = env.read(Path::new(file), LONGEST_FILE);
                let bytes = bytes.map_err(|e| KeyError(format!("cannot read {file}: {e}")))?;
                (bytes, file.clone())
            }
            Self::Url(url, headers) => {
                let call = Call {
                    method: Method::GET,
                    url,
                    headers: headers.clone(),
                    body: Zeroizing::default(),
                    repeats: true,
                };
                let answer = service.call(call, env).await?;
                let origin = url.origin().ascii_serialization();
                if !answer.status.is_success() {
                    return Err(KeyError(format!("{origin}: it answers {}", answer.status)));
                }
                (answer.body, origin)
            }
        };
        let text = str::from_utf8(&bytes).map_err(|_| KeyError(format!("{place}: it is not text")));
        text.map(|text| Zeroizing::new(text.trim().to_owned()))
    }
}

impl Format {
    fn token(&self, text: &str) -> Result<Zeroizing<String>, KeyError> {
        let token = match self.r#type.as_str() {
            "" | "text" => Some(Zeroizing::new(text.to_owned())),
            "json" => {
                let mut fields: BTreeMap<String, Value> =
                    serde_json::from_str(text).unwrap_or_default();
                match fields.remove(&self.subject_token_field_name) {
                    Some(Value::String(token)) => Some(Zeroizing::new(token)),
                    _ => None,
                }
            }
            other => {
                return Err(KeyError(format!(
                    "format {other:?} is neither text nor json"
                )));
            }
        };
        let token = token.filter(|token| !token.is_empty());
        token.ok_or_else(|| KeyError("there is no token where credential_source says".to_owned()))
    }
}
