//! Private keys from files: PEM, or the key Secrets of a controller as JSON or YAML, in lists or streams.

use std::path::{Path, PathBuf};

use decryptor::manifest;
use decryptor::sealed::PlainSecret;
use keys::{KeyRing, SealingCert, SealingKey};

use crate::error::CommandError;
use crate::files;
use crate::keyring::Keyring;
use crate::ui::Ui;

/// Where private keys come from.
#[derive(Clone, Default)]
pub(crate) struct PrivateKeys {
    /// Files that were named.
    pub(crate) files: Vec<PathBuf>,
    /// A local keyring.
    pub(crate) keyring: Option<Keyring>,
}

impl PrivateKeys {
    /// Whether nothing was named.
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.keyring.is_none()
    }

    /// Reads them all. The ring is empty if nothing was named.
    pub(crate) fn open(&self, ui: &mut Ui) -> Result<KeyRing, CommandError> {
        if let (Some(keyring), true) = (&self.keyring, self.files.is_empty()) {
            return keyring.ring(ui);
        }
        let mut keys = Vec::new();
        for path in &self.files {
            keys.extend(read_file(path)?);
        }
        Ok(KeyRing::new(keys))
    }
}

type Pair = (SealingKey, Option<SealingCert>);

fn read_file(path: &Path) -> Result<Vec<Pair>, CommandError> {
    let failed = || CommandError::new(format!("cannot read private keys from {}", path.display()));
    let text = files::read(path).map_err(|e| failed().because(e))?;
    let as_pem = match SealingKey::from_pem(&text) {
        Ok(key) => return Ok(vec![(key, None)]),
        Err(error) => error,
    };
    // A Secret may hold PEM in clear, and then the text has a PEM block too.
    let Some(secrets) = secrets(&text) else {
        return Err(failed().because(as_pem).hint(
            "a private key is a PEM file, or a key Secret of the controller as JSON or YAML",
        ));
    };
    secrets
        .iter()
        .map(read_secret)
        .collect::<Result<_, _>>()
        .map_err(|e| e.at(path.display()))
}

fn secrets(text: &[u8]) -> Option<Vec<PlainSecret>> {
    let documents = manifest::read(text).ok()?;
    let secrets: Option<Vec<_>> = documents
        .iter()
        .map(|document| PlainSecret::from_value(document.value()).ok())
        .collect();
    secrets.filter(|secrets| !secrets.is_empty())
}

fn read_secret(secret: &PlainSecret) -> Result<Pair, CommandError> {
    let name = &secret.name;
    let Some(key) = secret.data.get("tls.key") else {
        return Err(CommandError::new(format!("Secret {name:?} has no tls.key")));
    };
    let key = SealingKey::from_pem(key.expose_secret()).map_err(|e| {
        CommandError::new(format!("cannot use tls.key of Secret {name:?}")).because(e)
    })?;
    let cert = secret.data.get("tls.crt");
    let cert = cert.and_then(|cert| SealingCert::from_pem(cert.expose_secret()).ok());
    Ok((key, cert))
}
