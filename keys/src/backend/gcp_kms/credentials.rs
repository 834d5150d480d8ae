//! Who asks: what the environment and its files say, in the order of sops and of Google's own libraries.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::cloud::variable;
use crate::remote::{Hidden, Service, Session};
use crate::{
    env::{Env, shown},
    master_key::KeyError,
};

mod external;
mod impersonated;
mod metadata;
mod service_account;
mod user;

use external::ExternalAccount;
use impersonated::Impersonated;
use service_account::ServiceAccount;
use user::User;

/// What a token may be used for: all that its owner is allowed.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// No file of credentials is longer.
const LONGEST_FILE: u64 = 1 << 20;
/// Where Google is, for credentials that say nothing else.
const GOOGLE: &str = "googleapis.com";

/// Who asks, and from where that is known.
pub(super) struct Credentials {
    kind: Kind,
    /// Named in errors.
    place: String,
    /// Whose quota calls count for, if it is not the key's project.
    pub(super) quota_project: Option<String>,
}

/// The ways to a token.
enum Kind {
    Token(Zeroizing<String>),
    ServiceAccount(ServiceAccount),
    User(User),
    External(Box<ExternalAccount>),
    Impersonated(Impersonated),
    Metadata,
}

/// A file of credentials, whatever its type. What belongs to other types is not looked at.
#[derive(Default, Deserialize)]
#[serde(default)]
struct File {
    r#type: String,
    universe_domain: Option<String>,
    quota_project_id: Option<String>,
    client_email: String,
    private_key: Hidden,
    private_key_id: String,
    client_id: String,
    client_secret: Hidden,
    refresh_token: Hidden,
    token_uri: Option<String>,
    audience: String,
    subject_token_type: String,
    token_url: String,
    credential_source: Option<external::Source>,
    workforce_pool_user_project: Option<String>,
    service_account_impersonation_url: Option<String>,
    service_account_impersonation: impersonated::Lifetime,
    delegates: Vec<String>,
    source_credentials: Option<Box<Self>>,
}

impl Credentials {
    /// What the environment says. No network is asked.
    pub(super) fn of(env: &Env, universe: &str) -> Result<Self, KeyError> {
        if let Some(text) = variable(env, "GOOGLE_CREDENTIALS") {
            let name = "GOOGLE_CREDENTIALS";
            let path = Path::new(&text);
            return match path.exists() {
                true => Self::of_file(name, path, universe, env),
                false => Self::read(name.to_owned(), text.as_bytes(), universe, env),
            };
        }
        if let Some(token) = variable(env, "GOOGLE_OAUTH_ACCESS_TOKEN") {
            return Ok(Self {
                kind: Kind::Token(Zeroizing::new(token.trim().to_owned())),
                place: "GOOGLE_OAUTH_ACCESS_TOKEN".to_owned(),
                quota_project: variable(env, "GOOGLE_CLOUD_QUOTA_PROJECT"),
            });
        }
        if let Some(path) = variable(env, "GOOGLE_APPLICATION_CREDENTIALS") {
            let name = "GOOGLE_APPLICATION_CREDENTIALS";
            return Self::of_file(name, Path::new(&path), universe, env);
        }
        match of_gcloud(env).filter(|path| path.exists()) {
            Some(path) => Self::of_file("gcloud", &path, universe, env),
            None => Ok(Self {
                kind: Kind::Metadata,
                place: "metadata server".to_owned(),
                quota_project: variable(env, "GOOGLE_CLOUD_QUOTA_PROJECT"),
            }),
        }
    }

    fn of_file(name: &str, path: &Path, universe: &str, env: &Env) -> Result<Self, KeyError> {
        let place = format!("{name} ({})", shown(path));
        let bytes = env.read(path, LONGEST_FILE);
        let bytes = bytes.map_err(|e| KeyError(format!("{place}: cannot be read: {e}")))?;
        Self::read(place, &bytes, universe, env)
    }

    fn read(place: String, json: &[u8], universe: &str, env: &Env) -> Result<Self, KeyError> {
        let failed = |why: String| KeyError(format!("{place}: {why}"));
        // What serde says may repeat what stands there.
        let file: File = serde_json::from_slice(json).map_err(|e| {
            let (line, column) = (e.line(), e.column());
            failed(format!(
                "it is no JSON of credentials (line {line}, column {column})"
            ))
        })?;
        let own = file.universe_domain.as_deref().unwrap_or(GOOGLE);
        if own != universe {
            return Err(failed(format!(
                "these credentials are of {own}, and the server is of {universe} (SOPS_GCP_KMS_UNIVERSE_DOMAIN)"
            )));
        }
        let own_quota = file.quota_project_id.clone();
        let kind = Kind::of(file).map_err(|KeyError(why)| failed(why))?;
        Ok(Self {
            kind,
            place,
            quota_project: variable(env, "GOOGLE_CLOUD_QUOTA_PROJECT").or(own_quota),
        })
    }

    /// Gets a token.
    pub(super) async fn log_in(&self, service: &Service, env: &Env) -> Result<Session, KeyError> {
        let session = self.kind.log_in(service, env).await;
        session.map_err(|KeyError(why)| KeyError(format!("{}: {why}", self.place)))
    }
}

impl Kind {
    fn of(file: File) -> Result<Self, KeyError> {
        Ok(match file.r#type.as_str() {
            "service_account" => Self::ServiceAccount(ServiceAccount::of(file)?),
            "authorized_user" => Self::User(User::of(file)?),
            "external_account" => Self::External(Box::new(ExternalAccount::of(file)?)),
            "impersonated_service_account" => Self::Impersonated(Impersonated::of(file)?),
            "" => return Err(KeyError("it names no type of credentials".to_owned())),
            other => {
                return Err(KeyError(format!(
                    "credentials of type {other:?} are not supported; known are service_account, authorized_user, external_account and impersonated_service_account"
                )));
            }
        })
    }

    async fn log_in(&self, service: &Service, env: &Env) -> Result<Session, KeyError> {
        match self {
            Self::Token(token) => Ok(Session::given(token.clone())),
            Self::ServiceAccount(account) => account.token(env),
            Self::User(user) => user.token(service, env).await,
            Self::External(account) => account.token(service, env).await,
            Self::Impersonated(account) => account.token(service, env).await,
            Self::Metadata => metadata::token(env).await,
        }
    }
}

/// Where `gcloud auth application-default login` leaves credentials.
fn of_gcloud(env: &Env) -> Option<PathBuf> {
    let folder = match variable(env, "CLOUDSDK_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None if cfg!(windows) => PathBuf::from(variable(env, "APPDATA")?).join("gcloud"),
        None => env.home()?.join(".config/gcloud"),
    };
    Some(folder.join("application_default_credentials.json"))
}

/// A field that must be there.
fn needed(name: &str, text: String) -> Result<String, KeyError> {
    match text.is_empty() {
        true => Err(KeyError(format!("{name} is missing"))),
        false => Ok(text),
    }
}
