//! Sealing certificates: whose public key values are sealed with.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use jiff::Timestamp;
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};
use x509_cert::spki::ObjectIdentifier;

use super::{MAX_KEY_BITS, MIN_KEY_BITS, der};
use crate::scope::Label;
use crate::secret::DataKey;

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// A certificate that values are sealed with: an X.509 certificate with an RSA key of 2048 to 8192 bits.
pub struct SealingCert {
    public: OaepPublicEncryptingKey,
    fingerprint: Fingerprint,
    spki_sha256: [u8; 32],
    not_before: Timestamp,
    not_after: Timestamp,
    pem: String,
}

impl SealingCert {
    /// Reads the first certificate of a PEM text. The text may hold a chain, and words between the blocks.
    pub fn from_pem(text: &[u8]) -> Result<Self, CertError> {
        let blocks = pem::parse_many(text).map_err(|_| CertError::NotPem)?;
        let certificates: Vec<_> = blocks
            .iter()
            .filter(|block| block.tag() == "CERTIFICATE")
            .collect();
        let Some(first) = certificates.first() else {
            return Err(blocks.first().map_or(CertError::NotPem, |block| {
                CertError::NotACertificate {
                    found: block.tag().to_owned(),
                }
            }));
        };
        let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        let pem = certificates
            .iter()
            .map(|block| pem::encode_config(block, config))
            .collect();
        Self::from_der(first.contents(), pem)
    }

    fn from_der(der: &[u8], pem: String) -> Result<Self, CertError> {
        let certificate = Certificate::from_der(der).map_err(|_| CertError::Malformed)?;
        let certificate = certificate.tbs_certificate();
        let spki = certificate.subject_public_key_info();
        if spki.algorithm.oid != RSA_ENCRYPTION {
            return Err(CertError::NotRsa);
        }
        let key = spki
            .subject_public_key
            .as_bytes()
            .ok_or(CertError::Malformed)?;
        let (modulus, exponent) = der::public_key_parts(key).ok_or(CertError::Malformed)?;
        let bits = der::bits(&modulus);
        if !(MIN_KEY_BITS..=MAX_KEY_BITS).contains(&bits) {
            return Err(CertError::KeySize { bits });
        }
        let spki = spki.to_der().map_err(|_| CertError::Malformed)?;
        let public = PublicEncryptingKey::from_der(&spki).map_err(|_| CertError::Malformed)?;
        let validity = certificate.validity();
        Ok(Self {
            public: OaepPublicEncryptingKey::new(public).map_err(|_| CertError::Malformed)?,
            fingerprint: Fingerprint::of_rsa(&modulus, &exponent),
            spki_sha256: sha256(&spki),
            not_before: timestamp(validity.not_before)?,
            not_after: timestamp(validity.not_after)?,
            pem,
        })
    }

    /// The fingerprint of the public key.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// SHA-256 of the certificate's SubjectPublicKeyInfo, to pin it by (RFC 7469 §2.4), as `sha256//<base64>`.
    pub fn spki_pin(&self) -> String {
        format!("sha256//{}", STANDARD.encode(self.spki_sha256))
    }

    /// When it becomes valid.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// When it expires.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// The size of the key's modulus in bits.
    pub fn key_bits(&self) -> usize {
        self.public.key_size_bits()
    }

    /// The certificate and what followed it in its chain, as PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub(super) fn wrap(&self, key: &DataKey, label: &Label) -> Vec<u8> {
        let mut wrapped = vec![0; self.public.ciphertext_size()];
        let label = Some(label.as_bytes()).filter(|label| !label.is_empty());
        let length = self
            .public
            .encrypt(
                &OAEP_SHA256_MGF1SHA256,
                key.expose_secret(),
                &mut wrapped,
                label,
            )
            .expect("a key of 2048 bits or more takes 32 bytes")
            .len();
        wrapped.truncate(length);
        wrapped
    }
}

impl fmt::Debug for SealingCert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingCert({})", self.fingerprint)
    }
}

fn timestamp(time: x509_cert::time::Time) -> Result<Timestamp, CertError> {
    let seconds =
        i64::try_from(time.to_unix_duration().as_secs()).map_err(|_| CertError::Malformed)?;
    Timestamp::from_second(seconds).map_err(|_| CertError::Malformed)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes)
        .as_ref()
        .try_into()
        .expect("SHA-256 has 32 bytes")
}

/// Why a certificate cannot be sealed with.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertError {
    /// There is no PEM block in it.
    #[error("no PEM block in the certificate")]
    NotPem,
    /// There are PEM blocks, but none is a certificate.
    #[error("the PEM block is a {found:?}, not a CERTIFICATE")]
    NotACertificate {
        /// The label of the first block.
        found: String,
    },
    /// The certificate does not follow RFC 5280.
    #[error("the certificate is malformed")]
    Malformed,
    /// The certificate's key is of another kind.
    #[error("the certificate's key is not an RSA key")]
    NotRsa,
    /// The key is too small or too large.
    #[error(
        "the certificate's RSA key has {bits} bits; it must have {MIN_KEY_BITS} to {MAX_KEY_BITS}"
    )]
    KeySize {
        /// The modulus's length.
        bits: usize,
    },
}

/// Which sealing key: SHA-256 of the public key in OpenSSH's form (RFC 4253 §6.6), as `ssh-keygen -l` shows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of_rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        let mut wire = Vec::with_capacity(modulus.len() + exponent.len() + 24);
        let mut push = |field: &[u8], pad: bool| {
            let length = (field.len() + usize::from(pad)) as u32;
            wire.extend_from_slice(&length.to_be_bytes());
            wire.extend(pad.then_some(0));
            wire.extend_from_slice(field);
        };
        let is_high = |number: &[u8]| number.first().is_some_and(|byte| byte & 0x80 != 0);
        push(b"ssh-rsa", false);
        push(exponent, is_high(exponent));
        push(modulus, is_high(modulus));
        Self(sha256(&wire))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHA256:{}", STANDARD_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let encoded = text.strip_prefix("SHA256:").ok_or(NotAFingerprint)?;
        let bytes = STANDARD_NO_PAD
            .decode(encoded)
            .map_err(|_| NotAFingerprint)?;
        bytes.try_into().map(Self).map_err(|_| NotAFingerprint)
    }
}

/// The text is not `SHA256:` and 43 characters of base64.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a fingerprint: it begins with SHA256: and has 43 characters of base64 behind it")]
pub struct NotAFingerprint;
