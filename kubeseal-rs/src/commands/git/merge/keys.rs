//! Whose data key, keys and rules a merged document has: those of the side that changed them.

use std::collections::BTreeSet;

use decryptor::sops::metadata::Metadata;
use decryptor::sops::rules::Rules;
use decryptor::sops::{Encrypted, Plain};
use keys::{DataKey, Env, KeyGroups};

use crate::error::CommandError;
use crate::sops::data_key;
use crate::sops::opening::Opening;
use crate::sops::rewrite::renewed;
use crate::ui::Ui;

/// A version that was opened.
pub(super) struct Version {
    pub(super) document: Encrypted,
    pub(super) plain: Plain,
}

/// All versions.
pub(super) struct Versions {
    pub(super) base: Option<Version>,
    pub(super) ours: Version,
    pub(super) theirs: Version,
    our_key: DataKey,
    /// `None` if it is ours.
    their_key: Option<DataKey>,
    /// Whether the data key is another than it was.
    rotated: Rotated,
}

#[derive(Clone, Copy)]
struct Rotated {
    ours: bool,
    theirs: bool,
}

/// What a result is closed with and over.
pub(super) struct Taken<'v> {
    pub(super) key: &'v DataKey,
    /// The version whose metadata stay.
    pub(super) document: &'v Encrypted,
    /// Others under the same data key.
    pub(super) others: Vec<&'v Encrypted>,
    /// What people should know.
    pub(super) note: Option<String>,
}

/// The sides of a merge.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Ours,
    Theirs,
}

impl Versions {
    /// Opens all versions. A data key that opens another one is not asked for again.
    pub(super) fn open(
        base: Option<Encrypted>,
        ours: Encrypted,
        theirs: Encrypted,
        opening: &Opening,
        ui: &mut Ui,
    ) -> Result<Self, CommandError> {
        let env = data_key::env();
        let (plain, our_key) = opening.open(&ours, &env, ui)?;
        let ours = Version {
            document: ours,
            plain,
        };
        let (plain, their_key) = match theirs.open(&our_key) {
            Ok(plain) => (plain, None),
            Err(_) => {
                let (plain, key) = opening.open(&theirs, &env, ui)?;
                (plain, Some(key))
            }
        };
        let theirs = Version {
            document: theirs,
            plain,
        };
        let mut rotated = Rotated {
            ours: false,
            theirs: false,
        };
        let base = match base {
            None => None,
            Some(base) => {
                let by_ours = base.open(&our_key).ok();
                let by_theirs = match &their_key {
                    Some(key) if by_ours.is_none() => base.open(key).ok(),
                    _ => None,
                };
                rotated = Rotated {
                    ours: by_ours.is_none(),
                    theirs: by_theirs.is_none() && (by_ours.is_none() || their_key.is_some()),
                };
                let plain = match by_ours.or(by_theirs) {
                    Some(plain) => plain,
                    None => opening.open(&base, &env, ui)?.0,
                };
                Some(Version {
                    document: base,
                    plain,
                })
            }
        };
        Ok(Self {
            base,
            ours,
            theirs,
            our_key,
            their_key,
            rotated,
        })
    }

    /// The metadata of the result, and what it is closed with.
    pub(super) fn metadata(&self, env: &Env) -> Result<(Metadata, Taken<'_>), CommandError> {
        let side = match self.rotated {
            Rotated {
                ours: false,
                theirs: true,
            } => Side::Theirs,
            _ => Side::Ours,
        };
        let (own, other) = match side {
            Side::Ours => (&self.ours, &self.theirs),
            Side::Theirs => (&self.theirs, &self.ours),
        };
        let key = match (side, &self.their_key) {
            (Side::Theirs, Some(key)) => key,
            _ => &self.our_key,
        };
        let one_key = self.their_key.is_none();
        let mut metadata = renewed(&own.document)?;
        metadata.rules = self.rules()?;
        let note = self.give_keys(&mut metadata, own, other, one_key)?;
        let is_wrapped = metadata
            .key_groups
            .groups
            .iter()
            .flat_map(|group| &group.keys)
            .all(|entry| entry.wrapped.is_some());
        if !is_wrapped {
            data_key::wrap(&mut metadata.key_groups, key, env)?;
        }
        Ok((
            metadata,
            Taken {
                key,
                document: &own.document,
                others: if one_key {
                    vec![&other.document]
                } else {
                    Vec::new()
                },
                note,
            },
        ))
    }

