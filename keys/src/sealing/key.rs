//! Sealing keys: the private half, read from PEM and made anew.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::{
    KeySize as RsaKeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::KeyPair as _;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose,
    SerialNumber,
};
use time::OffsetDateTime;
use zeroize::{Zeroize, Zeroizing};

use super::cert::{CertError, Fingerprint};
use super::{MAX_KEY_BITS, MIN_KEY_BITS, der};
use crate::scope::Label;
use crate::secret::DataKey;

/// A private key that opens what was sealed with its certificate.
pub struct SealingKey {
    private: OaepPrivateDecryptingKey,
    fingerprint: Fingerprint,
    mark_seed: Zeroizing<[u8; 32]>,
}

impl SealingKey {
    /// Reads the first private key of a PEM text, PKCS#1 (`RSA PRIVATE KEY`) or PKCS#8 (`PRIVATE KEY`).
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyParseError> {
        let blocks = Zeroizing::new(text.to_vec());
        let blocks = pem::parse_many(&*blocks).map_err(|_| KeyParseError::NotPem)?;
        let mut other = None;
        let mut found = None;
        for block in blocks {
            let tag = block.tag().to_owned();
            let contents = Zeroizing::new(block.into_contents());
            match tag.as_str() {
                "RSA PRIVATE KEY" | "PRIVATE KEY" if found.is_none() => {
                    found = Some((tag, contents))
                }
                _ => other = other.or(Some(tag)),
            }
        }
        match found {
            Some((tag, contents)) if tag == "RSA PRIVATE KEY" => Self::from_pkcs1(&contents),
            Some((_, contents)) => match der::unwrap_pkcs8(&contents) {
                Some((true, pkcs1)) => Self::from_pkcs1(&pkcs1),
                Some((false, _)) => Err(KeyParseError::NotRsa),
                None => Err(KeyParseError::Malformed),
            },
            None => Err(
                other.map_or(KeyParseError::NotPem, |found| KeyParseError::NotAKey {
                    found,
                }),
            ),
        }
    }

    fn from_pkcs1(pkcs1: &[u8]) -> Result<Self, KeyParseError> {
        let bits = der::private_key_bits(pkcs1).ok_or(KeyParseError::Malformed)?;
        if !(MIN_KEY_BITS..=MAX_KEY_BITS).contains(&bits) {
            return Err(KeyParseError::KeySize { bits });
        }
        let pkcs8 = der::wrap_pkcs1(pkcs1);
        let malformed = |_| KeyParseError::Malformed;
        let private = PrivateDecryptingKey::from_pkcs8(&pkcs8).map_err(malformed)?;
        let pair = aws_lc_rs::signature::RsaKeyPair::from_pkcs8(&pkcs8).map_err(malformed)?;
        let public = pair.public_key().as_ref();
        let (modulus, exponent) = der::public_key_parts(public).ok_or(KeyParseError::Malformed)?;
        Ok(Self {
            private: OaepPrivateDecryptingKey::new(private)
                .map_err(|_| KeyParseError::Malformed)?,
            fingerprint: Fingerprint::of_rsa(&modulus, &exponent),
            mark_seed: mark_seed(pkcs1),
        })
    }

    /// The fingerprint of its public half.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The size of the key's modulus in bits.
    pub fn key_bits(&self) -> usize {
        self.private.key_size_bits()
    }

    pub(super) fn mark_seed(&self) -> &[u8; 32] {
        &self.mark_seed
    }

    /// Whether a wrapped key has the length that this key makes.
    pub(super) fn fits(&self, wrapped: &[u8]) -> bool {
        wrapped.len() == self.private.key_size_bytes()
    }

    /// One private-key operation. `None` whatever the reason.
    pub(super) fn unwrap_key(&self, wrapped: &[u8], label: &Label) -> Option<DataKey> {
        DataKey::from_slice(&self.decrypt(wrapped, label.as_bytes())?)
    }

    pub(super) fn decrypt(&self, wrapped: &[u8], label: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut out = Zeroizing::new(vec![0; self.private.min_output_size()]);
        let label = Some(label).filter(|label| !label.is_empty());
        let length = self
            .private
            .decrypt(&OAEP_SHA256_MGF1SHA256, wrapped, &mut out, label)
            .ok()?
            .len();
        out.truncate(length);
        Some(out)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({})", self.fingerprint)
    }
}

/// What the mark key is derived from: one way from the private key, so that the key itself need not stay readable.
fn mark_seed(pkcs1: &[u8]) -> Zeroizing<[u8; 32]> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"kubeseal-rs mark seed v1");
    let mut seed = Zeroizing::new([0; 32]);
    seed.copy_from_slice(hmac::sign(&key, pkcs1).as_ref());
    seed
}

