//! Opens an encrypted document with a key that is at hand.

use std::path::Path;

use decryptor::format::Format;
use decryptor::sops::{Encrypted, Plain, Warning};
use keys::{DataKey, DecryptionOrder, Env};

use super::rewrite::read;
use super::{data_key, failure};
use crate::error::CommandError;
use crate::ui::Ui;

/// How documents are opened.
pub(crate) struct Opening {
    /// Whether the MAC is not looked at.
    pub(crate) ignore_mac: bool,
    /// Which kinds of keys are tried first.
    pub(crate) order: DecryptionOrder,
}

impl Opening {
    /// Recovers the data key and opens the document. Returns both, the key for those who close it again.
    pub(crate) fn open(
        &self,
        document: &Encrypted,
        env: &Env,
        ui: &mut Ui,
    ) -> Result<(Plain, DataKey), CommandError> {
        let key = data_key::recover(&document.metadata().key_groups, &self.order, env)?;
        let plain = match self.ignore_mac {
            true => document.open_unverified(&key),
            false => document.open(&key),
        };
        let plain = plain.map_err(failure::opening)?;
        warn_of(plain.warnings(), ui);
        Ok((plain, key))
    }

    /// Reads and opens a file that is not to be changed.
    pub(crate) fn open_file(
        &self,
        path: &Path,
        format: Format,
        ui: &mut Ui,
    ) -> Result<Plain, CommandError> {
        let text = read(path)?;
        let document = Encrypted::parse(&text, format).map_err(failure::encrypted)?;
        let (plain, _) = self.open(&document, &data_key::env(), ui)?;
        Ok(plain)
    }
}

/// Says what people should know of a document.
pub(crate) fn warn_of<'w>(warnings: impl IntoIterator<Item = &'w Warning>, ui: &mut Ui) {
    for warning in warnings {
        ui.warn(warning.to_string());
    }
}
