//! `exec-env`: runs a command with a document's values as its variables.

use std::convert::Infallible;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use decryptor::format::Format;
use decryptor::sops::Encrypted;

use crate::error::CommandError;
use crate::sops::opening::Opening;
use crate::sops::{data_key, failure, source};
use crate::ui::Ui;

/// Which values, for which command.
pub(crate) struct Args {
    /// The document.
    pub(crate) path: PathBuf,
    /// What the shell is to run.
    pub(crate) command: String,
    /// How the document is opened.
    pub(crate) opening: Opening,
    /// Whether the command has these variables and no others.
    pub(crate) pristine: bool,
}

/// Becomes the command: signals, its exit code and what it prints are its own.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<Infallible, CommandError> {
    let text = source::read(&args.path)?;
    let document = Encrypted::parse(&text, Format::of(&args.path)).map_err(failure::encrypted)?;
    let (plain, _) = args.opening.open(&document, &data_key::env(), ui)?;
    let variables = plain
        .variables()
        .map_err(|e| CommandError::new(e.to_string()))?;
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(&args.command);
    if args.pristine {
        command.env_clear();
    }
    for (name, value) in &variables {
        command.env(name, value.as_str());
    }
    let error = command.exec();
    Err(CommandError::new("cannot run /bin/sh").because(error))
}
