//! Commands on SOPS documents, the same behind both doors.

use std::path::PathBuf;

use clap::Subcommand;

use super::document_flags::{
    ChangeFlags, DecryptFlags, EditFlags, EncryptFlags, ExecEnvFlags, FileStatusFlags, RotateFlags,
    UpdateKeysFlags, ValueFlags,
};
use crate::commands::Command;
use crate::error::CommandError;
use crate::sops::exit;
use crate::sops::memory_folder::OnDisk;
use crate::ui::Ui;

/// The door through which a command came, as far as that makes a difference.
pub(super) enum Door<'a> {
    /// As sops has it: flags before the command count too, and of several files the first is taken.
    Sops {
        /// The flags before the command.
        outer: &'a EncryptFlags,
        /// Where a warning goes.
        ui: &'a mut Ui,
    },
    /// What sops does silently or by half is refused.
    Kubeseal,
}

/// What is done with SOPS documents.
#[derive(Subcommand)]
pub(super) enum DocumentCommand {
    /// Encrypt a SOPS document: a file's or standard input's values, to the keys named here or in .sops.yaml
    Encrypt {
        #[command(flatten)]
        flags: Box<EncryptFlags>,
        /// The file; standard input if left out
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Decrypt a SOPS document
    Decrypt {
        #[command(flatten)]
        flags: Box<DecryptFlags>,
        /// The file; standard input if left out
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Edit a SOPS document in your editor; one that is not there is made
    Edit {
        #[command(flatten)]
        flags: Box<EditFlags>,
        /// The file
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Run a command with a SOPS document's values as its variables
    ExecEnv {
        #[command(flatten)]
        flags: Box<ExecEnvFlags>,
        /// The file, and what the shell is to run
        #[arg(value_name = "FILE COMMAND")]
        words: Vec<String>,
    },
    /// Set one value of an encrypted SOPS document, and leave the others as they are
    Set {
        #[command(flatten)]
        flags: Box<ChangeFlags>,
        #[command(flatten)]
        value: ValueFlags,
        /// The file, the way to the value, such as `["key"][0]`, and the value in JSON
        #[arg(value_name = "FILE PATH VALUE")]
        words: Vec<String>,
    },
    /// Remove one value of an encrypted SOPS document
    Unset {
        #[command(flatten)]
        flags: Box<ChangeFlags>,
        /// The file, and the way to the value, such as `["key"][0]`
        #[arg(value_name = "FILE PATH")]
        words: Vec<String>,
    },
    /// Encrypt all values of a SOPS document anew under another data key, and maybe for other keys
    Rotate {
        #[command(flatten)]
        flags: Box<RotateFlags>,
        /// The file
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Give encrypted SOPS documents the keys that .sops.yaml names for them; their values stay as they are
    Updatekeys {
        #[command(flatten)]
        flags: Box<UpdateKeysFlags>,
        /// The files
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Say whether a file is an encrypted SOPS document, as JSON
    Filestatus {
        #[command(flatten)]
        flags: FileStatusFlags,
        /// The file
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

impl DocumentCommand {
    pub(super) fn command(self, mut door: Door<'_>) -> Result<Command, CommandError> {
        Ok(match self {
            Self::Encrypt { flags, files } => {
                let file = door.one(files)?;
                Command::Encrypt(Box::new(flags.args(file, door.outer())?))
            }
            Self::Decrypt { flags, files } => {
                Command::Decrypt(Box::new(flags.args(door.one(files)?)?))
            }
            Self::Edit { flags, files } => {
                let file = door.one(files)?;
                Command::Edit(Box::new(flags.args(file, door.outer(), door.on_disk())?))
            }
            Self::ExecEnv { flags, words } => Command::ExecEnv(flags.args(&words)?),
            Self::Set {
                flags,
                value,
                words,
            } => Command::Change(Box::new(flags.set(&value, words)?)),
            Self::Unset { flags, words } => Command::Change(Box::new(flags.unset(&words)?)),
            Self::Rotate { flags, files } => {
                Command::Rotate(Box::new(flags.args(door.one(files)?)?))
            }
            Self::Updatekeys { flags, files } => {
                Command::UpdateKeys(Box::new(flags.args(files, door.outer())?))
            }
            Self::Filestatus { flags, files } => Command::FileStatus(flags.args(door.one(files)?)?),
        })
    }
}

impl<'a> Door<'a> {
    /// Flags that stand before the command, and count where the command has none.
    fn outer(&self) -> &EncryptFlags {
        static NONE: std::sync::LazyLock<EncryptFlags> =
            std::sync::LazyLock::new(EncryptFlags::default);
        match self {
            Self::Sops { outer, .. } => outer,
            Self::Kubeseal => &NONE,
        }
    }

    /// What is done where clear text would lie on a disk.
    fn on_disk(&self) -> OnDisk {
        match self {
            Self::Sops { .. } => OnDisk::Warn,
            Self::Kubeseal => OnDisk::Refuse,
        }
    }

    /// The one file of a command that takes no more.
    pub(super) fn one(&mut self, files: Vec<PathBuf>) -> Result<Option<PathBuf>, CommandError> {
        match self {
            _ if files.len() < 2 => {}
            Self::Sops { ui, .. } => ui.warn(
                "More than one positional argument provided. Only the first one will be used!",
            ),
            Self::Kubeseal => {
                return Err(CommandError::new("this command takes one file")
                    .code(exit::CONFLICTING_FLAGS)
                    .hint("call it once for each file"));
            }
        }
        Ok(files.into_iter().next())
    }
}
