//! `decrypt`: an encrypted document, in clear.

use decryptor::format::Format;
use decryptor::sops::Encrypted;
use decryptor::sops::path::Path;

use crate::error::CommandError;
use crate::sops::opening::{Opening, sentence};
use crate::sops::source::{Source, Target};
use crate::sops::{data_key, failure};
use crate::ui::Ui;

/// What is decrypted, and where the result goes.
pub(crate) struct Args {
    /// The document.
    pub(crate) source: Source,
    /// Where the result goes.
    pub(crate) target: Target,
    /// A format that was asked for.
    pub(crate) output_type: Option<Format>,
    /// The only value or branch that was asked for.
    pub(crate) extract: Option<Path>,
    /// How it is opened.
    pub(crate) opening: Opening,
}

/// Decrypts it. Nothing is written before all of it has opened and its MAC is right.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args { source, target, .. } = args;
    let text = source.read(ui)?;
    let document = Encrypted::parse(&text, source.format()).map_err(failure::encrypted)?;
    let (plain, _) = args.opening.open(&document, &data_key::env(), ui)?;
    let format = args.output_type.unwrap_or(document.format());
    if let Some(path) = &args.extract {
        let part = plain.extract(path, format).map_err(failure::converting)?;
        return target.write_secret(part.expose_secret(), source, ui);
    }
    let converted = plain.convert(format).map_err(failure::converting)?;
    for warning in converted
        .warnings()
        .iter()
        .filter(|new| !plain.warnings().contains(new))
    {
        ui.warn(sentence(warning));
    }
    target.write_secret(converted.expose_secret(), source, ui)
}
