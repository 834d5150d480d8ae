//! One namespace, or all: reads its SealedSecrets and Secrets, finds what is to be done, and follows the changes.

mod backlog;

use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{info, warn};

use self::backlog::{hand_out, queue_the_rest};
use crate::api::{ApiError, path};
use crate::context::Context;
use crate::drift;
use crate::events::{Event, Reason};
use crate::list::{Change, Collection};
use crate::live::{LiveSecret, ObjectMetadata};
use crate::mark::{Extent, Marker};
use crate::name::ObjectName;
use crate::namespaces::Chosen;
use crate::queue::Lane;
use crate::records::{Expected, Record, Seen, State};
use crate::sealed_object::{Glimpse, SealedObject, instance};
use crate::status;

/// Objects a page. A page is never whole in memory here, but it is in the API server.
const PAGE: u32 = 500;
/// From so many on, Secrets are read as a list to compare them with their marks, and SealedSecrets to open them.
const MANY: usize = 24;

/// One namespace, or all.
pub(crate) struct Site {
    sealed: Collection,
    secrets: Collection,
    namespace: Option<String>,
    chosen: Chosen,
}

impl Site {
    pub(crate) fn new(context: &Context, namespace: Option<String>, chosen: Chosen) -> Self {
        let selector = &context.settings.label_selector;
        let collection = |path, metadata_only| Collection {
            path,
            label_selector: selector.clone(),
            field_selector: String::new(),
            metadata_only,
        };
        Self {
            sealed: collection(path::sealed_secrets(namespace.as_deref()), false),
            secrets: collection(path::secrets(namespace.as_deref()), true),
            namespace,
            chosen,
        }
    }

    /// Works for as long as it is let. `ready` becomes true once the SealedSecrets have been read.
    pub(crate) async fn run(mut self, context: &Context, ready: &watch::Sender<bool>) {
        let mut failures = 0u32;
        let mut verify = false;
        loop {
            let versions = match self.read(context, verify).await {
                Ok(versions) => versions,
                Err(error) => {
                    warn!(namespace = self.namespace, %error, "the SealedSecrets could not be read");
                    failures = failures.saturating_add(1);
                    sleep(Duration::from_millis(200 << failures.min(7))).await;
                    continue;
                }
            };
            failures = 0;
            ready.send_replace(true);
            verify = self.follow(context, versions).await;
        }
    }

    /// Follows changes until everything is to be read again; true if also what is thought to be right.
    async fn follow(&mut self, context: &Context, versions: Versions) -> bool {
        let resync = context
            .settings
            .resync
            .map(|period| Instant::now() + period);
        let Self {
            sealed,
            secrets,
            chosen,
            namespace,
        } = self;
        let watched = chosen.clone();
        let sealed_changes = sealed.follow(&context.api, versions.sealed, |change| {
            sealed_changed(context, &watched, change);
        });
        let secret_changes = async {
            if context.settings.skip_recreate {
                return std::future::pending().await;
            }
            let follow = secrets.follow(&context.api, versions.secrets, |change| {
                secret_changed(context, change)
            });
            follow.await;
        };
        let backlog = async {
            if let Err(error) = hand_out(context, sealed).await {
                warn!(namespace, %error, "the SealedSecrets could not be read at once; they are read one by one");
            }
            queue_the_rest(context, namespace.as_deref());
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = sealed_changes => false,
            () = secret_changes => false,
            () = chosen.changed() => false,
            () = backlog => false,
            () = async { match resync { Some(due) => sleep_until(due).await, None => std::future::pending().await } } => true,
        }
    }

    /// Reads everything and compares it with what is known.
    async fn read(&self, context: &Context, verify: bool) -> Result<Versions, ApiError> {
        let sealed = self.read_sealed(context, verify).await?;
        let secrets = if context.settings.skip_recreate {
            String::new()
        } else {
            self.read_secrets(context).await?
        };
        Ok(Versions { sealed, secrets })
    }

    async fn read_sealed(&self, context: &Context, verify: bool) -> Result<String, ApiError> {
        let marker = context.marker();
        let mut present = HashSet::new();
        let version = self
            .sealed
            .read(&context.api, PAGE, |json| {
                let Some(glimpse) = Glimpse::parse(json) else {
                    return;
                };
                let name = glimpse.name();
                if !self.chosen.has(name.namespace()) {
                    return;
                }
                remember(context, &name, &glimpse);
                if let Some(marker) = &marker {
                    expect(context, &name, json, marker, verify);
                }
                present.insert(name);
            })
            .await?;
        let gone = self.known(context, |name, _| !present.contains(name));
        for name in gone {
            drift::sealed_secret_gone(context, &name);
        }
        info!(
            namespace = self.namespace,
            count = present.len(),
            "SealedSecrets read"
        );
        Ok(version)
    }

    /// Reads the Secrets: whole where many are to be compared with their marks, else only their metadata.
    async fn read_secrets(&self, context: &Context) -> Result<String, ApiError> {
        let expected = self
            .known(context, |_, record| record.expected.is_some())
            .len();
        let compares = expected >= MANY;
        let mut secrets = self.secrets.clone();
        if compares {
            secrets.metadata_only = false;
            // Large, many, and never made from a SealedSecret.
            secrets.field_selector = "type!=helm.sh/release.v1".into();
        }
        let marker = context.marker();
        let mut present = HashSet::new();
        let version = secrets
            .read(&context.api, PAGE, |json| {
                if let Some(name) = look_at(context, json, marker.as_ref().filter(|_| compares)) {
                    present.insert(name);
                }
            })
            .await?;
        let gone = self.known(context, |name, record| {
            record.secret.is_some() && !present.contains(name)
        });
        for name in gone {
            drift::secret_gone(context, &name, None);
        }
        context
            .records
            .lock()
            .values_mut()
            .for_each(|record| record.expected = None);
        Ok(version)
    }

