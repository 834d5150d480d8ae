//! `exec-file`: runs a command with a document in clear as a file that nobody else sees, and that is gone afterwards.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;

use decryptor::format::Format;
use decryptor::sops::Plain;
use keys::Plaintext;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::error::CommandError;
use crate::files;
use crate::sops::child::{self, Signals};
use crate::sops::memory_folder::{self, OnDisk};
use crate::sops::opening::Opening;
use crate::sops::{failure, user};
use crate::ui::Ui;

/// What stands for the file's path in the command.
const PLACEHOLDER: &str = "{}";

/// Which document, for which command.
pub(crate) struct Args {
    /// The document.
    pub(crate) path: PathBuf,
    /// What the shell is to run; `{}` stands for the file.
    pub(crate) command: String,
    /// A format that was asked for.
    pub(crate) format: Option<Format>,
    /// The format that the command gets.
    pub(crate) output_type: Option<Format>,
    /// How the document is opened.
    pub(crate) opening: Opening,
    /// The file's name.
    pub(crate) file_name: String,
    /// What the file is.
    pub(crate) kind: Kind,
    /// The user the command runs as.
    pub(crate) user: Option<String>,
}

/// What the command gets.
pub(crate) enum Kind {
    /// A pipe, which can be read once; nothing is ever stored.
    Pipe,
    /// A file, in memory if it can be.
    File(OnDisk),
}

/// Runs it to its end.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let plain = opened(args, ui).map_err(|e| e.of(&args.path))?;
    // All that follows is that user's: the folder, and what is in it.
    let account = args.user.as_deref().map(user::switch_to).transpose()?;
    let signals = Signals::catch()?;
    let folder = match args.kind {
        Kind::Pipe => memory_folder::anywhere()?,
        Kind::File(on_disk) => memory_folder::make(on_disk, ui)?,
    };
    let path = folder.path().join(&args.file_name);
    match args.kind {
        Kind::Pipe => offer(&path, plain.into_plaintext()),
        Kind::File(_) => files::create_secret(&path, plain.expose_secret()),
    }
    .map_err(|e| CommandError::new("cannot make a file for the command").because(e))?;
    let shown = path.display().to_string();
    let line = args.command.replace(PLACEHOLDER, &shown);
    signals.run(child::shell(&line, account.as_ref()))
}

fn opened(args: &Args, ui: &mut Ui) -> Result<Plain, CommandError> {
    let format = args.format.unwrap_or_else(|| Format::of(&args.path));
    let plain = args.opening.open_file(&args.path, format, ui)?;
    plain
        .convert(args.output_type.unwrap_or(format))
        .map_err(failure::converting)
}

/// Makes a pipe. Whoever opens it first gets the text; if nobody does, nobody waits for that.
fn offer(path: &Path, text: Plaintext) -> std::io::Result<()> {
    mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR)?;
    let path = path.to_owned();
    thread::spawn(move || {
        let written = File::options()
            .write(true)
            .open(path)
            .and_then(|mut pipe| pipe.write_all(text.expose_secret()));
        // A reader that has read enough closes its end.
        drop(written);
    });
    Ok(())
}
