//! A local keyring: sealing keys in a folder, for trying out, for tests and for the day the cluster is gone.
//!
//! A pair is two files: `NAME.crt`, the certificate, and `NAME.key`, the private key, both as the controller's key Secrets
//! hold them; or `NAME.key.age`, the private key under a passphrase. The certificate is written last: without it there is
//! no pair.

use std::cmp::Reverse;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread;

use age::secrecy::SecretString;
use jiff::{SignedDuration, Timestamp};
use keys::sealing::{KeySize, NewKey};
use keys::{KeyRing, SealingCert, SealingKey};
use zeroize::Zeroizing;

use crate::error::CommandError;
use crate::files;
use crate::passphrase::{self, Passphrases};
use crate::ui::Ui;

/// A folder of sealing keys.
#[derive(Clone)]
pub(crate) struct Keyring {
    folder: PathBuf,
    passphrases: Passphrases,
}

/// One key pair of a keyring.
pub(crate) struct Pair {
    /// The certificate.
    pub(crate) cert: SealingCert,
    /// Whether the private key is under a passphrase.
    pub(crate) has_passphrase: bool,
    key_path: PathBuf,
}

/// What a new key pair is to be like.
pub(crate) struct NewPair {
    /// The size of the key.
    pub(crate) size: KeySize,
    /// The name in the certificate; may be empty.
    pub(crate) common_name: String,
    /// How long the certificate is valid.
    pub(crate) lifetime: SignedDuration,
    /// Whether a passphrase protects the private key.
    pub(crate) with_passphrase: bool,
}

impl Keyring {
    /// The keyring in a folder; the empty path is the default folder.
    pub(crate) fn at(folder: &Path, passphrases: Passphrases) -> Result<Self, CommandError> {
        let folder = match folder.as_os_str().is_empty() {
            false => folder.to_owned(),
            true => default_folder().ok_or_else(|| {
                CommandError::new("there is no home folder for a keyring")
                    .hint("name a folder with --keyring")
            })?,
        };
        Ok(Self {
            folder,
            passphrases,
        })
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The key pairs, newest first.
    pub(crate) fn pairs(&self) -> Result<Vec<Pair>, CommandError> {
        let failed = |e| {
            CommandError::new(format!("cannot read the keyring {}", self.folder.display()))
                .because(e)
        };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(failed(e)),
        };
        let mut paths = Vec::new();
        for entry in entries {
            paths.push(entry.map_err(failed)?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "crt"));
        paths.sort();
        let mut pairs = paths
            .iter()
            .map(|path| Pair::read(path))
            .collect::<Result<Vec<_>, _>>()?;
        // Two of one second, as two folders put together may hold, have an order all the same.
        pairs.sort_by_cached_key(|pair| {
            let fingerprint = pair.cert.fingerprint().to_string();
            (Reverse(pair.cert.not_before()), fingerprint)
        });
        Ok(pairs)
    }

    /// The newest key pair.
    pub(crate) fn newest(&self) -> Result<Pair, CommandError> {
        self.pairs()?.into_iter().next().ok_or_else(|| self.empty())
    }

    /// The pair whose fingerprint begins with `text`; the newest one for an empty text.
    pub(crate) fn find(&self, text: &str) -> Result<Pair, CommandError> {
        let matches = |pair: &Pair| {
            let fingerprint = pair.cert.fingerprint().to_string();
            fingerprint.starts_with(text) || fingerprint["SHA256:".len()..].starts_with(text)
        };
        let mut found: Vec<_> = self.pairs()?.into_iter().filter(matches).collect();
        match found.len() {
            0 if text.is_empty() => Err(self.empty()),
            0 => Err(
                CommandError::new(format!("the keyring has no key {text:?}"))
                    .hint("`kubeseal keyring list` shows the keys"),
            ),
            1 => Ok(found.remove(0)),
            _ if text.is_empty() => Ok(found.remove(0)),
            _ => Err(CommandError::new(format!(
                "{text:?} begins more than one key"
            ))),
        }
    }

    /// All private keys, newest first.
    pub(crate) fn ring(&self, ui: &mut Ui) -> Result<KeyRing, CommandError> {
        let mut keys = Vec::new();
        for pair in self.pairs()? {
            let text = self.key_text(&pair, ui)?;
            let key = SealingKey::from_pem(&text).map_err(|e| pair.unusable().because(e))?;
            if key.fingerprint() != pair.cert.fingerprint() {
                return Err(pair
                    .unusable()
                    .because("it is not the key of its certificate"));
            }
            keys.push((key, Some(pair.cert)));
        }
        match keys.is_empty() {
            true => Err(self.empty().hint(
                "to open what was sealed elsewhere, name its private keys with --recovery-private-key",
            )),
            false => Ok(KeyRing::new(keys)),
        }
    }

