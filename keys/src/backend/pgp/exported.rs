//! Secret keys that were exported to a variable or a file, for places without `gpg` such as containers.

use std::{
    collections::HashMap,
    io::Read,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use pgp::{
    composed::{
        DecryptionOptions, Deserializable, Esk, Message as Parsed, SignedSecretKey, TheRing,
    },
    packet::PublicKeyEncryptedSessionKey,
    types::{KeyDetails, Password},
};
use zeroize::Zeroizing;

use super::LONGEST_SHARE;
use crate::{env::Env, secret::KeyShare};

/// Holds armored secret keys.
pub(super) const KEY: &str = "SOPS_PGP_KEY";
/// Names a file of secret keys, armored or not.
pub(super) const KEY_FILE: &str = "SOPS_PGP_KEY_FILE";
/// The keyring of old versions of `gpg`, which sops reads too.
const OLD_KEYRING: &str = "secring.gpg";
/// The longest file of keys.
const LONGEST_FILE: u64 = 1 << 24;
const ARMOR: &str = "-----BEGIN PGP ";
const SECRET_ARMOR: &str = "-----BEGIN PGP PRIVATE KEY BLOCK-----";

/// Exported secret keys. Loaded once for an [`Env`].
#[derive(Default)]
pub(super) struct Ring {
    keys: Vec<SignedSecretKey>,
    errors: Vec<String>,
    empty: Vec<String>,
    /// Passphrases that opened a key, and complaints of those that did not, by the place of the key.
    passphrases: Mutex<HashMap<usize, Result<Arc<Password>, String>>>,
}

/// The exported keys of this environment.
pub(super) fn ring(env: &Env) -> Arc<Ring> {
    env.once(|| {
        let mut ring = Ring::default();
        match env.variable(KEY) {
            Some(text) => ring.add(KEY, text.as_encoded_bytes()),
            None => ring.empty.push(KEY.to_owned()),
        }
        match env.variable(KEY_FILE) {
            Some(path) => ring.add_file(KEY_FILE, Path::new(path), env),
            None => ring.empty.push(KEY_FILE.to_owned()),
        }
        let home = env.variable("GNUPGHOME").filter(|home| !home.is_empty());
        let home = home.map(|home| Path::new(home).to_owned());
        if let Some(home) = home.or_else(|| Some(env.home()?.join(".gnupg"))) {
            let path = home.join(OLD_KEYRING);
            match path.exists() {
                true => ring.add_file(&path.display().to_string(), &path, env),
                false => ring.empty.push(path.display().to_string()),
            }
        }
        ring
    })
}

impl Ring {
    fn add_file(&mut self, place: &str, path: &Path, env: &Env) {
        match env.read(path, LONGEST_FILE) {
            Ok(text) => self.add(place, &text),
            Err(error) => self.errors.push(format!("{place}: {error}")),
        }
    }

    fn add(&mut self, place: &str, text: &[u8]) {
        match parse(text) {
            Ok(keys) if keys.is_empty() => self.empty.push(place.to_owned()),
            Ok(keys) => self.keys.extend(keys),
            Err(error) => self.errors.push(format!("{place}: {error}")),
        }
    }

    /// What to add to a failure: what could not be read, or where no key was.
    pub(super) fn explain(&self) -> String {
        let mut text = match self.keys.len() {
            0 => "no exported secret key".to_owned(),
            1 => "the exported secret key is another one".to_owned(),
            _ => "the exported secret keys are others".to_owned(),
        };
        if !self.empty.is_empty() {
            let places = self.empty.join("', '");
            text.push_str(&format!(" (none in '{places}')"));
        }
        for error in &self.errors {
            text.push_str("; ");
            text.push_str(error);
        }
        text
    }

    /// Reads an armored message. With no key there is nothing to read it for.
    pub(super) fn message<'a>(&'a self, enc: &'a str) -> Result<Message<'a>, String> {
        let recipients = match self.keys.is_empty() {
            true => Vec::new(),
            false => recipients(&parsed(enc)?),
        };
        Ok(Message {
            enc,
            ring: self,
            recipients,
        })
    }

    /// The passphrase of a key, asked for once.
    fn passphrase(&self, index: usize, env: &Env) -> Result<Arc<Password>, String> {
        let known = self
            .passphrases
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(&index) {
            return known.clone();
        }
        drop(known);
        let fingerprint = format!("{:X}", self.keys[index].primary_key.fingerprint());
        let question = format!("Enter passphrase for PGP key {fingerprint}:");
        let unread = || format!("could not read passphrase ({question}): nobody to ask");
        let person = env.prompt().ok_or_else(unread)?;
        let secret = person.secret(&question).ok_or_else(unread)?;
        Ok(Arc::new(Password::from(secret.expose_secret())))
    }

    fn remember(&self, index: usize, passphrase: Result<Arc<Password>, String>) {
        let mut known = self
            .passphrases
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert(index, passphrase);
    }
}

/// Reads secret keys: blocks of armor, or none. A public key is refused, so that nobody wonders why it opens nothing.
fn parse(text: &[u8]) -> Result<Vec<SignedSecretKey>, String> {
    let broken = |_| "it is not an exported secret key".to_owned();
    let armored = str::from_utf8(text)
        .ok()
        .filter(|text| text.contains(ARMOR));
    let Some(armored) = armored else {
        if text.iter().all(u8::is_ascii_whitespace) {
            return Ok(Vec::new());
        }
        let keys = SignedSecretKey::from_bytes_many(text).map_err(broken)?;
        return keys.map(|key| key.map_err(broken)).collect();
    };
    let mut keys = Vec::new();
    for (start, _) in armored.match_indices(ARMOR) {
        let block = &armored[start..];
        if !block.starts_with(SECRET_ARMOR) {
            return Err(
                "it is not a secret key: export one with gpg --export-secret-keys --armor"
                    .to_owned(),
            );
        }
        let (found, _) = SignedSecretKey::from_string_many(block).map_err(broken)?;
        for key in found {
            keys.push(key.map_err(broken)?);
        }
    }
    Ok(keys)
}

fn parsed(enc: &str) -> Result<Parsed<'_>, String> {
    let message = Parsed::from_string(enc).map_err(|_| "the message is malformed")?;
    Ok(message.0)
}

