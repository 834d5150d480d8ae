//! Following the sealing keys' Secrets, and telling people about those that are none.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event as CoreEvent, EventSource, ObjectReference, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::api::PostParams;
use kube::runtime::watcher::{self, Config, Event};
use kube::{Api, Client, ResourceExt};
use tokio::time::sleep;
use tracing::{debug, warn};

use super::{ACTIVE, KEY_LABEL, KeyStore, Refusal, Source};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause after errors, and the pace of reading where watching is not allowed.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl KeyStore {
    /// Keeps up with the cluster for as long as it is polled.
    pub async fn follow(self: Arc<Self>) {
        let labelled = Config::default().labels(&format!("{KEY_LABEL}={ACTIVE}"));
        let named = Config::default().fields(&format!("metadata.name={}", self.settings.prefix));
        futures::join!(
            self.follow_source(Source::Label, labelled),
            self.follow_source(Source::Name, named),
        );
    }

    async fn follow_source(&self, source: Source, config: Config) {
        let mut pause = FIRST_PAUSE;
        loop {
            let mut events = pin!(watcher::watcher(self.api.clone(), config.clone()));
            let mut listed = BTreeMap::new();
            while let Some(event) = events.next().await {
                match event {
                    Ok(event) => {
                        pause = FIRST_PAUSE;
                        self.take(source, event, &mut listed);
                    }
                    Err(error) => {
                        warn!(
                            error = &error as &dyn std::error::Error,
                            "cannot watch sealing keys, trying again"
                        );
                        break;
                    }
                }
            }
            // A watcher made anew reads everything first: so keys are noticed even where only watching is forbidden.
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn take(&self, source: Source, event: Event<Secret>, listed: &mut BTreeMap<String, Secret>) {
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(secret) => drop(listed.insert(secret.name_any(), secret)),
            Event::InitDone => {
                let all = std::mem::take(listed).into_values().collect();
                self.replace(source, all);
            }
            Event::Apply(secret) => self.apply(source, secret),
            Event::Delete(secret) => self.delete(source, &secret.name_any()),
        }
    }
}

/// Posts a warning event about a Secret that claims to be a sealing key; in the background, once.
pub(super) fn post_refusal(
    client: &Client,
    namespace: &str,
    name: &str,
    uid: &str,
    refusal: &Refusal,
) {
    let events: Api<CoreEvent> = Api::namespaced(client.clone(), namespace);
    let event = refusal_event(namespace, name, uid, refusal, Timestamp::now());
    tokio::spawn(async move {
        if let Err(error) = events.create(&PostParams::default(), &event).await {
            debug!(
                error = &error as &dyn std::error::Error,
                "cannot post an event"
            );
        }
    });
}

fn refusal_event(
    namespace: &str,
    name: &str,
    uid: &str,
    refusal: &Refusal,
    now: Timestamp,
) -> CoreEvent {
    CoreEvent {
        metadata: ObjectMeta {
            generate_name: Some("sealing-key-".to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        involved_object: ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Secret".to_owned()),
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()),
            uid: Some(uid.to_owned()),
            ..ObjectReference::default()
        },
        type_: Some("Warning".to_owned()),
        reason: Some("ErrKeyRefused".to_owned()),
        message: Some(format!("Not used as a sealing key: {refusal}")),
        source: Some(EventSource {
            component: Some("sealed-secrets".to_owned()),
            ..EventSource::default()
        }),
        count: Some(1),
        first_timestamp: Some(Time(now)),
        last_timestamp: Some(Time(now)),
        ..CoreEvent::default()
    }
}
