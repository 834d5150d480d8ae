//! The condition `Synced` and what else a SealedSecret's status says.

use decryptor::sealed::{Condition, SealedSecretStatus};
use hyper::body::Bytes;
use jiff::Timestamp;
use serde_json::json;

use crate::api::{Api, ApiError, path};
use crate::apply;
use crate::live::ObjectMetadata;
use crate::name::ObjectName;
use crate::sealed_object::SealedObject;

/// The one condition.
pub(crate) const SYNCED: &str = "Synced";
/// How often a status is written anew over somebody else's change.
const CONFLICT_TRIES: u32 = 5;

/// What is to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The Secret is right; with the mark by which it is known again.
    Synced(Option<String>),
    /// It is not, and why.
    Failed(String),
}

/// The status that says `report` of `generation`. Returns `None` if the present one says so already.
pub(crate) fn next(
    present: Option<&SealedSecretStatus>,
    generation: i64,
    report: &Report,
    now: Timestamp,
) -> Option<SealedSecretStatus> {
    let mut status = present.cloned().unwrap_or_default();
    let (value, message) = match report {
        Report::Synced(mark) => {
            status.mark.clone_from(mark);
            ("True", None)
        }
        Report::Failed(message) => ("False", Some(message.clone())),
    };
    status.observed_generation = Some(generation);
    let now = time_text(now);
    let before = status
        .conditions
        .iter()
        .position(|condition| condition.type_ == SYNCED);
    let mut condition =
        before.map_or_else(Condition::default, |index| status.conditions.remove(index));
    if condition.status != value {
        condition.last_transition_time = Some(now.clone());
    }
    condition.type_ = SYNCED.into();
    condition.status = value.into();
    condition.message = message;
    condition.reason = None;
    // Printer columns show the first condition.
    status.conditions.insert(0, condition);
    if present.is_some_and(|present| says_the_same(present, &status)) {
        return None;
    }
    status.conditions[0].last_update_time = Some(now);
    Some(status)
}

fn says_the_same(present: &SealedSecretStatus, next: &SealedSecretStatus) -> bool {
    let message = |condition: &Condition| condition.message.clone().unwrap_or_default();
    let same = match (present.conditions.first(), next.conditions.first()) {
        (Some(present), Some(next)) => {
            present.type_ == next.type_
                && present.status == next.status
                && message(present) == message(next)
        }
        _ => false,
    };
    same && present.observed_generation == next.observed_generation && present.mark == next.mark
}

/// Whether a status says that the present spec was acted on with success.
pub(crate) fn was_synced(status: Option<&SealedSecretStatus>, generation: i64) -> bool {
    let Some(status) = status else { return false };
    let synced = |condition: &Condition| condition.type_ == SYNCED && condition.status == "True";
    status.observed_generation == Some(generation) && status.conditions.iter().any(synced)
}

/// -1, 0 or 1, as the metric has it, for `Synced` in a status. Returns `None` where nothing is said.
pub(crate) fn metric(status: Option<&SealedSecretStatus>) -> Option<i8> {
    let condition = status?
        .conditions
        .iter()
        .find(|condition| condition.type_ == SYNCED)?;
    Some(match condition.status.as_str() {
        "True" => 1,
        "False" => -1,
        _ => 0,
    })
}

fn time_text(now: Timestamp) -> String {
    Timestamp::from_second(now.as_second())
        .unwrap_or(now)
        .to_string()
}

/// Writes what is to be said where it is not said yet; over a conflict if it is still about the same spec.
pub(crate) async fn write(
    api: &Api,
    name: &ObjectName,
    sealed: &mut SealedObject,
    report: &Report,
    now: Timestamp,
) -> Result<(), ApiError> {
    let mut tries = 0;
    loop {
        let Some(status) = next(
            sealed.status.as_ref(),
            sealed.metadata.generation,
            report,
            now,
        ) else {
            return Ok(());
        };
        let answer = api
            .replace(&path_of(name), body(&sealed.metadata, &status))
            .await;
        tries += 1;
        match answer {
            Ok(answer) => {
                sealed.metadata.resource_version = apply::metadata(&answer)?.resource_version;
                sealed.status = Some(status);
                return Ok(());
            }
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) if error.is_conflict() && tries < CONFLICT_TRIES => {
                let Some(fresh) = SealedObject::read(api, name).await? else {
                    return Ok(());
                };
                if fresh.metadata.uid != sealed.metadata.uid
                    || fresh.metadata.generation != sealed.metadata.generation
                {
                    // Something newer is to be said; its turn comes.
                    return Ok(());
                }
                sealed.metadata.resource_version = fresh.metadata.resource_version;
                sealed.status = fresh.status;
            }
            Err(error) => return Err(error),
        }
    }
}

fn path_of(name: &ObjectName) -> String {
    format!(
        "{}/status",
        path::sealed_secret(name.namespace(), name.name())
    )
}

/// The API server takes nothing but the status from it.
fn body(metadata: &ObjectMetadata, status: &SealedSecretStatus) -> Bytes {
    let ObjectMetadata {
        name,
        namespace,
        uid,
        resource_version,
        ..
    } = metadata;
    let body = json!({
        "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
        "metadata": {"name": name, "namespace": namespace, "uid": uid, "resourceVersion": resource_version},
        "spec": {"encryptedData": {}},
        "status": status,
    });
    Bytes::from(body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("small")
    }

    fn times(status: &SealedSecretStatus) -> (&str, &str) {
        let condition = &status.conditions[0];
        let text = |time: &'_ Option<String>| time.clone().expect("it is set").leak() as &str;
        (
            text(&condition.last_update_time),
            text(&condition.last_transition_time),
        )
    }

    #[test]
    fn a_status_is_written_when_it_says_something_new() {
        let synced = Report::Synced(Some("mark".into()));
        let first = next(None, 1, &synced, at(0)).expect("nothing was said");
        assert_eq!(
            times(&first),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z")
        );
        assert_eq!(next(Some(&first), 1, &synced, at(1)), None);

        let second = next(Some(&first), 2, &synced, at(1)).expect("another generation");
        assert_eq!(
            times(&second),
            ("1970-01-01T00:00:01Z", "1970-01-01T00:00:00Z")
        );

        let failed = next(Some(&second), 2, &Report::Failed("a".into()), at(2)).expect("it flips");
        assert_eq!(
            times(&failed),
            ("1970-01-01T00:00:02Z", "1970-01-01T00:00:02Z")
        );
        assert_eq!(
            failed.mark.as_deref(),
            Some("mark"),
            "it still tells what was written last"
        );
        assert_eq!(
            next(Some(&failed), 2, &Report::Failed("a".into()), at(3)),
            None
        );

        let other =
            next(Some(&failed), 2, &Report::Failed("b".into()), at(3)).expect("another reason");
        assert_eq!(other.conditions[0].message.as_deref(), Some("b"));
        let again = next(Some(&other), 2, &synced, at(4)).expect("it flips");
        assert_eq!(
            (
                again.conditions.len(),
                again.conditions[0].message.as_deref()
            ),
            (1, None)
        );
    }

    #[test]
    fn the_originals_empty_message_says_the_same_as_none() {
        let mut status = next(None, 1, &Report::Synced(None), at(0)).expect("new");
        status.conditions[0].message = Some(String::new());
        assert_eq!(next(Some(&status), 1, &Report::Synced(None), at(1)), None);
    }
}
