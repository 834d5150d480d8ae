//! Events about SealedSecrets: counted instead of repeated, written at leisure, and dropped rather than waited for.

use std::collections::HashMap;
use std::sync::Arc;

use hyper::body::Bytes;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Duration, timeout};
use tracing::{debug, info, warn};

use crate::api::{Api, path};
use crate::name::ObjectName;

/// The name under which the original reports.
const COMPONENT: &str = "sealed-secrets";
/// More than that wait only while the API server is away.
const LONGEST_QUEUE: usize = 4096;
/// So many events are remembered to be counted.
const REMEMBERED: usize = 1024;
/// No message is longer; the API server takes 1024 bytes.
const LONGEST_MESSAGE: usize = 1000;

/// What happened, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reason {
    /// The Secret was written.
    Unsealed,
    /// The SealedSecret could not be opened.
    UnsealFailed,
    /// The Secret could not be written.
    UpdateFailed,
    /// Fields of the template are left out.
    FieldsDropped,
    /// The original's controller runs beside this one.
    Rival,
}

impl Reason {
    fn text(self) -> &'static str {
        match self {
            Self::Unsealed => "Unsealed",
            Self::UnsealFailed => "ErrUnsealFailed",
            Self::UpdateFailed => "ErrUpdateFailed",
            Self::FieldsDropped => "TemplateFieldsDropped",
            Self::Rival => "RivalController",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Unsealed => "Normal",
            _ => "Warning",
        }
    }
}

/// Something to tell people about a SealedSecret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Event {
    pub(crate) about: ObjectName,
    pub(crate) uid: String,
    pub(crate) reason: Reason,
    pub(crate) message: String,
}

/// Where events are handed in.
#[derive(Clone)]
pub(crate) struct Events(mpsc::Sender<Event>);

impl Events {
    /// The place to hand events in, and the one who writes them.
    pub(crate) fn new(instance: &str, clock: fn() -> Timestamp) -> (Self, Writer) {
        let (sender, receiver) = mpsc::channel(LONGEST_QUEUE);
        let writer = Writer {
            receiver,
            known: HashMap::new(),
            instance: instance.to_owned(),
            clock,
        };
        (Self(sender), writer)
    }

    /// Hands in an event; never waits.
    pub(crate) fn tell(&self, event: Event) {
        let Event {
            about,
            uid: _,
            reason,
            message,
        } = &event;
        match reason {
            Reason::Unsealed => info!(sealed_secret = %about, "{message}"),
            _ => warn!(sealed_secret = %about, reason = reason.text(), "{message}"),
        }
        if self.0.try_send(event).is_err() {
            debug!("too many events wait: one is dropped");
        }
    }
}

/// Writes events one after the other.
pub(crate) struct Writer {
    receiver: mpsc::Receiver<Event>,
    known: HashMap<Event, Known>,
    instance: String,
    clock: fn() -> Timestamp,
}

struct Known {
    name: String,
    count: u32,
    last: Timestamp,
}

impl Writer {
    /// Writes until nobody hands in any more.
    pub(crate) async fn run(mut self, api: Arc<Api>) {
        while let Some(event) = self.receiver.recv().await {
            // An event is not worth waiting for long.
            if timeout(Duration::from_secs(10), self.write(&api, event))
                .await
                .is_err()
            {
                debug!("an event took too long and is dropped");
            }
        }
    }

    async fn write(&mut self, api: &Api, event: Event) {
        let now = (self.clock)();
        if let Some(known) = self.known.get_mut(&event) {
            known.count = known.count.saturating_add(1);
            known.last = now;
            let path = format!("{}/{}", path::events(event.about.namespace()), known.name);
            let patch = json!({"count": known.count, "lastTimestamp": time_text(now)});
            match api.patch(&path, Bytes::from(patch.to_string())).await {
                Ok(_) => return,
                // The API server forgets events after a while.
                Err(error) if error.is_not_found() => drop(self.known.remove(&event)),
                Err(error) => return debug!(%error, "an event could not be counted"),
            }
        }
        self.create(api, event, now).await;
    }

    async fn create(&mut self, api: &Api, event: Event, now: Timestamp) {
        let name = name(event.about.name(), now);
        let body = body(&event, &name, &self.instance, now);
        if let Err(error) = api
            .create(
                &path::events(event.about.namespace()),
                Bytes::from(body.to_string()),
            )
            .await
        {
            return debug!(%error, "an event could not be written");
        }
        // The success of a SealedSecret among thousands is seldom repeated soon.
        if self.known.len() >= REMEMBERED {
            self.forget_the_older_half();
        }
        self.known.insert(
            event,
            Known {
                name,
                count: 1,
                last: now,
            },
        );
    }

    fn forget_the_older_half(&mut self) {
        let mut times: Vec<Timestamp> = self.known.values().map(|known| known.last).collect();
        times.sort_unstable();
        if let Some(middle) = times.get(times.len() / 2).copied() {
            self.known.retain(|_, known| known.last > middle);
        }
    }
}

/// A name that no other event has, within what names may be.
fn name(about: &str, now: Timestamp) -> String {
    let about = about
        .get(..about.floor_char_boundary(220))
        .unwrap_or_default();
    let about = about.trim_end_matches(['-', '.']);
    format!("{about}.{:x}", now.as_nanosecond())
}

fn body(event: &Event, name: &str, instance: &str, now: Timestamp) -> serde_json::Value {
    let Event {
        about,
        uid,
        reason,
        message,
    } = event;
    let time = time_text(now);
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": name, "namespace": about.namespace()},
        "involvedObject": {
            "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
            "namespace": about.namespace(), "name": about.name(), "uid": uid,
        },
        "reason": reason.text(), "message": cut(message), "type": reason.kind(),
        "source": {"component": COMPONENT}, "reportingComponent": COMPONENT, "reportingInstance": instance,
        "firstTimestamp": time, "lastTimestamp": time, "count": 1,
    })
}

fn cut(message: &str) -> &str {
    message
        .get(..message.floor_char_boundary(LONGEST_MESSAGE))
        .unwrap_or_default()
}

fn time_text(now: Timestamp) -> String {
    Timestamp::from_second(now.as_second())
        .unwrap_or(now)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_about_a_long_name_has_a_name_that_the_api_server_takes() {
        let now = Timestamp::from_second(1).expect("small");
        assert_eq!(name("db", now), "db.3b9aca00");
        let long = format!("{}-.b{}", "a".repeat(218), "c".repeat(20));
        assert_eq!(name(&long, now), format!("{}.3b9aca00", "a".repeat(218)));
    }
}
