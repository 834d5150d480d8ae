//! What `.sops.yaml` says of who may open a document, against the keys that it is about to be wrapped for.
//!
//! The list of keys in a document is not authenticated: whoever can write to a repository could add a key of theirs, and
//! wait for the next data key.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use keys::KeyGroups;

use super::config_file::{ConfigChoice, ConfigFile, Finder};
use super::recipients;
use crate::error::CommandError;
use crate::ui::Ui;

/// The configuration that counts, and how strictly.
pub(crate) struct Policy {
    /// Finds it, and reads it once for many files.
    finder: Mutex<Finder>,
    /// What is done about keys that it does not list.
    unlisted: Unlisted,
}

/// What is done about keys that the configuration does not list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unlisted {
    /// Nothing is written.
    Refuse,
    /// The person is told.
    Warn,
}

impl Policy {
    /// What the configuration says that is chosen so.
    pub(crate) fn new(config: &ConfigChoice, unlisted: Unlisted) -> Self {
        Self {
            finder: Mutex::new(config.finder()),
            unlisted,
        }
    }

    /// The configuration that counts for a file. Returns `None` if there is none.
    pub(crate) fn find(
        &self,
        target: &Path,
        ui: &mut Ui,
    ) -> Result<Option<Arc<ConfigFile>>, CommandError> {
        let mut finder = self.finder.lock().unwrap_or_else(PoisonError::into_inner);
        finder.find(target, ui)
    }

    /// Checks the keys that a document is to have. Without a rule for it there is nothing to check.
    pub(crate) fn check(
        &self,
        groups: &KeyGroups,
        target: &Path,
        ui: &mut Ui,
    ) -> Result<(), CommandError> {
        let listed = match (self.listed(groups, target, ui), self.unlisted) {
            (Ok(Some(listed)), _) => listed,
            (Ok(None), _) => return Ok(()),
            (Err(error), Unlisted::Refuse) => return Err(error),
            (Err(error), Unlisted::Warn) => {
                ui.warn(format!("keys are not checked: {}", error.line()));
                return Ok(());
            }
        };
        let unlisted: Vec<_> = names(groups)
            .filter(|name| !listed.contains(name))
            .collect();
        if unlisted.is_empty() {
            return Ok(());
        }
        let text = format!(
            "the configuration does not list {} for {}",
            unlisted.join(", "),
            target.display()
        );
        match self.unlisted {
            Unlisted::Refuse => Err(CommandError::new(text).hint(
                "list it in .sops.yaml, or remove it with updatekeys; --allow-unlisted wraps the data key for it",
            )),
            Unlisted::Warn => {
                ui.warn(text);
                Ok(())
            }
        }
    }

    fn listed(
        &self,
        own: &KeyGroups,
        target: &Path,
        ui: &mut Ui,
    ) -> Result<Option<HashSet<String>>, CommandError> {
        let config = self.find(target, ui)?;
        let Some(config) = config.filter(|config| config.has_rules()) else {
            return Ok(None);
        };
        if config.rule_for(target)?.is_none() {
            return Ok(None);
        }
        let groups = recipients::of_config(&config, target)?;
        groups.adopt(own);
        Ok(Some(names(&groups).collect()))
    }
}

fn names(groups: &KeyGroups) -> impl Iterator<Item = String> {
    let keys = groups.groups.iter().flat_map(|group| &group.keys);
    keys.map(|entry| entry.key.to_string())
}
