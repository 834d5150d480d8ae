//! INI, edited in place: order, blank lines, alignment and quotes stay.

mod emit;
mod read;
mod value;

use std::ops::Range;

use super::{Edits, ParseError, Parsed, Previous, Syntax, flat};
use crate::sops::metadata::Fields;
use crate::sops::value::Opened;
use crate::tree::{Comment, Leaf, Scalar, Tree};

pub(super) use emit::{emit, emit_key};
use value::written;

/// The section that holds metadata.
const SECTION: &str = "sops";

/// What an INI text has besides its tree.
pub(crate) struct Outside {
    metadata: Option<Block>,
    newline: &'static str,
    /// Comments that stand behind a value though they go on from lines above: they leave with those.
    behind: Vec<read::Behind>,
}

/// Where metadata stands: from its header to the next section or the end.
struct Block {
    lines: Range<usize>,
    mac: Option<Range<usize>>,
    last_modified: Option<Range<usize>>,
}

/// Reads sections of keys and values.
pub(super) fn parse(text: &str) -> Result<Parsed, ParseError> {
    let read = read::read(text)?;
    let metadata = match &read.metadata {
        None => None,
        Some(found) => {
            let fields = flat::unflatten(&found.fields);
            Some(Ok(fields.map_err(|reason| ParseError::new(1, reason))?))
        }
    };
    let newline = match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        // Behind it, a line feed alone would be read as one of these.
        None if text.ends_with('\r') => "\r\n",
        _ => "\n",
    };
    let block = read.metadata.map(|found| Block {
        lines: found.lines,
        mac: found.mac,
        last_modified: found.last_modified,
    });
    Ok(Parsed {
        tree: Tree {
            documents: vec![read.sections],
        },
        metadata,
        duplicates: read.duplicates,
        syntax: Syntax::Ini(Outside {
            metadata: block,
            newline,
            behind: read.behind,
        }),
    })
}

/// Puts an encrypted value in a leaf's place: in the quotes of its source, if the layout is the source's.
pub(super) fn write_encrypted(
    text: &str,
    leaf: &Leaf,
    sealed: &str,
    keeps: bool,
    edits: &mut Edits,
) {
    let whole = whole(leaf);
    let is_default = || match &leaf.scalar {
        Scalar::Text(value) => written(value).is_some_and(|default| default == text[whole.clone()]),
        _ => false,
    };
    match keeps || !is_default() {
        true => edits.push(leaf.place.at.clone(), sealed),
        false => edits.push(whole, sealed),
    }
}

/// The place of a value with its quotes.
fn whole(leaf: &Leaf) -> Range<usize> {
    let width = value::quote_of(leaf.place.style).len();
    leaf.place.at.start - width..leaf.place.at.end + width
}

impl Outside {
    /// Puts a decrypted value in a leaf's place, in its quotes if it fits there.
    pub(super) fn write_opened(
        &self,
        text: &str,
        leaf: &Leaf,
        opened: &Opened,
        edits: &mut Edits,
    ) -> Result<(), &'static str> {
        let new = opened.in_words()?;
        let whole = whole(leaf);
        let behind = whole.end..value::line_end(text, whole.end);
        let comment = text[behind.clone()].trim_end();
        // It may leave with those above, or stay.
        let may_leave = self
            .behind
            .binary_search_by_key(&behind.start, |left| left.at.start)
            .is_ok();
        let fits = |quote: &str| {
            value::in_quotes(&new, quote, comment)
                .filter(|_| !may_leave || value::in_quotes(&new, quote, "").is_some())
        };
        let kept = fits(value::quote_of(leaf.place.style));
        let new = match comment.is_empty() {
            true => kept.or_else(|| written(&new)),
            false => kept.or_else(|| value::QUOTES.into_iter().find_map(fits)),
        };
        edits.push(whole, new.ok_or("INI cannot hold the value there")?);
        Ok(())
    }

    /// Puts another text in a comment's place; the mark before it stays.
    pub(super) fn write_comment(&self, comment: &Comment, text: &str, edits: &mut Edits) {
        let mut lines = comment_lines(text, self.newline);
        let start = comment.at.start;
        // They are in the order of the text.
        let found = self
            .behind
            .binary_search_by_key(&start, |behind| behind.start);
        if let Some(behind) = found.ok().and_then(|at| self.behind.get(at)) {
            if behind.is_alone {
                lines = format!("; {lines}{}", self.newline);
            }
            edits.push(behind.at.clone(), "");
        }
        edits.push(comment.at.clone(), lines);
    }

    pub(super) fn remove_metadata(&self, text: &str, edits: &mut Edits) {
        let Some(block) = &self.metadata else {
            return;
        };
        let mut lines = block.lines.clone();
        // A line break as they were written: a carriage return before another may be the last line's own.
        let strip = |end: usize| {
            let before = text[..end].strip_suffix(self.newline);
            Some(before.or_else(|| text[..end].strip_suffix('\n'))?.len())
        };
        // An empty line stands before metadata; without a line break at the end, the source had none either.
        if let Some(end) = strip(lines.start)
            && (end == 0 || text[..end].ends_with('\n'))
        {
            lines.start = end;
        }
        if lines.end == text.len() && !text.ends_with('\n') {
            lines.start = strip(lines.start).unwrap_or(lines.start);
        }
        edits.push(lines, "");
    }

    /// The section of metadata with another MAC and time.
    pub(super) fn updated_lines(&self, previous: &Previous<'_>) -> Option<String> {
        let block = self.metadata.as_ref()?;
        let start = block.lines.start;
        let mut edits = Edits::default();
        for (at, new) in [
            (block.mac.clone()?, previous.mac),
            (block.last_modified.clone()?, previous.last_modified),
        ] {
            edits.push(at.start - start..at.end - start, new);
        }
        let mut lines = edits.apply(&previous.text[block.lines.clone()]).to_string();
        if !lines.ends_with('\n') {
            lines.push_str(self.newline);
        }
        Some(lines)
    }

    pub(super) fn write_metadata(
        &self,
        text: &str,
        fields: &Fields,
        lines: Option<String>,
        edits: &mut Edits,
    ) {
        let newline = self.newline;
        let lines = lines.unwrap_or_else(|| section(fields, newline));
        let at = text.len();
        let new = if text.is_empty() {
            lines
        } else if text.ends_with('\n') {
            format!("{newline}{lines}")
        } else {
            format!("{newline}{newline}{}", lines.trim_end_matches(['\r', '\n']))
        };
        edits.push(at..at, new);
    }
}

/// Metadata as SOPS writes it: keys padded to the longest.
fn section(fields: &Fields, newline: &str) -> String {
    let flat = flat::flatten(fields);
    let width = flat.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut out = format!("[{SECTION}]{newline}");
    for (name, text) in flat {
        let text = written(&text).unwrap_or(text);
        out.push_str(&format!("{name:width$} = {text}{newline}"));
    }
    out
}

/// A comment without its first mark. Later lines get marks of their own: nothing of them is read as a key.
fn comment_lines(text: &str, newline: &str) -> String {
    let mut lines = text.split('\n');
    let mut out = lines.next().unwrap_or("").to_owned();
    for line in lines {
        out.push_str(if out.ends_with('\r') { "\n" } else { newline });
        if !line.trim_start().starts_with([';', '#']) {
            out.push_str("; ");
        }
        out.push_str(line);
    }
    out
}
