//! How a value is written in its source, where the style of its encrypted form does not say so: `0644`, `1.50`, folded blocks.
//!
//! Values are encrypted in their canonical form only: SOPS keeps a value's nonce when it writes a document again, and
//! another form would then share it. Their source stands behind the bracket, encrypted by itself and bound to the value's
//! ciphertext; SOPS ignores what stands there.

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use keys::aead::{ValueCipher, ValueNonce};
use zeroize::Zeroizing;

use super::rules::Rules;
use super::value::{self, Type};
use super::walk::{Met, walk};
use super::{Plain, ReadError};
use crate::format::{Format, ParseError};
use crate::tree::{Leaf, Scalar, Tree};

const AS: &str = " as ";
const NONCE: usize = size_of::<ValueNonce>();
const TAG: usize = 16;

/// What to put behind the bracket of an encrypted value.
pub(super) fn seal(cipher: &ValueCipher, source: &str, aad: &str, sealed: &str) -> String {
    let mut nonce = [0; NONCE];
    aws_lc_rs::rand::fill(&mut nonce).expect("the system's randomness does not fail");
    let (data, tag) = cipher.seal(&nonce, &bound(aad, sealed), source.as_bytes());
    let parts = [&nonce[..], &data[..], &tag[..]].concat();
    format!("{AS}{}", BASE64_STANDARD_NO_PAD.encode(parts))
}

/// The source of an encrypted value. `None` if it has none of its own; the error says that it does not open.
pub(super) fn open(
    cipher: &ValueCipher,
    text: &str,
    aad: &str,
) -> Option<Result<Zeroizing<String>, &'static str>> {
    let mark = mark(text)?;
    let opened = opened(cipher, mark, aad, value::without_mark(text));
    Some(opened.ok_or("the way it is written does not open: it was changed or moved"))
}

/// What stands behind the bracket, if it is a source.
pub(super) fn mark(text: &str) -> Option<&str> {
    let mark = value::mark(text);
    let source = mark.strip_prefix(AS)?;
    Some(&mark[..AS.len() + source.find(char::is_whitespace).unwrap_or(source.len())])
}

pub(super) fn opened(
    cipher: &ValueCipher,
    mark: &str,
    aad: &str,
    sealed: &str,
) -> Option<Zeroizing<String>> {
    let parts = BASE64_STANDARD_NO_PAD.decode(mark.strip_prefix(AS)?).ok()?;
    let (nonce, rest) = parts.split_at_checked(NONCE)?;
    let (data, tag) = rest.split_at_checked(rest.len().checked_sub(TAG)?)?;
    let opened = cipher.open(nonce, &bound(aad, sealed), data.to_vec(), tag);
    let text = str::from_utf8(opened.ok()?.expose_secret())
        .ok()?
        .to_owned();
    Some(Zeroizing::new(text))
}

/// No value and no MAC has such authenticated data: those end with a colon or are a time.
fn bound(aad: &str, sealed: &str) -> Vec<u8> {
    [aad, "\0as\0", sealed].concat().into_bytes()
}

/// For each leaf, its source if it came back in another form.
pub(super) fn lost(
    source: &Plain,
    reopened: &Plain,
) -> Result<Vec<Option<Zeroizing<String>>>, ReadError> {
    let (before, after) = (source.text()?, reopened.text()?);
    let parsed = source.format.parse(before)?;
    let parsed_again = source.format.parse(after)?;
    let (leaves, again) = (leaves(&parsed.tree), leaves(&parsed_again.tree));
    if leaves.len() != again.len() {
        return Ok(Vec::new());
    }
    let pairs = leaves.into_iter().zip(again);
    let lost = pairs.map(|(leaf, other)| {
        let source = parsed.source_of(before, leaf)?;
        (Some(&source) != parsed_again.source_of(after, other).as_ref()).then_some(source)
    });
    Ok(lost.collect())
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
                && value::canonical(&leaf.scalar) == expected.canonical
        })
    };
    Ok(leaves.len() == count && expected.iter().all(is_same))
}

fn leaves(tree: &Tree) -> Vec<&Leaf> {
    let mut leaves = Vec::new();
    let done: Result<(), std::convert::Infallible> = walk(tree, &Rules::default(), |met, _| {
        if let Met::Leaf(leaf) = met {
            leaves.push(leaf);
        }
        Ok(())
    });
    match done {
        Ok(()) => leaves,
    }
}
