//! Who asks: the ways of Azure's own libraries, in their order. The first one that is set up counts.

use std::path::Path;

use zeroize::Zeroizing;

use super::challenge::{Challenge, checked, login};
use crate::remote::{Service, Session, token};
use crate::{
    env::{Env, shown},
    master_key::KeyError,
};

mod certificate;
mod cli;
mod machine;

use certificate::Certificate;

/// The variable that narrows what is tried.
const NARROW: &str = "AZURE_TOKEN_CREDENTIALS";
/// No identity document is longer.
const LONGEST_FILE: u64 = 1 << 20;

/// The ways that are tried, one after the other.
pub(super) struct Chain(Vec<Way>);

/// The ways to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Environment,
    WorkloadIdentity,
    ManagedIdentity,
    AzureCli,
}

const ALL: [(Way, &str); 4] = [
    (Way::Environment, "EnvironmentCredential"),
    (Way::WorkloadIdentity, "WorkloadIdentityCredential"),
    (Way::ManagedIdentity, "ManagedIdentityCredential"),
    (Way::AzureCli, "AzureCLICredential"),
];

/// Why there is no token.
enum Refusal {
    /// That way is not set up here: the next one may be.
    NotHere(String),
    /// It is, and it failed.
    Failed(KeyError),
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        Self::Failed(error)
    }
}

impl Chain {
    /// What the environment says.
    pub(super) fn of(env: &Env) -> Result<Self, KeyError> {
        let ways = |names: &[Way]| Ok(Self(names.to_vec()));
        match variable(env, NARROW).as_deref() {
            None => ways(&ALL.map(|(way, _)| way)),
            Some("dev") => ways(&[Way::AzureCli]),
            Some("prod") => ways(&[
                Way::Environment,
                Way::WorkloadIdentity,
                Way::ManagedIdentity,
            ]),
            Some(name) => {
                let found = ALL
                    .iter()
                    .find(|(_, known)| known.eq_ignore_ascii_case(name));
                let (way, _) = found.ok_or_else(|| {
                    let known = ALL.map(|(_, name)| name).join(", ");
                    KeyError(format!(
                        "{NARROW} is {name:?}; known are dev, prod, {known}"
                    ))
                })?;
                ways(&[*way])
            }
        }
    }

    /// Gets a token.
    pub(super) async fn log_in(
        &self,
        challenge: &Challenge,
        service: &Service,
        env: &Env,
    ) -> Result<Session, KeyError> {
        let mut missing = Vec::new();
        for way in &self.0 {
            let name = way.name();
            match way.log_in(self.0.len() == 1, challenge, service, env).await {
                Ok(session) => return Ok(session),
                Err(Refusal::Failed(KeyError(why))) => {
                    return Err(KeyError(format!("{name}: {why}")));
                }
                Err(Refusal::NotHere(why)) => missing.push(format!("{name}: {why}")),
            }
        }
        let missing = missing.join("; ");
        Err(KeyError(format!("there are no credentials: {missing}")))
    }
}

impl Way {
    fn name(self) -> &'static str {
        let found = ALL.iter().find(|(way, _)| *way == self);
        found.map_or("", |(_, name)| name)
    }

    async fn log_in(
        self,
        is_alone: bool,
        challenge: &Challenge,
        service: &Service,
        env: &Env,
    ) -> Result<Session, Refusal> {
        match self {
            Self::Environment => of_environment(challenge, service, env).await,
            Self::WorkloadIdentity => of_workload(challenge, service, env).await,
            Self::ManagedIdentity => machine::token(is_alone, challenge, service, env).await,
            Self::AzureCli => cli::token(challenge, env).await,
        }
    }
}

/// An application that shows its secret or its certificate.
async fn of_environment(
    challenge: &Challenge,
    service: &Service,
    env: &Env,
) -> Result<Session, Refusal> {
    let [tenant, client] = [
        needed(env, "AZURE_TENANT_ID")?,
        needed(env, "AZURE_CLIENT_ID")?,
    ];
    if let Some(secret) = variable(env, "AZURE_CLIENT_SECRET") {
        let secret = Zeroizing::new(secret);
        let proof = [("client_secret", secret.as_str())];
        return exchange(&tenant, &client, &proof, challenge, service, env).await;
    }
    let file = needed(env, "AZURE_CLIENT_CERTIFICATE_PATH").map_err(|_| {
        let text = "neither AZURE_CLIENT_SECRET nor AZURE_CLIENT_CERTIFICATE_PATH is set";
        Refusal::NotHere(text.to_owned())
    })?;
    let certificate = Certificate::read(Path::new(&file), env)?;
    let url = token_url(&tenant, env)?;
    let assertion = certificate.assertion(&client, url.as_str(), env)?;
    exchange_assertion(&tenant, &client, &assertion, challenge, service, env).await
}

/// A pod that shows the token of its service account, or a job of CI that shows its own.
async fn of_workload(
    challenge: &Challenge,
    service: &Service,
    env: &Env,
) -> Result<Session, Refusal> {
    let file = needed(env, "AZURE_FEDERATED_TOKEN_FILE")?;
    let [tenant, client] = [
        needed(env, "AZURE_TENANT_ID")?,
        needed(env, "AZURE_CLIENT_ID")?,
    ];
    // It is replaced from time to time.
    let file = Path::new(&file);
    let failed = |why: String| {
        KeyError(format!(
            "AZURE_FEDERATED_TOKEN_FILE ({}) {why}",
            shown(file)
        ))
    };
    let bytes = env.read(file, LONGEST_FILE);
    let bytes = bytes.map_err(|e| failed(format!("cannot be read: {e}")))?;
    let text = str::from_utf8(&bytes).map_err(|_| failed("is not text".to_owned()))?;
    exchange_assertion(&tenant, &client, text.trim(), challenge, service, env).await
}

async fn exchange_assertion(
    tenant: &str,
    client: &str,
    assertion: &str,
    challenge: &Challenge,
    service: &Service,
    env: &Env,
) -> Result<Session, Refusal> {
    let proof = [
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", assertion),
    ];
    exchange(tenant, client, &proof, challenge, service, env).await
}

/// A token for an application that proves who it is.
async fn exchange(
    tenant: &str,
    client: &str,
    proof: &[(&str, &str)],
    challenge: &Challenge,
    service: &Service,
    env: &Env,
) -> Result<Session, Refusal> {
    let scope = format!("{}/.default", challenge.resource);
    let mut fields = vec![
        ("grant_type", "client_credentials"),
        ("client_id", client),
        ("scope", &scope),
    ];
    fields.extend_from_slice(proof);
    let url = token_url(tenant, env)?;
    Ok(token(
        service,
        &url,
        reqwest::header::HeaderMap::new(),
        &fields,
        env,
    )
    .await?)
}

fn token_url(tenant: &str, env: &Env) -> Result<reqwest::Url, KeyError> {
    let mut url = login(env)?;
    url.set_path(&format!(
        "{}/oauth2/v2.0/token",
        checked(tenant.to_owned())?
    ));
    Ok(url)
}

fn needed(env: &Env, name: &str) -> Result<String, Refusal> {
    variable(env, name).ok_or_else(|| Refusal::NotHere(format!("{name} is not set")))
}

/// A variable. Set to nothing, it is not set.
pub(super) fn variable(env: &Env, name: &str) -> Option<String> {
    let value = env.variable(name)?.to_string_lossy();
    (!value.is_empty()).then(|| value.into_owned())
}
