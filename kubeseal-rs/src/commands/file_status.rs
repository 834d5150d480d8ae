//! `filestatus`: whether a file is an encrypted document, without any key.

pub(crate) mod tree;

use std::path::PathBuf;

use decryptor::format::Format;
use decryptor::sops::metadata::MetadataError;
use decryptor::sops::{Encrypted, ReadError};

use crate::error::CommandError;
use crate::sops::{failure, source};
use crate::ui::Ui;

/// Which file is looked at.
pub(crate) struct Args {
    /// The file.
    pub(crate) path: PathBuf,
    /// A format that was asked for.
    pub(crate) format: Option<Format>,
}

/// Prints whether it is encrypted, as JSON.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args { path, format } = args;
    let text = source::read(path).map_err(|e| e.at("cannot check file status").code(1))?;
    let format = format.unwrap_or_else(|| Format::of(path));
    let encrypted =
        is_encrypted(&text, format).map_err(|error| error.at("cannot check file status"))?;
    ui.print(format!("{{\"encrypted\":{encrypted}}}\n").as_bytes())
}

fn is_encrypted(text: &[u8], format: Format) -> Result<bool, CommandError> {
    match Encrypted::parse(text, format) {
        Ok(document) => Ok(document.metadata().is_complete()),
        Err(ReadError::Metadata(MetadataError::Missing) | ReadError::Empty) => Ok(false),
        Err(error) => Err(failure::encrypted(error)),
    }
}
