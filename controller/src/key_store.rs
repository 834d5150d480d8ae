//! The sealing keys in the controller's namespace: read, watched, written, and given out as a ring.
//!
//! A sealing key is a Secret with the label `sealedsecrets.bitnami.com/sealed-secrets-key=active`, or, as before label
//! and renewal were invented, the Secret whose name is the key prefix. Keys come and go while the controller runs.

mod generate;
mod watch;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use keys::KeyRing;
use keys::sealing::{CertError, KeyParseError, KeySize, SealingCert, SealingKey};
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};
use tokio::sync::watch as channel;
use tracing::{info, warn};
use zeroize::Zeroizing;

use crate::args::{KeyOrder, Pairs};

pub use self::generate::GenerateError;

/// On a Secret: it is a sealing key if the value is `active`.
pub const KEY_LABEL: &str = "sealedsecrets.bitnami.com/sealed-secrets-key";
const ACTIVE: &str = "active";

/// How keys are found, ordered and made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The controller's namespace.
    pub namespace: String,
    /// Beginning of new keys' names, and the name of the key without a label.
    pub prefix: String,
    /// Which key is the newest.
    pub order: KeyOrder,
    /// Size of new keys.
    pub size: KeySize,
    /// How long new certificates are valid.
    pub lifetime: SignedDuration,
    /// Common name in new certificates.
    pub common_name: String,
    /// More labels for new keys.
    pub labels: Pairs,
    /// Annotations for new keys.
    pub annotations: Pairs,
}

/// The sealing keys, as they are in the cluster now.
pub struct KeyStore {
    api: Api<Secret>,
    client: Client,
    settings: Settings,
    state: Mutex<State>,
    ring: channel::Sender<KeyRing>,
    newest: channel::Sender<Option<Timestamp>>,
}

/// Where a key was found: a Secret may be found both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Label,
    Name,
}

#[derive(Default)]
struct State {
    keys: BTreeMap<(Source, String), Stored>,
    /// Secrets that cannot be used, by the version that was complained about.
    refused: BTreeMap<String, String>,
}

/// A key as its Secret holds it, once it is known to be good.
struct Stored {
    time: Timestamp,
    created: Timestamp,
    version: u64,
    key_pem: Zeroizing<Vec<u8>>,
    cert_pem: Vec<u8>,
}

/// Why a Secret that claims to be a sealing key is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has no `tls.key`.
    #[error("it has no tls.key")]
    NoKey,
    /// It has no `tls.crt`.
    #[error("it has no tls.crt")]
    NoCert,
    /// Its `tls.key` cannot be used.
    #[error("tls.key: {0}")]
    Key(KeyParseError),
    /// Its `tls.crt` cannot be used.
    #[error("tls.crt: {0}")]
    Cert(CertError),
    /// Its two halves are of different keys.
    #[error("tls.crt is not the certificate of tls.key")]
    Mismatch,
}

impl KeyStore {
    /// A store that has not read anything yet.
    pub fn new(client: Client, settings: Settings) -> Self {
        Self {
            api: Api::namespaced(client.clone(), &settings.namespace),
            client,
            settings,
            state: Mutex::default(),
            ring: channel::Sender::new(KeyRing::default()),
            newest: channel::Sender::new(None),
        }
    }

    /// The ring of all keys, newest first, as it changes.
    pub fn ring(&self) -> channel::Receiver<KeyRing> {
        self.ring.subscribe()
    }

    /// The ordering time of the newest key, as it changes. `None` if there is no key.
    pub fn newest(&self) -> channel::Receiver<Option<Timestamp>> {
        self.newest.subscribe()
    }

    /// Reads all keys from the API server now.
    pub async fn refresh(&self) -> Result<(), kube::Error> {
        let labelled = ListParams::default().labels(&format!("{KEY_LABEL}={ACTIVE}"));
        let labelled = self.api.list(&labelled).await?.items;
        let named = self.api.get_opt(&self.settings.prefix).await?;
        self.replace(Source::Label, labelled);
        self.replace(Source::Name, named.into_iter().collect());
        Ok(())
    }

    /// Takes `secrets` for all that there are of one source.
    fn replace(&self, source: Source, secrets: Vec<Secret>) {
        let mut state = self.lock();
        let mut before: Vec<_> = state.names(source);
        before.retain(|name| secrets.iter().all(|secret| secret.name_any() != *name));
        let mut changed = false;
        for name in before {
            changed |= state.remove(source, &name);
        }
        for secret in secrets {
            changed |= self.insert(&mut state, source, secret);
        }
        self.publish(&state, changed);
    }

