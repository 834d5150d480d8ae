//! Cuts scalars out of the spans of the parser, which run on over comments and lines that are not theirs.

use std::ops::Range;

use saphyr_parser::ScalarStyle;

use super::Reader;
use crate::tree::{Place, Style};
use crate::yaml_span::{after_properties, block_header, double_quoted_end, single_quoted_end};

/// A scalar cut out of its span.
pub(super) struct Cut {
    /// Where its anchor or tag begins, or itself.
    pub(super) whole: usize,
    pub(super) end: usize,
    pub(super) place: Place,
}

impl Reader<'_> {
    /// Cuts a scalar's span to its first and last character.
    pub(super) fn place(
        &self,
        span: Range<usize>,
        style: ScalarStyle,
        properties: bool,
        value: &str,
    ) -> Result<Cut, &'static str> {
        let text = self.text;
        let mut place = Place::default();
        if value.is_empty() && style == ScalarStyle::Plain && !properties {
            let at = match text.as_bytes().get(span.start) {
                Some(b':' | b'-') if span.start >= self.last_end => span.start + 1,
                _ => span.start,
            };
            place.at = at..at;
            return Ok(Cut {
                whole: at,
                end: at.max(self.last_end),
                place,
            });
        }
        let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let whole = match is_block && !properties {
            true => block_header(text, self.last_end).ok_or("a block without a header")?,
            false => span.start,
        };
        let start = match properties {
            true => after_properties(text, whole),
            false => whole,
        };
        // Other spaces than these are part of the value.
        let blank = [' ', '\t', '\r', '\n'];
        let trimmed = || {
            let value = &text[span.start..span.end.max(span.start)];
            span.start + value.trim_end_matches(blank).len()
        };
        let (style, end) = match style {
            ScalarStyle::SingleQuoted => (Style::Single, single_quoted_end(text, start)),
            ScalarStyle::DoubleQuoted => (Style::Double, double_quoted_end(text, start)),
            ScalarStyle::Literal => (Style::Literal, self.block_end(start, span.end, value)),
            ScalarStyle::Folded => (Style::Folded, self.block_end(start, span.end, value)),
            ScalarStyle::Plain => (Style::Plain, trimmed()),
        };
        place.at = start..end.max(start);
        place.style = style;
        let end = place.at.end;
        Ok(Cut { whole, end, place })
    }

    /// Where a block's last line ends, without its line break; with `+`, the empty lines are part of it.
    fn block_end(&self, header: usize, span_end: usize, value: &str) -> usize {
        let text = self.text;
        let header_end = text[header..]
            .find(['\n', ' ', '\t', '\r', '#'])
            .map_or(text.len(), |at| header + at);
        let span_end = span_end.max(header_end);
        let trimmed = header_end + text[header_end..span_end].trim_end().len();
        let trimmed = last_line_end(&text[..span_end], trimmed, value);
        if !text[header..header_end].contains('+') {
            return trimmed;
        }
        let blank = text[trimmed..].len()
            - text[trimmed..]
                .trim_start_matches(['\r', '\n', ' ', '\t'])
                .len();
        let lines = &text[trimmed..trimmed + blank];
        let lines = &lines[..lines.rfind('\n').unwrap_or(0)];
        trimmed + lines.strip_suffix('\r').unwrap_or(lines).len()
    }
}

/// Where the last line of a block's value ends. Blanks at its end are part of it, and so are lines of nothing but blanks
/// that stand further in than the block.
fn last_line_end(text: &str, trimmed: usize, value: &str) -> usize {
    let value = value.trim_end_matches('\n');
    let blanks = &value[value.trim_end().len()..];
    if blanks.is_empty() {
        return trimmed;
    }
    let lines = blanks.matches('\n').count() + usize::from(blanks.len() == value.len());
    let mut end = line_end(text, trimmed);
    for _ in 0..lines {
        end = line_end(text, (end + 1).min(text.len()));
    }
    match text[..end].ends_with('\r') {
        true => end - 1,
        false => end,
    }
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end)
}

/// Where a key begins: at the question mark before it, if one stands there.
pub(super) fn line_mark(text: &str, key: usize) -> usize {
    let before = text[..key].trim_end_matches([' ', '\t']);
    let is_mark = before.len() < key
        && before
            .strip_suffix('?')
            .is_some_and(|rest| rest.is_empty() || rest.ends_with([' ', '\t', '\n']));
    if is_mark { before.len() - 1 } else { key }
}
