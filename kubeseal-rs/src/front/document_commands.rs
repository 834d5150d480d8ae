//! Commands on SOPS documents, the same behind both doors.

use std::path::PathBuf;

use clap::Subcommand;

use super::document_flags::{
    ChangeFlags, DecryptFlags, DryRunFlags, EditFlags, EncryptFlags, ExecEnvFlags, ExecFileFlags,
    FileStatusFlags, GroupsCommand, OutputDirFlags, RotateFlags, UpdateKeysFlags, ValueFlags,
};
use crate::commands::{Command, update_keys};
use crate::error::CommandError;
use crate::sops::memory_folder::OnDisk;
use crate::sops::policy::Unlisted;
use crate::sops::{exit, found};
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
    /// Encrypt SOPS documents: a file's or standard input's values, to the keys named here or in .sops.yaml
    Encrypt {
        /// The file; standard input if left out. With --in-place also several, and folders of which the files are meant that
        /// a path_regex of .sops.yaml matches
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        dry_run: DryRunFlags,
        /// Change this encrypted version as little as possible: its keys, rules and unchanged values stay as they are
        #[arg(long, value_name = "FILE")]
        update: Option<PathBuf>,
        #[command(flatten)]
        flags: Box<EncryptFlags>,
    },
    /// Decrypt SOPS documents
    Decrypt {
        /// The file; standard input if left out. Also several, and folders of which the encrypted files are meant
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        output_dir: OutputDirFlags,
        #[command(flatten)]
        dry_run: DryRunFlags,
        #[command(flatten)]
        flags: Box<DecryptFlags>,
    },
    /// Edit a SOPS document in your editor; one that is not there is made
    Edit {
        /// The file
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        flags: Box<EditFlags>,
    },
    /// Run a command with a SOPS document's values as its variables
    ExecEnv {
        /// The file, and what the shell is to run
        #[arg(value_name = "FILE COMMAND")]
        words: Vec<String>,
        #[command(flatten)]
        flags: Box<ExecEnvFlags>,
    },
    /// Run a command with a SOPS document in clear as a file; {} in the command stands for the file's path
    ExecFile {
        /// The file, and what the shell is to run
        #[arg(value_name = "FILE COMMAND")]
        words: Vec<String>,
        #[command(flatten)]
        flags: Box<ExecFileFlags>,
    },
    /// Set one value of an encrypted SOPS document, and leave the others as they are
    Set {
        /// The file, the way to the value, such as `["key"][0]`, and the value in JSON
        #[arg(value_name = "FILE PATH VALUE", allow_negative_numbers = true)]
        words: Vec<String>,
        #[command(flatten)]
        value: ValueFlags,
        #[command(flatten)]
        flags: Box<ChangeFlags>,
    },
    /// Remove one value of an encrypted SOPS document
    Unset {
        /// The file, and the way to the value, such as `["key"][0]`
        #[arg(value_name = "FILE PATH")]
        words: Vec<String>,
        #[command(flatten)]
        flags: Box<ChangeFlags>,
    },
    /// Encrypt all values of SOPS documents anew under other data keys, and maybe for other keys
    Rotate {
        /// The file. With --in-place also several, and folders of which the encrypted files are meant
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        dry_run: DryRunFlags,
        #[command(flatten)]
        flags: Box<RotateFlags>,
    },
    /// Share the data key of a SOPS document among groups of keys, several of which it then takes to open it
    #[command(subcommand, disable_help_subcommand = true)]
    Groups(GroupsCommand),
    /// Give encrypted SOPS documents the keys that .sops.yaml names for them; their values stay as they are
    Updatekeys {
        /// The files, and folders of which the encrypted files are meant
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        dry_run: DryRunFlags,
        #[command(flatten)]
        flags: Box<UpdateKeysFlags>,
    },
    /// Say whether a file is an encrypted SOPS document, as JSON; of several, a line each
    Filestatus {
        /// The file. Also several, and folders of which the files are meant that are encrypted or should be
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        flags: FileStatusFlags,
    },
}

impl DocumentCommand {
    pub(super) fn command(self, mut door: Door<'_>) -> Result<Command, CommandError> {
        Ok(match self {
            Self::Encrypt {
                flags,
                dry_run: DryRunFlags { dry_run },
                update,
                files,
            } => match update.is_none() && door.are_many(&files, dry_run) {
                true => {
                    let args = flags.tree(files, dry_run, door.outer())?;
                    Command::EncryptTree(Box::new(args))
                }
                false => {
                    let file = door.one(files)?;
                    let args = flags.args(file, update, door.outer())?;
                    Command::Encrypt(Box::new(args))
                }
            },
            Self::Decrypt {
                flags,
                output_dir: OutputDirFlags { output_dir },
                dry_run: DryRunFlags { dry_run },
                files,
            } => match door.are_many(&files, dry_run || output_dir.is_some()) {
                true => {
                    let args = flags.tree(files, dry_run, output_dir)?;
                    Command::DecryptTree(Box::new(args))
                }
                false => Command::Decrypt(Box::new(flags.args(door.one(files)?)?)),
            },
            Self::Edit { flags, files } => {
                let file = door.one(files)?;
                Command::Edit(Box::new(flags.args(file, door.outer(), door.on_disk())?))
            }
            Self::ExecEnv { flags, words } => Command::ExecEnv(flags.args(&words)?),
            Self::ExecFile { flags, words } => {
                Command::ExecFile(Box::new(flags.args(&words, door.on_disk())?))
            }
            Self::Set {
                flags,
                value,
                words,
            } => Command::Change(Box::new(flags.set(&value, words)?)),
            Self::Unset { flags, words } => Command::Change(Box::new(flags.unset(&words)?)),
            Self::Rotate {
                flags,
                dry_run: DryRunFlags { dry_run },
                files,
            } => match door.are_many(&files, dry_run) {
                true => Command::RotateTree(Box::new(flags.tree(files, dry_run, &door)?)),
                false => {
                    let file = door.one(files)?;
                    Command::Rotate(Box::new(flags.args(file, &door)?))
                }
            },
            Self::Groups(command) => Command::Groups(Box::new(command.args(&door)?)),
            Self::Updatekeys {
                flags,
                dry_run: DryRunFlags { dry_run },
                files,
            } => Command::UpdateKeys(Box::new(update_keys::Args {
                one_by_one: matches!(door, Door::Sops { .. }),
                ..flags.args(files, dry_run, door.outer())?
            })),
            Self::Filestatus { flags, files } => match door.are_many(&files, false) {
                true => Command::FileStatusTree(flags.tree(files, door.outer())),
                false => Command::FileStatus(flags.args(door.one(files)?)?),
            },
        })
    }
}

impl<'a> Door<'a> {
    /// Flags that stand before the command, and count where the command has none.
    pub(super) fn outer(&self) -> &EncryptFlags {
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

    /// Whether several files are meant, or a folder of them. Behind the name of sops they never are, unless a flag says so
    /// that sops does not have.
    fn are_many(&self, files: &[PathBuf], asked: bool) -> bool {
        let may_be = matches!(self, Self::Kubeseal);
        !files.is_empty() && (asked || (may_be && found::are_many(files)))
    }

    /// What is done about keys that the configuration does not list.
    pub(super) fn unlisted(&self, allowed: bool) -> Unlisted {
        match self {
            Self::Kubeseal if !allowed => Unlisted::Refuse,
            _ => Unlisted::Warn,
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
