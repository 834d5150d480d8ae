//! Flags of `verify`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use decryptor::format::Format;

use super::document_flags::{ConfigFlags, OrderFlags};
use super::values;
use crate::commands::verify;
use crate::error::CommandError;

/// Flags of `verify`.
#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 nothing found, 1 findings, 2 something could not be looked at."
)]
pub(super) struct VerifyFlags {
    /// How findings are told
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Style,
    /// Look at what is staged in Git, as it is staged
    #[arg(long)]
    staged: bool,
    /// Open the files with the keys at hand, and check their MACs too
    #[arg(long)]
    mac: bool,
    /// Every file that is named must be encrypted, be there a rule for it or not
    #[arg(long)]
    every_file: bool,
    /// Format of the files, instead of what their names say: yaml, json, dotenv, ini or binary
    #[arg(long, value_name = "FORMAT", value_parser = values::format)]
    input_type: Option<Format>,
    #[command(flatten)]
    config: ConfigFlags,
    #[command(flatten)]
    order: OrderFlags,
    /// Files, and folders that are looked through; the working folder if there are none
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Style {
    Text,
    Json,
    Sarif,
}

impl VerifyFlags {
    /// What is looked at, and how.
    pub(super) fn args(self) -> Result<verify::Args, CommandError> {
        let opening = self.order.opening(false)?;
        Ok(verify::Args {
            paths: self.paths,
            staged: self.staged,
            format: self.input_type,
            config: self.config.choice(&ConfigFlags::default()),
            mac: self.mac.then_some(opening),
            every_file: self.every_file,
            style: match self.output {
                Style::Text => verify::Style::Text,
                Style::Json => verify::Style::Json,
                Style::Sarif => verify::Style::Sarif,
            },
        })
    }
}