    /// The names of this site's records that are as wanted.
    fn known(
        &self,
        context: &Context,
        wanted: impl Fn(&ObjectName, &Record) -> bool,
    ) -> Vec<ObjectName> {
        let here = |name: &ObjectName| {
            self.namespace
                .as_deref()
                .is_none_or(|namespace| namespace == name.namespace())
        };
        let records = context.records.lock();
        let matching = records
            .iter()
            .filter(|(name, record)| here(name) && wanted(name, record));
        matching.map(|(name, _)| name.clone()).collect()
    }
}

/// From where changes are followed.
struct Versions {
    sealed: String,
    secrets: String,
}

fn remember(context: &Context, name: &ObjectName, sealed: &Glimpse) {
    let mut records = context.records.lock();
    match records.get_mut(name) {
        Some(record) => drop(record.update(sealed)),
        None => drop(records.insert(name.clone(), Record::new(sealed))),
    }
}

/// Notes by what its Secret is known to be right, if the status says so.
fn expect(context: &Context, name: &ObjectName, json: &[u8], marker: &Marker, verify: bool) {
    let wanted = {
        let records = context.records.lock();
        records.get(name).is_some_and(|record| match record.state {
            State::New => true,
            State::Right => verify,
            _ => false,
        })
    };
    if !wanted {
        return;
    }
    let Some(SealedObject {
        metadata,
        status,
        sealed: Some(sealed),
    }) = SealedObject::parse(json)
    else {
        return;
    };
    let is_synced = status::was_synced(status.as_ref(), metadata.generation);
    let known = marker.known(&sealed).filter(|_| is_synced);
    if let (Some(mark), Some(extent)) = (known, Extent::of(&sealed))
        && let Some(record) = context.records.lock().get_mut(name)
    {
        record.expected = Some(Box::new(Expected {
            mark,
            extent,
            instance: instance(&metadata).into(),
        }));
    }
}

/// Looks at one Secret of a list. Returns its name if a SealedSecret has the same one.
fn look_at(context: &Context, json: &[u8], marker: Option<&Marker>) -> Option<ObjectName> {
    let metadata = metadata(json)?;
    let name = ObjectName::new(&metadata.namespace, &metadata.name);
    let expected = context.records.lock().get_mut(&name)?.expected.take();
    let is_right = |Expected { mark, extent, .. }: &Expected| {
        let secret: Option<LiveSecret> = serde_json::from_slice(json).ok();
        secret.is_some_and(|secret| {
            marker.is_some_and(|marker| marker.is_right(mark, extent, &secret))
        })
    };
    match expected {
        Some(expected) if is_right(&expected) => {
            let mut records = context.records.lock();
            let record = records.get_mut(&name)?;
            let seen = Seen::of(&metadata);
            record.state = State::Right;
            record.right = seen.version;
            record.secret = Some(seen);
            let (namespace, name) = (name.namespace(), name.name());
            let instance = &expected.instance;
            let metrics = &context.metrics;
            metrics.condition(namespace, name, status::SYNCED, 1, instance);
        }
        Some(_) if marker.is_some() => {
            drift::secret_there(context, &name, &metadata);
            context.queue.push(&name, Lane::Backlog);
        }
        _ => drift::secret_there(context, &name, &metadata),
    }
    Some(name)
}

fn metadata(json: &[u8]) -> Option<ObjectMetadata> {
    #[derive(serde::Deserialize)]
    struct Outline {
        metadata: ObjectMetadata,
    }
    serde_json::from_slice(json)
        .ok()
        .map(|outline: Outline| outline.metadata)
}

fn sealed_changed(context: &Context, chosen: &Chosen, change: Change<'_>) {
    let (json, is_gone) = match change {
        Change::Applied(json) => (json, false),
        Change::Deleted(json) => (json, true),
    };
    let Some(sealed) = Glimpse::parse(json) else {
        return;
    };
    let name = sealed.name();
    if !chosen.has(name.namespace()) {
        return;
    }
    if is_gone {
        return drift::sealed_secret_gone(context, &name);
    }
    if context.rival.shows_in(json) {
        context.events.tell(Event {
            about: name.clone(),
            uid: sealed.metadata.uid.clone(),
            reason: Reason::Rival,
            message:
                "the controller of sealed-secrets seems to run beside this one: stop one of them"
                    .into(),
        });
    }
    drift::sealed_secret_there(context, &name, &sealed, json);
}

fn secret_changed(context: &Context, change: Change<'_>) {
    let (json, is_gone) = match change {
        Change::Applied(json) => (json, false),
        Change::Deleted(json) => (json, true),
    };
    let Some(metadata) = metadata(json) else {
        return;
    };
    let name = ObjectName::new(&metadata.namespace, &metadata.name);
    match is_gone {
        true => drift::secret_gone(context, &name, Some(&metadata)),
        false => drift::secret_there(context, &name, &metadata),
    }
}
