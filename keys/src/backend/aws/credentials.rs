//! Where credentials come from, and until when they serve: what fails is remembered, so that many documents fail at once.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future,
};
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::account::Principal;
use super::arn::{RoleArn, partition};
use super::refusal::{Refusal, refusal};
use super::settings::{has_credentials, variable};
use crate::remote::{CALL, chain};
use crate::{
    env::{Env, shown},
    master_key::KeyError,
};

/// How long nobody asks again where it was refused: many documents may ask.
const REFUSED: Duration = Duration::from_secs(30);
/// No token of a web identity is longer.
const LONGEST_TOKEN: u64 = 64 << 10;
/// No name of a session is longer.
const LONGEST_SESSION: usize = 64;

/// The credentials of a principal.
#[derive(Clone)]
pub(super) struct Source(Arc<Inner>);

struct Inner {
    config: SdkConfig,
    /// Whether a document names the profile: then nothing else counts.
    has_profile: bool,
    role: Option<RoleArn>,
    state: Mutex<State>,
}

#[derive(Default)]
enum State {
    #[default]
    Unknown,
    /// Until then it is better to take no others.
    Ready(Credentials, Option<SystemTime>),
    Refused(Instant, KeyError),
}

impl Source {
    pub(super) fn new(principal: &Principal, config: SdkConfig) -> Self {
        Self(Arc::new(Inner {
            config,
            has_profile: !principal.profile.is_empty(),
            role: principal.role.clone(),
            state: Mutex::default(),
        }))
    }

    /// Credentials that serve for some time: loaded once, however many ask.
    pub(super) async fn fresh(&self, env: &Env) -> Result<Credentials, KeyError> {
        let mut state = self.0.state.lock().await;
        match &*state {
            State::Ready(credentials, until)
                if until.is_none_or(|until| SystemTime::now() < until) =>
            {
                return Ok(credentials.clone());
            }
            State::Refused(since, why) if since.elapsed() < REFUSED => return Err(why.clone()),
            _ => {}
        }
        let limit = env.time_limit();
        let loaded = timeout(limit, self.0.load(env)).await;
        let loaded = loaded.unwrap_or_else(|_| {
            let seconds = limit.as_secs_f32();
            Err(KeyError(format!("no credentials for AWS in {seconds} s")))
        });
        *state = match &loaded {
            Ok(credentials) => State::Ready(credentials.clone(), fresh_until(credentials)),
            Err(why) => State::Refused(Instant::now(), why.clone()),
        };
        loaded
    }
}

/// A third of their time is left for whoever is slow.
fn fresh_until(credentials: &Credentials) -> Option<SystemTime> {
    let now = SystemTime::now();
    let left = credentials.expiry()?.duration_since(now);
    Some(now + left.unwrap_or_default() * 2 / 3)
}

impl Inner {
    async fn load(&self, env: &Env) -> Result<Credentials, KeyError> {
        let base = match WebIdentity::of(env) {
            // As with sops, it counts before the profile that variables name.
            Some(identity) if !self.has_profile && !has_credentials(env) => {
                self.web_identity(&identity, env).await?
            }
            _ => self.of_chain().await?,
        };
        match &self.role {
            None => Ok(base),
            Some(role) => self.assume(role, base, env).await,
        }
    }

    async fn of_chain(&self) -> Result<Credentials, KeyError> {
        let chain_of_sdk = self.config.credentials_provider();
        let chain_of_sdk = chain_of_sdk.ok_or_else(|| KeyError("there are none".to_owned()))?;
        chain_of_sdk.provide_credentials().await.map_err(|error| {
            let why = match &error {
                CredentialsError::CredentialsNotLoaded(_) => "nothing here gives any".to_owned(),
                error => chain(error, &[]),
            };
            KeyError(format!(
                "no credentials for AWS: {why}; set AWS_PROFILE or AWS_ACCESS_KEY_ID, or log in with `aws sso login`"
            ))
        })
    }

    async fn web_identity(
        &self,
        identity: &WebIdentity,
        env: &Env,
    ) -> Result<Credentials, KeyError> {
        self.check_partition(identity)?;
        let file = Path::new(&identity.file);
        let failed = |why: String| {
            KeyError(format!(
                "AWS_WEB_IDENTITY_TOKEN_FILE ({}) {why}",
                shown(file)
            ))
        };
        let token = env.read(file, LONGEST_TOKEN);
        let token = token.map_err(|e| failed(format!("cannot be read: {e}")))?;
        let token = str::from_utf8(&token).map(str::trim);
        let token = token.map_err(|_| failed("is not text".to_owned()))?;
        let client = aws_sdk_sts::Client::new(&self.config);
        let call = client.assume_role_with_web_identity();
        let call = call.role_arn(&identity.role).web_identity_token(token);
        let call = call.role_session_name(identity.session(env));
        let answer = call.send();
        let action = "sts:AssumeRoleWithWebIdentity";
        let answer = in_time(action, answer, &[token], env).await?;
        of_session(action, answer.credentials)
    }