    fn apply(&self, source: Source, secret: Secret) {
        let mut state = self.lock();
        let changed = self.insert(&mut state, source, secret);
        self.publish(&state, changed);
    }

    fn delete(&self, source: Source, name: &str) {
        let mut state = self.lock();
        let changed = state.remove(source, name);
        self.publish(&state, changed);
    }

    /// Returns whether the keys are others now.
    fn insert(&self, state: &mut State, source: Source, secret: Secret) -> bool {
        let name = secret.name_any();
        let version = secret.resource_version().unwrap_or_default();
        let uid = secret.uid().unwrap_or_default();
        let place = (source, name.clone());
        match read(secret, self.settings.order) {
            Ok(stored) => {
                state.refused.remove(&name);
                if state
                    .keys
                    .get(&place)
                    .is_some_and(|known| known.is(&stored))
                {
                    return false;
                }
                if state.keys.insert(place, stored).is_none() {
                    info!(secretname = name, "registered private key");
                }
                true
            }
            Err(refusal) => {
                if state.refused.insert(name.clone(), version.clone()) != Some(version) {
                    self.complain(&name, &uid, &refusal);
                }
                state.keys.remove(&place).is_some()
            }
        }
    }

    fn complain(&self, name: &str, uid: &str, refusal: &Refusal) {
        warn!(
            secretname = name,
            reason = refusal.to_string(),
            "this Secret is no sealing key and is passed over"
        );
        watch::post_refusal(&self.client, &self.settings.namespace, name, uid, refusal);
    }

    fn publish(&self, state: &State, changed: bool) {
        if !changed {
            return;
        }
        let mut stored: Vec<_> = state.keys.values().collect();
        // Times tell seconds. Within one, the API server's own count tells what came later; all replicas agree on it.
        stored.sort_by_key(|stored| Reverse((stored.time, stored.created, stored.version)));
        let newest = stored.first().map(|stored| stored.time);
        let ring = KeyRing::new(stored.iter().filter_map(|stored| stored.parse().ok()));
        self.ring
            .send_modify(|known| *known = known.replaced_by(ring));
        self.newest.send_replace(newest);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn names(&self, source: Source) -> Vec<String> {
        let of_source = self.keys.keys().filter(|(of, _)| *of == source);
        of_source.map(|(_, name)| name.clone()).collect()
    }

    /// Returns whether there was such a key.
    fn remove(&mut self, source: Source, name: &str) -> bool {
        self.refused.remove(name);
        let removed = self.keys.remove(&(source, name.to_owned())).is_some();
        if removed {
            info!(secretname = name, "private key is gone");
        }
        removed
    }
}

impl Stored {
    /// Whether it is the same key; then it keeps its place in the order.
    fn is(&self, other: &Self) -> bool {
        self.key_pem == other.key_pem && self.cert_pem == other.cert_pem
    }

    fn parse(&self) -> Result<(SealingKey, Option<SealingCert>), Refusal> {
        let key = SealingKey::from_pem(&self.key_pem).map_err(Refusal::Key)?;
        let cert = SealingCert::from_pem(&self.cert_pem).map_err(Refusal::Cert)?;
        if key.fingerprint() != cert.fingerprint() {
            return Err(Refusal::Mismatch);
        }
        Ok((key, Some(cert)))
    }
}

fn read(secret: Secret, order: KeyOrder) -> Result<Stored, Refusal> {
    let created = secret.creation_timestamp().map(|time| time.0);
    let created = created.unwrap_or(Timestamp::UNIX_EPOCH);
    let version = secret
        .resource_version()
        .and_then(|version| version.parse().ok());
    let mut data = secret.data.unwrap_or_default();
    let key = data.remove("tls.key").filter(|key| !key.0.is_empty());
    let cert = data.remove("tls.crt").filter(|cert| !cert.0.is_empty());
    let ByteString(key_pem) = key.ok_or(Refusal::NoKey)?;
    let mut stored = Stored {
        time: created,
        created,
        version: version.unwrap_or_default(),
        key_pem: Zeroizing::new(key_pem),
        cert_pem: cert.ok_or(Refusal::NoCert)?.0,
    };
    let (_, cert) = stored.parse()?;
    if let (KeyOrder::CertNotBefore, Some(cert)) = (order, cert) {
        stored.time = cert.not_before();
    }
    Ok(stored)
}
