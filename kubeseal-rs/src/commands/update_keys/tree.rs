//! Many files, and the encrypted ones in whole folders: what would change is shown, asked about once, and done.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::changes::Changes;
use super::{Args, is_confirmed, wanted};
use crate::error::CommandError;
use crate::sops::config_file::ConfigFile;
use crate::sops::data_key;
use crate::sops::each::{OfFile, count, each};
use crate::sops::found::{self, Document, Found};
use crate::sops::source::put_back;
use crate::sops::stop::Stop;
use crate::ui::Ui;

/// A file, and the configuration that counts for it.
type Candidate<'a> = (&'a Found, Option<Arc<ConfigFile>>);

/// A file whose keys are others than they should be.
struct Outdated {
    path: PathBuf,
    config: Option<Arc<ConfigFile>>,
    document: Document,
    changes: Changes,
}

impl OfFile for Outdated {
    fn path(&self) -> &Path {
        &self.path
    }
}

/// Brings the keys of all of them up to date.
pub(super) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let found = found::find(&args.paths)?;
    let mut finder = args.config.finder();
    let mut candidates = Vec::with_capacity(found.len());
    for found in &found {
        candidates.push((found, finder.find(&found.path, ui)?));
    }
    let looked = each(
        &candidates,
        "looked at",
        &Stop::never(),
        ui,
        |candidate, _| outdated(args, candidate),
    );
    let complete = looked.check("not all files could be looked at");
    let documents: Vec<_> = looked.good.into_iter().flatten().collect();
    let current = documents.iter().filter(|file| !file.changes.any).count();
    let outdated: Vec<_> = documents
        .into_iter()
        .filter(|file| file.changes.any)
        .collect();
    for file in &outdated {
        ui.note(format!("Syncing keys for file {}", file.path.display()));
        ui.print(file.changes.text.as_bytes())?;
    }
    let rest = format!("; {current} up to date before");
    if args.dry_run || (!outdated.is_empty() && !args.yes && !is_confirmed(ui)?) {
        ui.note(format!("would update {}{rest}", count(outdated.len())));
        return complete;
    }
    let (env, stop) = (data_key::env(), Stop::listen()?);
    let updated = each(&outdated, "updated", &stop, ui, |file, ui| {
        let Document { text, document } = &file.document;
        let wanted = wanted(file.config.as_deref(), &file.path)?;
        let updated = args.rewrap(
            document,
            wanted,
            args.rotate && file.changes.removed,
            &env,
            ui,
        )?;
        put_back(&file.path, text, updated.as_bytes(), ui)
    });
    if outdated.iter().any(|file| file.changes.removed) {
        ui.warn(args.still_known());
    }
    updated.finish(&format!("updated {}{rest}", count(updated.good.len())), ui)?;
    complete
}

/// Returns `None` for a file in a folder that is no encrypted document.
fn outdated(
    args: &Args,
    (found, config): &Candidate<'_>,
) -> Result<Option<Outdated>, CommandError> {
    let Some(document) = found.read(args.format)? else {
        return Ok(None);
    };
    let wanted = wanted(config.as_deref(), &found.path)?;
    let present = &document.document.metadata().key_groups;
    Ok(Some(Outdated {
        path: found.path.clone(),
        config: config.clone(),
        changes: Changes::between(present, &wanted),
        document,
    }))
}
