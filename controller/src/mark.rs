//! Marks: how a controller that starts knows that a Secret is right without opening what it was made from.
//!
//! A mark stands in the SealedSecret's status. It is a MAC under a key that is derived from all sealing private keys,
//! over the SealedSecret's identity, scope and spec, and over the whole of what the Secret must be. Whoever may write
//! status or Secrets can neither make one nor move one to another object, another spec or another Secret.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use decryptor::sealed::template::{Limits, MissingKey};
use decryptor::sealed::unseal::Options;
use decryptor::sealed::{SKIP_SET_OWNER_REFERENCES, SealedSecret, hint, is_true};
use keys::sealing::MarkKey;
use keys::{KeyRing, Plaintext};
use zeroize::Zeroizing;

use crate::live::{LiveSecret, OPAQUE, ObjectMetadata, OwnerReference};

/// Another program version may unseal differently: its marks are not ours.
const PURPOSE: &str = concat!("kubeseal-rs mark 1, version ", env!("CARGO_PKG_VERSION"));
/// Names kept to look at a Secret later; a SealedSecret with more is looked at by itself.
const MOST_NAMES: usize = 128;

type Mac = [u8; 32];

/// What a status says about the Secret that was last written or found right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Over the SealedSecret alone: its identity, scope and spec.
    sealed: Mac,
    /// Over that and the Secret.
    whole: Mac,
    /// Over the identities of the SealedSecret and the Secret: the one made, or took over, the other.
    made: Mac,
    /// Over each value that another rendering would change, by key.
    varying: Vec<Mac>,
}

impl Mark {
    /// Reads a mark. Returns `None` if it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD_NO_PAD.decode(text).ok()?;
        let (macs, []) = bytes.as_chunks::<32>() else {
            return None;
        };
        let (&[sealed, whole, made], varying) = macs.split_first_chunk::<3>()?;
        Some(Self {
            sealed,
            whole,
            made,
            varying: varying.to_vec(),
        })
    }

    pub(crate) fn to_text(&self) -> String {
        let mut bytes = Vec::from(self.sealed);
        bytes.extend_from_slice(&self.whole);
        bytes.extend_from_slice(&self.made);
        self.varying
            .iter()
            .for_each(|mac| bytes.extend_from_slice(mac));
        STANDARD_NO_PAD.encode(bytes)
    }
}

/// Makes and checks marks under one key set and one way to unseal.
pub(crate) struct Marker {
    key: MarkKey,
    options: Options,
}

impl Marker {
    /// Returns `None` if the ring is empty: then nothing is known.
    pub(crate) fn of(ring: &KeyRing, options: &Options) -> Option<Self> {
        let key = ring.mark_key(PURPOSE.as_bytes())?;
        let options = options.clone();
        Some(Self { key, options })
    }

    /// The mark in a SealedSecret's status. Returns `None` if there is none, or if it is about another SealedSecret,
    /// spec or scope, or was made under other keys.
    pub(crate) fn known(&self, sealed: &SealedSecret) -> Option<Mark> {
        let mark = mark_of(sealed)?;
        let message = sealed_message(sealed, &self.options)?;
        self.key.verify(&message, &mark.sealed).then_some(mark)
    }

    /// Whether this SealedSecret, with whatever spec, made or took over the Secret with this uid.
    pub(crate) fn has_made(&self, sealed: &SealedSecret, uid: &str) -> bool {
        let message = made_message(&sealed.metadata.uid, uid);
        mark_of(sealed).is_some_and(|mark| self.key.verify(&message, &mark.made))
    }

