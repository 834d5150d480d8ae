//! `decrypt`: an encrypted document, in clear.

use decryptor::format::Format;
use decryptor::sops::Encrypted;

use crate::error::CommandError;
use crate::sops::opening::Opening;
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
    /// How it is opened.
    pub(crate) opening: Opening,
}

/// Decrypts it. Nothing is written before all of it has opened and its MAC is right.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args { source, target, .. } = args;
    source.refuse_other_format(args.output_type)?;
    let text = source.read(ui)?;
    let document = Encrypted::parse(&text, source.format()).map_err(failure::encrypted)?;
    let (plain, _) = args.opening.open(&document, &data_key::env(), ui)?;
    target.write_secret(plain.expose_secret(), source, ui)
}
