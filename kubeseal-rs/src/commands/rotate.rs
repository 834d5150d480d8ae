//! `rotate`: another data key for an encrypted document, and maybe other master keys.

pub(crate) mod tree;

use std::path::{Path, PathBuf};

use decryptor::format::Format;
use decryptor::sops::Encrypted;
use keys::groups::KeyEntry;
use keys::{Env, KeyGroups};

use crate::error::CommandError;
use crate::sops::opening::Opening;
use crate::sops::policy::Policy;
use crate::sops::recipients::Named;
use crate::sops::rewrite::{close_anew, read, renewed};
use crate::sops::source::{Place, Source, Target};
use crate::sops::{exit, failure};
use crate::ui::Ui;

/// Which document gets another data key, and where the result goes.
pub(crate) struct Args {
    /// The file.
    pub(crate) path: PathBuf,
    /// The name that counts for rules.
    pub(crate) name: PathBuf,
    /// A format that was asked for.
    pub(crate) format: Option<Format>,
    /// Where the result goes.
    pub(crate) target: Target,
    /// How it gets it.
    pub(crate) how: How,
}

/// How documents get other data keys.
pub(crate) struct How {
    /// How they are opened.
    pub(crate) opening: Opening,
    /// Keys to add to the first group.
    pub(crate) add: Named,
    /// Keys to remove from all groups.
    pub(crate) remove: Named,
    /// Who may open them.
    pub(crate) policy: Policy,
}

/// Encrypts all values anew. Nothing is written unless every key has wrapped the new data key.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args {
        path, target, how, ..
    } = args;
    let changes_keys = !how.add.lists.is_empty() || !how.remove.lists.is_empty();
    if changes_keys && !path.exists() {
        return Err(nothing_to_change(path));
    }
    let text = read(path)?;
    let format = args.format.unwrap_or_else(|| Format::of(path));
    let document = Encrypted::parse(&text, format).map_err(failure::encrypted)?;
    let closed = how.rotate(&document, &args.name, &how.add.env(), ui)?;
    let source = Source {
        place: Place::File(path.clone()),
        name: None,
        format: Some(format),
    };
    target.write(closed.as_bytes(), &source, &text, ui)
}

impl How {
    /// The document under another data key, which every master key has wrapped. The name is the one that counts for rules.
    fn rotate(
        &self,
        document: &Encrypted,
        name: &Path,
        env: &Env,
        ui: &mut Ui,
    ) -> Result<Encrypted, CommandError> {
        let (plain, _) = self.opening.open(document, env, ui)?;
        let mut metadata = renewed(document)?;
        self.change(&mut metadata.key_groups, ui)?;
        self.policy.check(&metadata.key_groups, name, ui)?;
        close_anew(&plain, metadata, env)
    }

    fn change(&self, groups: &mut KeyGroups, ui: &mut Ui) -> Result<(), CommandError> {
        for key in self.remove.keys()? {
            for entry in groups.groups.iter().flat_map(|group| &group.keys) {
                key.adopt(&*entry.key);
            }
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
            for key in self.add.keys()? {
                let name = key.to_string();
                if first.keys.iter().all(|entry| entry.key.to_string() != name) {
                    first.keys.push(KeyEntry { key, wrapped: None });
                }
            }
        }
        match groups.groups.iter().any(|group| group.keys.is_empty()) {
            true => Err(CommandError::new(
                "Could not generate data key: [empty key group provided]",
            )
            .hint(
                "nobody could open the document: add another key before you remove the last one",
            )),
            false => Ok(()),
        }
    }
}

/// There is no file whose keys could be changed.
pub(crate) fn nothing_to_change(path: &Path) -> CommandError {
    let shown = path.display().to_string();
    CommandError::new(format!(
        "Error: cannot add or remove keys on non-existent file {shown:?}"
    ))
    .code(exit::NO_FILE_TO_CHANGE)
}

fn count(groups: &KeyGroups) -> usize {
    groups.groups.iter().map(|group| group.keys.len()).sum()
}
