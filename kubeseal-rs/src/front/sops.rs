//! The door of `sops`: its grammar, when the program is called by that name.

mod spelling;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand as ClapSubcommand};

use super::document_flags::{
    ChangeFlags, DecryptFlags, EditFlags, EncryptFlags, ExecEnvFlags, ExtractFlags,
    FileStatusFlags, OpeningFlags, RotateFlags, UpdateKeysFlags, ValueFlags,
};
use super::{Stop, values};
use crate::commands::Command;
use crate::error::CommandError;
use crate::sops::exit;
use crate::sops::memory_folder::OnDisk;
use crate::ui::Ui;

/// Keep files in Git whose values are encrypted
#[derive(Parser)]
#[command(
    name = "sops",
    disable_version_flag = true,
    disable_help_subcommand = true,
    subcommand_value_name = "COMMAND",
    override_usage = "sops COMMAND [FLAG…] [FILE]\n       sops [--decrypt | --encrypt] [FLAG…] FILE"
)]
struct Cli {
    /// Print the version; nothing is looked up on the network
    #[arg(short = 'v', long)]
    version: bool,
    /// Taken, and without effect
    #[arg(long, hide = true)]
    verbose: bool,
    /// Taken, and without effect: nothing is ever looked up
    #[arg(long, hide = true)]
    disable_version_check: bool,
    /// Taken, and without effect: nothing is ever looked up
    #[arg(long, hide = true)]
    check_for_updates: bool,
    /// Decrypt a file
    #[arg(short, long)]
    decrypt: bool,
    /// Encrypt a file
    #[arg(short, long)]
    encrypt: bool,
    #[command(flatten)]
    shared: EncryptFlags,
    #[command(flatten)]
    extract: ExtractFlags,
    #[command(flatten)]
    opening: OpeningFlags,
    #[arg(hide = true)]
    files: Vec<PathBuf>,
    #[command(subcommand)]
    subcommand: Option<Subcommand>,
}

