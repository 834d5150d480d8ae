//! What to do with the Secret that is there, or is not: decided here, done elsewhere.

use std::collections::BTreeMap;

use decryptor::sealed::resource::{API_VERSION, KIND};
use decryptor::sealed::{TextMap, Unsealed};
use keys::Plaintext;
use serde::Deserialize;

use crate::live::{LiveSecret, OPAQUE, ObjectMetadata, OwnerReference};
use crate::mark::View;

/// By what right a SealedSecret writes to a Secret that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It controls it.
    Owner,
    /// It made it without owner, as its template asks for.
    Maker,
    /// The Secret says that it may be taken over.
    Managed,
    /// A SealedSecret of the same name controlled it and is gone.
    Heir,
    /// The Secret says that it may be added to; with `managed`, that it may be taken over as well.
    Patch {
        /// Whether the Secret gets an owner.
        managed: bool,
    },
}

/// Whom a Secret is to belong to.
pub(crate) struct Claimant<'a> {
    pub(crate) metadata: &'a ObjectMetadata,
    /// Whether its template asks for a Secret without owner.
    pub(crate) skips_owner: bool,
    /// Whether it is known to have made the Secret, or to have taken it over.
    pub(crate) made: bool,
}

/// By what right, if any, the SealedSecret may write to the Secret. It says nothing about what the Secret holds.
pub(crate) fn claim(claimant: &Claimant<'_>, secret: &ObjectMetadata) -> Option<Claim> {
    let Claimant {
        metadata: sealed,
        skips_owner,
        made,
    } = claimant;
    let controller = secret.controller();
    let owned = controller.is_some_and(|owner| owner.uid == sealed.uid);
    if secret.is_patch() {
        let managed = secret.is_managed();
        return Some(Claim::Patch { managed });
    }
    // Only one SealedSecret of a name can be at a time, so a Secret that came from one since this one exists, came
    // from this one. The time of creation cannot be chosen by those who create.
    let since = sealed.creation_timestamp.is_some()
        && secret.creation_timestamp >= sealed.creation_timestamp;
    match controller {
        _ if owned => Some(Claim::Owner),
        _ if secret.is_managed() => Some(Claim::Managed),
        Some(owner) if is_same_name(owner, sealed) => Some(Claim::Heir),
        None if *made => Some(Claim::Owner),
        None if *skips_owner && secret.skips_owner() && since => Some(Claim::Maker),
        _ => None,
    }
}

/// A name has one uid at a time: a reference to the same name with another uid is to one that is gone.
fn is_same_name(owner: &OwnerReference, sealed: &ObjectMetadata) -> bool {
    let group = |version: &str| version.split('/').next().map(str::to_owned);
    owner.kind == KIND
        && owner.name == sealed.name
        && group(&owner.api_version) == group(API_VERSION)
}

/// What to do.
pub(crate) enum Plan<'a> {
    /// It is as it must be.
    Keep,
    /// It is to become this.
    Replace(Target<'a>),
    /// This is to be added to it.
    Patch(Target<'a>),
    /// It cannot become what it must be.
    Refuse(Refusal),
}

/// Why a Secret is left as it is although it is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// It belongs to somebody else.
    #[error("Resource {name:?} already exists and is not managed by SealedSecret")]
    NotManaged {
        /// The Secret's name.
        name: String,
    },
    /// It has been made immutable, and no SealedSecret can undo that.
    #[error(
        "Secret {name:?} is invalid: {field}: Forbidden: field is immutable when `immutable` is set"
    )]
    Immutable {
        /// The Secret's name.
        name: String,
        /// The field that would have to change.
        field: &'static str,
    },
    /// A Secret's type never changes.
    #[error(
        "Secret {name:?} is invalid: type: field is immutable: it is {from:?} and cannot become {to:?}"
    )]
    Type {
        /// The Secret's name.
        name: String,
        /// Its type.
        from: String,
        /// The template's type.
        to: String,
    },
    /// The API server says so.
    #[error("{0}")]
    Rejected(String),
}

/// All that is written of a Secret that is there.
pub(crate) struct Target<'a> {
    pub(crate) live: &'a ObjectMetadata,
    pub(crate) labels: TextMap,
    pub(crate) annotations: TextMap,
    pub(crate) owners: Vec<OwnerReference>,
    pub(crate) type_: &'a str,
    pub(crate) immutable: Option<bool>,
    pub(crate) data: BTreeMap<&'a str, &'a Plaintext>,
}

/// What to do with `live` so that it becomes what `wanted` says.
///
/// With `same_spec`, the Secret was right for this spec once: labels and annotations that others set stay.
pub(crate) fn plan<'a>(
    wanted: &'a Unsealed,
    live: &'a LiveSecret,
    claim: Claim,
    same_spec: bool,
) -> Plan<'a> {
    let target = match claim {
        Claim::Patch { managed } => added(wanted, live, managed),
        Claim::Owner | Claim::Maker => replaced(wanted, live, same_spec),
        Claim::Managed | Claim::Heir => replaced(wanted, live, false),
    };
    if let Some(refusal) = refusal(&target, live) {
        return Plan::Refuse(refusal);
    }
    match claim {
        _ if target.is(live) => Plan::Keep,
        Claim::Patch { .. } => Plan::Patch(target),
        _ => Plan::Replace(target),
    }
}

