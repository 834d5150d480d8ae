//! JSON, edited in place: order, white space and the writing of numbers stay.

mod emit;
mod read;

use std::ops::Range;

use zeroize::Zeroizing;

use super::yaml::{fields_of, place_of};
use super::{Edits, ParseError, Parsed, Previous, Syntax};
use crate::manifest::go_float::go_json_float;
use crate::sops::metadata::{Field, Fields};
use crate::sops::value::{self, Opened};
use crate::tree::{Entry, Leaf, Scalar, Tree, Value};

pub(super) use emit::{emit_map, emit_pair, emit_value};

/// What a JSON text has besides its tree.
pub(crate) struct Outside {
    /// Where the last value ends, or the opening brace if there is none.
    last_end: usize,
    is_empty: bool,
    /// What stands before the first key.
    lead: String,
    metadata: Option<Block>,
}

/// Where metadata stands.
struct Block {
    key: Range<usize>,
    end: usize,
    value_start: usize,
    mac: Option<Range<usize>>,
    last_modified: Option<Range<usize>>,
    is_first: bool,
}

/// Reads one object.
pub(super) fn parse(text: &str) -> Result<Parsed, ParseError> {
    let read = read::read(text)?;
    let mut entries = read.entries;
    let first = entries.first().and_then(|entry| match entry {
        Entry::Pair(pair) => Some(pair.at.start),
        Entry::Comment(_) => None,
    });
    let lead = text[read.opening..first.unwrap_or(read.opening)].to_owned();
    let is_metadata = |entry: &Entry| matches!(entry, Entry::Pair(pair) if pair.key == "sops");
    if entries.iter().filter(|entry| is_metadata(entry)).count() > 1 {
        return Err(ParseError::new(1, "the document has two sops entries"));
    }
    let at = entries.iter().position(is_metadata);
    let (mut metadata, mut block) = (None, None);
    if let Some(at) = at
        && let Entry::Pair(pair) = entries.remove(at)
    {
        let colon = text[pair.at.end..]
            .find(':')
            .map_or(pair.at.end, |colon| pair.at.end + colon + 1);
        let blank = text[colon..].len() - text[colon..].trim_start().len();
        block = Some(Block {
            key: pair.at.clone(),
            end: pair.end,
            value_start: colon + blank,
            mac: place_of(&pair, "mac").map(|(at, _)| at),
            last_modified: place_of(&pair, "lastmodified").map(|(at, _)| at),
            is_first: at == 0,
        });
        metadata = Some(fields_of(&pair.value));
    }
    let last_end = entries.last().map_or(read.opening, |entry| match entry {
        Entry::Pair(pair) => pair.end,
        Entry::Comment(comment) => comment.at.end,
    });
    let is_empty = entries.is_empty();
    let syntax = Syntax::Json(Outside {
        last_end,
        is_empty,
        lead,
        metadata: block,
    });
    let tree = Tree {
        documents: vec![entries],
    };
    Ok(Parsed {
        tree,
        metadata,
        duplicates: read.duplicates,
        syntax,
    })
}

/// Reads any value by itself.
pub(crate) fn value(text: &str) -> Result<Value, ParseError> {
    let wrapped = Zeroizing::new(format!("{{\"value\": {text}\n}}"));
    let mut entries = read::read(&wrapped)?.entries;
    match (entries.pop(), entries.is_empty()) {
        (Some(Entry::Pair(pair)), true) => Ok(pair.value),
        _ => Err(ParseError::new(1, "something stands after the value")),
    }
}

/// Puts a decrypted value in a leaf's place.
pub(super) fn write_opened(
    leaf: &Leaf,
    opened: &Opened,
    keeps: bool,
    edits: &mut Edits,
) -> Result<(), &'static str> {
    let Some(scalar) = &opened.scalar else {
        return Err("a comment stands in a list: JSON has none");
    };
    let new = match scalar {
        Scalar::Null => "null".to_owned(),
        Scalar::Bool(truth) => truth.to_string(),
        Scalar::Float(_) if !keeps => number(scalar, b"")?,
        Scalar::Int(_) | Scalar::Float(_) => number(scalar, opened.text.expose_secret())?,
        Scalar::Time(text) => string(text),
        Scalar::Text(text) => string(text),
        Scalar::Bytes(_) => return Err("the value is no text: JSON cannot hold it"),
    };
    edits.push(leaf.place.at.clone(), new);
    Ok(())
}

