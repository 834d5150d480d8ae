//! Flags of the commands that hand clear text to other programs.

use std::path::PathBuf;

use clap::Args;
use decryptor::format::Format;

use super::super::values;
use super::{
    ConfigFlags, EncryptFlags, KeyServiceFlags, OpeningFlags, RecipientFlags, RuleFlags, no_file,
};
use crate::commands::{edit, exec_env};
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
    /// Not built: sops takes it, and drops what was edited
    #[arg(short, long, hide = true)]
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
        if self.show_master_keys {
            return Err(CommandError::new("--show-master-keys is not built")
                .hint("updatekeys and rotate change who can open a file"));
        }
        let path = file.ok_or_else(no_file)?;
        Ok(edit::Args {
            path,
            format: self.input_type,
            opening: self.opening.opening()?,
            named: self.recipients.named(&outer.recipients),
            rules: self.rules.choice(&outer.rules),
            config: self.config.choice(&outer.config),
            on_disk: if self.allow_disk {
                OnDisk::Warn
            } else {
                on_disk
            },
        })
    }

    /// What `edit` is told where the flags stand before the file.
    pub(in crate::front) fn of(outer: &EncryptFlags, opening: OpeningFlags) -> Self {
        Self {
            input_type: outer.format.input_type,
            opening,
            ..Self::default()
        }
    }
}

/// Flags of `exec-env`.
#[derive(Args, Default)]
pub(in crate::front) struct ExecEnvFlags {
    /// Give the command the document's values and no other variables
    #[arg(long)]
    pristine: bool,
    /// Taken, and without effect: this program always becomes the command
    #[arg(long, hide = true)]
    same_process: bool,
    /// Not built
    #[arg(long, hide = true)]
    background: bool,
    /// Not built
    #[arg(long, hide = true)]
    user: Option<String>,
    #[command(flatten)]
    opening: OpeningFlags,
    #[command(flatten)]
    services: KeyServiceFlags,
}

impl ExecEnvFlags {
    /// Which command gets which values.
    pub(in crate::front) fn args(&self, words: &[String]) -> Result<exec_env::Args, CommandError> {
        self.services.check()?;
        for (is_given, flag) in [
            (self.background, "--background"),
            (self.user.is_some(), "--user"),
        ] {
            if is_given {
                return Err(CommandError::new(format!(
                    "{flag} of exec-env is not built"
                )));
            }
        }
        let [path, command] = words else {
            return Err(CommandError::new("error: missing file to decrypt")
                .hint("exec-env FILE 'COMMAND WITH ITS ARGUMENTS'"));
        };
        Ok(exec_env::Args {
            path: path.into(),
            command: command.clone(),
            opening: self.opening.opening()?,
            pristine: self.pristine,
        })
    }
}