fn replaced<'a>(wanted: &'a Unsealed, live: &'a LiveSecret, keep_foreign: bool) -> Target<'a> {
    let texts = |live: &TextMap, wanted: &TextMap| match keep_foreign {
        true => overlaid(live, wanted),
        false => wanted.clone(),
    };
    let mut target = Target {
        live: &live.metadata,
        labels: texts(&live.metadata.labels, &wanted.labels),
        annotations: texts(&live.metadata.annotations, &wanted.annotations),
        owners: owners(wanted),
        type_: wanted.type_.as_deref().unwrap_or(OPAQUE),
        immutable: wanted.immutable.filter(|immutable| *immutable),
        data: values(&wanted.data).collect(),
    };
    keep_token(&mut target, live);
    target
}

/// Keeps what Kubernetes itself writes into a Secret that asks for a service account's token, while it asks for the same
/// one's: taken away, it would be written again at once.
fn keep_token<'a>(target: &mut Target<'a>, live: &'a LiveSecret) {
    let account = |annotations: &TextMap| annotations.get(token::ACCOUNT).cloned();
    if target.type_ != token::TYPE
        || account(&target.annotations) != account(&live.metadata.annotations)
    {
        return;
    }
    for (key, value) in values(&live.data).filter(|(key, _)| token::KEYS.contains(key)) {
        target.data.entry(key).or_insert(value);
    }
    if let Some(uid) = live.metadata.annotations.get(token::UID) {
        let present = target.annotations.entry(token::UID.to_owned());
        present.or_insert_with(|| uid.clone());
    }
}

/// What Kubernetes calls the parts of a Secret that holds a service account's token.
mod token {
    pub(super) const TYPE: &str = "kubernetes.io/service-account-token";
    pub(super) const ACCOUNT: &str = "kubernetes.io/service-account.name";
    pub(super) const UID: &str = "kubernetes.io/service-account.uid";
    pub(super) const KEYS: [&str; 3] = ["token", "ca.crt", "namespace"];
}

fn added<'a>(wanted: &'a Unsealed, live: &'a LiveSecret, managed: bool) -> Target<'a> {
    let live_owners = || live.metadata.owner_references.clone();
    Target {
        live: &live.metadata,
        labels: overlaid(&live.metadata.labels, &wanted.labels),
        annotations: overlaid(&live.metadata.annotations, &wanted.annotations),
        owners: if managed {
            owners(wanted)
        } else {
            live_owners()
        },
        type_: wanted.type_.as_deref().unwrap_or(&live.type_),
        immutable: wanted
            .immutable
            .or(live.immutable)
            .filter(|immutable| *immutable),
        data: values(&live.data).chain(values(&wanted.data)).collect(),
    }
}

fn values(data: &BTreeMap<String, Plaintext>) -> impl Iterator<Item = (&str, &Plaintext)> {
    data.iter().map(|(key, value)| (key.as_str(), value))
}

fn overlaid(below: &TextMap, above: &TextMap) -> TextMap {
    let mut texts = below.clone();
    texts.extend(
        above
            .iter()
            .map(|(name, text)| (name.clone(), text.clone())),
    );
    texts
}

/// The owner references that the Secret is to have. One that the template writes and nobody can read is left out.
pub(crate) fn owners(wanted: &Unsealed) -> Vec<OwnerReference> {
    let read = |value| OwnerReference::deserialize(value).ok();
    wanted.owner_references.iter().filter_map(read).collect()
}

fn refusal(target: &Target<'_>, live: &LiveSecret) -> Option<Refusal> {
    let name = || live.metadata.name.clone();
    if target.type_ != View::of_live(live).type_ {
        return Some(Refusal::Type {
            name: name(),
            from: live.type_.clone(),
            to: target.type_.to_owned(),
        });
    }
    if live.immutable != Some(true) {
        return None;
    }
    let field = match target {
        _ if !target.has_data_of(live) => "data",
        _ if target.immutable != Some(true) => "immutable",
        _ => return None,
    };
    Some(Refusal::Immutable {
        name: name(),
        field,
    })
}

impl Target<'_> {
    fn has_data_of(&self, live: &LiveSecret) -> bool {
        // Every value is compared, so that the time does not tell where the first difference is.
        let same = |(key, value): (&&str, &&Plaintext)| live.data.get(*key) == Some(*value);
        self.data.len() == live.data.len()
            && self.data.iter().fold(true, |all, pair| same(pair) & all)
    }

    fn is(&self, live: &LiveSecret) -> bool {
        let Self {
            live: metadata,
            labels,
            annotations,
            owners,
            type_: _,
            immutable,
            data: _,
        } = self;
        self.has_data_of(live)
            && *labels == metadata.labels
            && *annotations == metadata.annotations
            && *owners == metadata.owner_references
            && immutable.unwrap_or(false) == live.immutable.unwrap_or(false)
    }

    /// What the Secret is once this is written.
    pub(crate) fn view(&self) -> View<'_> {
        let is_true = |name| decryptor::sealed::is_true(&self.annotations, name);
        View {
            uid: &self.live.uid,
            patch: is_true(decryptor::sealed::PATCH),
            managed: is_true(decryptor::sealed::MANAGED),
            type_: self.type_,
            immutable: self.immutable.unwrap_or(false),
            owners: &self.owners,
            labels: &self.labels,
            annotations: &self.annotations,
            data: self
                .data
                .iter()
                .map(|(key, value)| (*key, value.expose_secret()))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests;
