//! Opens an encrypted file, changes it, and closes it under the same data key, in place.

use std::path::{Path, PathBuf};

use decryptor::format::Format;
use decryptor::sops::metadata::Metadata;
use decryptor::sops::{Closing, Encrypted, Plain};
use jiff::Timestamp;
use keys::DataKey;
use zeroize::Zeroizing;

use super::opening::Opening;
use super::{data_key, exit, failure};
use crate::error::CommandError;
use crate::files;
use crate::ui::Ui;

/// An encrypted file that is to be changed.
pub(crate) struct Rewrite {
    /// The file.
    pub(crate) path: PathBuf,
    /// A format that was asked for.
    pub(crate) format: Option<Format>,
    /// How it is opened.
    pub(crate) opening: Opening,
    /// Whether the file is left alone if nothing has changed. Else its MAC and time are new.
    pub(crate) idempotent: bool,
}

impl Rewrite {
    /// Lets `change` make another document of it. Values that stay keep their ciphertext.
    pub(crate) fn run(
        &self,
        change: impl FnOnce(&Plain) -> Result<Plain, CommandError>,
        ui: &mut Ui,
    ) -> Result<(), CommandError> {
        let path = &self.path;
        let text = read(path)?;
        let format = self.format.unwrap_or_else(|| Format::of(path));
        let document = Encrypted::parse(&text, format).map_err(failure::encrypted)?;
        let (plain, key) = self.opening.open(&document, &data_key::env(), ui)?;
        let changed = change(&plain)?;
        if self.idempotent && changed.expose_secret() == plain.expose_secret() {
            return Ok(());
        }
        let closed = close_again(&changed, &document, &key)?;
        files::replace(path, closed.as_bytes())
    }
}

/// What a document that is written again says of its keys and rules.
pub(crate) fn renewed(document: &Encrypted) -> Result<Metadata, CommandError> {
    let copy = document.metadata().copy();
    let mut metadata = copy.map_err(|e| failure::encrypted(e.into()))?;
    metadata.raise_version();
    Ok(metadata)
}

/// Closes what has become of a document, under its own data key.
pub(crate) fn close_again(
    plain: &Plain,
    document: &Encrypted,
    key: &DataKey,
) -> Result<Encrypted, CommandError> {
    let closing = Closing {
        metadata: renewed(document)?,
        now: &now(),
        previous: Some(document),
    };
    plain.close(key, closing).map_err(failure::closing)
}

/// Reads an encrypted file that is to be changed.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CommandError> {
    files::read(path).map_err(|e| {
        CommandError::new(format!("Error reading file {}", path.display()))
            .because(e)
            .code(exit::UNREADABLE)
    })
}

/// The time as documents say it.
pub(crate) fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
