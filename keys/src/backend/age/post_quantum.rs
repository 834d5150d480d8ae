//! The post-quantum kind of age, `age1pq1…` and `AGE-SECRET-KEY-PQ-1…`: X-Wing under HPKE.
//!
//! X-Wing is ML-KEM-768 with X25519. A private key is a seed of 32 bytes, a public key is 1216 bytes.

use std::{collections::HashSet, fmt, str::FromStr};

use age::{DecryptError, EncryptError};
use age_core::{
    format::{FILE_KEY_BYTES, FileKey, Stanza},
    primitives::bech32_decode,
    secrecy::ExposeSecret,
};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use ml_kem::{
    B32, Ciphertext, EncapsulateDeterministic, Encoded, EncodedSizeUser, KemCore, MlKem768,
    kem::Decapsulate,
};
use sha3::{
    Digest, Sha3_256, Shake256,
    digest::{ExtendableOutput, Update, XofReader},
};
use zeroize::{Zeroize, Zeroizing};

use super::hpke::{self, SharedSecret};

type MlPublic = <MlKem768 as KemCore>::EncapsulationKey;
type MlPrivate = <MlKem768 as KemCore>::DecapsulationKey;

const TAG: &str = "mlkem768x25519";
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
/// No stanza of another kind may stand beside this one: it would give the file key away.
const LABEL: &str = "postquantum";
const ML_PUBLIC_LEN: usize = 1184;
const ML_CIPHERTEXT_LEN: usize = 1088;
const X_LEN: usize = 32;
/// ChaCha20-Poly1305's.
const TAG_LEN: usize = 16;
/// X-Wing's own, at the end of what is hashed.
const COMBINER_LABEL: &[u8] = br"\.//^\";

/// A public key.
pub(super) struct Recipient {
    ml: MlPublic,
    x: [u8; X_LEN],
}

/// A private key, made of its seed.
pub(super) struct Identity {
    ml: MlPrivate,
    x: PrivateKey,
    x_public: [u8; X_LEN],
}

impl FromStr for Recipient {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = decode(text, "age1pq")?;
        let (ml, x) = bytes
            .split_at_checked(ML_PUBLIC_LEN)
            .ok_or("invalid length")?;
        let encoded = Encoded::<MlPublic>::try_from(ml).map_err(|_| "invalid length")?;
        let x = x.try_into().map_err(|_| "invalid length")?;
        let ml = MlPublic::from_bytes(&encoded);
        // FIPS 203, 7.2: coefficients past the modulus come back reduced.
        if ml.as_bytes() != encoded {
            return Err("invalid MLKEM768-X25519 public key");
        }
        Ok(Self { ml, x })
    }
}

impl FromStr for Identity {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seed = decode(text, "AGE-SECRET-KEY-PQ-")?;
        if seed.len() != 32 {
            return Err("invalid length");
        }
        let mut expanded = Shake256::default().chain(seed.as_slice()).finalize_xof();
        let [mut d, mut z, mut x] = [(); 3].map(|()| Zeroizing::new([0; 32]));
        for part in [&mut d, &mut z, &mut x] {
            expanded.read(part.as_mut());
        }
        let [mut d, mut z] = [d, z].map(|part| B32::from(*part));
        let (ml, _) = MlKem768::generate_deterministic(&d, &z);
        d.0.zeroize();
        z.0.zeroize();
        let x = PrivateKey::from_private_key(&X25519, x.as_slice())
            .map_err(|_| "invalid MLKEM768-X25519 private key")?;
        let x_public = public(&x).ok_or("invalid MLKEM768-X25519 private key")?;
        Ok(Self { ml, x, x_public })
    }
}

/// The bytes behind a prefix, as Bech32 without its limit on length.
fn decode(text: &str, prefix: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    bech32_decode(
        text,
        |_| "invalid Bech32 encoding",
        |found| {
            let matches = found.as_str() == prefix;
            matches.then_some(()).ok_or("invalid type")
        },
        |_, bytes| Ok(Zeroizing::new(bytes.collect())),
    )
}