    /// The mark of a Secret that is right. Returns `None` where it could not be checked without opening anything.
    pub(crate) fn mark<'a>(
        &self,
        sealed: &SealedSecret,
        view: &View<'_>,
        varying: impl IntoIterator<Item = (&'a str, &'a Plaintext)>,
    ) -> Option<Mark> {
        let extent = Extent::of(sealed)?;
        let seal = self.key.mark(&sealed_message(sealed, &self.options)?);
        let of_value = |(key, value): (&str, &Plaintext)| self.varying(&seal, key, value);
        Some(Mark {
            sealed: seal,
            whole: self.key.mark(&whole_message(&seal, &extent, view)),
            made: self.key.mark(&made_message(&sealed.metadata.uid, view.uid)),
            varying: varying.into_iter().map(of_value).collect(),
        })
    }

    /// Whether the Secret is the one that was marked, in all that its SealedSecret says about it.
    pub(crate) fn is_right(&self, mark: &Mark, extent: &Extent, secret: &LiveSecret) -> bool {
        let view = View::of_live(secret);
        self.key
            .verify(&whole_message(&mark.sealed, extent, &view), &mark.whole)
    }

    /// Whether the value is the one that was rendered for this spec, as the `index`th of those that vary.
    pub(crate) fn is_rendered(
        &self,
        mark: &Mark,
        index: usize,
        key: &str,
        value: &Plaintext,
    ) -> bool {
        let message = varying_message(&mark.sealed, key, value);
        mark.varying
            .get(index)
            .is_some_and(|mac| self.key.verify(&message, mac))
    }

    fn varying(&self, sealed: &Mac, key: &str, value: &Plaintext) -> Mac {
        self.key.mark(&varying_message(sealed, key, value))
    }
}

/// Which parts of a Secret its SealedSecret speaks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    labels: Box<[Box<str>]>,
    annotations: Box<[Box<str>]>,
    keys: Box<[Box<str>]>,
    has_type: bool,
}

impl Extent {
    /// Returns `None` where this cannot be told from outside, or is too much to remember.
    pub(crate) fn of(sealed: &SealedSecret) -> Option<Self> {
        if sealed.spec.data.is_some() {
            return None;
        }
        let template = &sealed.spec.template;
        let boxed = |name: &String| name.as_str().into();
        let rendered = template
            .data
            .iter()
            .filter(|(_, source)| source.is_some())
            .map(|(key, _)| key);
        let kept = |key: &&String| template.data.get(*key) != Some(&None);
        let mut keys: Vec<&String> = sealed
            .spec
            .encrypted_data
            .keys()
            .filter(kept)
            .chain(rendered)
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let annotations = template
            .metadata
            .annotations
            .keys()
            .filter(|name| *name != hint::ANNOTATION);
        let extent = Self {
            labels: template.metadata.labels.keys().map(boxed).collect(),
            annotations: annotations.map(boxed).collect(),
            keys: keys.into_iter().map(boxed).collect(),
            has_type: template.type_.as_ref().is_some_and(|text| !text.is_empty()),
        };
        let names = extent.labels.len() + extent.annotations.len() + extent.keys.len();
        (names <= MOST_NAMES).then_some(extent)
    }
}

/// What a Secret is, or is to be, as a mark sees it.
pub(crate) struct View<'a> {
    pub(crate) uid: &'a str,
    pub(crate) patch: bool,
    pub(crate) managed: bool,
    pub(crate) type_: &'a str,
    pub(crate) immutable: bool,
    pub(crate) owners: &'a [OwnerReference],
    pub(crate) labels: &'a BTreeMap<String, String>,
    pub(crate) annotations: &'a BTreeMap<String, String>,
    pub(crate) data: BTreeMap<&'a str, &'a [u8]>,
}

impl<'a> View<'a> {
    pub(crate) fn of_live(secret: &'a LiveSecret) -> Self {
        let ObjectMetadata {
            uid,
            labels,
            annotations,
            owner_references,
            ..
        } = &secret.metadata;
        Self {
            uid,
            patch: secret.metadata.is_patch(),
            managed: secret.metadata.is_managed(),
            type_: if secret.type_.is_empty() {
                OPAQUE
            } else {
                &secret.type_
            },
            immutable: secret.immutable.unwrap_or(false),
            owners: owner_references,
            labels,
            annotations,
            data: secret
                .data
                .iter()
                .map(|(key, value)| (key.as_str(), value.expose_secret()))
                .collect(),
        }
    }
}

/// Fields one after the other, each behind its length, so that no two lists of fields look the same.
struct Message(Zeroizing<Vec<u8>>);

impl Message {
    fn new(kind: &str) -> Self {
        let mut message = Self(Zeroizing::new(Vec::with_capacity(4096)));
        message.field(kind.as_bytes());
        message
    }

