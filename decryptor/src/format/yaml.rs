//! YAML, edited in place: comments, blank lines, quotes, indentation, anchors and line endings stay.

mod block;
mod comments;
mod emit;
mod read;
mod resolve;
mod write;

use std::ops::Range;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::{Edits, ParseError, Parsed, Previous, Syntax};
use crate::manifest::go_float::{Bits, go_float};
use crate::sops::metadata::{Field, Fields};
use crate::sops::value::{self, Opened, Type};
use crate::tree::{Entry, Item, Leaf, Pair, Scalar, Style, Value};
use write::Around;

pub(super) use emit::{emit_documents, emit_map, emit_value};

/// Stands behind an encrypted value in quotes whose source has none: brackets and braces take no plain one.
const PLAIN: &str = " plain";

/// What a YAML text has besides its tree.
pub(crate) struct Outside {
    documents: Vec<Document>,
    newline: &'static str,
    step: usize,
}

struct Document {
    frame: read::Frame,
    /// Whether it has no keys at all.
    is_empty: bool,
    metadata: Option<Block>,
}

/// Where metadata stands.
struct Block {
    key: Range<usize>,
    end: usize,
    mac: Option<(Range<usize>, Style)>,
    last_modified: Option<(Range<usize>, Style)>,
    /// Whether it is the first key.
    is_first: bool,
}

/// Reads one or several documents.
pub(super) fn parse(text: &str) -> Result<Parsed, ParseError> {
    let read::Read {
        mut tree,
        frames,
        step,
        duplicates,
    } = read::read(text)?;
    if frames.is_empty() {
        return Err(ParseError::new(1, "no document: a file needs at least one"));
    }
    let mut metadata = None;
    let mut documents = Vec::new();
    for (entries, frame) in tree.documents.iter_mut().zip(frames) {
        let found = take_metadata(entries)?;
        let block = found.as_ref().map(|(at, pair)| Block::of(pair, *at == 0));
        if documents.is_empty() {
            metadata = found.map(|(_, pair)| fields_of(&pair.value));
        }
        let is_empty = !entries.iter().any(|entry| matches!(entry, Entry::Pair(_)));
        documents.push(Document {
            frame,
            is_empty,
            metadata: block,
        });
    }
    let newline = match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    };
    let step = if step == 0 { 4 } else { step };
    let syntax = Syntax::Yaml(Outside {
        documents,
        newline,
        step,
    });
    Ok(Parsed {
        tree,
        metadata,
        duplicates,
        syntax,
    })
}

