//! Many files, and whole folders, encrypted: all of them in memory first, and only if all went well is any written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use decryptor::format::Format;
use decryptor::sops::Encrypted;
use keys::Env;
use zeroize::Zeroizing;

use super::{How, parse};
use crate::error::CommandError;
use crate::sops::config_file::ConfigFile;
use crate::sops::each::{OfFile, count, each};
use crate::sops::found::{self, Found, is_marked};
use crate::sops::source::{put_back, read};
use crate::sops::stop::Stop;
use crate::ui::Ui;

/// What is encrypted, and how.
pub(crate) struct Args {
    /// Files, and folders whose files are meant that a rule for certain paths covers.
    pub(crate) paths: Vec<PathBuf>,
    /// A format that was asked for.
    pub(crate) format: Option<Format>,
    /// Whether nothing is written.
    pub(crate) dry_run: bool,
    /// How they are encrypted.
    pub(crate) how: How,
}

/// A file, and the configuration that counts for it.
type Candidate<'a> = (&'a Found, Option<Arc<ConfigFile>>);

/// A file that was encrypted in memory.
struct Closed {
    path: PathBuf,
    before: Zeroizing<Vec<u8>>,
    after: Encrypted,
}

impl OfFile for Closed {
    fn path(&self) -> &Path {
        &self.path
    }
}

/// Encrypts what is not encrypted yet. If anything is wrong with any file, none is written.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let found = found::find(&args.paths)?;
    let candidates = covered(args, &found, ui)?;
    if candidates.is_empty() {
        ui.warn("no rule of a .sops.yaml has a path_regex for any file in these folders");
    }
    let env = args.how.named.env();
    let outcomes = each(
        &candidates,
        "encrypted",
        &Stop::never(),
        ui,
        |candidate, _| args.close(candidate, &env),
    );
    outcomes.check("no file was changed")?;
    let closed: Vec<Closed> = outcomes.good.into_iter().flatten().collect();
    for closed in &closed {
        for warning in closed.after.warnings() {
            ui.warn(format!("{}: {warning}", closed.path.display()));
        }
    }
    let already = match candidates.len() - closed.len() {
        0 => String::new(),
        number => format!("; {number} encrypted before"),
    };
    if args.dry_run {
        for closed in &closed {
            ui.note(format!("would encrypt {}", closed.path.display()));
        }
        ui.note(format!("would encrypt {}{already}", count(closed.len())));
        return Ok(());
    }
    let written = each(&closed, "written", &Stop::listen()?, ui, |closed, ui| {
        put_back(&closed.path, &closed.before, closed.after.as_bytes(), ui)
    });
    let summary = format!("encrypted {}{already}", count(written.good.len()));
    written.finish(&summary, ui)
}

/// The files that were named, and those in folders that a rule is for which says so by its path.
fn covered<'a>(
    args: &Args,
    found: &'a [Found],
    ui: &mut Ui,
) -> Result<Vec<Candidate<'a>>, CommandError> {
    let mut finder = args.how.config.finder();
    let mut candidates = Vec::new();
    for found in found {
        let config = finder.find(&found.path, ui)?;
        let is_covered = match &config {
            Some(config) => config.names(&found.path)?,
            None => false,
        };
        if found.named || is_covered {
            candidates.push((found, config));
        }
    }
    Ok(candidates)
}

impl Args {
    /// Returns `None` if the file is encrypted already.
    fn close(&self, candidate: &Candidate<'_>, env: &Env) -> Result<Option<Closed>, CommandError> {
        let (found, config) = candidate;
        let (path, text) = (&found.path, read(&found.path)?);
        let format = self.format.unwrap_or_else(|| Format::of(path));
        if is_encrypted(&text, format) {
            return Ok(None);
        }
        let plain = parse(&text, format)?;
        let after = self.how.close(&plain, path, config.as_deref(), env)?;
        Ok(Some(Closed {
            path: path.clone(),
            before: text,
            after,
        }))
    }
}

fn is_encrypted(text: &[u8], format: Format) -> bool {
    is_marked(text)
        && Encrypted::parse(text, format).is_ok_and(|document| document.metadata().is_complete())
}