    /// The rule of the side that changed it.
    fn rules(&self) -> Result<Rules, CommandError> {
        let [ours, theirs] = [&self.ours, &self.theirs].map(|side| &side.document.metadata().rules);
        let base = self
            .base
            .as_ref()
            .map(|base| &base.document.metadata().rules);
        let said = |rules: &Rules| {
            let field = rules.field().map(|(name, text)| (name, text.to_owned()));
            (field, rules.mac_only_encrypted)
        };
        let (own, other) = (said(ours), said(theirs));
        match base.map(said) {
            _ if own == other => Ok(ours.clone()),
            Some(base) if base == own => Ok(theirs.clone()),
            Some(base) if base == other => Ok(ours.clone()),
            _ => Err(CommandError::new(
                "not merged: both sides changed which values are encrypted",
            )),
        }
    }

    /// Gives metadata the keys of the side that changed them, or the changes of both. Those that hold no share of the
    /// document's data key yet are left without.
    fn give_keys(
        &self,
        metadata: &mut Metadata,
        own: &Version,
        other: &Version,
        one_key: bool,
    ) -> Result<Option<String>, CommandError> {
        let (has, wants) = (Names::of(own), Names::of(other));
        let before = self.base.as_ref().map(Names::of);
        if has == wants || before.as_ref() == Some(&wants) {
            return Ok(None);
        }
        let theirs = renewed(&other.document)?.key_groups;
        let mut changed = if before.as_ref() == Some(&has) {
            theirs
        } else {
            let before = before.filter(|_| has.are_plain() && wants.are_plain());
            let before = before.filter(Names::are_plain).ok_or_else(|| {
                CommandError::new("not merged: both sides changed the keys of the file")
            })?;
            both(std::mem::take(&mut metadata.key_groups), theirs, &before)?
        };
        if !one_key {
            let keys = changed.groups.iter_mut().flat_map(|group| &mut group.keys);
            keys.for_each(|entry| entry.wrapped = None);
        }
        metadata.key_groups = changed;
        let names = Names::groups(&metadata.key_groups);
        let names: Vec<&str> = names.iter().flatten().map(String::as_str).collect();
        Ok(Some(format!(
            "the keys are now {} (one side changed them)",
            names.join(", ")
        )))
    }
}

/// The keys of one group after the changes of both sides.
fn both(
    mut own: KeyGroups,
    mut other: KeyGroups,
    before: &Names,
) -> Result<KeyGroups, CommandError> {
    let old = before.groups.first().cloned().unwrap_or_default();
    let (Some(own_group), Some(other_group)) = (own.groups.first_mut(), other.groups.first_mut())
    else {
        return Ok(own);
    };
    let names = |keys: &[keys::groups::KeyEntry]| -> BTreeSet<String> {
        keys.iter().map(|entry| entry.key.to_string()).collect()
    };
    let (has, wants) = (names(&own_group.keys), names(&other_group.keys));
    own_group.keys.retain(|entry| {
        let name = entry.key.to_string();
        wants.contains(&name) || !old.contains(&name)
    });
    let new = other_group.keys.drain(..).filter(|entry| {
        let name = entry.key.to_string();
        !has.contains(&name) && !old.contains(&name)
    });
    own_group.keys.extend(new);
    match own_group.keys.is_empty() {
        true => Err(CommandError::new(
            "not merged: after the changes of both sides the file has no keys",
        )),
        false => Ok(own),
    }
}

/// Which keys a document has, by group, and how many groups must open.
#[derive(PartialEq, Eq)]
struct Names {
    groups: Vec<BTreeSet<String>>,
    threshold: usize,
}

impl Names {
    fn of(version: &Version) -> Self {
        let groups = &version.document.metadata().key_groups;
        Self {
            groups: Self::groups(groups),
            threshold: groups.threshold,
        }
    }

    fn groups(groups: &KeyGroups) -> Vec<BTreeSet<String>> {
        let groups = groups.groups.iter();
        groups
            .map(|group| {
                group
                    .keys
                    .iter()
                    .map(|entry| entry.key.to_string())
                    .collect()
            })
            .collect()
    }

    /// Whether there is one group, each key of which opens the document.
    fn are_plain(&self) -> bool {
        self.groups.len() == 1 && self.threshold < 2
    }
}