fn public(key: &PrivateKey) -> Option<[u8; X_LEN]> {
    key.compute_public_key().ok()?.as_ref().try_into().ok()
}

impl Recipient {
    /// A fresh shared secret, and what the private key's holder makes it from. Returns `None` if the X25519 half of the key
    /// is a point of small order.
    fn encapsulate(&self) -> Option<(SharedSecret, Vec<u8>)> {
        let x = PrivateKey::generate(&X25519).expect("the system's randomness does not fail");
        let x_ciphertext = public(&x)?;
        let mut random = B32::default();
        aws_lc_rs::rand::fill(&mut random.0).expect("the system's randomness does not fail");
        let (ciphertext, ml_shared) = self.ml.encapsulate_deterministic(&random).ok()?;
        random.0.zeroize();
        let ml_shared = Zeroizing::new(ml_shared.0);
        let x_shared = diffie_hellman(&x, &self.x)?;
        let shared = combine(
            ml_shared.as_slice(),
            x_shared.as_slice(),
            &x_ciphertext,
            &self.x,
        );
        Some((shared, [ciphertext.as_slice(), &x_ciphertext].concat()))
    }
}

impl Identity {
    /// The shared secret. Another's comes out as nonsense, by design. Returns `None` if `enc` has another length or a
    /// point of small order.
    fn decapsulate(&self, enc: &[u8]) -> Option<SharedSecret> {
        let (ml, x) = enc.split_at_checked(ML_CIPHERTEXT_LEN)?;
        let ml = Ciphertext::<MlKem768>::try_from(ml).ok()?;
        let x: &[u8; X_LEN] = x.try_into().ok()?;
        let ml_shared = Zeroizing::new(self.ml.decapsulate(&ml).ok()?.0);
        let x_shared = diffie_hellman(&self.x, x)?;
        Some(combine(
            ml_shared.as_slice(),
            x_shared.as_slice(),
            x,
            &self.x_public,
        ))
    }

    fn open(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != TAG {
            return None;
        }
        let [enc] = stanza.args.as_slice() else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        let enc = BASE64_STANDARD_NO_PAD.decode(enc).ok();
        let shared = enc.and_then(|enc| self.decapsulate(&enc));
        let Some(shared) = shared.filter(|_| stanza.body.len() == FILE_KEY_BYTES + TAG_LEN) else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        // Whether it is for us shows here, not before.
        let opened = hpke::open(&shared, INFO, &stanza.body)?;
        Some(Ok(FileKey::init_with_mut(|key| {
            key.copy_from_slice(&opened);
        })))
    }
}

impl age::Recipient for Recipient {
    fn wrap_file_key(
        &self,
        file_key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let invalid = || EncryptError::Io(std::io::Error::other("the public key is not valid"));
        let (shared, enc) = self.encapsulate().ok_or_else(invalid)?;
        let stanza = Stanza {
            tag: TAG.to_owned(),
            args: vec![BASE64_STANDARD_NO_PAD.encode(enc)],
            body: hpke::seal(&shared, INFO, file_key.expose_secret()),
        };
        Ok((vec![stanza], HashSet::from([LABEL.to_owned()])))
    }
}

impl age::Identity for Identity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        self.open(stanza)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

/// X25519. Returns `None` for a point of small order.
fn diffie_hellman(ours: &PrivateKey, theirs: &[u8; X_LEN]) -> Option<Zeroizing<[u8; X_LEN]>> {
    let theirs = UnparsedPublicKey::new(&X25519, theirs.as_slice());
    agree(ours, theirs, (), |shared| {
        let shared = shared.try_into().map_err(|_| ())?;
        Ok(Zeroizing::new(shared))
    })
    .ok()
}

/// X-Wing's hash of all that was agreed on.
fn combine(ml: &[u8], x: &[u8], x_ciphertext: &[u8], x_public: &[u8]) -> SharedSecret {
    let mut hash = Sha3_256::new();
    for part in [ml, x, x_ciphertext, x_public, COMBINER_LABEL] {
        Update::update(&mut hash, part);
    }
    Zeroizing::new(hash.finalize().into())
}
