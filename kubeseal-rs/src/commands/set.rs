//! `set` and `unset`: one value of an encrypted file, and nothing else of it, becomes another or goes.

use std::path::PathBuf;

use decryptor::sops::path::Path;
use decryptor::sops::{ConvertError, SetError};
use zeroize::Zeroizing;

use crate::error::CommandError;
use crate::files;
use crate::sops::rewrite::Rewrite;
use crate::sops::{exit, failure};
use crate::ui::Ui;

/// Which value of which file, and what becomes of it.
pub(crate) struct Args {
    /// The file.
    pub(crate) rewrite: Rewrite,
    /// The way to the value.
    pub(crate) path: Path,
    /// What becomes of it.
    pub(crate) change: Change,
}

/// What becomes of a value.
pub(crate) enum Change {
    /// It is what this says, in JSON.
    Set(Json),
    /// It goes. If that is missing, whether that is an error.
    Unset,
}

/// Where JSON comes from.
pub(crate) enum Json {
    /// It was typed.
    Typed(Zeroizing<String>),
    /// A file has it.
    File(PathBuf),
    /// Standard input has it.
    Stdin,
}

/// Changes the value.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args { rewrite, path, .. } = args;
    let json = match &args.change {
        Change::Set(json) => Some(json.read(ui)?),
        Change::Unset => None,
    };
    let missing_is_fine = rewrite.idempotent && json.is_none();
    let change = |plain: &decryptor::sops::Plain| {
        let changed = match &json {
            Some(json) => plain.set(path, json),
            None => plain.unset(path),
        };
        match changed {
            Err(SetError::Convert(ConvertError::NotFound(_))) if missing_is_fine => {
                plain.convert(plain.format()).map_err(failure::converting)
            }
            changed => changed.map_err(failure::changing),
        }
    };
    rewrite.run(change, ui)
}

impl Json {
    fn read(&self, ui: &mut Ui) -> Result<Zeroizing<String>, CommandError> {
        let bytes = match self {
            Self::Typed(text) => return Ok(text.clone()),
            Self::File(path) => files::read(path)
                .map_err(|e| CommandError::new(format!("open {}", path.display())).because(e))?,
            Self::Stdin => files::Input::Stdin.read("a value in JSON", ui)?,
        };
        let text = str::from_utf8(&bytes).map_err(|_| {
            CommandError::new("Value for --set is not valid JSON: it is not UTF-8")
                .code(exit::BAD_CHANGE)
        })?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}
