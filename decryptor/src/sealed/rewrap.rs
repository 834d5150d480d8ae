//! The same values under another sealing key: only the wrapped data key of each value changes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keys::{KeyRing, SealingCert};

use super::hint::{self, KeyHints};
use super::resource::SealedSecret;
use super::unseal::{ItemError, UnsealError};

/// Wraps every value anew for `cert`. Template, labels, annotations and everything else stay; the key hint follows.
///
/// The scope is read from the object's own annotations (CVE-2026-22728), and templates are not rendered: neither
/// what they hold nor whether they work can be learned from the result. All values are rewrapped or none.
pub fn rewrap(
    sealed: &SealedSecret,
    ring: &KeyRing,
    cert: &SealingCert,
) -> Result<SealedSecret, UnsealError> {
    if sealed.spec.data.is_some() {
        return Err(UnsealError::DeprecatedData);
    }
    let metadata = &sealed.metadata;
    let label = sealed.scope().label(&metadata.namespace, &metadata.name);
    let hints = KeyHints::of_annotations(&metadata.annotations);
    let mut errors = Vec::new();
    let mut rewrapped = sealed.clone();
    for (key, value) in &mut rewrapped.spec.encrypted_data {
        let Ok(bytes) = STANDARD.decode(value.as_bytes()) else {
            errors.push((key.clone(), ItemError::NotBase64));
            continue;
        };
        match ring.rewrap(&bytes, &label, hints.of(key), cert) {
            Ok(bytes) => *value = STANDARD.encode(bytes),
            Err(_) => errors.push((key.clone(), ItemError::NoKey)),
        }
    }
    if !errors.is_empty() {
        return Err(UnsealError::Items(errors));
    }
    if let Some(text) = KeyHints::all(cert.fingerprint()).to_text() {
        rewrapped
            .metadata
            .annotations
            .insert(hint::ANNOTATION.to_owned(), text);
    }
    Ok(rewrapped)
}
