//! The door of `sops`: its grammar, when the program is called by that name.

mod spelling;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser};

use super::document_commands::{DocumentCommand, Door};
use super::document_flags::{EditFlags, EncryptFlags, ExtractFlags, OpeningFlags};
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
    command: Option<DocumentCommand>,
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
        match self.command {
            Some(command) => command.command(Door::Sops {
                outer: &self.shared,
                ui,
            }),
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
        let mut door = Door::Sops {
            outer: &self.shared,
            ui,
        };
        let file = door
            .one(self.files)?
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
