//! Any JSON as a SealedSecret and as a Secret: read or refused, never a panic, never opened by the wrong key.
#![no_main]

use decryptor::sealed::unseal::{self, Options};
use decryptor::sealed::{KeyHints, PlainSecret, SealedSecret};
use keys::KeyRing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let _ = PlainSecret::from_value(&value);
    let Ok(sealed) = serde_json::from_value::<SealedSecret>(value) else { return };
    let hints = KeyHints::of_annotations(&sealed.metadata.annotations);
    if let Some(text) = hints.to_text() {
        let annotations = [(decryptor::sealed::hint::ANNOTATION.to_owned(), text)].into();
        assert_eq!(KeyHints::of_annotations(&annotations), hints);
    }
    let ring = KeyRing::default();
    let items = sealed.spec.encrypted_data.len() + usize::from(sealed.spec.data.is_some());
    assert_eq!(unseal::verify(&sealed, &ring, true), items == 0);
    if let Ok(secret) = unseal::unseal(&sealed, &ring, &Options::default()) {
        serde_json::from_slice::<serde_json::Value>(&secret.to_json(None)).unwrap();
    }
});
