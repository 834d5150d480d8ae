//! What can open age files here, and how each is asked.

use std::{
    io::Read,
    sync::{Mutex, PoisonError},
};

use age::{Decryptor, Identity as _, armor::ArmoredReader, scrypt, ssh, x25519};
use age_core::{
    format::{FileKey, Stanza},
    secrecy::SecretString,
};
use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_STANDARD_NO_PAD};
use zeroize::Zeroizing;

use super::{failure, plugin, post_quantum};
use crate::env::Env;

/// The longest identity file. The same for one under a passphrase.
pub(super) const LONGEST_FILE: u64 = 1 << 24;
/// The hardest passphrase file that is tried: about as much as age itself allows.
const HARDEST_SCRYPT: u8 = 22;

/// Something that may open an age file.
pub(super) enum Identity {
    X25519(x25519::Identity),
    PostQuantum(Box<post_quantum::Identity>),
    Ssh(ssh::Identity),
    LockedSsh(LockedSsh),
    Plugin(plugin::Peer),
    LockedFile(LockedFile),
}

/// An SSH key under a passphrase, which is asked for once and only for what is encrypted to that key.
pub(super) struct LockedSsh {
    path: String,
    /// By which stanzas name the key.
    tag: String,
    key: ssh::Identity,
    opened: Mutex<Option<Result<ssh::Identity, String>>>,
}

/// Identities under a passphrase, which is asked for once and after all else has failed.
pub(super) struct LockedFile {
    location: String,
    contents: Zeroizing<Vec<u8>>,
    opened: Mutex<Option<Result<Vec<Identity>, String>>>,
}

impl Identity {
    /// Reads one as it stands in an identity file.
    fn parse(text: &str) -> Result<Self, String> {
        let malformed = |error: &str| format!("malformed secret key: {error}");
        if text.starts_with("AGE-PLUGIN-") {
            return plugin::Peer::identity(text)
                .map(Self::Plugin)
                .map_err(|error| malformed(&error));
        }
        if text.starts_with("AGE-SECRET-KEY-PQ-1") {
            let identity = text.parse().map_err(malformed)?;
            return Ok(Self::PostQuantum(Box::new(identity)));
        }
        if text.starts_with("AGE-SECRET-KEY-1") {
            return text.parse().map(Self::X25519).map_err(malformed);
        }
        Err("unknown identity type".to_owned())
    }

    /// Reads an SSH private key. The error says what is wrong with it.
    pub(super) fn parse_ssh(text: &[u8], path: &str) -> Result<Self, String> {
        let key = ssh::Identity::from_buffer(text, Some(path.to_owned()))
            .map_err(|error| error.to_string())?;
        match &key {
            ssh::Identity::Unencrypted(_) => Ok(Self::Ssh(key)),
            ssh::Identity::Encrypted(_) => {
                let tag = tag(&key).ok_or("the public half cannot be read")?;
                Ok(Self::LockedSsh(LockedSsh {
                    path: path.to_owned(),
                    tag,
                    key,
                    opened: Mutex::new(None),
                }))
            }
            ssh::Identity::Unsupported(_) => {
                Err("this kind or encryption of SSH key is not supported".to_owned())
            }
        }
    }

    /// Whether a person or a device may have to answer: then it is tried after those that need nobody.
    pub(super) fn is_interactive(&self) -> bool {
        matches!(
            self,
            Self::LockedSsh(_) | Self::Plugin(_) | Self::LockedFile(_)
        )
    }

    /// Returns `None` if the file is not for this identity.
    pub(super) fn unwrap(&self, stanzas: &[Stanza], env: &Env) -> Option<Result<FileKey, String>> {
        let shown = |error: age::DecryptError| failure::text(&error);
        match self {
            Self::X25519(identity) => Some(identity.unwrap_stanzas(stanzas)?.map_err(shown)),
            Self::PostQuantum(identity) => Some(identity.unwrap_stanzas(stanzas)?.map_err(shown)),
            Self::Ssh(identity) => Some(identity.unwrap_stanzas(stanzas)?.map_err(shown)),
            Self::LockedSsh(key) => key.unwrap(stanzas, env),
            Self::Plugin(plugin) => plugin.unwrap(stanzas, env).transpose(),
            Self::LockedFile(file) => file.unwrap(stanzas, env),
        }
    }
}

/// Reads an identity file: one identity a line, or several words a line if `words`.
pub(super) fn parse_file(text: &[u8], words: bool) -> Result<Vec<Identity>, String> {
    let text = str::from_utf8(text).map_err(|_| "unknown identity type".to_owned())?;
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    if words {
        lines
            .flat_map(str::split_whitespace)
            .map(Identity::parse)
            .collect()
    } else {
        lines.map(Identity::parse).collect()
    }
}