    /// A private key, as PEM. Whoever calls this must not let it out.
    pub(crate) fn key_text(
        &self,
        pair: &Pair,
        ui: &mut Ui,
    ) -> Result<Zeroizing<Vec<u8>>, CommandError> {
        let text = files::read(&pair.key_path).map_err(|e| pair.unusable().because(e))?;
        if pair.has_passphrase {
            let name = pair.key_path.display().to_string();
            let passphrase = self.passphrases.ask(&name)?;
            return passphrase::unwrap(&text, passphrase).map_err(|e| e.at(name));
        }
        if fs::metadata(&pair.key_path).is_ok_and(|metadata| metadata.mode() & 0o077 != 0) {
            ui.warn(format!(
                "others can read the private key {}: `chmod 600` it",
                pair.key_path.display()
            ));
        }
        Ok(text)
    }

    /// Makes a key pair and puts it into the folder, which is made if need be.
    pub(crate) fn create(&self, new: &NewPair) -> Result<Pair, CommandError> {
        let passphrase = match new.with_passphrase {
            true => Some(self.passphrases.choose()?),
            false => None,
        };
        let now = self.after_the_newest()?;
        let made = NewKey::generate(new.size, &new.common_name, now, new.lifetime)
            .map_err(|e| CommandError::new("cannot make a key").because(e))?;
        let cert = SealingCert::from_pem(made.cert_pem.as_bytes())
            .map_err(|e| CommandError::new("cannot make a key").because(e))?;
        let cert_path = self.store(&made, &cert, passphrase)?;
        Pair::read(&cert_path)
    }

    /// The time it is, in a second of its own: certificates tell no shorter times apart, and the newest key seals.
    fn after_the_newest(&self) -> Result<Timestamp, CommandError> {
        let pairs = self.pairs()?;
        let newest = pairs.first().map(|pair| pair.cert.not_before().as_second());
        let now = Timestamp::now();
        if newest != Some(now.as_second()) {
            return Ok(now);
        }
        let rest = SignedDuration::from_secs(1) - SignedDuration::new(0, now.subsec_nanosecond());
        thread::sleep(rest.unsigned_abs());
        Ok(now + rest)
    }

    fn store(
        &self,
        made: &NewKey,
        cert: &SealingCert,
        passphrase: Option<SecretString>,
    ) -> Result<PathBuf, CommandError> {
        let write = |path: &Path, content: &[u8]| {
            files::create_secret(path, content).map_err(|e| {
                CommandError::new(format!("cannot write {}", path.display())).because(e)
            })
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .map_err(|e| {
                CommandError::new(format!("cannot make the folder {}", self.folder.display()))
                    .because(e)
            })?;
        let stem = self.folder.join(stem(cert));
        match passphrase {
            None => write(&stem.with_extension("key"), made.key_pem.as_bytes())?,
            Some(passphrase) => {
                let wrapped = passphrase::wrap(made.key_pem.as_bytes(), passphrase)?;
                write(&stem.with_extension("key.age"), &wrapped)?;
            }
        }
        let cert_path = stem.with_extension("crt");
        write(&cert_path, made.cert_pem.as_bytes())?;
        Ok(cert_path)
    }

    fn empty(&self) -> CommandError {
        CommandError::new(format!("the keyring {} has no key", self.folder.display())).hint(
            match default_folder() {
                Some(folder) if folder == self.folder => {
                    "make one with `kubeseal keyring new`".to_owned()
                }
                _ => format!(
                    "make one with `kubeseal keyring new --keyring {}`",
                    self.folder.display()
                ),
            },
        )
    }
}

impl Pair {
    fn read(cert_path: &Path) -> Result<Self, CommandError> {
        let unusable = || {
            CommandError::new(format!(
                "cannot use the certificate {}",
                cert_path.display()
            ))
        };
        let text = files::read(cert_path).map_err(|e| unusable().because(e))?;
        let cert = SealingCert::from_pem(&text).map_err(|e| unusable().because(e))?;
        let wrapped = cert_path.with_extension("key.age");
        let has_passphrase = wrapped.exists();
        let key_path = match has_passphrase {
            true => wrapped,
            false => cert_path.with_extension("key"),
        };
        Ok(Self {
            cert,
            has_passphrase,
            key_path,
        })
    }

    fn unusable(&self) -> CommandError {
        CommandError::new(format!(
            "cannot use the private key {}",
            self.key_path.display()
        ))
    }
}

/// When the key was made, and enough of its fingerprint to tell two keys of one second apart.
fn stem(cert: &SealingCert) -> String {
    let fingerprint = cert.fingerprint().to_string();
    let short: String = fingerprint["SHA256:".len()..]
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    format!("{}-{short}", cert.not_before().strftime("%Y%m%dT%H%M%SZ"))
}

fn default_folder() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let data = set("XDG_DATA_HOME").map(PathBuf::from);
    let data = data.filter(|path| path.is_absolute());
    let data = data.or_else(|| Some(std::env::home_dir()?.join(".local/share")))?;
    Some(data.join("kubeseal-rs/keyring"))
}