    /// The token itself goes to STS, and whoever has it can have the role: no file may send it to another operator.
    fn check_partition(&self, identity: &WebIdentity) -> Result<(), KeyError> {
        let region = self.config.region().map_or("", |region| region.as_ref());
        let role = &identity.role;
        match role.split(':').nth(1) == Some(partition(region)) {
            true => Ok(()),
            false => Err(KeyError(format!(
                "no token is sent to {region}: {role}, the role of AWS_ROLE_ARN, is not of its partition"
            ))),
        }
    }

    async fn assume(
        &self,
        role: &RoleArn,
        base: Credentials,
        env: &Env,
    ) -> Result<Credentials, KeyError> {
        let config = self.config.to_builder();
        let provider = SharedCredentialsProvider::new(base.clone());
        let config = config.credentials_provider(provider).build();
        let client = aws_sdk_sts::Client::new(&config);
        let call = client.assume_role().role_arn(role.text());
        let call = call.role_session_name(session_name(&env.host_name()));
        let mut secrets = vec![base.secret_access_key()];
        secrets.extend(base.session_token());
        let action = format!("sts:AssumeRole of {}", role.text());
        let answer = in_time(&action, call.send(), &secrets, env).await?;
        of_session(&action, answer.credentials)
    }
}

/// Waits for a call to STS.
async fn in_time<T, E: ProvideErrorMetadata + std::error::Error + 'static>(
    action: &str,
    call: impl Future<Output = Result<T, SdkError<E>>>,
    secrets: &[&str],
    env: &Env,
) -> Result<T, KeyError> {
    let limit = CALL.min(env.time_limit());
    let why = match timeout(limit, call).await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => match refusal(&error, secrets) {
            Refusal::Said(why) | Refusal::Silence(why) => why,
        },
        Err(_) => format!("no answer in {} s", limit.as_secs_f32()),
    };
    Err(KeyError(format!("{action}: {why}")))
}

fn of_session(
    action: &str,
    credentials: Option<aws_sdk_sts::types::Credentials>,
) -> Result<Credentials, KeyError> {
    let credentials = credentials
        .ok_or_else(|| KeyError(format!("{action}: the answer holds no credentials")))?;
    Ok(Credentials::new(
        credentials.access_key_id,
        credentials.secret_access_key,
        Some(credentials.session_token),
        SystemTime::try_from(credentials.expiration).ok(),
        "role",
    ))
}

/// A token of somebody else's, such as a pod's, for which a role is given.
struct WebIdentity {
    file: String,
    role: String,
    session: Option<String>,
}

impl WebIdentity {
    fn of(env: &Env) -> Option<Self> {
        Some(Self {
            file: variable(env, "AWS_WEB_IDENTITY_TOKEN_FILE")?,
            role: variable(env, "AWS_ROLE_ARN")?,
            session: variable(env, "AWS_ROLE_SESSION_NAME"),
        })
    }

    fn session(&self, env: &Env) -> String {
        let session = self.session.clone();
        session.unwrap_or_else(|| session_name(&env.host_name()))
    }
}

/// Who asks, as logs of AWS have it: what a session's name cannot hold is left out.
fn session_name(host: &str) -> String {
    let is_allowed = |c: &char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(*c);
    let name = "sops@".chars().chain(host.chars().filter(is_allowed));
    name.take(LONGEST_SESSION).collect()
}

impl ProvideCredentials for Source {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            match &*self.0.state.lock().await {
                State::Ready(credentials, _) => Ok(credentials.clone()),
                _ => Err(CredentialsError::not_loaded_no_source()),
            }
        })
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_named_after_the_machine() {
        for (host, expected) in [
            ("ci-1.example", "sops@ci-1.example"),
            ("a b:c/\u{e9}", "sops@abc"),
            ("", "sops@"),
        ] {
            assert_eq!(session_name(host), expected);
        }
        assert_eq!(session_name(&"x".repeat(100)).len(), LONGEST_SESSION);
    }
}
