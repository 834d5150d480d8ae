//! Rings of sealing keys: the newest seals, every one opens.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::cert::{Fingerprint, SealingCert};
use super::key::SealingKey;
use super::{SealedValue, ZERO_NONCE, join};
use crate::aead;
use crate::scope::Label;
use crate::secret::{DataKey, Plaintext};

/// Sealing keys in the order they are tried, newest first. It may be empty: then nothing opens.
///
/// Cloning is cheap and shares the use counts.
#[derive(Clone, Default)]
pub struct KeyRing {
    entries: Vec<Arc<Entry>>,
    operations: Arc<AtomicU64>,
}

struct Entry {
    key: SealingKey,
    cert: Option<SealingCert>,
    uses: AtomicU64,
}

/// A value that was opened, and by which key.
#[derive(Debug)]
pub struct Opened {
    /// The value.
    pub plaintext: Plaintext,
    /// The key that opened it.
    pub key: Fingerprint,
}

/// No key of the ring opens the value. There is one answer for every reason, so that nothing can be learned from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key could decrypt secret")]
pub struct OpenError;

impl KeyRing {
    /// A ring of keys, newest first; each with its certificate where there is one. A key that comes twice stays once.
    pub fn new(keys: impl IntoIterator<Item = (SealingKey, Option<SealingCert>)>) -> Self {
        let mut ring = Self::default();
        for (key, cert) in keys {
            if ring
                .entries
                .iter()
                .all(|entry| entry.key.fingerprint() != key.fingerprint())
            {
                ring.entries.push(Arc::new(Entry {
                    key,
                    cert,
                    uses: AtomicU64::new(0),
                }));
            }
        }
        ring
    }

    /// A ring with the same operation count and, for keys that stay, the same use counts.
    pub fn replaced_by(&self, mut newer: Self) -> Self {
        for entry in &mut newer.entries {
            if let Some(known) = self
                .entries
                .iter()
                .find(|known| known.key.fingerprint() == entry.key.fingerprint())
            {
                entry
                    .uses
                    .store(known.uses.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
        newer.operations = Arc::clone(&self.operations);
        newer
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The keys' fingerprints and how often each opened a value, newest first.
    pub fn uses(&self) -> impl Iterator<Item = (Fingerprint, u64)> {
        self.entries
            .iter()
            .map(|entry| (entry.key.fingerprint(), entry.uses.load(Ordering::Relaxed)))
    }

    /// Private-key operations done with this ring and those it came from.
    pub fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }

    /// The certificate of the newest key. Returns `None` if the ring is empty or that key came without one.
    pub fn newest_cert(&self) -> Option<&SealingCert> {
        self.entries.first()?.cert.as_ref()
    }

    /// The certificates of all keys that have one, newest first.
    pub fn certs(&self) -> impl Iterator<Item = &SealingCert> {
        self.entries.iter().filter_map(|entry| entry.cert.as_ref())
    }

    /// Opens a sealed value with whichever key does. `hint` names the key to try first; a wrong one changes nothing.
    pub fn open(
        &self,
        sealed: &[u8],
        label: &Label,
        hint: Option<Fingerprint>,
    ) -> Result<Opened, OpenError> {
        let value = SealedValue::parse(sealed).ok_or(OpenError)?;
        let (_, plaintext, key) = self.open_parsed(value, label, hint)?;
        Ok(Opened { plaintext, key })
    }

    /// Wraps a sealed value's data key anew for `cert`; its body stays as it is, byte for byte.
    ///
    /// The body is authenticated on the way, so that a broken value is never passed on as a good one.
    pub fn rewrap(
        &self,
        sealed: &[u8],
        label: &Label,
        hint: Option<Fingerprint>,
        cert: &SealingCert,
    ) -> Result<Vec<u8>, OpenError> {
        let value = SealedValue::parse(sealed).ok_or(OpenError)?;
        let (data_key, _, _) = self.open_parsed(value, label, hint)?;
        Ok(join(&cert.wrap(&data_key, label), value.body))
    }

    fn open_parsed(
        &self,
        value: SealedValue<'_>,
        label: &Label,
        hint: Option<Fingerprint>,
    ) -> Result<(DataKey, Plaintext, Fingerprint), OpenError> {
        let is_hinted = |entry: &&Arc<Entry>| Some(entry.key.fingerprint()) == hint;
        let hinted = self.entries.iter().filter(is_hinted);
        let others = self.entries.iter().filter(|entry| !is_hinted(entry));
        for entry in hinted
            .chain(others)
            .filter(|entry| entry.key.fits(value.wrapped))
        {
            self.operations.fetch_add(1, Ordering::Relaxed);
            let Some(data_key) = entry.key.unwrap_key(value.wrapped, label) else {
                continue;
            };
            if let Ok(plaintext) = aead::open(&data_key, ZERO_NONCE, &[], value.body) {
                entry.uses.fetch_add(1, Ordering::Relaxed);
                return Ok((data_key, plaintext, entry.key.fingerprint()));
            }
        }
        Err(OpenError)
    }

    /// A key for marks, derived from all private keys of the ring. Another set of keys, or another `purpose`, gives
    /// another key. Returns `None` if the ring is empty.
    pub fn mark_key(&self, purpose: &[u8]) -> Option<MarkKey> {
        if self.is_empty() {
            return None;
        }
        let mut seeds: Vec<&[u8; 32]> = self
            .entries
            .iter()
            .map(|entry| entry.key.mark_seed())
            .collect();
        seeds.sort_unstable();
        let mut all = Zeroizing::new(Vec::with_capacity(32 * seeds.len()));
        seeds.iter().for_each(|seed| all.extend_from_slice(*seed));
        let outer = hmac::Key::new(hmac::HMAC_SHA256, &all);
        let derived = Zeroizing::new(hmac::sign(&outer, purpose).as_ref().to_vec());
        Some(MarkKey(hmac::Key::new(hmac::HMAC_SHA256, &derived)))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.entries.iter().map(|entry| entry.key.fingerprint()))
            .finish()
    }
}

/// A key that says later «this is what I saw»: HMAC-SHA-256 (RFC 2104).
#[derive(Clone)]
pub struct MarkKey(hmac::Key);

impl MarkKey {
    /// The mark of a message: 32 bytes.
    pub fn mark(&self, message: &[u8]) -> [u8; 32] {
        hmac::sign(&self.0, message)
            .as_ref()
            .try_into()
            .expect("HMAC-SHA-256 has 32 bytes")
    }

    /// Whether `mark` is the message's mark, in constant time.
    pub fn verify(&self, message: &[u8], mark: &[u8]) -> bool {
        hmac::verify(&self.0, message, mark).is_ok()
    }
}
