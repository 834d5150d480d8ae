//! `exec-env`: runs a command with a document's values as its variables.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;

use decryptor::format::Format;
use zeroize::Zeroizing;

use crate::error::CommandError;
use crate::sops::opening::Opening;
use crate::sops::{child, user};
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
    /// Whether nobody waits for it.
    pub(crate) background: bool,
    /// The user it runs as.
    pub(crate) user: Option<String>,
}

/// Becomes the command: signals, its exit code and what it prints are its own.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let variables = variables(args, ui).map_err(|e| e.of(&args.path))?;
    let account = args.user.as_deref().map(user::switch_to).transpose()?;
    let mut command = child::shell(&args.command, None);
    if args.pristine {
        command.env_clear();
    }
    if let Some(account) = &account {
        command.envs(account.variables());
    }
    for (name, value) in &variables {
        command.env(name, value.as_str());
    }
    if args.background {
        ui.warn("exec-env's --background option is deprecated and will be removed in a future version of sops");
        return child::leave(command);
    }
    let error = command.exec();
    Err(CommandError::new("cannot run /bin/sh").because(error))
}

fn variables(args: &Args, ui: &mut Ui) -> Result<Vec<(String, Zeroizing<String>)>, CommandError> {
    let format = Format::of(&args.path);
    let plain = args.opening.open_file(&args.path, format, ui)?;
    plain
        .variables()
        .map_err(|e| CommandError::new(e.to_string()))
}
