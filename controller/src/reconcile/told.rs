//! Failures, in the words of the original where it has any.

use super::settle::Trouble;
use crate::backoff::Failure;
use crate::events::Reason;
use crate::metrics;
use crate::name::ObjectName;
use crate::plan::Refusal;
use crate::records::Seen;

/// A failure in the words of the original.
pub(super) struct Told {
    pub(super) reason: Reason,
    pub(super) event: String,
    pub(super) message: String,
    pub(super) metric: metrics::Reason,
    pub(super) failure: Failure,
    pub(super) seen: Option<Seen>,
}

impl Told {
    pub(super) fn of(name: &ObjectName, trouble: Trouble) -> Self {
        let update = |text: String, metric, failure, seen| Self {
            reason: Reason::UpdateFailed,
            message: format!("failed update: {text}"),
            event: text,
            metric,
            failure,
            seen,
        };
        match trouble {
            Trouble::Unseal(text) => Self {
                reason: Reason::UnsealFailed,
                event: format!("Failed to unseal: {text}"),
                message: text,
                metric: metrics::Reason::Unseal,
                failure: Failure::Unseal,
                seen: None,
            },
            Trouble::Refused(refusal @ Refusal::NotManaged { .. }, seen) => update(
                refusal.to_string(),
                metrics::Reason::Unmanaged,
                Failure::NotManaged,
                seen,
            ),
            Trouble::Refused(refusal, seen) => {
                let told = update(
                    refusal.to_string(),
                    metrics::Reason::Update,
                    Failure::Fixed,
                    seen,
                );
                Self {
                    event: explained(name, &refusal),
                    ..told
                }
            }
            Trouble::Api(error) => update(
                error.to_string(),
                metrics::Reason::Update,
                Failure::Api,
                None,
            ),
            Trouble::LeftAlone => {
                update(String::new(), metrics::Reason::Update, Failure::Fixed, None)
            }
        }
    }
}

/// What to do about a Secret that cannot be changed.
fn explained(name: &ObjectName, refusal: &Refusal) -> String {
    let way_out = format!(
        "delete the Secret {:?}, and it is made anew from its SealedSecret",
        name.name()
    );
    match refusal {
        Refusal::Type { from, to, .. } => {
            format!("the type of the target Secret is {from:?} and cannot become {to:?}: {way_out}")
        }
        Refusal::Rejected(text) if !text.contains("when `immutable` is set") => {
            format!("{text}: {way_out}")
        }
        _ => format!("the target Secret is immutable, so that it cannot be updated: {way_out}"),
    }
}
