//! How values are written in their source, where the style of their encrypted form does not say so: `0644`, `1.50`, folded blocks.
//!
//! Values are encrypted in their canonical form only: SOPS keeps a value's nonce when it writes a document again, and
//! another form would then share it. Their sources stand in the metadata, encrypted together.

use std::collections::BTreeMap;

use keys::aead::ValueCipher;
use zeroize::Zeroizing;

use super::value::{self, Nonces, Type};
use super::walk::leaves;
use super::{Plain, ReadError};
use crate::format::{Format, ParseError};
use crate::tree::Scalar;

/// No value and no MAC has such authenticated data: those end with a colon or are a time.
const AAD: &str = "written";

/// The sources of leaves, by their number in the document in clear.
#[derive(Default)]
pub(super) struct Sources(BTreeMap<usize, Zeroizing<String>>);

impl Sources {
    /// Those that a document's metadata holds. What does not open is none: it is about looks only, and the MAC is over values.
    pub(super) fn open(cipher: &ValueCipher, sealed: Option<&str>) -> Self {
        let opened = sealed.and_then(|sealed| value::open(cipher, sealed, AAD.as_bytes()).ok());
        let pairs = opened.and_then(|opened| {
            serde_json::from_slice::<Vec<(usize, String)>>(opened.text.expose_secret()).ok()
        });
        let pairs = pairs.unwrap_or_default().into_iter();
        Self(
            pairs
                .map(|(at, source)| (at, Zeroizing::new(source)))
                .collect(),
        )
    }

    /// All of them, encrypted: as they were in an earlier version if they are the same.
    pub(super) fn seal(&self, cipher: &ValueCipher, previous: Option<&str>) -> String {
        let same = previous.filter(|previous| Self::open(cipher, Some(previous)).0 == self.0);
        if let Some(previous) = same {
            return previous.to_owned();
        }
        let pairs: Vec<_> = self
            .0
            .iter()
            .map(|(at, text)| (at, text.as_str()))
            .collect();
        let plain = serde_json::to_vec(&pairs).expect("numbers and texts are JSON");
        let plain = Zeroizing::new(plain);
        value::seal(
            cipher,
            &mut Nonces::default(),
            Type::Str,
            &plain,
            AAD.as_bytes(),
        )
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cfg(test)]
    pub(super) fn of(pairs: &[(usize, &str)]) -> Self {
        let pairs = pairs.iter();
        Self(
            pairs
                .map(|(at, text)| (*at, Zeroizing::new((*text).to_owned())))
                .collect(),
        )
    }

    /// The source of a leaf.
    pub(super) fn get(&self, at: usize) -> Option<&str> {
        self.0.get(&at).map(|source| source.as_str())
    }
}

/// The sources of the leaves that came back in another form.
pub(super) fn lost(source: &Plain, reopened: &Plain) -> Result<Sources, ReadError> {
    let (before, after) = (source.text()?, reopened.text()?);
    let parsed = source.format.parse(before)?;
    let parsed_again = source.format.parse(after)?;
    let (leaves, again) = (leaves(&parsed.tree), leaves(&parsed_again.tree));
    if leaves.len() != again.len() {
        return Ok(Sources::default());
    }
    let pairs = leaves.into_iter().zip(again);
    let lost = pairs.enumerate().filter_map(|(at, (leaf, other))| {
        let source = parsed.source_of(before, leaf)?;
        let is_lost = Some(&source) != parsed_again.source_of(after, other).as_ref();
        is_lost.then_some((at, source))
    });
    Ok(Sources(lost.collect()))
}

/// A leaf whose source was put in place, by its number, and what it must mean.
pub(super) struct Expected {
    pub(super) at: usize,
    pub(super) kind: Type,
    pub(super) canonical: Zeroizing<Vec<u8>>,
}

/// Whether sources mean the values that they stand for.
pub(super) fn agrees(
    text: &str,
    format: Format,
    count: usize,
    expected: &[Expected],
) -> Result<bool, ParseError> {
    let parsed = format.parse(text)?;
    let leaves = leaves(&parsed.tree);
    let is_same = |expected: &Expected| {
        leaves.get(expected.at).is_some_and(|leaf| {
            Type::of(&leaf.scalar) == expected.kind
                && !matches!(leaf.scalar, Scalar::Null)
                && *value::canonical(&leaf.scalar) == **expected.canonical
        })
    };
    Ok(leaves.len() == count && expected.iter().all(is_same))
}