/// A number as it was written, if JSON reads it the same.
fn number(scalar: &Scalar, bytes: &[u8]) -> Result<String, &'static str> {
    let written = str::from_utf8(bytes).unwrap_or("");
    if let Some(read) = read::number(written)
        && value::is_same(&read, scalar)
    {
        return Ok(written.to_owned());
    }
    match scalar {
        Scalar::Float(value) if value.is_finite() => Ok(go_json_float(*value)),
        Scalar::Int(value) => Ok(value.to_string()),
        _ => Err("JSON has no infinity and no NaN"),
    }
}

/// A text in quotes, with as few escapes as can be.
fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{C}' => out.push_str("\\f"),
            '\0'..='\u{1F}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

impl Outside {
    pub(super) fn remove_metadata(&self, text: &str, edits: &mut Edits) {
        let Some(block) = &self.metadata else {
            return;
        };
        let before = text[..block.key.start].trim_end();
        let range = match (block.is_first, self.is_empty) {
            (false, _) => before.len() - 1..block.end,
            (true, true) => before.len()..block.end,
            (true, false) => {
                let comma = text[block.end..].find(',').map_or(0, |at| at + 1);
                let after = &text[block.end + comma..];
                let blank = after.len() - after.trim_start().len();
                block.key.start..block.end + comma + blank
            }
        };
        edits.push(range, "");
    }

    /// The metadata as written, with another MAC and time.
    pub(super) fn updated_value(&self, previous: &Previous<'_>) -> Option<String> {
        let block = self.metadata.as_ref()?;
        let (start, end) = (block.value_start, block.end);
        let mut edits = Edits::default();
        for (at, new) in [
            (block.mac.clone()?, previous.mac),
            (block.last_modified.clone()?, previous.last_modified),
        ] {
            edits.push(at.start - start..at.end - start, string(new));
        }
        Some(edits.apply(&previous.text[start..end]).to_string())
    }

    pub(super) fn write_metadata(
        &self,
        text: &str,
        fields: &Fields,
        value: Option<String>,
        edits: &mut Edits,
    ) {
        let lead = match (self.is_empty, self.lead.contains('\n')) {
            (true, _) => "",
            (false, true) => self.lead.as_str(),
            (false, false) => " ",
        };
        let unit = lead.rsplit('\n').next().filter(|_| lead.contains('\n'));
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let value = value.unwrap_or_else(|| {
            let mut out = String::new();
            write(
                &Field::Map(fields.clone()),
                unit.map(|unit| (unit, newline, 1)),
                &mut out,
            );
            out
        });
        let comma = if self.is_empty { "" } else { "," };
        edits.push(
            self.last_end..self.last_end,
            format!("{comma}{lead}\"sops\": {value}"),
        );
    }
}

/// Writes a field; on lines of their own if told how they are indented, and how deep.
fn write(field: &Field, layout: Option<(&str, &str, usize)>, out: &mut String) {
    let inner = layout.map(|(unit, newline, depth)| (unit, newline, depth + 1));
    let line = |out: &mut String, layout: Option<(&str, &str, usize)>| {
        if let Some((unit, newline, depth)) = layout {
            out.push_str(newline);
            out.push_str(&unit.repeat(depth));
        }
    };
    let separator = if layout.is_some() { "," } else { ", " };
    match field {
        Field::Null => out.push_str("null"),
        Field::Bool(value) => out.push_str(&value.to_string()),
        Field::Int(value) => out.push_str(&value.to_string()),
        Field::Text(text) => out.push_str(&string(text)),
        Field::List(items) if items.is_empty() => out.push_str("[]"),
        Field::Map(fields) if fields.is_empty() => out.push_str("{}"),
        Field::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { separator });
                line(out, inner);
                write(item, inner, out);
            }
            line(out, layout);
            out.push(']');
        }
        Field::Map(fields) => {
            out.push('{');
            for (at, (name, field)) in fields.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { separator });
                line(out, inner);
                out.push_str(&string(name));
                out.push_str(": ");
                write(field, inner, out);
            }
            line(out, layout);
            out.push('}');
        }
    }
}
