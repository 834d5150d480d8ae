//! Where the `sops` entry stands in YAML: it is read, taken away, and written again in its place.

use std::ops::Range;

use super::{Outside, block};
use crate::format::{Edits, ParseError, Previous};
use crate::sops::metadata::{Field, Fields};
use crate::sops::value;
use crate::tree::{Entry, Item, Pair, Scalar, Style, Value};

/// Where metadata stands.
pub(super) struct Block {
    key: Range<usize>,
    end: usize,
    mac: Option<(Range<usize>, Style)>,
    last_modified: Option<(Range<usize>, Style)>,
    /// Whether it is the first key.
    is_first: bool,
}

/// Takes the `sops` entry out of a document, with its place among the pairs.
pub(super) fn take_metadata(entries: &mut Vec<Entry>) -> Result<Option<(usize, Pair)>, ParseError> {
    let is_metadata = |entry: &Entry| matches!(entry, Entry::Pair(pair) if pair.key == "sops");
    if entries.iter().filter(|entry| is_metadata(entry)).count() > 1 {
        return Err(ParseError::new(1, "the document has two sops entries"));
    }
    let Some(at) = entries.iter().position(is_metadata) else {
        return Ok(None);
    };
    let before = entries[..at]
        .iter()
        .filter(|entry| matches!(entry, Entry::Pair(_)))
        .count();
    match entries.remove(at) {
        Entry::Pair(pair) => Ok(Some((before, pair))),
        Entry::Comment(_) => Ok(None),
    }
}

/// Metadata as plain fields.
pub(in crate::format) fn fields_of(value: &Value) -> Result<Fields, &'static str> {
    match field_of(value) {
        Field::Map(fields) => Ok(fields),
        _ => Err("the sops entry is not a mapping"),
    }
}

fn field_of(value: &Value) -> Field {
    match value {
        Value::Map(entries) => {
            let pairs = entries.iter().filter_map(|entry| match entry {
                Entry::Pair(pair) => Some((pair.key.clone(), field_of(&pair.value))),
                Entry::Comment(_) => None,
            });
            Field::Map(pairs.collect())
        }
        Value::List(items) => {
            let values = items.iter().filter_map(|item| match item {
                Item::Value(value) => Some(field_of(value)),
                Item::Comment(_) => None,
            });
            Field::List(values.collect())
        }
        Value::Leaf(leaf) => match &leaf.scalar {
            Scalar::Null => Field::Null,
            Scalar::Bool(value) => Field::Bool(*value),
            Scalar::Int(value) => Field::Int(*value),
            other => Field::Text(String::from_utf8_lossy(&value::canonical(other)).into_owned()),
        },
    }
}

/// Where a text field of metadata stands.
pub(in crate::format) fn place_of(metadata: &Pair, name: &str) -> Option<(Range<usize>, Style)> {
    let Value::Map(entries) = &metadata.value else {
        return None;
    };
    entries.iter().find_map(|entry| match entry {
        Entry::Pair(Pair {
            key,
            value: Value::Leaf(leaf),
            ..
        }) if key == name => Some((leaf.place.at.clone(), leaf.place.style)),
        _ => None,
    })
}

impl Outside {
    pub(in crate::format) fn remove_metadata(&self, text: &str, edits: &mut Edits) {
        for document in &self.documents {
            let Some(block) = &document.metadata else {
                continue;
            };
            match document.frame.closing_brace {
                Some(brace) => edits.push(block.range_in_braces(text, brace), ""),
                None => {
                    let mut lines = block.lines(text);
                    // Without a line break at its end, the source had none either.
                    if lines.end == text.len() && !text.ends_with('\n') {
                        let before = &text[..lines.start];
                        let before = before.strip_suffix('\n').unwrap_or(before);
                        lines.start = before.strip_suffix('\r').unwrap_or(before).len();
                    }
                    edits.push(lines, "");
                }
            }
        }
    }

    /// The lines of metadata with another MAC and time.
    pub(in crate::format) fn updated_block(&self, previous: &Previous<'_>) -> Option<String> {
        let document = self.documents.first()?;
        let block = document
            .metadata
            .as_ref()
            .filter(|_| document.frame.closing_brace.is_none())?;
        let text = previous.text;
        let mut edits = Edits::default();
        let lines = block.lines(text);
        for (place, new, is_time) in [
            (&block.mac, previous.mac, false),
            (&block.last_modified, previous.last_modified, true),
        ] {
            let (at, style) = place.clone()?;
            let new = match style {
                Style::Plain if is_time => format!("\"{new}\""),
                Style::Plain => new.to_owned(),
                Style::Single => format!("'{new}'"),
                Style::Double => format!("\"{new}\""),
                Style::Literal | Style::Folded => return None,
            };
            edits.push(at.start - lines.start..at.end - lines.start, new);
        }
        let mut block = edits.apply(&text[lines]).to_string();
        if !block.ends_with('\n') {
            block.push_str(self.newline);
        }
        Some(block)
    }

    pub(in crate::format) fn write_metadata(
        &self,
        text: &str,
        fields: &Fields,
        block: Option<String>,
        edits: &mut Edits,
    ) {
        for document in &self.documents {
            if let Some(brace) = document.frame.closing_brace {
                let comma = if document.is_empty { "" } else { ", " };
                let at = text[..brace].trim_end().len();
                let comma = if text[..at].ends_with(',') {
                    " "
                } else {
                    comma
                };
                edits.push(
                    at..at,
                    format!("{comma}\"sops\": {}", block::write_flow(fields)),
                );
                continue;
            }
            let column = document.frame.column;
            let block = match &block {
                Some(block) if column == 0 => block.clone(),
                _ => block::write(fields, column, self.step, self.newline),
            };
            let at = document.frame.end;
            let before = &text[..at];
            if before.is_empty() || before.ends_with('\n') {
                edits.push(at..at, block);
            } else {
                let block = block.strip_suffix(self.newline).unwrap_or(&block);
                edits.push(at..at, format!("{}{block}", self.newline));
            }
        }
    }
}

impl Block {
    pub(super) fn of(pair: &Pair, is_first: bool) -> Self {
        Self {
            key: pair.at.clone(),
            end: pair.end,
            mac: place_of(pair, "mac"),
            last_modified: place_of(pair, "lastmodified"),
            is_first,
        }
    }

    /// Its lines, from the beginning of the first to the end of the last.
    pub(super) fn lines(&self, text: &str) -> Range<usize> {
        let start = text[..self.key.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[self.end..]
            .find('\n')
            .map_or(text.len(), |at| self.end + at + 1);
        start..end
    }

    /// Its place between braces, with the comma before it, or after it if it comes first.
    fn range_in_braces(&self, text: &str, brace: usize) -> Range<usize> {
        let before = text[..self.key.start].trim_end();
        if let (false, true) = (self.is_first, before.ends_with(',')) {
            return before.len() - 1..self.end;
        }
        let after = &text[self.end..brace];
        let comma = after.find(',').map_or(0, |at| at + 1);
        self.key.start..self.end + comma
    }
}
