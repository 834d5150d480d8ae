//! Flags of the commands that run others: `exec-env` and `exec-file`.

use std::path::{Component, Path};

use clap::Args;
use decryptor::format::Format;

use super::super::values::{self, given};
use super::{KeyServiceFlags, OpeningFlags};
use crate::commands::exec_file::Kind;
use crate::commands::{exec_env, exec_file};
use crate::error::CommandError;
use crate::sops::exit;
use crate::sops::memory_folder::OnDisk;

/// The name that the file of `exec-file` has.
const USUAL_NAME: &str = "tmp-file";

/// Flags of `exec-env`.
#[derive(Args, Default)]
pub(in crate::front) struct ExecEnvFlags {
    /// Give the command the document's values and no other variables
    #[arg(long)]
    pristine: bool,
    /// Taken, and without effect: this program always becomes the command
    #[arg(long, hide = true)]
    same_process: bool,
    /// Do not wait for the command; sops is to lose this flag
    #[arg(long, hide = true)]
    background: bool,
    /// Run the command as this user; only root can
    #[arg(long, value_name = "NAME")]
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
        let (path, command) = file_and_command("exec-env", words)?;
        if self.background && self.same_process {
            return Err(CommandError::new(
                "Error: The --same-process flag cannot be used with --background",
            )
            .code(exit::CONFLICTING_FLAGS));
        }
        Ok(exec_env::Args {
            path: path.into(),
            command: command.to_owned(),
            opening: self.opening.opening()?,
            pristine: self.pristine,
            background: self.background,
            user: given(&self.user),
        })
    }
}

/// Flags of `exec-file`.
#[derive(Args, Default)]
pub(in crate::front) struct ExecFileFlags {
    /// Give the command a file in memory, which it can read more than once, instead of a pipe
    #[arg(long)]
    no_fifo: bool,
    /// Let the file lie on a disk if no folder lies in memory
    #[arg(long)]
    allow_disk: bool,
    /// Name of the file, for commands that go by it
    #[arg(long, value_name = "NAME")]
    filename: Option<String>,
    /// Run the command as this user; only root can
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Not built: sops takes the file away before the command can read it
    #[arg(long, hide = true)]
    background: bool,
    /// Format of the document, instead of what its name says
    #[arg(long, value_name = "FORMAT", value_parser = values::format)]
    input_type: Option<Format>,
    /// Format that the command gets, instead of the document's
    #[arg(long, value_name = "FORMAT", value_parser = values::format)]
    output_type: Option<Format>,
    #[command(flatten)]
    opening: OpeningFlags,
    #[command(flatten)]
    services: KeyServiceFlags,
}

impl ExecFileFlags {
    /// Which command gets which file. Without a folder in memory `on_disk` is done.
    pub(in crate::front) fn args(
        &self,
        words: &[String],
        on_disk: OnDisk,
    ) -> Result<exec_file::Args, CommandError> {
        self.services.check()?;
        let (path, command) = file_and_command("exec-file", words)?;
        if self.background {
            return Err(CommandError::new("--background of exec-file is not built: sops takes the file away before the command can read it")
                .hint("let your shell do it: … exec-file FILE COMMAND &"));
        }
        let file_name = given(&self.filename).unwrap_or_else(|| USUAL_NAME.to_owned());
        if !is_one_name(&file_name) {
            return Err(
                CommandError::new("The provided filename is not a local path.")
                    .hint("a name alone, as in --filename values.yaml"),
            );
        }
        Ok(exec_file::Args {
            path: path.into(),
            command: command.to_owned(),
            format: self.input_type,
            output_type: self.output_type,
            opening: self.opening.opening()?,
            file_name,
            kind: match (self.no_fifo, self.allow_disk) {
                (false, _) => Kind::Pipe,
                (true, false) => Kind::File(on_disk),
                (true, true) => Kind::File(OnDisk::Warn),
            },
            user: given(&self.user),
        })
    }
}

fn is_one_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let first = parts.next();
    matches!(first, Some(Component::Normal(_))) && parts.next().is_none() && !name.ends_with('/')
}

fn file_and_command<'a>(
    name: &str,
    words: &'a [String],
) -> Result<(&'a str, &'a str), CommandError> {
    match words {
        [path, command] => Ok((path, command)),
        _ => Err(CommandError::new("error: missing file to decrypt")
            .hint(format!("{name} FILE 'COMMAND WITH ITS ARGUMENTS'"))),
    }
}
