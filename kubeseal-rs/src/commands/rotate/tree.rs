//! Another data key for each of many files, and of the encrypted ones in whole folders, in place.

use std::path::PathBuf;

use decryptor::format::Format;

use super::How;
use crate::error::CommandError;
use crate::sops::each::{count, each};
use crate::sops::found::{self, Document};
use crate::sops::source::put_back;
use crate::sops::stop::Stop;
use crate::ui::Ui;

/// Which files get other data keys.
pub(crate) struct Args {
    /// Files, and folders whose encrypted files are meant.
    pub(crate) paths: Vec<PathBuf>,
    /// A format that was asked for.
    pub(crate) format: Option<Format>,
    /// Whether nothing is written.
    pub(crate) dry_run: bool,
    /// How they get them.
    pub(crate) how: How,
}

/// Encrypts the values of each anew. One that fails stays as it was, and does not keep the others from it.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let (found, env, stop) = (
        found::find(&args.paths)?,
        args.how.add.env(),
        Stop::listen()?,
    );
    for found in &found {
        // What is wrong with a configuration is told once, and before anything is done.
        args.how.policy.find(&found.path, ui)?;
    }
    let outcomes = each(&found, "rotated", &stop, ui, |found, ui| {
        let Some(Document { text, document }) = found.read(args.format)? else {
            return Ok(false);
        };
        let closed = args.how.rotate(&document, &found.path, &env, ui)?;
        if !args.dry_run {
            put_back(&found.path, &text, closed.as_bytes(), ui)?;
        }
        Ok(true)
    });
    let done = outcomes.encrypted(ui);
    let verb = match args.dry_run {
        true => "can rotate the data keys of",
        false => "rotated the data keys of",
    };
    outcomes.finish(&format!("{verb} {}", count(done)), ui)
}
