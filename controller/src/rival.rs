//! Noticing the original's controller at work beside this one: both would write the same Secrets.
//!
//! Its rights and ours do not let us see Deployments or pods. But who writes a status leaves a name in `managedFields`,
//! and the original leaves `controller`, after its binary.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// What the original is called in `managedFields`.
const MANAGER: &str = "controller";
/// While one takes over from the other, both write for a moment; a pod has half a minute to end.
const GRACE: SignedDuration = SignedDuration::from_secs(90);
/// How often it is said again.
const PAUSE: Duration = Duration::from_secs(3600);

/// Tells people of another controller, and not too often.
pub(crate) struct Rival {
    since: Timestamp,
    told: Mutex<Option<Instant>>,
}

impl Rival {
    /// Passes over what was written before `start`, or soon after.
    pub(crate) fn new(start: Timestamp) -> Self {
        Self {
            since: start.saturating_add(GRACE).unwrap_or(Timestamp::MAX),
            told: Mutex::default(),
        }
    }

    /// Whether this SealedSecret, just changed, is a reason to tell people now.
    pub(crate) fn shows_in(&self, json: &[u8]) -> bool {
        if !wrote(json, self.since) {
            return false;
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = told.is_none_or(|told| told.elapsed() > PAUSE);
        if is_due {
            *told = Some(Instant::now());
        }
        is_due
    }
}

#[derive(Deserialize)]
struct Outline<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(rename = "managedFields", default, borrow)]
    managed_fields: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(default, borrow)]
    manager: std::borrow::Cow<'a, str>,
    #[serde(default, borrow)]
    subresource: std::borrow::Cow<'a, str>,
    time: Option<Timestamp>,
}

/// Whether the original wrote this object's status after `since`.
fn wrote(json: &[u8], since: Timestamp) -> bool {
    let Ok(outline) = serde_json::from_slice::<Outline<'_>>(json) else {
        return false;
    };
    outline.metadata.managed_fields.iter().any(|entry| {
        entry.manager == MANAGER
            && entry.subresource == "status"
            && entry.time.is_some_and(|time| time > since)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(manager: &str, subresource: &str, seconds: i64) -> Vec<u8> {
        let time = Timestamp::from_second(seconds).expect("in range");
        let entry =
            serde_json::json!({"manager": manager, "subresource": subresource, "time": time});
        let object = serde_json::json!({"metadata": {"name": "x", "managedFields": [entry]}});
        object.to_string().into_bytes()
    }

    #[test]
    fn only_a_late_status_of_the_original_counts() {
        let start = Timestamp::from_second(1000).expect("in range");
        for (manager, subresource, seconds, expected) in [
            ("controller", "status", 1200, true),
            // Its last writes, while this one takes over.
            ("controller", "status", 900, false),
            ("controller", "status", 1060, false),
            // Others are called so too, but have no business with this status.
            ("controller", "", 1200, false),
            ("kubeseal-rs", "status", 1200, false),
        ] {
            let shows = Rival::new(start).shows_in(&written(manager, subresource, seconds));
            assert_eq!(shows, expected, "{manager} {subresource} {seconds}");
        }
        let rival = Rival::new(start);
        let json = written("controller", "status", 1200);
        assert!(rival.shows_in(&json));
        assert!(!rival.shows_in(&json), "it is said once");
        assert!(!rival.shows_in(b"[]"));
    }
}
