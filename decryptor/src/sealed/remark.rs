//! What the author of a Secret should know before it is sealed: for people, without any value.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keys::Plaintext;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::resource::TextMap;

/// The fields that a Secret has.
const FIELDS: [&str; 7] = [
    "apiVersion",
    "data",
    "immutable",
    "kind",
    "metadata",
    "stringData",
    "type",
];
/// A shorter value is found in other texts by chance.
const TELLING: usize = 6;

/// Something about a manifest that its author should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A metadata field that does not go into the template, such as `finalizers`.
    Dropped {
        /// The field's name.
        field: String,
    },
    /// A value of `stringData` was not written as text, so YAML changed it (`yes` became `true`).
    Coerced {
        /// The value's key.
        key: String,
    },
    /// A key that YAML may have made of another word (`n` became `false`).
    CoercedKey {
        /// The key as it was read.
        key: String,
    },
    /// A field that no Secret has, such as `stringdata`: what stands in it is lost.
    Unknown {
        /// The field's name.
        field: String,
    },
    /// A label or an annotation holds a value that is to be sealed, and it is not sealed there.
    Shown {
        /// The path of the label or annotation.
        place: String,
        /// The value's key.
        key: String,
    },
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dropped { field } => write!(
                f,
                "metadata.{field} is left out: it belongs to one object in one cluster"
            ),
            Self::Coerced { key } => write!(
                f,
                "stringData.{key} is not text, so YAML may have changed it; put it in quotes to keep it as written"
            ),
            Self::CoercedKey { key } => write!(
                f,
                "the key is {key} now, as YAML reads words such as y, n, on and off; put it in quotes to keep it as written"
            ),
            Self::Unknown { field } => {
                write!(f, "{field} is left out: it is no field of a Secret")
            }
            Self::Shown { place, key } => write!(
                f,
                "{place} shows the value of {key}: labels and annotations are not sealed"
            ),
        }
    }
}

/// Looks for fields that no Secret has.
pub(super) fn on_fields(object: &Map<String, Value>) -> Vec<Remark> {
    let unknown = object
        .iter()
        .filter(|(field, value)| !FIELDS.contains(&field.as_str()) && !value.is_null());
    let remark = |(field, _): (&String, &Value)| Remark::Unknown {
        field: field.clone(),
    };
    unknown.map(remark).collect()
}

/// Looks for keys that may have been other words.
pub(super) fn on_keys(data: &BTreeMap<String, Plaintext>) -> Vec<Remark> {
    let odd = data
        .keys()
        .filter(|key| matches!(key.as_str(), "true" | "false"));
    odd.map(|key| Remark::CoercedKey { key: key.clone() })
        .collect()
}

/// Looks for values that stand in labels or annotations too, as they are or in base64.
pub(super) fn on_what_shows(
    place: &str,
    texts: &TextMap,
    data: &BTreeMap<String, Plaintext>,
) -> Vec<Remark> {
    let mut remarks = Vec::new();
    if texts.is_empty() {
        return remarks;
    }
    for (key, value) in data {
        let value = value.expose_secret();
        if value.len() < TELLING {
            continue;
        }
        let encoded = Zeroizing::new(STANDARD.encode(value));
        let shows = |text: &str| {
            text.contains(encoded.as_str())
                || std::str::from_utf8(value).is_ok_and(|value| text.contains(value))
        };
        let shown = texts.iter().filter(|(_, text)| shows(text));
        remarks.extend(shown.map(|(name, _)| Remark::Shown {
            place: format!("metadata.{place}.{name}"),
            key: key.clone(),
        }));
    }
    remarks
}