#[derive(ClapSubcommand)]
enum Subcommand {
    /// Encrypt a file, or standard input, and print the result
    Encrypt {
        #[command(flatten)]
        flags: Box<EncryptFlags>,
        /// The file; standard input if left out
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Decrypt a file, or standard input, and print the result
    Decrypt {
        #[command(flatten)]
        flags: Box<DecryptFlags>,
        /// The file; standard input if left out
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Edit a file in your editor; one that is not there is made
    Edit {
        #[command(flatten)]
        flags: Box<EditFlags>,
        /// The file
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Run a command with a file's values as its variables
    ExecEnv {
        #[command(flatten)]
        flags: ExecEnvFlags,
        /// The file, and what the shell is to run
        #[arg(value_name = "FILE COMMAND")]
        words: Vec<String>,
    },
    /// Set one value of an encrypted file, and leave the others as they are
    Set {
        #[command(flatten)]
        flags: ChangeFlags,
        #[command(flatten)]
        value: ValueFlags,
        /// The file, the way to the value, such as `["key"][0]`, and the value in JSON
        #[arg(value_name = "FILE PATH VALUE")]
        words: Vec<String>,
    },
    /// Remove one value of an encrypted file
    Unset {
        #[command(flatten)]
        flags: ChangeFlags,
        /// The file, and the way to the value, such as `["key"][0]`
        #[arg(value_name = "FILE PATH")]
        words: Vec<String>,
    },
    /// Encrypt all values of a file anew under another data key, and maybe for other keys
    Rotate {
        #[command(flatten)]
        flags: Box<RotateFlags>,
        /// The file
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Give files the keys that .sops.yaml names for them; their values stay as they are
    Updatekeys {
        #[command(flatten)]
        flags: Box<UpdateKeysFlags>,
        /// The files
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Say whether a file is encrypted, as JSON
    Filestatus {
        #[command(flatten)]
        flags: FileStatusFlags,
        /// The file
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

/// What sops does and this door does not yet.
const NOT_BUILT: [&str; 5] = ["groups", "exec-file", "publish", "keyservice", "completion"];

/// Turns what was typed, and what the environment says, into one command.
pub(crate) fn parse(
    args: impl IntoIterator<Item = OsString>,
    ui: &mut Ui,
) -> Result<Command, Stop> {
    let grammar = values::with_go_switches(Cli::command().args_override_self(true));
    let args = spelling::for_clap(args, &grammar);
    let matches = grammar
        .try_get_matches_from(&args)
        .map_err(|text| match text.kind() {
            ErrorKind::DisplayHelp => values::help(Cli::command(), &args).unwrap_or(text),
            _ => text,
        })?;
    let cli = Cli::from_arg_matches(&matches)?;
    if cli.version {
        return Ok(Command::SopsVersion);
    }
    Ok(cli.chosen(ui)?)
}

impl Cli {
    fn chosen(self, ui: &mut Ui) -> Result<Command, CommandError> {
        match self.subcommand {
            Some(Subcommand::Encrypt { flags, files }) => {
                let args = flags.args(one(files, ui), &self.shared)?;
                Ok(Command::Encrypt(Box::new(args)))
            }
            Some(Subcommand::Decrypt { flags, files }) => {
                Ok(Command::Decrypt(Box::new(flags.args(one(files, ui))?)))
            }
            Some(Subcommand::Edit { flags, files }) => {
                let args = flags.args(one(files, ui), &self.shared, OnDisk::Warn)?;
                Ok(Command::Edit(Box::new(args)))
            }
            Some(Subcommand::ExecEnv { flags, words }) => Ok(Command::ExecEnv(flags.args(&words)?)),
            Some(Subcommand::Set {
                flags,
                value,
                words,
            }) => Ok(Command::Change(Box::new(flags.set(&value, words)?))),
            Some(Subcommand::Unset { flags, words }) => {
                Ok(Command::Change(Box::new(flags.unset(&words)?)))
            }
            Some(Subcommand::Rotate { flags, files }) => {
                Ok(Command::Rotate(Box::new(flags.args(one(files, ui))?)))
            }
            Some(Subcommand::Updatekeys { flags, files }) => Ok(Command::UpdateKeys(Box::new(
                flags.args(files, &self.shared)?,
            ))),
            Some(Subcommand::Filestatus { flags, files }) => {
                Ok(Command::FileStatus(flags.args(one(files, ui))?))
            }
            None => self.by_flags(ui),
        }
    }

    /// The grammar from before there were commands: flags choose, and stand before the file.
    fn by_flags(self, ui: &mut Ui) -> Result<Command, CommandError> {
        if let Some(behind) = self.files.iter().skip(1).find(|file| is_flag(file)) {
            return Err(CommandError::new(format!(
                "the flag {} stands behind the file, where sops does not look at it",
                behind.display()
            ))
            .code(exit::CONFLICTING_FLAGS)
            .hint("put flags before the file"));
        }
        let file = one(self.files, ui)
            .ok_or_else(|| CommandError::new("Error: no file specified").code(exit::NO_FILE))?;
        match (self.encrypt, self.decrypt) {
            (true, true) => Err(CommandError::new(
                "--encrypt and --decrypt ask for different things",
            )
            .code(exit::CONFLICTING_FLAGS)),
            (true, false) => {
                let none = EncryptFlags::default();
                Ok(Command::Encrypt(Box::new(
                    self.shared.args(Some(file), &none)?,
                )))
            }
            (false, true) => {
                let flags = self.shared.for_decrypt(self.extract, self.opening);
                Ok(Command::Decrypt(Box::new(flags.args(Some(file))?)))
            }
            (false, false) => edit(&self.shared, self.opening, file),
        }
    }
}

/// Without a mode, a file is edited. A word that is no command and no file is taken for a mistake.
fn edit(
    shared: &EncryptFlags,
    opening: OpeningFlags,
    file: PathBuf,
) -> Result<Command, CommandError> {
    if let Some(name) = file.to_str().filter(|name| NOT_BUILT.contains(name)) {
        return Err(CommandError::new(format!("sops {name} is not built yet")));
    }
    if file.extension().is_none() && !file.exists() {
        let shown = file.display();
        return Err(
            CommandError::new(format!("there is no command and no file {shown}"))
                .code(exit::NO_FILE)
                .hint(format!(
                    "sops --help lists the commands; sops edit {shown} makes a file"
                )),
        );
    }
    let flags = EditFlags::of(shared, opening);
    let args = flags.args(Some(file), shared, OnDisk::Warn)?;
    Ok(Command::Edit(Box::new(args)))
}

fn is_flag(file: &std::path::Path) -> bool {
    file.to_string_lossy().starts_with('-') && !file.exists()
}

/// The first file. sops takes no more.
fn one(files: Vec<PathBuf>, ui: &mut Ui) -> Option<PathBuf> {
    if files.len() > 1 {
        ui.warn("More than one positional argument provided. Only the first one will be used!");
    }
    files.into_iter().next()
}
