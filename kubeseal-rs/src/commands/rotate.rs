//! `rotate`: another data key for an encrypted document, and maybe other master keys.

use std::path::PathBuf;

use decryptor::format::Format;
use decryptor::sops::{Closing, Encrypted};
use keys::KeyGroups;
use keys::groups::KeyEntry;

use crate::error::CommandError;
use crate::sops::opening::Opening;
use crate::sops::recipients::Named;
use crate::sops::rewrite::{now, read, renewed};
use crate::sops::source::{Place, Source, Target};
use crate::sops::{data_key, exit, failure};
use crate::ui::Ui;

/// Which document gets another data key, and where the result goes.
pub(crate) struct Args {
    /// The file.
    pub(crate) path: PathBuf,
    /// A format that was asked for.
    pub(crate) format: Option<Format>,
    /// How it is opened.
    pub(crate) opening: Opening,
    /// Keys to add to the first group.
    pub(crate) add: Named,
    /// Keys to remove from all groups.
    pub(crate) remove: Named,
    /// Where the result goes.
    pub(crate) target: Target,
}

/// Encrypts all values anew. Nothing is written unless every key has wrapped the new data key.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args { path, target, .. } = args;
    let changes_keys = !args.add.lists.is_empty() || !args.remove.lists.is_empty();
    if changes_keys && !path.exists() {
        let shown = path.display().to_string();
        return Err(CommandError::new(format!(
            "Error: cannot add or remove keys on non-existent file {shown:?}"
        ))
        .code(exit::NO_FILE_TO_CHANGE));
    }
    let text = read(path)?;
    let format = args.format.unwrap_or_else(|| Format::of(path));
    let document = Encrypted::parse(&text, format).map_err(failure::encrypted)?;
    let env = data_key::env();
    let (plain, _) = args.opening.open(&document, &env, ui)?;
    let mut metadata = renewed(&document)?;
    change(&mut metadata.key_groups, args, ui)?;
    let key = data_key::generate(&mut metadata.key_groups, &env)?;
    let closing = Closing {
        metadata,
        now: &now(),
        previous: None,
    };
    let closed = plain.close(&key, closing).map_err(failure::closing)?;
    let source = Source {
        place: Place::File(path.clone()),
        name: None,
        format: Some(format),
    };
    target.write(closed.as_bytes(), &source, ui)
}

fn change(groups: &mut KeyGroups, args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    for key in args.remove.keys()? {
        let name = key.to_string();
        let before = count(groups);
        for group in &mut groups.groups {
            group.keys.retain(|entry| entry.key.to_string() != name);
        }
        if count(groups) == before {
            ui.warn(format!("{name} is none of the document's keys"));
        }
    }
    if let Some(first) = groups.groups.first_mut() {
        for key in args.add.keys()? {
            let name = key.to_string();
            if first.keys.iter().all(|entry| entry.key.to_string() != name) {
                first.keys.push(KeyEntry { key, wrapped: None });
            }
        }
    }
    match groups.groups.iter().any(|group| group.keys.is_empty()) {
        true => Err(
            CommandError::new("Could not generate data key: [empty key group provided]").hint(
                "nobody could open the document: add another key before you remove the last one",
            ),
        ),
        false => Ok(()),
    }
}

fn count(groups: &KeyGroups) -> usize {
    groups.groups.iter().map(|group| group.keys.len()).sum()
}
