//! Flags of `edit`.

use std::path::PathBuf;

use clap::Args;
use decryptor::format::Format;

use super::super::values;
use super::{
    ConfigFlags, EncryptFlags, KeyServiceFlags, OpeningFlags, RecipientFlags, RuleFlags, no_file,
};
use crate::commands::edit;
use crate::error::CommandError;
use crate::sops::memory_folder::OnDisk;

/// Flags of `edit`.
#[derive(Args, Default)]
pub(in crate::front) struct EditFlags {
    /// Format of the file, instead of what its name says
    #[arg(long, value_name = "FORMAT", value_parser = values::format)]
    input_type: Option<Format>,
    /// Taken for the sake of sops's command lines; the file keeps its format
    #[arg(long, value_name = "FORMAT", value_parser = values::format, hide = true)]
    output_type: Option<Format>,
    /// Let clear text go to a disk if no folder lies in memory
    #[arg(long)]
    allow_disk: bool,
    /// Show the keys too, behind the values; they are not changed there
    #[arg(short, long)]
    show_master_keys: bool,
    #[command(flatten)]
    recipients: RecipientFlags,
    #[command(flatten)]
    rules: RuleFlags,
    #[command(flatten)]
    config: ConfigFlags,
    #[command(flatten)]
    opening: OpeningFlags,
    #[command(flatten)]
    services: KeyServiceFlags,
}

impl EditFlags {
    /// Which file is edited; `outer` are the flags before the command. Without a folder in memory `on_disk` is done.
    pub(in crate::front) fn args(
        &self,
        file: Option<PathBuf>,
        outer: &EncryptFlags,
        on_disk: OnDisk,
    ) -> Result<edit::Args, CommandError> {
        self.services.check()?;
        outer.services.check()?;
        let path = file.ok_or_else(no_file)?;
        Ok(edit::Args {
            path,
            format: self.input_type,
            opening: self.opening.opening()?,
            named: self.recipients.named(&outer.recipients),
            rules: self.rules.choice(&outer.rules),
            config: self.config.choice(&outer.config),
            show_keys: self.show_master_keys,
            on_disk: if self.allow_disk {
                OnDisk::Warn
            } else {
                on_disk
            },
        })
    }

    /// What `edit` is told where the flags stand before the file.
    pub(in crate::front) fn of(
        outer: &EncryptFlags,
        opening: OpeningFlags,
        show_master_keys: bool,
    ) -> Self {
        Self {
            show_master_keys,
            input_type: outer.format.input_type,
            opening,
            ..Self::default()
        }
    }
}