/// Reads what may be an identity file, or one under a passphrase.
pub(super) fn parse_source(
    location: &str,
    contents: Zeroizing<Vec<u8>>,
    words: bool,
) -> Result<Vec<Identity>, String> {
    if contents.starts_with(b"age-encryption") || contents.starts_with(b"-----BEGIN AGE") {
        return Ok(vec![Identity::LockedFile(LockedFile {
            location: location.to_owned(),
            contents,
            opened: Mutex::new(None),
        })]);
    }
    parse_file(&contents, words)
        .map_err(|error| format!("failed to parse '{location}' age identities: {error}"))
}

/// How stanzas name an SSH key: the beginning of the hash of its public half.
fn tag(key: &ssh::Identity) -> Option<String> {
    let public = ssh::Recipient::try_from(key.clone()).ok()?.to_string();
    let blob = BASE64_STANDARD.decode(public.split(' ').nth(1)?).ok()?;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &blob);
    Some(BASE64_STANDARD_NO_PAD.encode(&hash.as_ref()[..4]))
}

impl LockedSsh {
    fn unwrap(&self, stanzas: &[Stanza], env: &Env) -> Option<Result<FileKey, String>> {
        let ours = |stanza: &&Stanza| {
            stanza.tag.starts_with("ssh-") && stanza.args.first() == Some(&self.tag)
        };
        let stanza = stanzas.iter().find(ours)?;
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let key = match opened.get_or_insert_with(|| self.open(env)) {
            Ok(key) => key,
            Err(error) => return Some(Err(error.clone())),
        };
        let result = key.unwrap_stanza(stanza)?;
        Some(result.map_err(|error| failure::text(&error)))
    }

    fn open(&self, env: &Env) -> Result<ssh::Identity, String> {
        let ssh::Identity::Encrypted(key) = &self.key else {
            return Ok(self.key.clone());
        };
        let passphrase = passphrase(&format!("Enter passphrase for \"{}\":", self.path), env)?;
        match key.decrypt(passphrase) {
            Ok(key) => Ok(key.into()),
            Err(_) => Err(format!(
                "could not decrypt \"{}\": incorrect passphrase",
                self.path
            )),
        }
    }
}

impl LockedFile {
    fn unwrap(&self, stanzas: &[Stanza], env: &Env) -> Option<Result<FileKey, String>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        match opened.get_or_insert_with(|| self.open(env)) {
            Ok(identities) => identities
                .iter()
                .find_map(|identity| identity.unwrap(stanzas, env)),
            Err(error) => Some(Err(error.clone())),
        }
    }

    fn open(&self, env: &Env) -> Result<Vec<Identity>, String> {
        let failed = |error: &age::DecryptError| {
            format!("failed to decrypt identity file: {}", failure::text(error))
        };
        let file = Decryptor::new_buffered(ArmoredReader::new(self.contents.as_slice()))
            .map_err(|error| failed(&error))?;
        if !file.is_scrypt() {
            return Err(format!(
                "identity file '{}' is encrypted, but not with a passphrase",
                self.location
            ));
        }
        let question = format!("Enter passphrase for identity '{}':", self.location);
        let passphrase = match remembered(&self.contents, &question, env) {
            Some(answer) => answer?,
            None => passphrase(&question, env)?,
        };
        let mut identity = scrypt::Identity::new(passphrase);
        identity.set_max_work_factor(HARDEST_SCRYPT);
        let mut contents = Zeroizing::new(Vec::new());
        file.decrypt(std::iter::once(&identity as &dyn age::Identity))
            .map_err(|error| match error {
                age::DecryptError::DecryptionFailed
                | age::DecryptError::KeyDecryptionFailed
                | age::DecryptError::NoMatchingKeys => {
                    forget(&self.contents, env);
                    "incorrect passphrase".to_owned()
                }
                other => failed(&other),
            })?
            .take(LONGEST_FILE)
            .read_to_end(&mut contents)
            .map_err(|error| format!("failed to decrypt identity file: {error}"))?;
        parse_file(&contents, false).map_err(|error| {
            format!(
                "failed to parse '{}' age identities: {error}",
                self.location
            )
        })
    }
}

/// The passphrase that gpg-agent has or asks for. Returns `None` if there is no agent.
fn remembered(contents: &[u8], question: &str, env: &Env) -> Option<Result<SecretString, String>> {
    #[cfg(unix)]
    return super::agent::ask(contents, question, env);
    #[cfg(not(unix))]
    return None;
}

fn forget(contents: &[u8], env: &Env) {
    #[cfg(unix)]
    super::agent::forget(contents, env);
}

/// Asks for a passphrase.
fn passphrase(question: &str, env: &Env) -> Result<SecretString, String> {
    let unread = || format!("could not read passphrase ({question}): nobody to ask");
    let person = env.prompt().ok_or_else(unread)?;
    let secret = person.secret(question).ok_or_else(unread)?;
    str::from_utf8(secret.expose_secret())
        .map(SecretString::from)
        .map_err(|_| "the passphrase is not text".to_owned())
}
