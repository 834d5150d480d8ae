//! Ciphertexts of an earlier version: what did not change keeps its own.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;

use aws_lc_rs::digest::{Context, SHA256};
use keys::aead::ValueCipher;

use super::open::path;
use super::value::{self, Nonces, Type};
use super::walk::{Met, walk};
use super::{Encrypted, OpenError};
use crate::tree::Scalar;

/// A digest of a value's path and plaintext.
type Name = [u8; 32];

/// Encrypted values by name. Each is given out once: no two places share a nonce.
#[derive(Default)]
pub(super) struct Stash {
    /// In the order of the document; what was set aside is gone.
    known: HashMap<Name, VecDeque<Option<Known>>>,
    /// For each path of the first version, the values under it: items of a list share one, and so do documents.
    order: HashMap<u64, Vec<Name>>,
    /// The same for the document that is encrypted, until both are aligned.
    coming: HashMap<u64, Vec<Name>>,
    /// What keeps its place: by path and by number under it.
    kept: HashMap<(u64, usize), (Name, Known)>,
    /// How many values under a path were encrypted so far.
    met: HashMap<u64, usize>,
    paths: RandomState,
    /// For values that are new.
    nonces: Nonces,
}

struct Known {
    kind: Type,
    sealed: String,
    is_item: bool,
}

/// An encrypted value.
pub(super) struct Sealed {
    pub(super) text: String,
    /// Whether it was an item of a list before, even if it is a comment. `None` if it was not there.
    pub(super) was_item: Option<bool>,
}

impl Stash {
    /// The values of a document.
    pub(super) fn of(document: &Encrypted, cipher: &ValueCipher) -> Result<Self, OpenError> {
        let mut stash = Self::default();
        walk(
            &document.parsed.tree,
            &document.metadata.rules,
            |met, spot| {
                let sealed = match &met {
                    Met::Comment(comment) => Some(&comment.text),
                    Met::Leaf(leaf) => match &leaf.scalar {
                        Scalar::Text(text) => Some(text),
                        _ => None,
                    },
                };
                let Some(sealed) = sealed.filter(|text| spot.encrypted && !text.is_empty()) else {
                    return Ok(());
                };
                match value::open(cipher, sealed, spot.aad.as_bytes()) {
                    Ok(opened) => {
                        let name = name(opened.text.expose_secret(), spot.aad);
                        let sealed = value::without_mark(sealed).to_owned();
                        let path = stash.paths.hash_one(spot.aad);
                        stash.order.entry(path).or_default().push(name);
                        stash.known.entry(name).or_default().push_back(Some(Known {
                            kind: opened.kind,
                            sealed,
                            is_item: matches!(met, Met::Leaf(_)),
                        }));
                        Ok(())
                    }
                    Err(_) if matches!(met, Met::Comment(_)) => Ok(()),
                    Err(source) => Err(OpenError::Value {
                        path: path(spot.aad),
                        source,
                    }),
                }
            },
        )?;
        Ok(stash)
    }

    /// Takes in the values of another version. What both have in the same bytes counts as often as the one has it that has
    /// it more often.
    pub(super) fn add(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        for (name, values) in other.known {
            let known = self.known.entry(name).or_default();
            let of_both = known.iter().flatten();
            let mut shared: Vec<String> = of_both.map(|known| known.sealed.clone()).collect();
            for value in values.into_iter().flatten() {
                match shared.iter().position(|sealed| *sealed == value.sealed) {
                    Some(at) => drop(shared.swap_remove(at)),
                    None => known.push_back(Some(value)),
                }
            }
        }
    }

    /// Says that a value will be encrypted: all of them in their order, before [`Stash::align`].
    pub(super) fn foresee(&mut self, plain: &[u8], aad: &str) {
        let path = self.paths.hash_one(aad);
        self.coming.entry(path).or_default().push(name(plain, aad));
    }

    /// Sets aside what keeps its place: under each path, what is the same at the beginning and at the end. Otherwise, of
    /// equal values, each behind one that changed would get the ciphertext of the one before.
    pub(super) fn align(&mut self) {
        for (path, new) in std::mem::take(&mut self.coming) {
            let Some(old) = self.order.get(&path) else {
                continue;
            };
            let same = |(a, b): &(&Name, &Name)| a == b;
            let front = old.iter().zip(&new).take_while(same).count();
            let (old_rest, new_rest) = (old[front..].iter().rev(), new[front..].iter().rev());
            let back = old_rest.zip(new_rest).take_while(same).count();
            let mut occurrences: HashMap<&Name, usize> = HashMap::new();
            for (at, name) in old.iter().enumerate() {
                let occurrence = occurrences.entry(name).or_default();
                let known = self.known.get_mut(name);
                let known = known.and_then(|known| known.get_mut(*occurrence));
                *occurrence += 1;
                let at = match at {
                    at if at < front => at,
                    at if at >= old.len() - back => at + new.len() - old.len(),
                    _ => continue,
                };
                if let Some(known) = known.and_then(Option::take) {
                    self.kept.insert((path, at), (*name, known));
                }
            }
        }
    }

    /// Whether it has no values of an earlier version.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Encrypts a value, or gives back the ciphertext that it had.
    pub(super) fn seal(
        &mut self,
        cipher: &ValueCipher,
        kind: Type,
        plain: &[u8],
        aad: &str,
    ) -> Sealed {
        if let Some(known) = self.take(kind, plain, aad) {
            return Sealed {
                text: known.sealed,
                was_item: Some(known.is_item),
            };
        }
        Sealed {
            text: value::seal(cipher, &mut self.nonces, kind, plain, aad.as_bytes()),
            was_item: None,
        }
    }

    /// What the value had: that of its own place, or else of another that it was moved from.
    fn take(&mut self, kind: Type, plain: &[u8], aad: &str) -> Option<Known> {
        if self.known.is_empty() {
            return None;
        }
        let name = name(plain, aad);
        let path = self.paths.hash_one(aad);
        let number = self.met.entry(path).or_default();
        let place = (path, *number);
        *number += 1;
        let kept = self.kept.remove(&place);
        if let Some((_, known)) =
            kept.filter(|(kept, known)| *kept == name && is_same(known.kind, kind))
        {
            return Some(known);
        }
        let known = self.known.get_mut(&name)?;
        while let Some(None) = known.front() {
            known.pop_front();
        }
        let is_same = |known: &Option<Known>| {
            known
                .as_ref()
                .is_some_and(|known| is_same(known.kind, kind))
        };
        let at = known.iter().position(is_same)?;
        known.remove(at)?
    }
}

/// A float that SOPS writes without a point reads as a whole number: it did not change.
fn is_same(known: Type, kind: Type) -> bool {
    known == kind || (known, kind) == (Type::Float, Type::Int)
}

fn name(plain: &[u8], aad: &str) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(&(aad.len() as u64).to_be_bytes());
    context.update(aad.as_bytes());
    context.update(plain);
    let mut name = [0; 32];
    name.copy_from_slice(context.finish().as_ref());
    name
}
