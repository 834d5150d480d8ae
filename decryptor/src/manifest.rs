//! Streams of Kubernetes objects: read whole or refused, written as the originals write them.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

pub mod edit;
pub(crate) mod go_float;
mod json;
mod list;
pub(crate) mod scalar;
mod wipe;
mod write_json;
mod write_yaml;
pub(crate) mod yaml;

pub use scalar::text_of_scalar;
pub use wipe::wipe;
pub use write_json::write_json;
pub use write_yaml::write_yaml;

use wipe::Wiped;

/// Objects nested deeper than this are refused.
const MAX_DEPTH: usize = 100;

/// The two languages that manifests are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// JSON values, one after the other.
    Json,
    /// YAML documents, between `---` lines.
    Yaml,
}

impl Syntax {
    /// Tells by its first character how a stream is meant to be read.
    pub fn of(text: &[u8]) -> Self {
        let first = text
            .strip_prefix(BYTE_ORDER_MARK)
            .unwrap_or(text)
            .trim_ascii_start()
            .first();
        match first {
            Some(b'{' | b'[') => Self::Json,
            _ => Self::Yaml,
        }
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One object of a stream. It may be a plain Secret: its strings are zeroed when it is dropped.
pub struct Document {
    /// Where it stands in the stream, from 0; empty documents are not counted.
    pub index: usize,
    /// The line it starts on, from 1. Items of a list have the line of their list.
    pub line: usize,
    /// Its place in the `items` of a list, from 0. `None` outside lists.
    pub item: Option<usize>,
    value: Wiped,
}

impl Document {
    /// The object itself.
    pub fn value(&self) -> &Value {
        &self.value.0
    }

    /// Takes the object out. Zeroing it with [`wipe`] is then the taker's.
    pub fn into_value(self) -> Value {
        self.value.take()
    }

    /// The object's `kind`. Returns `None` if there is none, or if it is no string.
    pub fn kind(&self) -> Option<&str> {
        self.value.0.get("kind")?.as_str()
    }

    /// The object's `apiVersion`. Returns `None` if there is none, or if it is no string.
    pub fn api_version(&self) -> Option<&str> {
        self.value.0.get("apiVersion")?.as_str()
    }

    /// The object's name. Returns `None` if there is none, or if it is no string.
    pub fn name(&self) -> Option<&str> {
        self.value.0.get("metadata")?.get("name")?.as_str()
    }

    /// Where it stands, in words for people: `document 2, item 3 (line 14)`.
    pub fn place(&self) -> String {
        let item = self
            .item
            .map(|item| format!(", item {}", item + 1))
            .unwrap_or_default();
        format!("document {}{item} (line {})", self.index + 1, self.line)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Document")
            .field("kind", &self.kind())
            .field("name", &self.name())
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// Why a stream cannot be read, and where. It holds no value of the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("document {document} (line {line}): {reason}")]
pub struct ReadError {
    /// Which document of the stream, from 1.
    pub document: usize,
    /// Which line of the stream, from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

/// One value of a stream, before lists are taken apart.
struct Parsed {
    line: usize,
    value: Wiped,
}

/// Reads every document of a stream of JSON values or YAML documents, or none.
///
/// YAML means what it means to the original: see [`text_of_scalar`] for numbers and booleans in string fields.
/// Empty documents are skipped, objects whose kind ends in `List` give their items.
pub fn read(text: &[u8]) -> Result<Vec<Document>, ReadError> {
    Ok(list::expand(parse(text)?))
}

/// As [`read`], but lists stay as they are.
pub fn read_whole(text: &[u8]) -> Result<Vec<Document>, ReadError> {
    Ok(list::number(parse(text)?).collect())
}

/// Reads the values of a stream, empty ones too.
fn parse(text: &[u8]) -> Result<Vec<Parsed>, ReadError> {
    let text = utf8(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text))?;
    if !json::begins(text) {
        return yaml::read(text);
    }
    // What starts like JSON may still be YAML (`{a: b}`). If it is neither, the reader that came further says more.
    json::read(text).or_else(|in_json| {
        yaml::read(text).map_err(|in_yaml| {
            let unquoted = !text.trim_ascii_start()[1..]
                .trim_ascii_start()
                .starts_with('"');
            match in_json.line.cmp(&in_yaml.line) {
                Ordering::Less => in_yaml,
                Ordering::Equal if unquoted => in_yaml,
                _ => in_json,
            }
        })
    })
}

fn utf8(text: &[u8]) -> Result<&str, ReadError> {
    str::from_utf8(text).map_err(|error| ReadError {
        document: 1,
        line: 1 + text[..error.valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count(),
        reason: "the text is not UTF-8".to_owned(),
    })
}

#[cfg(test)]
mod vectors;
