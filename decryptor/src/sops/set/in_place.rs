//! Changes of a text for one value. Whether the text then means what it should is for the caller to see.

use std::ops::Range;

use keys::Plaintext;
use zeroize::Zeroizing;

use super::made;
use crate::format::{Edits, Format, emit_pair};
use crate::sops::convert::in_map;
use crate::sops::path::Step;
use crate::sops::value::{self, Opened, Type};
use crate::tree::{Entry, Leaf, Pair, Value};

/// The text with another value at a path. Returns `None` if that is not the matter of one place.
pub(super) fn set(
    format: Format,
    text: &str,
    steps: &[Step],
    new: &Value,
) -> Option<Zeroizing<String>> {
    let parsed = format.parse(text).ok()?;
    let document = parsed.tree.documents.first()?;
    let mut edits = Edits::default();
    match (in_map(document, steps), new) {
        (Some(Value::Leaf(leaf)), Value::Leaf(new))
            if leaf.place.alias.is_none() && !leaf.place.at.is_empty() =>
        {
            parsed
                .write_opened(text, leaf, &opened(new), true, &mut edits)
                .ok()?;
        }
        (Some(_), _) => return None,
        (None, new) => {
            // What is missing begins behind the longest way that there is.
            let missing = (1..=steps.len()).find(|at| in_map(document, &steps[..*at]).is_none())?;
            let (way, rest) = steps.split_at(missing);
            let (entries, key) = parent(document, way)?;
            let last = entries.iter().rev().find_map(as_pair)?;
            let new = made(rest, new.repeated(None));
            insert(format, text, last, key, &new, &mut edits)?;
        }
    }
    Some(edits.apply(text))
}

/// The text without the pair at a path.
pub(super) fn unset(format: Format, text: &str, steps: &[Step]) -> Option<Zeroizing<String>> {
    let parsed = format.parse(text).ok()?;
    let document = parsed.tree.documents.first()?;
    let (entries, key) = parent(document, steps)?;
    let pairs: Vec<&Pair> = entries.iter().filter_map(as_pair).collect();
    let at = pairs.iter().position(|pair| pair.key == key)?;
    let pair = pairs[at];
    let range = match format {
        Format::Json => match (at.checked_sub(1), pairs.get(at + 1)) {
            (Some(before), _) => pairs[before].end..pair.end,
            (None, Some(next)) => pair.at.start..next.at.start,
            (None, None) => pair.at.start..pair.end,
        },
        _ if pairs.len() == 1 && steps.len() > 1 => return None,
        _ => lines(text, pair)?,
    };
    let mut edits = Edits::default();
    edits.push(range, "");
    Some(edits.apply(text))
}

fn opened(new: &Leaf) -> Opened {
    Opened {
        kind: Type::of(&new.scalar),
        text: Plaintext::from(value::canonical(&new.scalar).into_owned()),
        scalar: Some(new.scalar.clone()),
    }
}

/// The mapping that holds the last key of a path, and that key.
fn parent<'t>(document: &'t [Entry], steps: &'t [Step]) -> Option<(&'t [Entry], &'t str)> {
    let (Step::Key(key), way) = steps.split_last()? else {
        return None;
    };
    if way.is_empty() {
        return Some((document, key));
    }
    match in_map(document, way)? {
        Value::Map(entries) => Some((entries, key)),
        _ => None,
    }
}

fn as_pair(entry: &Entry) -> Option<&Pair> {
    match entry {
        Entry::Pair(pair) => Some(pair),
        Entry::Comment(_) => None,
    }
}

/// The lines of a pair that shares them with nothing else.
fn lines(text: &str, pair: &Pair) -> Option<Range<usize>> {
    let start = text[..pair.at.start].rfind('\n').map_or(0, |at| at + 1);
    let is_alone = text[start..pair.at.start].bytes().all(|byte| byte == b' ');
    is_alone.then(|| start..line_end(text, pair.end))
}

fn line_end(text: &str, at: usize) -> usize {
    match text[..at].ends_with('\n') {
        true => at,
        false => text[at..].find('\n').map_or(text.len(), |end| at + end + 1),
    }
}

/// Puts a pair behind the last one of its mapping.
fn insert(
    format: Format,
    text: &str,
    last: &Pair,
    key: &str,
    new: &Value,
    edits: &mut Edits,
) -> Option<()> {
    if format == Format::Json {
        let before = &text[..last.at.start];
        let lead = &before[before.trim_end().len()..];
        let pair = emit_pair(format, key, new, 0)?;
        let pair = match lead.rfind('\n') {
            Some(line) => {
                let indent = &lead[line + 1..];
                pair.replace('\n', &format!("\n{indent}"))
            }
            None => pair.to_string(),
        };
        let lead = if lead.is_empty() { " " } else { lead };
        edits.push(last.end..last.end, format!(",{lead}{pair}"));
        return Some(());
    }
    let column = last.at.start - text[..last.at.start].rfind('\n').map_or(0, |at| at + 1);
    let pair = emit_pair(format, key, new, column)?;
    let at = line_end(text, last.end);
    match text[..at].ends_with('\n') {
        true => edits.push(at..at, pair.to_string()),
        false => edits.push(at..at, format!("\n{}", pair.trim_end_matches('\n'))),
    }
    Some(())
}
