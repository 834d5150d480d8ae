//! Ciphertexts of an earlier version: what did not change keeps its own.

use std::collections::{HashMap, VecDeque};

use aws_lc_rs::digest::{Context, SHA256};
use keys::aead::ValueCipher;

use super::open::path;
use super::value::{self, Nonces, Type, ValueError};
use super::walk::{Met, walk};
use super::{Encrypted, OpenError};
use crate::tree::Scalar;

/// Encrypted values by a digest of their path and plaintext. Each is given out once: no two places share a nonce.
#[derive(Default)]
pub(super) struct Stash {
    known: HashMap<[u8; 32], VecDeque<Known>>,
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
                        stash.known.entry(name).or_default().push_back(Known {
                            kind: opened.kind,
                            sealed,
                            is_item: matches!(met, Met::Leaf(_)),
                        });
                        Ok(())
                    }
                    Err(_) if matches!(met, Met::Comment(_)) => Ok(()),
                    Err(source) => {
                        Err::<(), ValueError>(source).map_err(|source| OpenError::Value {
                            path: path(spot.aad),
                            source,
                        })
                    }
                }
            },
        )?;
        Ok(stash)
    }

    /// Takes in the values of another version. What both have in the same bytes counts as often as the one has it that has
    /// it more often.
    pub(super) fn add(&mut self, other: Self) {
        for (name, values) in other.known {
            let known = self.known.entry(name).or_default();
            let mut shared: Vec<String> = known.iter().map(|known| known.sealed.clone()).collect();
            for value in values {
                match shared.iter().position(|sealed| *sealed == value.sealed) {
                    Some(at) => drop(shared.swap_remove(at)),
                    None => known.push_back(value),
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
        if !self.known.is_empty()
            && let Some(known) = self.known.get_mut(&name(plain, aad))
            && let Some(at) = known.iter().position(|known| is_same(known.kind, kind))
            && let Some(known) = known.remove(at)
        {
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
