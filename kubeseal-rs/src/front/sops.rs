//! The door of `sops`: its grammar, when the program is called by that name.

mod spelling;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

use super::document_commands::{DocumentCommand, Door};
use super::document_flags::{
    ChangeFlags, EditFlags, EncryptFlags, ExtractFlags, KeyChangeFlags, OpeningFlags, RotateFlags,
};
use super::{Stop, values};
use crate::commands::{Command, completions, rotate};
use crate::error::CommandError;
use crate::sops::exit;
use crate::sops::memory_folder::OnDisk;
use crate::sops::source;
use crate::ui::Ui;

/// Keep files in Git whose values are encrypted
#[derive(Parser)]
#[command(
    name = "sops",
    disable_version_flag = true,
    disable_help_subcommand = true,
    subcommand_value_name = "COMMAND",
    override_usage = "sops COMMAND [FLAG…] [FILE]\n       sops [--decrypt | --encrypt | --rotate | --set 'PATH VALUE'] [FLAG…] FILE"
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
    /// Encrypt all values of a file anew under another data key
    #[arg(short, long)]
    rotate: bool,
    /// Set one value of an encrypted file: its path, a space, and the value in JSON
    #[arg(long, value_name = "PATH VALUE")]
    set: Option<String>,
    /// Show the keys too while a file is edited
    #[arg(short, long, hide = true)]
    show_master_keys: bool,
    /// Taken, and without effect: a document keeps its layout
    #[arg(long, value_name = "COUNT", hide = true)]
    indent: Option<i64>,
    #[command(flatten)]
    keys: KeyChangeFlags,
    #[command(flatten)]
    shared: EncryptFlags,
    #[command(flatten)]
    extract: ExtractFlags,
    #[command(flatten)]
    opening: OpeningFlags,
    #[arg(hide = true)]
    files: Vec<PathBuf>,
    #[command(subcommand)]
    command: Option<SopsCommand>,
}

#[derive(Subcommand)]
enum SopsCommand {
    #[command(flatten)]
    Document(DocumentCommand),
    /// Print completions for a shell
    Completion {
        /// The shell
        shell: Shell,
    },
}

/// The last flag when the completion scripts of sops ask what may stand next.
const CANDIDATES: &str = "--generate-bash-completion";

/// What sops does and this door does not yet.
const NOT_BUILT: [&str; 2] = ["publish", "keyservice"];

/// Turns what was typed, and what the environment says, into one command.
pub(crate) fn parse(
    args: impl IntoIterator<Item = OsString>,
    ui: &mut Ui,
) -> Result<Command, Stop> {
    let mut args = help_as_flag(args);
    if args.last().is_some_and(|last| last == CANDIDATES) {
        args.pop();
        let words = args.into_iter().skip(1);
        let words = words.map(|word| word.to_string_lossy().into_owned());
        return Ok(Command::Candidates(words.collect()));
    }
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

/// The grammar as people see it.
pub(crate) fn shown() -> clap::Command {
    Cli::command()
}

/// The grammar as shells complete it: the file of the grammar without commands would stand in the way of a command's own words.
pub(crate) fn completed() -> clap::Command {
    let shown = shown();
    let flags = shown.get_arguments().filter(|arg| !arg.is_positional());
    clap::Command::new("sops")
        .disable_help_subcommand(true)
        .args(flags.cloned())
        .subcommands(shown.get_subcommands().cloned())
        .subcommand(clap::Command::new("help").about("Print help for sops or a command"))
}

/// `sops help COMMAND` is `sops COMMAND --help`.
fn help_as_flag(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<_> = args.into_iter().collect();
    if args
        .get(1)
        .is_some_and(|first| first == "help" || first == "h")
    {
        args.remove(1);
        args.push("--help".into());
    }
    args
}

impl Cli {
    fn chosen(self, ui: &mut Ui) -> Result<Command, CommandError> {
        match self.command {
            Some(SopsCommand::Document(command)) => command.command(Door::Sops {
                outer: &self.shared,
                ui,
            }),
            Some(SopsCommand::Completion { shell }) => {
                Ok(Command::Completions(completions::Args {
                    shell,
                    called_sops: true,
                }))
            }
            None => self.by_flags(ui),
        }
    }

    /// The grammar from before there were commands: flags choose, and stand before the file.
    fn by_flags(self, ui: &mut Ui) -> Result<Command, CommandError> {
        let first = self.files.first().and_then(|first| first.to_str());
        if let Some(name) = first.filter(|name| NOT_BUILT.contains(name)) {
            return Err(CommandError::new(format!("sops {name} is not built yet")));
        }
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
        let modes = [self.encrypt, self.decrypt, self.rotate, self.set.is_some()];
        if modes.into_iter().filter(|is_asked| *is_asked).count() > 1 {
            return Err(CommandError::new(
                "--encrypt, --decrypt, --rotate and --set ask for different things",
            )
            .code(exit::CONFLICTING_FLAGS)
            .hint("call sops once for each"));
        }
        if self.keys.any() && !file.exists() {
            return Err(rotate::nothing_to_change(&file));
        }
        if self.encrypt {
            let args = self
                .shared
                .args(Some(file), None, &EncryptFlags::default())?;
            return Ok(Command::Encrypt(Box::new(args)));
        }
        if self.decrypt {
            let flags = self.shared.for_decrypt(self.extract, self.opening);
            return Ok(Command::Decrypt(Box::new(flags.args(Some(file))?)));
        }
        if self.rotate {
            if !file.exists() {
                return Err(source::missing(&file));
            }
            let flags = RotateFlags::of(&self.shared, self.keys, self.opening);
            return Ok(Command::Rotate(Box::new(flags.args(Some(file), &door)?)));
        }
        if let Some(text) = &self.set {
            let (shared, file) = (&self.shared, file.to_string_lossy());
            let args = ChangeFlags::by_flag(shared, self.opening, &file, text)?;
            return Ok(Command::Change(Box::new(args)));
        }
        edit(&self.shared, self.opening, self.show_master_keys, file)
    }
}

/// Without a mode, a file is edited. A word that is no command and no file is taken for a mistake.
fn edit(
    shared: &EncryptFlags,
    opening: OpeningFlags,
    show_master_keys: bool,
    file: PathBuf,
) -> Result<Command, CommandError> {
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
    let flags = EditFlags::of(shared, opening, show_master_keys);
    let args = flags.args(Some(file), shared, OnDisk::Warn)?;
    Ok(Command::Edit(Box::new(args)))
}

fn is_flag(file: &std::path::Path) -> bool {
    file.to_string_lossy().starts_with('-') && !file.exists()
}
