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

/// No text is longer: a SealedSecret may have names of keys, all of them wrong, that fill a megabyte.
const LONGEST: usize = 4096;

impl Told {
    pub(super) fn of(name: &ObjectName, trouble: Trouble) -> Self {
        let told = Self::in_full(name, trouble);
        Self {
            event: readable(&told.event),
            message: readable(&told.message),
            ..told
        }
    }

    fn in_full(name: &ObjectName, trouble: Trouble) -> Self {
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

/// The text, cut where it is too long, without characters that steer a terminal: names of keys may hold any.
fn readable(text: &str) -> String {
    let end = text.floor_char_boundary(LONGEST);
    let (shown, left_out) = text.split_at(end);
    let plain = |c: char| {
        if c.is_control() && c != '\n' {
            '\u{fffd}'
        } else {
            c
        }
    };
    let mut readable: String = shown.chars().map(plain).collect();
    if !left_out.is_empty() {
        readable.push('…');
    }
    readable
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_readable_whatever_keys_are_called() {
        assert_eq!(
            readable("no key (a)\nnot base64 (b)"),
            "no key (a)\nnot base64 (b)"
        );
        assert_eq!(
            readable("no key (\u{1b}[2J\r)"),
            "no key (\u{fffd}[2J\u{fffd})"
        );
        let long = readable(&"ä".repeat(3000));
        assert!(long.len() <= LONGEST + 3 && long.ends_with("ä…"));
    }
}
