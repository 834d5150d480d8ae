//! `encrypt`: a document in clear becomes one that the named keys open.

pub(crate) mod tree;

use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use decryptor::format::Format;
use decryptor::program::memory;
use decryptor::sops::metadata::Metadata;
use decryptor::sops::{Closing, Encrypted, Plain, Warning};
use keys::{DecryptionOrder, Env};

use crate::error::CommandError;
use crate::sops::config_file::{ConfigChoice, ConfigFile};
use crate::sops::opening::{Opening, warn_of};
use crate::sops::recipients::{self, Named, RuleChoice};
use crate::sops::rewrite::{close_again, now};
use crate::sops::source::{self, Source, Target};
use crate::sops::{data_key, exit, failure};
use crate::ui::Ui;

/// What is encrypted, for whom, and where the result goes.
pub(crate) struct Args {
    /// The document.
    pub(crate) source: Source,
    /// Where the result goes.
    pub(crate) target: Target,
    /// How it is encrypted.
    pub(crate) how: How,
    /// An encrypted version whose data key, keys and rules stay, and the ciphertext of what did not change.
    pub(crate) update: Option<PathBuf>,
}

/// How documents are encrypted, and for whom.
pub(crate) struct How {
    /// A format that was asked for.
    pub(crate) output_type: Option<Format>,
    /// Keys that were named.
    pub(crate) named: Named,
    /// A rule that was named.
    pub(crate) rules: RuleChoice,
    /// The configuration that counts.
    pub(crate) config: ConfigChoice,
}

/// Encrypts it. Nothing is written unless every key has wrapped the data key.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args {
        source,
        target,
        how,
        update,
    } = args;
    memory::reuse();
    let text = source.read(ui)?;
    let plain = parse(&text, source.format())?;
    let env = how.named.env();
    let closed = match update {
        Some(previous) => how.update(&plain, previous, &env, ui)?,
        None => {
            let config = how.config.find(source.name(), ui)?;
            how.close(&plain, source.name(), config.as_deref(), &env)?
        }
    };
    // The process ends soon: taking a large document apart before that would be for nothing, since it hides its secrets.
    let closed = ManuallyDrop::new(closed);
    warn_of(closed.warnings(), ui);
    target.write(closed.as_bytes(), source, &text, ui)
}

fn parse(text: &[u8], format: Format) -> Result<Plain, CommandError> {
    if text.is_empty() && matches!(format, Format::Yaml | Format::Json) {
        return Err(CommandError::new(
            "File cannot be completely empty, it must contain at least one document",
        )
        .code(exit::EMPTY)
        .hint("write something into it, or leave it out"));
    }
    Plain::parse(text, format).map_err(failure::plain)
}

impl How {
    /// The document with the name `target`, encrypted.
    fn close(
        &self,
        plain: &Plain,
        target: &Path,
        config: Option<&ConfigFile>,
        env: &Env,
    ) -> Result<Encrypted, CommandError> {
        let chosen = recipients::choose(&self.named, &self.rules, config, target)?;
        let mut groups = chosen.groups;
        let key = data_key::generate(&mut groups, env)?;
        let closing = Closing {
            metadata: Metadata::new(chosen.rules, groups),
            now: &now(),
            previous: None,
        };
        let converted = self.converted(plain)?;
        let plain = converted.as_ref().unwrap_or(plain);
        plain.close(&key, closing).map_err(failure::closing)
    }

    /// The earlier version with what is different in clear. It stays as it is if nothing is.
    fn update(
        &self,
        plain: &Plain,
        path: &Path,
        env: &Env,
        ui: &mut Ui,
    ) -> Result<Encrypted, CommandError> {
        if !self.rules.fields.is_empty() || self.named.threshold.is_some() {
            return Err(CommandError::new(
                "--update keeps the rules and key groups of the earlier version",
            )
            .code(exit::CONFLICTING_FLAGS)
            .hint("leave out the flags that name others, or encrypt it anew without --update"));
        }
        if !self.named.lists.is_empty() {
            ui.warn("the keys named by flags or variables are not used: --update keeps those of the earlier version");
        }
        let converted = self.converted(plain)?;
        let plain = converted.as_ref().unwrap_or(plain);
        let at = |error: CommandError| error.of(path);
        let text = source::read(path)?;
        let previous = Encrypted::parse(&text, plain.format());
        let previous = previous.map_err(|e| at(failure::encrypted(e)))?;
        let opening = Opening {
            ignore_mac: false,
            order: DecryptionOrder::default(),
        };
        let (before, key) = opening.open(&previous, env, ui).map_err(at)?;
        if before.expose_secret() == plain.expose_secret() {
            return Ok(previous);
        }
        let closed = close_again(plain, &previous, &key)?;
        match previous.is_same_but_mac(&closed) {
            true => Ok(previous),
            false => Ok(closed),
        }
    }

    /// The document in the format that was asked for. Returns `None` if it has that already.
    fn converted(&self, plain: &Plain) -> Result<Option<Plain>, CommandError> {
        let asked = self.output_type.filter(|asked| *asked != plain.format());
        let Some(format) = asked else {
            return Ok(None);
        };
        let plain = plain.convert(format).map_err(failure::converting)?;
        match plain.warnings().iter().find(|warning| is_loss(warning)) {
            Some(warning) => Err(CommandError::new("Error dumping file")
                .because(warning.to_string())
                .code(exit::UNWRITABLE_FORMAT)),
            None => Ok(Some(plain)),
        }
    }
}

fn is_loss(warning: &Warning) -> bool {
    matches!(warning, Warning::DocumentsDropped(_))
}
