//! `encrypt`: a document in clear becomes one that the named keys open.

use decryptor::format::Format;
use decryptor::sops::metadata::Metadata;
use decryptor::sops::{Closing, Plain, Warning};

use crate::error::CommandError;
use crate::sops::config_file::ConfigChoice;
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
    let Args { source, target, .. } = args;
    let (text, format) = (source.read(ui)?, source.format());
    if text.is_empty() && format != Format::Binary {
        return Err(CommandError::new(
            "File cannot be completely empty, it must contain at least one document",
        )
        .code(exit::EMPTY));
    }
    let plain = Plain::parse(&text, format).map_err(failure::plain)?;
    let config = args.config.find(source.name(), ui)?;
    let chosen = recipients::choose(&args.named, &args.rules, config.as_ref(), source.name())?;
    let mut groups = chosen.groups;
    let key = data_key::generate(&mut groups, &data_key::env())?;
    let closing = Closing {
        metadata: Metadata::new(chosen.rules, groups),
        now: &now(),
        previous: None,
    };
    let plain = plain
        .convert(args.output_type.unwrap_or(format))
        .map_err(failure::converting)?;
    if let Some(warning) = plain.warnings().iter().find(|warning| is_loss(warning)) {
        return Err(CommandError::new("Error dumping file")
            .because(sentence(warning))
            .code(exit::UNWRITABLE_FORMAT));
    }
    let closed = plain.close(&key, closing).map_err(failure::closing)?;
    target.write(closed.as_bytes(), source, ui)
}

fn is_loss(warning: &Warning) -> bool {
    matches!(warning, Warning::DocumentsDropped(_))
}