    fn field(&mut self, bytes: &[u8]) {
        self.0
            .extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    fn count(&mut self, count: usize) {
        self.field(&(count as u64).to_be_bytes());
    }

    fn optional(&mut self, bytes: Option<&[u8]>) {
        self.count(usize::from(bytes.is_some()));
        self.field(bytes.unwrap_or_default());
    }
}

/// Everything that decides what the SealedSecret's Secret is. Returns `None` outside a cluster.
fn sealed_message(sealed: &SealedSecret, options: &Options) -> Option<Zeroizing<Vec<u8>>> {
    let metadata = &sealed.metadata;
    if metadata.uid.is_empty() {
        return None;
    }
    let mut message = Message::new("sealed");
    message.field(metadata.uid.as_bytes());
    message.field(metadata.namespace.as_bytes());
    message.field(metadata.name.as_bytes());
    message.field(sealed.scope().to_string().as_bytes());
    message.field(&serde_json::to_vec(&sealed.spec).ok()?);
    unsealing(&mut message, options);
    Some(message.0)
}

/// What one way to unseal lets pass and another refuses.
fn unsealing(message: &mut Message, options: &Options) {
    let Options {
        // What it decides about has no mark.
        accept_deprecated_data: _,
        limits:
            Limits {
                // No flag sets them; another version of the program may.
                steps: _,
                output: _,
                memory: _,
                depth: _,
                missing_key,
            },
    } = options;
    message.count(usize::from(*missing_key == MissingKey::Error));
}

fn whole_message(sealed: &Mac, extent: &Extent, view: &View<'_>) -> Zeroizing<Vec<u8>> {
    let mut message = Message::new("whole");
    message.field(sealed);
    message.field(view.uid.as_bytes());
    message.count(usize::from(view.patch));
    message.optional((extent.has_type || !view.patch).then_some(view.type_.as_bytes()));
    message.count(usize::from(view.immutable));
    owners(&mut message, view);
    for (names, texts) in [
        (&extent.labels, view.labels),
        (&extent.annotations, view.annotations),
    ] {
        message.count(names.len());
        for name in names {
            message.field(name.as_bytes());
            message.optional(texts.get(&**name).map(String::as_bytes));
        }
    }
    let whole: Vec<&str> = view.data.keys().copied().collect();
    let part: Vec<&str> = extent.keys.iter().map(|key| &**key).collect();
    let keys = if view.patch { part } else { whole };
    message.count(keys.len());
    for key in keys {
        message.field(key.as_bytes());
        message.optional(view.data.get(key).copied());
    }
    message.0
}

/// A Secret that is only added to keeps its owners, whoever they are, unless it may be taken over.
fn owners(message: &mut Message, view: &View<'_>) {
    let spoken_about: &[OwnerReference] = match view.patch && !view.managed {
        true => &[],
        false => view.owners,
    };
    message.count(usize::from(view.managed));
    message.count(spoken_about.len());
    for owner in spoken_about {
        let OwnerReference {
            api_version,
            kind,
            name,
            uid,
            controller,
            block_owner_deletion,
        } = owner;
        for text in [api_version, kind, name, uid] {
            message.field(text.as_bytes());
        }
        message.count(usize::from(*controller));
        message.count(usize::from(*block_owner_deletion));
    }
}

fn mark_of(sealed: &SealedSecret) -> Option<Mark> {
    Mark::parse(sealed.status.as_ref()?.mark.as_deref()?)
}

fn made_message(sealed_uid: &str, secret_uid: &str) -> Zeroizing<Vec<u8>> {
    let mut message = Message::new("made");
    message.field(sealed_uid.as_bytes());
    message.field(secret_uid.as_bytes());
    message.0
}

fn varying_message(sealed: &Mac, key: &str, value: &Plaintext) -> Zeroizing<Vec<u8>> {
    let mut message = Message::new("varying");
    message.field(sealed);
    message.field(key.as_bytes());
    message.field(value.expose_secret());
    message.0
}

/// Whether the template asks for a Secret without owner.
pub(crate) fn skips_owner(sealed: &SealedSecret) -> bool {
    is_true(
        &sealed.spec.template.metadata.annotations,
        SKIP_SET_OWNER_REFERENCES,
    )
}

#[cfg(test)]
mod tests;
