//! `groups`: an encrypted document's data key is shared among one group of keys more, or less.

use std::path::PathBuf;

use decryptor::format::Format;
use decryptor::sops::Encrypted;
use keys::KeyGroups;
use keys::groups::KeyGroup;

use crate::error::CommandError;
use crate::sops::opening::Opening;
use crate::sops::policy::Policy;
use crate::sops::recipients::Named;
use crate::sops::rewrite::read;
use crate::sops::source::{Place, Source, Target};
use crate::sops::{data_key, failure};
use crate::ui::Ui;

/// Which document, and what becomes of its groups.
pub(crate) struct Args {
    /// The file.
    pub(crate) path: PathBuf,
    /// What becomes of the groups.
    pub(crate) change: Change,
    /// How many groups it takes from now on. Without it, as many as before.
    pub(crate) threshold: Option<usize>,
    /// How it is opened.
    pub(crate) opening: Opening,
    /// Where the result goes.
    pub(crate) target: Target,
}

/// What becomes of the groups.
pub(crate) enum Change {
    /// One more, of these keys.
    Add(Box<Named>, Policy),
    /// The one with this number goes; the first is 0.
    Delete(usize),
}

/// Shares the data key anew. Values, MAC and time stay; nothing is written unless every key has wrapped its share.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args { path, target, .. } = args;
    let format = Format::of(path);
    let text = read(path)?;
    let document = Encrypted::parse(&text, format).map_err(failure::encrypted)?;
    let env = match &args.change {
        Change::Add(named, _) => named.env(),
        Change::Delete(_) => data_key::env(),
    };
    let opened = args.opening.open(&document, &env, ui);
    let (_, key) = opened.map_err(|e| e.at("Error getting data key").code(1))?;
    let copy = document.metadata().copy();
    let mut groups = copy.map_err(|e| failure::encrypted(e.into()))?.key_groups;
    change(&mut groups, args, ui)?;
    data_key::wrap(&mut groups, &key, &env)?;
    let changed = document
        .with_key_groups(groups)
        .map_err(failure::encrypted)?;
    let source = Source {
        place: Place::File(path.clone()),
        name: None,
        format: Some(format),
    };
    target.write(changed.as_bytes(), &source, &text, ui)?;
    if matches!(args.change, Change::Delete(_)) {
        ui.warn("whoever was removed may have kept the data key: rotate it, and change the secrets themselves");
    }
    Ok(())
}

fn change(groups: &mut KeyGroups, args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    match &args.change {
        Change::Add(named, policy) => {
            let keys = named.keys()?;
            if keys.is_empty() {
                return Err(CommandError::new("the new group has no key")
                    .hint("name one, as in --age age1…"));
            }
            groups.groups.push(KeyGroup::new(keys));
            policy.check(groups, &args.path, ui)?;
        }
        Change::Delete(number) if *number < groups.groups.len() => {
            groups.groups.remove(*number);
        }
        Change::Delete(number) => {
            return Err(CommandError::new(format!(
                "there is no group {number}: the document has {}, and the first is 0",
                groups.groups.len()
            )));
        }
    }
    let count = groups.groups.len();
    groups.threshold = args.threshold.unwrap_or(groups.threshold);
    if count > 1 && groups.threshold == 0 {
        groups.threshold = count;
    }
    if groups.threshold > count {
        let (threshold, verb) = (groups.threshold, args.change.verb());
        return Err(CommandError::new(format!(
            "{verb} this key group will make the Shamir threshold impossible to satisfy: Shamir threshold is {threshold}, \
             but we only have {count} key groups"
        ))
        .hint("--shamir-secret-sharing-threshold sets another one"));
    }
    Ok(())
}

impl Change {
    fn verb(&self) -> &'static str {
        match self {
            Self::Add(..) => "adding",
            Self::Delete(_) => "removing",
        }
    }
}
