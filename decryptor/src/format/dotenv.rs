//! Lines of `KEY=value`, edited in place: order and blank lines stay.

use std::ops::Range;

use zeroize::Zeroizing;

use super::emit::{EmitError, Out};
use super::{Edits, ParseError, Parsed, Previous, Syntax, flat};
use crate::sops::metadata::Fields;
use crate::sops::value::{self, Opened};
use crate::tree::{Comment, Entry, Leaf, Pair, Place, Scalar, Tree, Value};

/// Lines whose keys begin so are metadata.
const PREFIX: &str = "sops_";

/// What a dotenv text has besides its tree.
#[derive(Default)]
pub(crate) struct Outside {
    /// The lines of metadata, without line breaks.
    lines: Vec<Range<usize>>,
    mac: Option<Range<usize>>,
    last_modified: Option<Range<usize>>,
}

/// Reads lines as SOPS does: no quotes, no white space to trim, and `\n` for a line break in a value.
pub(super) fn parse(text: &str) -> Result<Parsed, ParseError> {
    let mut entries = Vec::new();
    let mut fields = Vec::new();
    let mut outside = Outside::default();
    let mut start = 0;
    for (number, line) in text.split('\n').enumerate() {
        let at = start..start + line.len();
        start = at.end + 1;
        if line.is_empty() {
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            entries.push(Entry::Comment(Comment {
                text: Zeroizing::new(comment.to_owned()),
                at,
                can_be_item: false,
            }));
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            return Err(ParseError::new(
                number + 1,
                "neither a comment nor KEY=value",
            ));
        };
        let place = at.end - value.len()..at.end;
        match key.strip_prefix(PREFIX) {
            Some(name) => {
                outside.take(name, at, place);
                fields.push((name.to_owned(), value.to_owned()));
            }
            None => entries.push(Entry::Pair(pair(key, value, at, place))),
        }
    }
    let metadata = match fields.is_empty() {
        true => None,
        false => Some(Ok(
            flat::unflatten(&fields).map_err(|reason| ParseError::new(1, reason))?
        )),
    };
    Ok(Parsed {
        tree: Tree {
            documents: vec![entries],
        },
        metadata,
        duplicates: Vec::new(),
        syntax: Syntax::Dotenv(outside),
    })
}

fn pair(key: &str, value: &str, line: Range<usize>, at: Range<usize>) -> Pair {
    let scalar = Scalar::Text(Zeroizing::new(value.replace("\\n", "\n")));
    let place = Place {
        at,
        ..Place::default()
    };
    Pair {
        key: key.to_owned(),
        at: line.start..line.start + key.len(),
        end: line.end,
        value: Value::Leaf(Leaf { scalar, place }),
    }
}

/// Puts a decrypted value in a leaf's place.
pub(super) fn write_opened(
    leaf: &Leaf,
    opened: &Opened,
    edits: &mut Edits,
) -> Result<(), &'static str> {
    edits.push(leaf.place.at.clone(), escaped(&opened.in_words()?));
    Ok(())
}

/// Writes keys and values, and comments.
pub(super) fn emit(entries: &[Entry], out: &mut Out) -> Result<(), EmitError> {
    for entry in entries {
        match entry {
            Entry::Comment(comment) => {
                out.push('#');
                out.push_str(&comment.text.replace('\n', "\n#"));
            }
            Entry::Pair(pair) => {
                let wrong = |reason| EmitError::new(&pair.key, reason);
                let Value::Leaf(leaf) = &pair.value else {
                    return Err(wrong("dotenv holds no mappings and no lists"));
                };
                if pair.key.is_empty()
                    || pair.key.starts_with('#')
                    || pair.key.contains(['=', '\n'])
                {
                    return Err(wrong("dotenv cannot hold the key"));
                }
                let text = value::in_words(&leaf.scalar);
                let text =
                    text.ok_or_else(|| wrong("the value is no text: dotenv cannot hold it"))?;
                out.push_str(&pair.key);
                out.push('=');
                out.push_str(&escaped(&text));
            }
        }
        out.push('\n');
    }
    Ok(())
}

/// A value on one line.
fn escaped(text: &str) -> String {
    text.replace('\n', "\\n")
}

/// Puts another text in a comment's place.
pub(super) fn write_comment(comment: &Comment, text: &str, edits: &mut Edits) {
    // A line break would end the comment, and what follows would be read.
    edits.push(
        comment.at.clone(),
        format!("#{}", text.replace('\n', "\n#")),
    );
}

impl Outside {
    fn take(&mut self, name: &str, line: Range<usize>, place: Range<usize>) {
        self.lines.push(line);
        match name {
            "mac" => self.mac = Some(place),
            "lastmodified" => self.last_modified = Some(place),
            _ => {}
        }
    }

    pub(super) fn remove_metadata(&self, text: &str, edits: &mut Edits) {
        // Without a line break at the end, the source had none either.
        let mut first = text.len();
        for line in self.lines.iter().rev() {
            if line.end == first {
                first = line.start.saturating_sub(1);
                edits.push(first..line.end, "");
            } else {
                edits.push(line.start..line.end + 1, "");
            }
        }
    }

    /// The lines of metadata with another MAC and time.
    pub(super) fn updated_lines(&self, previous: &Previous<'_>) -> Option<String> {
        let (mac, time) = (self.mac.as_ref()?, self.last_modified.as_ref()?);
        let mut out = String::new();
        for line in &self.lines {
            let (place, new) = match line {
                line if line.end == mac.end => (mac, previous.mac),
                line if line.end == time.end => (time, previous.last_modified),
                line => (&(line.end..line.end), ""),
            };
            out.push_str(&previous.text[line.start..place.start]);
            out.push_str(new);
            out.push('\n');
        }
        Some(out)
    }
}

/// Puts metadata behind the last line.
pub(super) fn write_metadata(
    text: &str,
    fields: &Fields,
    lines: Option<String>,
    edits: &mut Edits,
) {
    let lines = lines.unwrap_or_else(|| {
        let flat = flat::flatten(fields);
        let lines = flat
            .iter()
            .map(|(name, text)| format!("{PREFIX}{name}={text}\n"));
        lines.collect()
    });
    let at = text.len();
    match text.is_empty() || text.ends_with('\n') {
        true => edits.push(at..at, lines),
        false => edits.push(at..at, format!("\n{}", lines.trim_end_matches('\n'))),
    }
}
