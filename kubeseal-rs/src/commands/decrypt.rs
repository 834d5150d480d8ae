//! `decrypt`: an encrypted document, in clear.

pub(crate) mod tree;

use std::mem::ManuallyDrop;

use decryptor::format::Format;
use decryptor::sops::Encrypted;
use decryptor::sops::path::Path;
use keys::{Env, Plaintext};

use crate::error::CommandError;
use crate::sops::opening::{Opening, warn_of};
use crate::sops::source::{Source, Target};
use crate::sops::{data_key, failure};
use crate::ui::Ui;

/// What is decrypted, and where the result goes.
pub(crate) struct Args {
    /// The document.
    pub(crate) source: Source,
    /// Where the result goes.
    pub(crate) target: Target,
    /// How it is decrypted.
    pub(crate) how: How,
}

/// How documents are decrypted.
pub(crate) struct How {
    /// A format that was asked for.
    pub(crate) output_type: Option<Format>,
    /// The only value or branch that was asked for.
    pub(crate) extract: Option<Path>,
    /// How they are opened.
    pub(crate) opening: Opening,
}

/// Decrypts it. Nothing is written before all of it has opened and its MAC is right.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args {
        source,
        target,
        how,
    } = args;
    let text = std::mem::take(&mut *source.read(ui)?);
    let document = Encrypted::take(text, source.format())
        .map_err(|e| source.taken_for(failure::encrypted(e)))?;
    // The process ends soon: taking a large document apart before that would be for nothing, since it hides its secrets.
    let document = ManuallyDrop::new(document);
    let clear = how.clear(&document, &data_key::env(), ui)?;
    target.write_secret(clear.expose_secret(), source, document.as_bytes(), ui)
}

impl How {
    /// What a document gives in the end.
    fn format_of(&self, document: &Encrypted) -> Format {
        self.output_type.unwrap_or(document.read_as())
    }

    /// The document in clear, or the part of it that was asked for.
    fn clear(
        &self,
        document: &Encrypted,
        env: &Env,
        ui: &mut Ui,
    ) -> Result<Plaintext, CommandError> {
        let (plain, _) = self.opening.open(document, env, ui)?;
        let format = self.format_of(document);
        if let Some(path) = &self.extract {
            return plain.extract(path, format).map_err(failure::converting);
        }
        if format == plain.format() {
            return Ok(plain.into_plaintext());
        }
        let converted = plain.convert(format).map_err(failure::converting)?;
        let warnings = converted.warnings().iter();
        warn_of(warnings.filter(|new| !plain.warnings().contains(new)), ui);
        Ok(converted.into_plaintext())
    }
}
