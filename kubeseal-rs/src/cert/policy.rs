//! Whether a certificate may be sealed with: pins, dates, and warnings about them.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use keys::SealingCert;

use crate::error::CommandError;
use crate::ui::Ui;

const EXPIRES_SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// SHA-256 of a public key (its SubjectPublicKeyInfo), as `sha256//<base64>`, the form that curl has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pin(String);

impl FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let encoded = text.trim().strip_prefix("sha256//").unwrap_or_default();
        match STANDARD.decode(encoded) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(text.trim().to_owned())),
            _ => Err("a pin is sha256// and the base64 of 32 bytes".to_owned()),
        }
    }
}

/// What a certificate must be like to be sealed with.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    /// The certificate's key must be one of these, if there are any.
    pub(crate) pins: Vec<Pin>,
    /// A certificate older than this was probably followed by a newer one. Zero means never.
    pub(crate) renew_period: SignedDuration,
}

impl Policy {
    pub(super) fn has_pins(&self) -> bool {
        !self.pins.is_empty()
    }

    /// Refuses a certificate whose key is not pinned.
    pub(super) fn check_pins(&self, cert: &SealingCert) -> Result<(), CommandError> {
        let pin = cert.spki_pin();
        if self.pins.is_empty() || self.pins.iter().any(|pinned| pinned.0 == pin) {
            return Ok(());
        }
        Err(CommandError::new(format!(
            "the certificate is not the pinned one: its key is {pin}"
        ))
        .hint("if the sealing key was renewed, check the new certificate with the cluster's owner and pin it too: --cert-pin"))
    }

    /// Refuses a certificate that may not be sealed with, and warns about one that soon may not.
    pub(super) fn check(
        &self,
        cert: &SealingCert,
        now: Timestamp,
        ui: &mut Ui,
    ) -> Result<(), CommandError> {
        self.check_pins(cert)?;
        let validity = Validity {
            begin: cert.not_before(),
            end: cert.not_after(),
        };
        match validity.judge(now, self.renew_period) {
            Verdict::Good => {}
            Verdict::Warn(text) => ui.warn(text),
            Verdict::Expired => {
                return Err(CommandError::new(format!(
                    "failed to encrypt using an expired certificate on {}",
                    day(validity.end)
                ))
                .hint("fetch the current certificate with `kubeseal --fetch-cert`; if that one has expired, the controller needs a new sealing key"));
            }
        }
        Ok(())
    }
}

/// From when to when a certificate is valid.
struct Validity {
    begin: Timestamp,
    end: Timestamp,
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Warn(String),
    Expired,
}

impl Validity {
    fn judge(&self, now: Timestamp, renew_period: SignedDuration) -> Verdict {
        let age = now.duration_since(self.begin);
        let left = self.end.duration_since(now);
        if left.is_negative() {
            return Verdict::Expired;
        }
        if age.is_negative() {
            let text = format!(
                "the certificate is not yet valid: it begins on {}",
                day(self.begin)
            );
            return Verdict::Warn(text);
        }
        if left <= EXPIRES_SOON {
            let text = format!(
                "the certificate expires on {}; fetch a newer one with --fetch-cert",
                day(self.end)
            );
            return Verdict::Warn(text);
        }
        if !renew_period.is_zero() && age > renew_period {
            return Verdict::Warn(format!(
                "the certificate is {} days old, and sealing keys are renewed every {} days: \
                 fetch the current one with --fetch-cert",
                age.as_hours() / 24,
                renew_period.as_hours() / 24
            ));
        }
        Verdict::Good
    }
}

/// A date as people in the original's error message read it.
fn day(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC)
        .strftime("%B %-d, %Y")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    #[test]
    fn a_certificate_is_judged_by_its_dates() {
        let validity = Validity {
            begin: Timestamp::from_second(100 * DAY).unwrap(),
            end: Timestamp::from_second(500 * DAY).unwrap(),
        };
        let judge = |day: i64| {
            let now = Timestamp::from_second(day * DAY).unwrap();
            match validity.judge(now, SignedDuration::from_hours(30 * 24)) {
                Verdict::Good => "good".to_owned(),
                Verdict::Expired => "expired".to_owned(),
                Verdict::Warn(text) => text,
            }
        };
        assert_eq!(judge(101), "good");
        assert_eq!(judge(130), "good");
        assert!(
            judge(99).starts_with("the certificate is not yet valid: it begins on April 11, 1970")
        );
        assert!(judge(131).starts_with("the certificate is 31 days old"));
        assert!(judge(470).starts_with("the certificate expires on May 16, 1971"));
        assert_eq!(judge(501), "expired");
    }

    #[test]
    fn a_pin_is_the_hash_of_a_key() {
        let pin = format!("sha256//{}", STANDARD.encode([7; 32]));
        assert_eq!(pin.parse::<Pin>(), Ok(Pin(pin.clone())));
        assert!("sha256//AAAA".parse::<Pin>().is_err());
        assert!(pin[1..].parse::<Pin>().is_err());
    }
}
