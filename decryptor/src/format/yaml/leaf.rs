//! Writes encrypted and decrypted values in the quotes, the block or the plain form that stands there.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::write::{self, Around};
use super::{Outside, block, resolve};
use crate::format::Edits;
use crate::manifest::go_float::{Bits, go_float};
use crate::sops::value::{self, Opened};
use crate::tree::{Leaf, Scalar, Style};

/// Stands behind an encrypted value in quotes whose source has none: brackets and braces take no plain one.
const PLAIN: &str = " plain";

impl Outside {
    pub(in crate::format) fn write_encrypted(
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
            && write::default(value, self.around_text(text, leaf, value)) == written
        {
            return edits.push(start..place.at.end, sealed);
        }
        let new = match place.style {
            Style::Plain if place.flow => format!("\"{sealed}{PLAIN}\""),
            Style::Plain => return edits.push(start..place.at.end, sealed),
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

    pub(in crate::format) fn write_opened(
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
            // SOPS encrypts floats without an exponent, and writes them with one: 1e19 has no other form that it reads.
            let written = match scalar {
                Scalar::Float(_) if !keeps => &[][..],
                _ => opened.text.expose_secret(),
            };
            edits.push(start..place.at.end, plain_form(scalar, written)?);
            return Ok(());
        };
        let around = || self.around_text(text, leaf, new);
        let is_plain = match &leaf.scalar {
            Scalar::Text(sealed) => value::mark(sealed) == PLAIN,
            _ => false,
        };
        let style = if is_plain { Style::Plain } else { place.style };
        let wanted = match style {
            Style::Plain if !keeps && !is_plain => None,
            Style::Plain if place.is_tagged_text => {
                write::stands_alone(new, place.flow).then_some(Cow::Borrowed(new.as_str()))
            }
            Style::Plain => write::plain(new, place.flow).map(Cow::Borrowed),
            Style::Single => write::single(new).map(Cow::Owned),
            Style::Double => Some(Cow::Owned(write::double(new))),
            Style::Literal | Style::Folded => {
                self.write_block(new, text, place.at.clone(), around(), edits);
                return Ok(());
            }
        };
        edits.push(
            start..place.at.end,
            wanted.unwrap_or_else(|| Cow::Owned(write::default(new, around()))),
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
        let mut new = Zeroizing::new(new.to_owned());
        // Where the file ends without a line break, a block has none in its value.
        if !new.ends_with('\n') && !mark.contains('-') && self.ends_with(text, at.end) {
            new.push('\n');
        }
        let new = new.as_str();
        let block = write::literal(new, Some(&mark), Around { indent, ..around });
        let block = block.unwrap_or_else(|| write::double(new));
        let (mark, lines) = block.split_at(block.find(['\r', '\n']).unwrap_or(block.len()));
        edits.push(header, mark);
        edits.push(body, lines);
    }

    /// Whether nothing but metadata follows, and no line break at its end.
    fn ends_with(&self, text: &str, end: usize) -> bool {
        let blocks = self
            .documents
            .iter()
            .filter_map(|document| document.metadata.as_ref());
        let mut lines = blocks.map(|block| block.lines(text));
        let is_last = |lines: Range<usize>| {
            lines.end == text.len()
                && text
                    .get(end..lines.start)
                    .is_some_and(|between| between.trim_matches(['\r', '\n']).is_empty())
        };
        !text.ends_with('\n') && lines.any(is_last)
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

    /// Around a text that is written there: a block would take in a comment behind it.
    fn around_text(&self, text: &str, leaf: &Leaf, new: &str) -> Around<'_> {
        let mut around = self.around(text, leaf);
        let behind = text[leaf.place.at.end..].lines().next().unwrap_or("");
        around.flow |= new.contains('\n') && !behind.trim().is_empty();
        around
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
}

/// A leaf as it is written, with the tag that gives it its type. A block with a comment behind its header has none.
pub(in crate::format) fn source_of(text: &str, leaf: &Leaf) -> Option<Zeroizing<String>> {
    let place = &leaf.place;
    let is_block = matches!(place.style, Style::Literal | Style::Folded);
    let (header, body) = block_parts(text, &place.at);
    if place.alias.is_some() || is_block && header.end != body.start {
        return None;
    }
    let start = place.typed_at.unwrap_or(place.at.start);
    Some(Zeroizing::new(text[start..place.at.end].to_owned()))
}

/// Whether an encrypted value has a style that its source cannot have had: a number in quotes, or a text without them that would
/// be read as a number.
pub(in crate::format) fn doubts_type(leaf: &Leaf, opened: &Opened) -> bool {
    let place = &leaf.place;
    let Scalar::Text(sealed) = &leaf.scalar else {
        return false;
    };
    let was_plain = match place.flow {
        true => value::mark(sealed) == PLAIN,
        false => place.style == Style::Plain && value::mark(sealed).is_empty(),
    };
    match &opened.scalar {
        Some(Scalar::Text(text)) => {
            was_plain && !place.is_tagged_text && !text.is_empty() && !resolve::is_text(text)
        }
        Some(Scalar::Bytes(_)) | None => false,
        Some(_) => !was_plain,
    }
}

/// Puts what [`source_of`] gave in a leaf's place.
pub(in crate::format) fn write_source(leaf: &Leaf, source: &str, edits: &mut Edits) {
    let place = &leaf.place;
    edits.push(
        place.typed_at.unwrap_or(place.at.start)..place.at.end,
        source,
    );
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
pub(super) fn plain_form<'b>(
    scalar: &Scalar,
    bytes: &'b [u8],
) -> Result<Cow<'b, str>, &'static str> {
    let written = str::from_utf8(bytes).unwrap_or("");
    let same = |text: &str| {
        let read = resolve::plain(text);
        read.is_ok_and(|read| value::is_same(&read, scalar))
    };
    if let Scalar::Bool(truth) = scalar {
        return Ok(swap_case(written).map_or_else(|| Cow::Owned(truth.to_string()), Cow::Borrowed));
    }
    if same(written) {
        return Ok(Cow::Borrowed(written));
    }
    Ok(Cow::Owned(match scalar {
        Scalar::Float(value) => match go_float(*value, Bits::Double).as_str() {
            "+Inf" => ".inf".to_owned(),
            "-Inf" => "-.inf".to_owned(),
            "NaN" => ".nan".to_owned(),
            // Without a point, it is the whole number 0.
            "-0" => "-0.0".to_owned(),
            text => text.to_owned(),
        },
        Scalar::Bytes(bytes) => format!("!!binary {}", BASE64_STANDARD.encode(bytes.as_slice())),
        other => String::from_utf8(value::canonical(other).to_vec())
            .map_err(|_| "a number that is no text")?,
    }))
}

/// The header of a block scalar, and its lines with the line break before them.
fn block_parts(text: &str, at: &Range<usize>) -> (Range<usize>, Range<usize>) {
    let written = &text[at.clone()];
    let header = written.find(char::is_whitespace).unwrap_or(written.len());
    let line = written.find('\n').unwrap_or(written.len());
    let line = written[..line].trim_end_matches('\r').len();
    (at.start..at.start + header, at.start + line..at.end)
}
