//! What the sealing keys themselves have counted, and how old they are.

use jiff::Timestamp;
use keys::KeyRing;

use super::own;
use super::text::{Kind, Text};

/// What there is to say about each sealing key, by fingerprint.
pub(super) fn of_keys(ring: &KeyRing, now: Timestamp) -> Vec<Text> {
    let family = |name: &str, kind, help| Text::new(&own(name), kind, help);
    let mut operations = family(
        "private_key_operations_total",
        Kind::Counter,
        "Private-key operations done to open sealed values.",
    );
    operations.sample(&[], ring.operations());
    let mut uses = family(
        "key_uses_total",
        Kind::Counter,
        "Sealed values opened, by sealing key.",
    );
    for (fingerprint, count) in ring.uses() {
        uses.sample(&[("fingerprint", &fingerprint.to_string())], count);
    }
    let mut age = family(
        "key_age_seconds",
        Kind::Gauge,
        "Time since a sealing key's certificate became valid.",
    );
    let mut not_before = family(
        "key_not_before_seconds",
        Kind::Gauge,
        "When a sealing key's certificate becomes valid, in Unix time.",
    );
    let mut not_after = family(
        "key_not_after_seconds",
        Kind::Gauge,
        "When a sealing key's certificate expires, in Unix time.",
    );
    for cert in ring.certs() {
        let fingerprint = cert.fingerprint().to_string();
        let labels = [("fingerprint", fingerprint.as_str())];
        age.sample(&labels, now.as_second() - cert.not_before().as_second());
        not_before.sample(&labels, cert.not_before().as_second());
        not_after.sample(&labels, cert.not_after().as_second());
    }
    [Some(operations)]
        .into_iter()
        .chain([uses, age, not_before, not_after].map(Text::if_any))
        .flatten()
        .collect()
}