/// Takes the `sops` entry out of a document, with its place among the pairs.
fn take_metadata(entries: &mut Vec<Entry>) -> Result<Option<(usize, Pair)>, ParseError> {
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
pub(super) fn fields_of(value: &Value) -> Result<Fields, &'static str> {
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
pub(super) fn place_of(metadata: &Pair, name: &str) -> Option<(Range<usize>, Style)> {
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

impl Block {
    fn of(pair: &Pair, is_first: bool) -> Self {
        Self {
            key: pair.at.clone(),
            end: pair.end,
            mac: place_of(pair, "mac"),
            last_modified: place_of(pair, "lastmodified"),
            is_first,
        }
    }

    /// Its lines, from the beginning of the first to the end of the last.
    fn lines(&self, text: &str) -> Range<usize> {
        let start = text[..self.key.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[self.end..]
            .find('\n')
            .map_or(text.len(), |at| self.end + at + 1);
        start..end
    }
}

/// The bytes that stand for a leaf inside its encrypted value.
pub(super) fn source_form(text: &str, leaf: &Leaf) -> Zeroizing<Vec<u8>> {
    let canonical = value::canonical(&leaf.scalar);
    if leaf.place.style != Style::Plain || leaf.place.typed_at.is_some() {
        return canonical;
    }
    let written = &text[leaf.place.at.clone()];
    let written = match (&leaf.scalar, written) {
        (Scalar::Text(_) | Scalar::Bytes(_) | Scalar::Null, _) => return canonical,
        (Scalar::Bool(_), written) => swap_case(written).unwrap_or(written),
        (_, written) => written,
    };
    let kind = Type::of(&leaf.scalar);
    match kind.read(written.as_bytes()) {
        Some(read) if value::canonical(&read) == canonical => {
            Zeroizing::new(written.as_bytes().to_vec())
        }
        _ => canonical,
    }
}

/// SOPS encrypts `true` as `True`: what is encrypted as `true` has come from `True`.
fn swap_case(word: &str) -> Option<&'static str> {
    Some(match word {
        "true" => "True",
        "True" => "true",
        "false" => "False",
        "False" => "false",
        "TRUE" => "TRUE",
        "FALSE" => "FALSE",
        _ => return None,
    })
}

/// A decrypted value that is no text, as a plain scalar.
fn plain_form(scalar: &Scalar, bytes: &[u8]) -> Result<String, &'static str> {
    let written = str::from_utf8(bytes).unwrap_or("");
    let canonical = value::canonical(scalar);
    let same = |text: &str| {
        let read = resolve::plain(text);
        read.is_ok_and(|read| {
            Type::of(&read) == Type::of(scalar) && value::canonical(&read) == canonical
        })
    };
    if let Scalar::Bool(truth) = scalar {
        return Ok(swap_case(written).map_or_else(|| truth.to_string(), str::to_owned));
    }
    if same(written) {
        return Ok(written.to_owned());
    }
    Ok(match scalar {
        Scalar::Float(value) => match go_float(*value, Bits::Double).as_str() {
            "+Inf" => ".inf".to_owned(),
            "-Inf" => "-.inf".to_owned(),
            "NaN" => ".nan".to_owned(),
            text => text.to_owned(),
        },
        Scalar::Bytes(bytes) => format!("!!binary {}", BASE64_STANDARD.encode(bytes.as_slice())),
        other => String::from_utf8(value::canonical(other).to_vec())
            .map_err(|_| "a number that is no text")?,
    })
}

/// The header of a block scalar, and its lines with the line break before them.
fn block_parts(text: &str, at: &Range<usize>) -> (Range<usize>, Range<usize>) {
    let written = &text[at.clone()];
    let header = written.find(char::is_whitespace).unwrap_or(written.len());
    let line = written.find('\n').unwrap_or(written.len());
    let line = written[..line].trim_end_matches('\r').len();
    (at.start..at.start + header, at.start + line..at.end)
}

impl Outside {
    pub(super) fn has_metadata(&self) -> bool {
        self.documents
            .iter()
            .any(|document| document.metadata.is_some())
    }

    pub(super) fn write_encrypted(
        &self,
        text: &str,
        leaf: &Leaf,
        sealed: &str,
        keeps: bool,
        edits: &mut Edits,
    ) {
        let place = &leaf.place;
        let start = place.typed_at.unwrap_or(place.at.start);
        let written = &text[place.at.clone()];
        if let (false, false, Scalar::Text(value)) = (keeps, place.flow, &leaf.scalar)
            && write::default(value, self.around(text, leaf)) == written
        {
            return edits.push(start..place.at.end, sealed);
        }
        let new = match place.style {
            Style::Plain if place.flow => format!("\"{sealed}{PLAIN}\""),
            Style::Plain => sealed.to_owned(),
            Style::Single => format!("'{sealed}'"),
            Style::Double => format!("\"{sealed}\""),
            Style::Literal | Style::Folded => {
                return self.write_encrypted_block(text, leaf, sealed, edits);
            }
        };
        edits.push(start..place.at.end, new);
    }

    /// A block of one line under the header of the source. A comment behind the header has an edit of its own.
    fn write_encrypted_block(&self, text: &str, leaf: &Leaf, sealed: &str, edits: &mut Edits) {
        let at = leaf.place.at.clone();
        let (header, body) = block_parts(text, &at);
        let mark = &text[header.clone()];
        let digit = mark.chars().find_map(|c| c.to_digit(10));
        let lines = &text[body.clone()];
        let first = lines.lines().find(|line| !line.trim_ascii().is_empty());
        let indent = match (digit, first) {
            (Some(digit), _) => leaf.place.column + digit as usize,
            (None, Some(first)) => first.len() - first.trim_start_matches(' ').len(),
            (None, None) => self.around(text, leaf).indent,
        };
        let mark = mark.replacen('>', "|", 1);
        edits.push(
            leaf.place.typed_at.unwrap_or(header.start)..header.end,
            mark,
        );
        edits.push(
            body,
            format!("{}{}{sealed}", self.newline, " ".repeat(indent)),
        );
    }

    pub(super) fn write_opened(
        &self,
        text: &str,
        leaf: &Leaf,
        opened: &Opened,
        keeps: bool,
        edits: &mut Edits,
    ) -> Result<(), &'static str> {
        let place = &leaf.place;
        let start = place.typed_at.unwrap_or(place.at.start);
        let Some(scalar) = &opened.scalar else {
            return self.write_list_comment(text, leaf, opened, edits);
        };
        let Scalar::Text(new) = scalar else {
            edits.push(
                start..place.at.end,
                plain_form(scalar, opened.text.expose_secret())?,
            );
            return Ok(());
        };
        let mut around = self.around(text, leaf);
        let behind = text[place.at.end..].lines().next().unwrap_or("");
        // A block would take in a comment behind it.
        around.flow |= new.contains('\n') && !behind.trim().is_empty();
        let is_plain = match &leaf.scalar {
            Scalar::Text(sealed) => value::mark(sealed) == PLAIN,
            _ => false,
        };
        let style = if is_plain { Style::Plain } else { place.style };
        let wanted = match style {
            Style::Plain if !keeps && !is_plain => None,
            Style::Plain if place.is_tagged_text => {
                write::stands_alone(new, place.flow).then(|| new.to_string())
            }
            Style::Plain => write::plain(new, place.flow),
            Style::Single => write::single(new),
            Style::Double => Some(write::double(new)),
            Style::Literal | Style::Folded => {
                self.write_block(new, text, place.at.clone(), around, edits);
                return Ok(());
            }
        };
        edits.push(
            start..place.at.end,
            wanted.unwrap_or_else(|| write::default(new, around)),
        );
        Ok(())
    }

    /// A literal block under the header that stands there.
    fn write_block(
        &self,
        new: &str,
        text: &str,
        at: Range<usize>,
        around: Around<'_>,
        edits: &mut Edits,
    ) {
        let (header, body) = block_parts(text, &at);
        let lines = text[body.clone()].trim_start_matches(['\r', '\n']);
        let indent = match lines.len() - lines.trim_start_matches(' ').len() {
            0 => around.indent,
            indent => indent,
        };
        let mark = text[header.clone()].replacen('>', "|", 1);
        let block = write::literal(new, Some(&mark), Around { indent, ..around });
        let block = block.unwrap_or_else(|| write::double(new));
        let (mark, lines) = block.split_at(block.find(['\r', '\n']).unwrap_or(block.len()));
        edits.push(header, mark);
        edits.push(body, lines);
    }

    /// SOPS keeps the comments of lists as encrypted items: they become comments again.
    fn write_list_comment(
        &self,
        text: &str,
        leaf: &Leaf,
        opened: &Opened,
        edits: &mut Edits,
    ) -> Result<(), &'static str> {
        let before = text[..leaf.place.at.start].trim_end_matches(' ');
        if leaf.place.flow || !before.ends_with('-') {
            return Err("a comment stands where only a value can");
        }
        let comment =
            str::from_utf8(opened.text.expose_secret()).map_err(|_| "a comment is no text")?;
        let pad = format!("{}{}#", self.newline, " ".repeat(leaf.place.column));
        let lines = comment.replace('\r', "").replace('\n', &pad);
        edits.push(before.len() - 1..leaf.place.at.end, format!("#{lines}"));
        Ok(())
    }

    fn around(&self, text: &str, leaf: &Leaf) -> Around<'_> {
        let rest = text[leaf.place.at.end..]
            .split_once('\n')
            .map_or("", |(_, rest)| rest);
        Around {
            flow: leaf.place.flow,
            column: leaf.place.column,
            indent: block::next_column(leaf.place.column, self.step),
            newline: self.newline,
            blank_follows: rest.starts_with(['\n', '\r']),
        }
    }

    pub(super) fn remove_metadata(&self, text: &str, edits: &mut Edits) {
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
    pub(super) fn updated_block(&self, previous: &Previous<'_>) -> Option<String> {
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

    pub(super) fn write_metadata(
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
