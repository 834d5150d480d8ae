//! Whole trees of files: every SealedSecret in them is sealed anew, or no file is touched.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use decryptor::manifest::Document;
use decryptor::program::parallel;

use super::document::Sealer;
use super::{finish, open};
use crate::error::CommandError;
use crate::ui::{Progress, Ui};
use crate::{documents, files};

/// A file to look into.
pub(super) struct Candidate {
    path: PathBuf,
    /// Whether it was named, and must hold a SealedSecret.
    named: bool,
}

/// What became of one file.
struct Outcome {
    /// Its new content. `None` if it stays as it is.
    content: Option<Vec<u8>>,
    secrets: usize,
    values: usize,
}

/// The files that were named, and the YAML and JSON files in the folders that were named. Hidden folders are left alone.
pub(super) fn find(paths: &[PathBuf], ui: &mut Ui) -> Result<Vec<Candidate>, CommandError> {
    let mut found = Vec::new();
    for path in paths {
        let failed =
            |e: io::Error| CommandError::new(format!("open {}", path.display())).because(e);
        match fs::metadata(path).map_err(failed)?.is_dir() {
            true => walk(path, &mut found).map_err(failed)?,
            false => found.push(Candidate {
                path: path.clone(),
                named: true,
            }),
        }
    }
    if found.is_empty() {
        ui.warn("there is no YAML or JSON file in these folders");
    }
    Ok(found)
}

fn walk(folder: &Path, found: &mut Vec<Candidate>) -> io::Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let mut entries = fs::read_dir(&folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (path, kind) = (entry.path(), entry.file_type()?);
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let is_manifest = path.extension().is_some_and(|extension| {
                ["yaml", "yml", "json"]
                    .iter()
                    .any(|known| extension == *known)
            });
            if kind.is_dir() && !is_hidden {
                folders.push(path);
            } else if kind.is_file() && is_manifest {
                found.push(Candidate { path, named: false });
            }
        }
    }
    Ok(())
}

/// Seals anew in memory first; only when all went well are files replaced.
pub(super) fn run(
    candidates: &[Candidate],
    sealer: &Sealer,
    dry_run: bool,
    ui: &mut Ui,
) -> Result<(), CommandError> {
    let progress = Progress::new("re-encrypted", candidates.len());
    let work = |candidate: &Candidate| {
        let outcome = candidate.reseal(sealer);
        progress.step();
        outcome.map_err(|e| e.at(candidate.path.display()))
    };
    let outcomes: Vec<_> = match sealer.keys() {
        Some(_) => parallel::map(candidates, work),
        None => candidates.iter().map(work).collect(),
    };
    drop(progress);
    let mut good = Vec::with_capacity(outcomes.len());
    let mut bad = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(outcome) => good.push(outcome),
            Err(e) => bad.push(e),
        }
    }
    if let Some(last) = bad.pop() {
        bad.iter().for_each(|e| ui.complain(e));
        return Err(last.hint("no file was changed"));
    }
    let mut changed = 0;
    for (candidate, outcome) in candidates.iter().zip(&good) {
        let Some(content) = &outcome.content else {
            continue;
        };
        if dry_run {
            ui.note(format!("would change {}", candidate.path.display()));
        } else {
            files::replace(&candidate.path, content)
                .map_err(|e| e.hint(format!("{changed} files were changed before")))?;
        }
        changed += 1;
    }
    let sum = |count: fn(&Outcome) -> usize| good.iter().map(count).sum::<usize>();
    let (secrets, values) = (
        sum(|outcome| outcome.secrets),
        sum(|outcome| outcome.values),
    );
    let verb = if dry_run {
        "would re-encrypt"
    } else {
        "re-encrypted"
    };
    ui.note(format!(
        "{verb} {values} values in {changed} files; looked at {secrets} SealedSecrets"
    ));
    Ok(())
}

impl Candidate {
    fn reseal(&self, sealer: &Sealer) -> Result<Outcome, CommandError> {
        let text = files::read(&self.path)
            .map_err(|e| CommandError::new("cannot read the file").because(e))?;
        let mut outcome = Outcome {
            content: None,
            secrets: 0,
            values: 0,
        };
        if !self.named && !mentions_sealed_secret(&text) {
            return Ok(outcome);
        }
        let documents = documents::read(&text)?;
        let sealed: Vec<_> = documents
            .iter()
            .filter(|document| is_sealed_secret(document))
            .collect();
        if sealed.is_empty() && self.named {
            return Err(CommandError::new("no sealed secrets found in the file"));
        }
        let mut editor = open(&text)?;
        for document in sealed {
            let values = sealer
                .reseal(document, &mut editor)
                .map_err(|e| e.at(documents::place(document, documents.len())))?;
            outcome.secrets += 1;
            outcome.values += values;
        }
        let content = finish(editor)?;
        outcome.content = (content != *text).then_some(content);
        Ok(outcome)
    }
}

fn is_sealed_secret(document: &Document) -> bool {
    document.kind() == Some("SealedSecret")
}

/// A folder may hold files that only look like manifests, such as templates: they are none of our business.
fn mentions_sealed_secret(text: &[u8]) -> bool {
    text.windows(b"SealedSecret".len())
        .any(|window| window == b"SealedSecret")
}
