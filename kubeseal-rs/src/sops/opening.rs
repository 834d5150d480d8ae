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
        ui.warn(sentence(warning));
    }
}

/// What people should know of a document.
pub(crate) fn sentence(warning: &Warning) -> String {
    match warning {
        Warning::UnencryptedComments(1) => {
            "Found possibly unencrypted comment: anybody may have written it".to_owned()
        }
        Warning::UnencryptedComments(count) => format!(
            "Found possibly unencrypted comment, {count} times: anybody may have written them"
        ),
        Warning::DuplicateKey(line, key) => format!(
            "line {line}: the key {key:?} stands twice; programs differ in which one they take"
        ),
        Warning::TypeDoubted(line, path) => format!(
            "line {line}: the type of {path} is not the one that it was encrypted with: somebody may have changed it, for nothing authenticates types"
        ),
        Warning::AliasWrittenOut(line) => format!(
            "line {line}: the alias repeats what is encrypted: it is written out, for sops opens no copy under another path"
        ),
        Warning::DocumentsDropped(count) => {
            format!("only the first document has a place in this format: {count} are left out")
        }
    }
}
