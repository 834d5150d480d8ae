//! Values on one line, plain or in quotes, and literal blocks.

use zeroize::Zeroizing;

use super::{Lines, resolve};
use crate::tree::{Place, Scalar, Style};

impl Lines<'_> {
    /// Reads the value that stands on the rest of a line, or in the block that begins there.
    pub(super) fn scalar(&mut self, start: usize, end: usize) -> Option<(Scalar, Place)> {
        let written = &self.text[start..end];
        let (scalar, style) = match written.as_bytes().first()? {
            b'|' => return self.literal(start, end),
            b'"' => (quoted(written, '"')?, Style::Double),
            b'\'' => (quoted(written, '\'')?, Style::Single),
            _ => (plain(written)?, Style::Plain),
        };
        let place = Place {
            at: start..end,
            style,
            ..Place::default()
        };
        Some((scalar, place))
    }

    /// A block of lines right of their key or dash, none of them strange at its beginning or end.
    fn literal(&mut self, header: usize, end: usize) -> Option<(Scalar, Place)> {
        let keeps_break = match &self.text[header..end] {
            "|" => true,
            "|-" => false,
            _ => return None,
        };
        let outer = self.open.last()?.column;
        let mut out = Zeroizing::new(String::with_capacity(self.block_length(outer)));
        let mut indent = 0;
        let mut last_end = None;
        let mut blanks = 0;
        while let Some(rest) = self.text.get(self.at..).filter(|rest| !rest.is_empty()) {
            let line = &rest[..rest.find('\n')?];
            let column = line.bytes().take_while(|byte| *byte == b' ').count();
            if line.is_empty() && last_end.is_some() {
                blanks += 1;
            } else if column == line.len() {
                return None;
            } else if column <= outer {
                break;
            } else {
                if last_end.is_none() {
                    indent = column;
                }
                let content = line.get(indent..).filter(|_| column >= indent)?;
                let breaks = blanks + usize::from(last_end.is_some());
                out.extend(std::iter::repeat_n('\n', breaks));
                out.push_str(content);
                last_end = Some(self.at + line.len());
                blanks = 0;
            }
            self.at += line.len() + 1;
        }
        if out.ends_with(char::is_whitespace) {
            return None;
        }
        if keeps_break {
            out.push('\n');
        }
        let place = Place {
            at: header..last_end?,
            style: Style::Literal,
            ..Place::default()
        };
        Some((Scalar::Text(out), place))
    }

    /// How many bytes the lines right of a column have, so that a text never moves while it grows.
    fn block_length(&self, outer: usize) -> usize {
        let lines = self.text[self.at..].split_inclusive('\n');
        let is_inside = |line: &&str| {
            line.trim_end().is_empty() || line.len() - line.trim_start().len() > outer
        };
        lines.take_while(is_inside).map(str::len).sum::<usize>() + 1
    }
}

/// What stands in quotes, if nothing in them means anything else.
fn quoted(written: &str, quote: char) -> Option<Scalar> {
    let inner = written[1..].strip_suffix(quote)?;
    let has_mark = inner.contains(quote) || quote == '"' && inner.contains('\\');
    (!has_mark).then(|| Scalar::text(inner))
}

/// A value without quotes that no mark ends before its line does.
fn plain(written: &str) -> Option<Scalar> {
    let bytes = written.as_bytes();
    let begins = match bytes.first()? {
        b'-' => bytes.get(1)?.is_ascii_alphanumeric(),
        first => first.is_ascii_alphanumeric() || b"_/.+$(~".contains(first) || *first >= 0x80,
    };
    let ends = written.ends_with(char::is_whitespace) || written.ends_with(':');
    let stops = written
        .match_indices(' ')
        .any(|(at, _)| bytes[..at].ends_with(b":") || bytes[at + 1..].starts_with(b"#"));
    if !begins || ends || stops {
        return None;
    }
    resolve::plain(written).ok()
}
