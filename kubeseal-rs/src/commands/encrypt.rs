//! `encrypt`: a document in clear becomes one that the named keys open.

pub(crate) mod tree;

use std::path::Path;

use decryptor::format::Format;
use decryptor::sops::metadata::Metadata;
use decryptor::sops::{Closing, Encrypted, Plain, Warning};
use keys::Env;

use crate::error::CommandError;
use crate::sops::config_file::{ConfigChoice, ConfigFile};
use crate::sops::opening::sentence;
use crate::sops::recipients::{self, Named, RuleChoice};
use crate::sops::rewrite::now;
use crate::sops::source::{Source, Target};
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
    } = args;
    let text = source.read(ui)?;
    let plain = parse(&text, source.format())?;
    let config = how.config.find(source.name(), ui)?;
    let closed = how.close(&plain, source.name(), config.as_deref(), &data_key::env())?;
    target.write(closed.as_bytes(), source, &text, ui)
}

fn parse(text: &[u8], format: Format) -> Result<Plain, CommandError> {
    if text.is_empty() && format != Format::Binary {
        return Err(CommandError::new(
            "File cannot be completely empty, it must contain at least one document",
        )
        .code(exit::EMPTY));
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
        let plain = plain
            .convert(self.output_type.unwrap_or(plain.format()))
            .map_err(failure::converting)?;
        if let Some(warning) = plain.warnings().iter().find(|warning| is_loss(warning)) {
            return Err(CommandError::new("Error dumping file")
                .because(sentence(warning))
                .code(exit::UNWRITABLE_FORMAT));
        }
        plain.close(&key, closing).map_err(failure::closing)
    }
}

fn is_loss(warning: &Warning) -> bool {
    matches!(warning, Warning::DocumentsDropped(_))
}