/// Why a private key cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyParseError {
    /// There is no PEM block in it.
    #[error("no PEM block in the private key")]
    NotPem,
    /// There are PEM blocks, but none is a private key.
    #[error("the PEM block is a {found:?}, not a private key")]
    NotAKey {
        /// The label of the first block.
        found: String,
    },
    /// It is not the DER of a private key.
    #[error("the private key is malformed")]
    Malformed,
    /// It is a private key of another kind.
    #[error("the private key is not an RSA key")]
    NotRsa,
    /// The key is too small or too large.
    #[error("the RSA key has {bits} bits; it must have {MIN_KEY_BITS} to {MAX_KEY_BITS}")]
    KeySize {
        /// The modulus's length.
        bits: usize,
    },
}

/// The sizes a new sealing key may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeySize {
    /// 2048 bits.
    Rsa2048,
    /// 3072 bits.
    Rsa3072,
    /// 4096 bits.
    #[default]
    Rsa4096,
    /// 8192 bits.
    Rsa8192,
}

impl FromStr for KeySize {
    type Err = UnknownKeySize;

    fn from_str(text: &str) -> Result<Self, UnknownKeySize> {
        match text {
            "2048" => Ok(Self::Rsa2048),
            "3072" => Ok(Self::Rsa3072),
            "4096" => Ok(Self::Rsa4096),
            "8192" => Ok(Self::Rsa8192),
            _ => Err(UnknownKeySize(text.to_owned())),
        }
    }
}

/// A size that new sealing keys do not come in.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a new sealing key has 2048, 3072, 4096 or 8192 bits, not {0:?}")]
pub struct UnknownKeySize(String);

/// A sealing key just made, as the PEM texts that are stored.
pub struct NewKey {
    /// The private key, PKCS#1, as the original stores it under `tls.key`.
    pub key_pem: Zeroizing<String>,
    /// Its self-signed certificate, as stored under `tls.crt`.
    pub cert_pem: String,
}

impl NewKey {
    /// Makes a key pair and a self-signed certificate like those of the original: CA, encipher-only, SHA-256 with RSA.
    ///
    /// `common_name` may be empty; then the certificate's names are empty too.
    pub fn generate(
        size: KeySize,
        common_name: &str,
        now: Timestamp,
        lifetime: SignedDuration,
    ) -> Result<Self, CertError> {
        let size = match size {
            KeySize::Rsa2048 => RsaKeySize::Rsa2048,
            KeySize::Rsa3072 => RsaKeySize::Rsa3072,
            KeySize::Rsa4096 => RsaKeySize::Rsa4096,
            KeySize::Rsa8192 => RsaKeySize::Rsa8192,
        };
        let private = PrivateDecryptingKey::generate(size).map_err(|_| CertError::Malformed)?;
        let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&private).map_err(|_| CertError::Malformed)?;
        let (_, pkcs1) = der::unwrap_pkcs8(pkcs8.as_ref()).ok_or(CertError::Malformed)?;
        let cert_pem =
            self_sign(pkcs8.as_ref(), common_name, now, lifetime).ok_or(CertError::Malformed)?;
        let block = pem::Pem::new("RSA PRIVATE KEY", pkcs1.to_vec());
        let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        let key_pem = Zeroizing::new(pem::encode_config(&block, config));
        drop(Zeroizing::new(block.into_contents()));
        Ok(Self { key_pem, cert_pem })
    }
}

fn self_sign(
    pkcs8: &[u8],
    common_name: &str,
    now: Timestamp,
    lifetime: SignedDuration,
) -> Option<String> {
    let mut pair = KeyPair::try_from(pkcs8).ok()?;
    let mut serial = [0; 16];
    aws_lc_rs::rand::fill(&mut serial).ok()?;
    serial[0] &= 0x7f;
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name = DistinguishedName::new();
    if !common_name.is_empty() {
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
    }
    params.not_before = OffsetDateTime::from_unix_timestamp(now.as_second()).ok()?;
    let end = now.checked_add(lifetime).ok()?;
    params.not_after = OffsetDateTime::from_unix_timestamp(end.as_second()).ok()?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::EncipherOnly];
    let certificate = params.self_signed(&pair).ok()?;
    pair.zeroize();
    let block = pem::Pem::new("CERTIFICATE", certificate.der().to_vec());
    Some(pem::encode_config(
        &block,
        pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
    ))
}
