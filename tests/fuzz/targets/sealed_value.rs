//! Any bytes as a sealed value: nothing that the key did not seal opens, and nothing panics.
#![no_main]

use std::sync::LazyLock;

use keys::sealing::{KeySize, NewKey, SealedValue};
use keys::{KeyRing, Scope, SealingCert, SealingKey};
use libfuzzer_sys::fuzz_target;

static KEYS: LazyLock<(KeyRing, SealingCert)> = LazyLock::new(|| {
    let lifetime = jiff::SignedDuration::from_hours(1);
    let new = NewKey::generate(KeySize::Rsa2048, "", jiff::Timestamp::UNIX_EPOCH, lifetime).unwrap();
    let key = SealingKey::from_pem(new.key_pem.as_bytes()).unwrap();
    (KeyRing::new([(key, None)]), SealingCert::from_pem(new.cert_pem.as_bytes()).unwrap())
});

fuzz_target!(|bytes: &[u8]| {
    let (ring, cert) = &*KEYS;
    let label = Scope::Strict.label("ns", "name");
    if let Some(value) = SealedValue::parse(bytes) {
        let _ = (value.key_bits(), value.plaintext_len());
    }
    assert!(ring.open(bytes, &label, None).is_err());
    assert!(ring.rewrap(bytes, &label, None, cert).is_err());
    let _ = SealingKey::from_pem(bytes);
    let _ = SealingCert::from_pem(bytes);
    let sealed = cert.seal(bytes, &label);
    assert_eq!(ring.open(&sealed, &label, None).unwrap().plaintext.expose_secret(), bytes);
});
