//! Opens an encrypted file, changes it, and closes it under the same data key, in place.

use std::path::{Path, PathBuf};

use decryptor::format::Format;
use decryptor::sops::metadata::Metadata;
use decryptor::sops::{Closing, Encrypted, Plain};
use jiff::Timestamp;
use keys::{DataKey, Env};
use zeroize::Zeroizing;

use super::opening::Opening;
use super::source::{swap, unreadable};
use super::{data_key, failure};
use crate::error::CommandError;
use crate::files::{self, Swapped};
use crate::ui::Ui;

/// How often a change is made again because others write to the file too.
const MOST_ATTEMPTS: usize = 100;

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
    ///
    /// What somebody else has written meanwhile is kept: the change is made again, to that.
    pub(crate) fn run(
        &self,
        change: impl Fn(&Plain) -> Result<Plain, CommandError>,
        ui: &mut Ui,
    ) -> Result<(), CommandError> {
        let env = data_key::env();
        for _ in 0..MOST_ATTEMPTS {
            if self.attempt(&change, &env, ui)? == Swapped::Done {
                return Ok(());
            }
        }
        Err(changed_meanwhile(&self.path))
    }

    fn attempt(
        &self,
        change: impl Fn(&Plain) -> Result<Plain, CommandError>,
        env: &Env,
        ui: &mut Ui,
    ) -> Result<Swapped, CommandError> {
        let path = &self.path;
        let text = read(path)?;
        let format = self.format.unwrap_or_else(|| Format::of(path));
        let document = Encrypted::parse(&text, format).map_err(failure::encrypted)?;
        let (plain, key) = self.opening.open(&document, env, ui)?;
        let changed = change(&plain)?;
        if self.idempotent && changed.expose_secret() == plain.expose_secret() {
            return Ok(Swapped::Done);
        }
        let closed = close_again(&changed, &document, &key)?;
        swap(path, &text, closed.as_bytes(), ui)
    }
}

/// Somebody else has written to a file since it was read.
pub(crate) fn changed_meanwhile(path: &Path) -> CommandError {
    CommandError::new(format!(
        "{} was changed by somebody else meanwhile, and was left so",
        path.display()
    ))
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

/// Closes a document under another data key, wrapped for all keys that the metadata name.
pub(crate) fn close_anew(
    plain: &Plain,
    mut metadata: Metadata,
    env: &Env,
) -> Result<Encrypted, CommandError> {
    let key = data_key::generate(&mut metadata.key_groups, env)?;
    let closing = Closing {
        metadata,
        now: &now(),
        previous: None,
    };
    plain.close(&key, closing).map_err(failure::closing)
}

/// Reads an encrypted file that is to be changed.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CommandError> {
    files::read(path).map_err(|e| unreadable(path, e))
}

/// The time as documents say it.
pub(crate) fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
