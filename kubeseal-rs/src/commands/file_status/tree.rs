//! Which of many files are encrypted documents; in folders, those that are, and those that a rule says should be.

use std::path::PathBuf;

use decryptor::format::Format;
use serde_json::json;

use super::is_encrypted;
use crate::error::CommandError;
use crate::sops::config_file::ConfigChoice;
use crate::sops::each::each;
use crate::sops::found::{self, Found, is_marked};
use crate::sops::source::read;
use crate::sops::stop::Stop;
use crate::ui::Ui;

/// Which files are looked at.
pub(crate) struct Args {
    /// Files and folders.
    pub(crate) paths: Vec<PathBuf>,
    /// A format that was asked for.
    pub(crate) format: Option<Format>,
    /// The configuration that counts.
    pub(crate) config: ConfigChoice,
}

/// Prints a line of JSON for each file.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let found = found::find(&args.paths)?;
    let mut finder = args.config.finder();
    let mut items = Vec::with_capacity(found.len());
    for found in &found {
        let config = finder.find(&found.path, ui)?;
        let is_covered = match &config {
            Some(config) => config.names(&found.path)?,
            None => false,
        };
        items.push((found, is_covered));
    }
    let outcomes = each(&items, "looked at", &Stop::never(), ui, |item, _| {
        args.status(item)
    });
    let lines = outcomes.good.iter().flatten().map(|(path, encrypted)| {
        let line = json!({"file": path.to_string_lossy(), "encrypted": encrypted});
        format!("{line}\n")
    });
    ui.print(lines.collect::<String>().as_bytes())?;
    outcomes.check("cannot check file status of all files")
}

impl Args {
    /// Returns `None` for a file in a folder that has nothing to do with encryption.
    fn status(
        &self,
        (found, is_covered): &(&Found, bool),
    ) -> Result<Option<(PathBuf, bool)>, CommandError> {
        let status = match found.named || *is_covered {
            true => {
                let format = self.format.unwrap_or_else(|| Format::of(&found.path));
                let text = read(&found.path)?;
                Some(is_marked(&text) && is_encrypted(&text, format)?)
            }
            false => found
                .read(self.format)?
                .map(|found| found.document.metadata().is_complete()),
        };
        Ok(status.map(|encrypted| (found.path.clone(), encrypted)))
    }
}
