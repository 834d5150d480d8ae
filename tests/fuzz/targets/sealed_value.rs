//! Any bytes as a sealed value: nothing opens that the key did not seal for this place, and nothing panics.
#![no_main]

use std::sync::LazyLock;

use keys::sealing::SealedValue;
use keys::{KeyRing, Scope, SealingCert, SealingKey};
use libfuzzer_sys::fuzz_target;

static KEYS: LazyLock<(KeyRing, SealingCert)> = LazyLock::new(|| {
    let key = SealingKey::from_pem(include_bytes!("../../vectors/sealed/sealing-key.pem")).unwrap();
    let cert = SealingCert::from_pem(include_bytes!("../seeds/sealed_value/certificate.pem")).unwrap();
    (KeyRing::new([(key, None)]), cert)
});

fuzz_target!(|bytes: &[u8]| {
    let (ring, cert) = &*KEYS;
    // Not where the seeds were sealed for.
    let label = Scope::Strict.label("elsewhere", "name");
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
