//! How the keys of a document differ from those that its configuration names.

use keys::KeyGroups;

/// What is different between the keys that a document has and those that it should have.
pub(super) struct Changes {
    /// What a person is asked about.
    pub(super) text: String,
    /// Whether there are any.
    pub(super) any: bool,
    /// Whether somebody is removed.
    pub(super) removed: bool,
}

impl Changes {
    /// From the keys that are there to those that are wanted.
    pub(super) fn between(present: &KeyGroups, wanted: &KeyGroups) -> Self {
        wanted.adopt(present);
        let mut changes = Self {
            text: "The following changes will be made to the file's groups:\n".to_owned(),
            any: false,
            removed: false,
        };
        let names = |groups: &KeyGroups, number: usize| -> Vec<String> {
            let keys = groups.groups.get(number).map(|group| &group.keys);
            keys.into_iter()
                .flatten()
                .map(|entry| entry.key.to_string())
                .collect()
        };
        for number in 0..present.groups.len().max(wanted.groups.len()) {
            let (before, after) = (names(present, number), names(wanted, number));
            changes.text += &format!("Group {}\n", number + 1);
            for name in &before {
                match after.contains(name) {
                    true => changes.text += &format!("    {name}\n"),
                    false => {
                        changes.text += &format!("--- {name}\n");
                        (changes.any, changes.removed) = (true, true);
                    }
                }
            }
            for name in after.iter().filter(|name| !before.contains(name)) {
                changes.text += &format!("+++ {name}\n");
                changes.any = true;
            }
        }
        if present.threshold != wanted.threshold {
            let (before, after) = (present.threshold, wanted.threshold);
            changes.text += &format!("shamir_threshold: {before} -> {after}\n");
            changes.any = true;
        }
        changes
    }
}