fn recipients(message: &Parsed<'_>) -> Vec<PublicKeyEncryptedSessionKey> {
    let Parsed::Encrypted { esk, .. } = message else {
        return Vec::new();
    };
    let public = esk.iter().filter_map(|one| match one {
        Esk::PublicKeyEncryptedSessionKey(one) => Some(one.clone()),
        Esk::SymKeyEncryptedSessionKey(_) => None,
    });
    public.collect()
}

/// A message and the keys that may open it.
pub(super) struct Message<'a> {
    enc: &'a str,
    ring: &'a Ring,
    recipients: Vec<PublicKeyEncryptedSessionKey>,
}

impl Message<'_> {
    /// Opens it with the keys that are locked, or with those that are not. Returns `None` if it is for none of them.
    pub(super) fn open(&self, env: &Env, locked: bool) -> Result<Option<KeyShare>, String> {
        let mut failure = None;
        for (index, key) in self.ring.keys.iter().enumerate() {
            if self.is_for(key) != Some(locked) {
                continue;
            }
            match self.open_with(index, key, locked, env) {
                Ok(share) => return Ok(Some(share)),
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(None), Err)
    }

    /// Whether all parts of the key that it may be for are locked. Returns `None` if it is for no part of it.
    fn is_for(&self, key: &SignedSecretKey) -> Option<bool> {
        let mut parts = Vec::new();
        for recipient in &self.recipients {
            if recipient.match_identity(key.primary_key.public_key()) {
                parts.push(key.primary_key.secret_params().is_encrypted());
            }
            let subkeys = key.secret_subkeys.iter();
            let named = subkeys.filter(|subkey| recipient.match_identity(subkey.public_key()));
            parts.extend(named.map(|subkey| subkey.secret_params().is_encrypted()));
        }
        (!parts.is_empty()).then(|| parts.into_iter().all(|locked| locked))
    }

    fn open_with(
        &self,
        index: usize,
        key: &SignedSecretKey,
        locked: bool,
        env: &Env,
    ) -> Result<KeyShare, String> {
        if !locked {
            return self.decrypt(key, &Password::empty());
        }
        let passphrase = self.ring.passphrase(index, env)?;
        let share = self.decrypt(key, &passphrase);
        let kept = share.as_ref().map(|_| passphrase).map_err(Clone::clone);
        self.ring.remember(index, kept);
        share
    }

    fn decrypt(&self, key: &SignedSecretKey, passphrase: &Password) -> Result<KeyShare, String> {
        let ring = TheRing {
            secret_keys: vec![key],
            key_passwords: vec![passphrase],
            decrypt_options: DecryptionOptions::new().enable_gnupg_aead(),
            ..TheRing::default()
        };
        let fingerprint = format!("{:X}", key.primary_key.fingerprint());
        let failed = |what: &str| format!("PGP key {fingerprint}: {what}");
        let (mut message, _) = parsed(self.enc)?
            .decrypt_the_ring(ring, true)
            .map_err(|_| failed("it does not open the message, or the passphrase is wrong"))?;
        if message.is_compressed() {
            message = message
                .decompress()
                .map_err(|_| failed("the message is malformed"))?;
        }
        let mut share = Zeroizing::new(Vec::with_capacity(LONGEST_SHARE + 1));
        // The end is read too: only there it is known that nobody changed the message.
        message
            .take(LONGEST_SHARE as u64 + 1)
            .read_to_end(&mut share)
            .map_err(|_| failed("the message was changed or is malformed"))?;
        match share.len() {
            1..=LONGEST_SHARE => Ok(share.into()),
            _ => Err(failed("what the message holds is no data key")),
        }
    }
}
