//! Clients of KMS: one for each principal and region, with the credentials that it calls with.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::identity::IdentityCache;
use aws_config::profile;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_kms::config::StalledStreamProtectionConfig;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_types::os_shim_internal::Fs;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::arn::RoleArn;
use super::connector::Connector;
use super::credentials::Source;
use super::refusal::{Refusal, refusal};
use super::settings;
use crate::remote::{CALL, Limits, Service, chain};
use crate::{env::Env, master_key::KeyError};

/// All that this environment may use.
pub(super) struct Accounts {
    service: Arc<Service>,
    known: Mutex<HashMap<Principal, Arc<OnceCell<Account>>>>,
}

/// Who asks, and where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Principal {
    /// Empty if it is not said.
    pub(super) profile: String,
    pub(super) region: String,
    pub(super) role: Option<RoleArn>,
}

/// A client of KMS in one region.
#[derive(Clone)]
pub(super) struct Account {
    client: aws_sdk_kms::Client,
    source: Source,
    service: Arc<Service>,
    region: String,
}

impl Accounts {
    pub(super) fn new(env: &Env) -> Result<Self, KeyError> {
        let authorities = settings::authorities(env)?;
        let service = Service::new(Limits::default(), env, |builder| {
            Ok(match authorities {
                Some(authorities) => builder.tls_certs_only(authorities),
                None => builder,
            })
        })?;
        Ok(Self {
            service: Arc::new(service),
            known: Mutex::default(),
        })
    }

    /// The client of a principal, made when somebody asks for it.
    pub(super) async fn account(
        &self,
        principal: Principal,
        env: &Env,
    ) -> Result<Account, KeyError> {
        let slot = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.entry(principal.clone()).or_default().clone()
        };
        let made = slot.get_or_try_init(|| self.make(principal, env));
        made.await.cloned()
    }

    async fn make(&self, principal: Principal, env: &Env) -> Result<Account, KeyError> {
        if !principal.profile.is_empty() {
            find_profile(&principal.profile, env).await?;
        }
        let config = self.config(&principal, env).await;
        let source = Source::new(&principal, config.clone());
        let conf = aws_sdk_kms::config::Builder::from(&config)
            .credentials_provider(source.clone())
            // The source remembers, failures too.
            .identity_cache(IdentityCache::no_cache());
        Ok(Account {
            client: aws_sdk_kms::Client::from_conf(conf.build()),
            source,
            service: self.service.clone(),
            region: principal.region,
        })
    }

    /// What the SDK makes of variables and profiles. It sees the variables of our environment, and no others.
    async fn config(&self, principal: &Principal, env: &Env) -> SdkConfig {
        let variables = settings::variables(env, &principal.profile);
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .env(variables.into())
            .http_client(Connector::new(self.service.clone()))
            .region(Region::new(principal.region.clone()))
            // Answers are read whole, in limited time, before the SDK sees them.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if !principal.profile.is_empty() {
            loader = loader.profile_name(&principal.profile);
        }
        loader.load().await
    }
}

/// A profile that a key names has to be there: nothing else takes its place.
async fn find_profile(name: &str, env: &Env) -> Result<(), KeyError> {
    let failed = |why: &str| KeyError(format!("no credentials for AWS: profile {name:?}: {why}"));
    let variables = settings::variables(env, name).into();
    let known = profile::load(&Fs::real(), &variables, &Default::default(), None).await;
    let known = known.map_err(|e| failed(&chain(&e, &[])))?;
    match known.get_profile(name) {
        Some(_) => Ok(()),
        None => Err(failed(
            "neither ~/.aws/config nor ~/.aws/credentials has it",
        )),
    }
}

impl Account {
    pub(super) fn kms(&self) -> &aws_sdk_kms::Client {
        &self.client
    }

    /// Waits for a call, with fresh credentials and in limited time. A region that is silent is left alone for a while.
    ///
    /// What it refuses is said without `secrets`.
    pub(super) async fn ask<T, E: ProvideErrorMetadata + std::error::Error + 'static>(
        &self,
        action: &str,
        call: impl Future<Output = Result<T, SdkError<E>>>,
        secrets: &[&str],
        env: &Env,
    ) -> Result<T, KeyError> {
        let failed = |why: &str| KeyError(format!("{action} in {}: {why}", self.region));
        let place = format!("KMS in {}", self.region);
        self.service.silence(&place).map_err(|why| failed(&why))?;
        let credentials = self.source.fresh(env).await?;
        let mut secrets = secrets.to_vec();
        secrets.push(credentials.secret_access_key());
        secrets.extend(credentials.session_token());
        let limit = CALL.min(env.time_limit());
        let (why, silent) = match timeout(limit, call).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => match refusal(&error, &secrets) {
                Refusal::Said(why) => (why, false),
                Refusal::Silence(why) => (why, true),
            },
            Err(_) => (format!("no answer in {} s", limit.as_secs_f32()), true),
        };
        if silent {
            self.service.leave_alone(place, why.clone());
        }
        Err(failed(&why))
    }
}
