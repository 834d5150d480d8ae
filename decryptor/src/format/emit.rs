//! Writes a tree anew in any format, as SOPS lays it out.

use zeroize::Zeroizing;

use super::{Format, dotenv, ini, json, yaml};
use crate::sops::value;
use crate::tree::{Entry, Leaf, Pair, Scalar, Tree, Value};

/// Why a tree cannot be written in a format; no value is part of it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct EmitError {
    /// The key that does not fit.
    pub key: String,
    /// What the format lacks.
    pub reason: &'static str,
}

impl EmitError {
    pub(super) fn new(key: &str, reason: &'static str) -> Self {
        Self {
            key: key.to_owned(),
            reason,
        }
    }
}

impl EmitError {
    /// A document that does not fit as a whole.
    pub(crate) fn of(format: Format, reason: &'static str) -> Self {
        Self::new(format.name(), reason)
    }
}

/// A text under way.
pub(super) type Out = Zeroizing<String>;

/// Writes a tree. Formats other than YAML have one document: the first.
pub(crate) fn emit(tree: &Tree, format: Format) -> Result<Zeroizing<Vec<u8>>, EmitError> {
    let first = tree.documents.first().map_or(&[][..], Vec::as_slice);
    let mut out = Out::default();
    match format {
        Format::Yaml => yaml::emit_documents(tree, &mut out)?,
        Format::Json => {
            json::emit_map(first, 0, &mut out)?;
            out.push('\n');
        }
        Format::Dotenv => dotenv::emit(first, &mut out)?,
        Format::Ini => ini::emit(first, &mut out)?,
        Format::Binary => return data(first),
    }
    Ok(Zeroizing::new(std::mem::take(&mut *out).into_bytes()))
}

/// Writes a mapping of YAML at a column, in two columns a step; values keep the form that they have in `source`.
#[cfg(feature = "hooks")]
pub(crate) fn emit_kept(
    entries: &[Entry],
    source: &str,
    column: usize,
    is_item: bool,
    out: &mut Zeroizing<String>,
) -> Result<(), EmitError> {
    yaml::emit_kept(entries, source, column, is_item, out)
}

/// Writes a value of YAML on one line.
pub(crate) fn emit_flow(value: &Value) -> Result<Out, EmitError> {
    let mut out = Out::default();
    yaml::emit_flow(value, &mut out)?;
    Ok(out)
}

/// Writes a single value: a text as it is, a mapping as a document of its own.
pub(crate) fn emit_value(value: &Value, format: Format) -> Result<Zeroizing<Vec<u8>>, EmitError> {
    let mut out = Out::default();
    match (value, format) {
        (Value::Leaf(leaf), _) if matches!(leaf.scalar, Scalar::Text(_) | Scalar::Bytes(_)) => {
            return Ok(value::canonical(&leaf.scalar).into_owned());
        }
        (Value::Leaf(leaf), Format::Dotenv | Format::Ini | Format::Binary) => {
            let words = value::in_words(&leaf.scalar);
            out.push_str(&words.unwrap_or_default());
        }
        (value, Format::Yaml) => yaml::emit_value(value, &mut out)?,
        (Value::Map(entries), Format::Json) => {
            json::emit_map(entries, 0, &mut out)?;
            out.push('\n');
        }
        (value, Format::Json) => json::emit_value(value, 0, &mut out)?,
        (Value::Map(entries), Format::Dotenv) => dotenv::emit(entries, &mut out)?,
        (Value::Map(entries), Format::Ini) => ini::emit(entries, &mut out)?,
        _ => {
            return Err(EmitError::new(
                format.name(),
                "the format holds no such value by itself",
            ));
        }
    }
    Ok(Zeroizing::new(std::mem::take(&mut *out).into_bytes()))
}

/// Writes one pair: lines at a column, or a key and a value of JSON.
pub(crate) fn emit_pair(format: Format, key: &str, value: &Value, column: usize) -> Option<Out> {
    let pair = Pair {
        key: key.to_owned(),
        at: 0..0,
        end: 0,
        value: value.repeated(None),
    };
    let mut out = Out::default();
    match format {
        Format::Yaml => yaml::emit_map(&[Entry::Pair(pair)], column, &mut out).ok()?,
        Format::Json => json::emit_pair(&pair, 0, &mut out).ok()?,
        Format::Dotenv => dotenv::emit(&[Entry::Pair(pair)], &mut out).ok()?,
        Format::Ini => ini::emit_key(&pair, &mut out).ok()?,
        Format::Binary => return None,
    }
    Some(out)
}

fn data(entries: &[Entry]) -> Result<Zeroizing<Vec<u8>>, EmitError> {
    let found = entries.iter().find_map(|entry| match entry {
        Entry::Pair(Pair {
            key,
            value: Value::Leaf(Leaf { scalar, .. }),
            ..
        }) if key == "data" && matches!(scalar, Scalar::Text(_) | Scalar::Bytes(_)) => {
            Some(value::canonical(scalar).into_owned())
        }
        _ => None,
    });
    found.ok_or_else(|| {
        EmitError::new(
            "data",
            "no binary data: the document has another format, as yaml or json",
        )
    })
}
