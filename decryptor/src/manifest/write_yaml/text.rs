//! How a string is written in YAML: plain, quoted or over several lines, as go-yaml chooses.

use crate::manifest::scalar::{Resolved, resolve};

/// The ways to write a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::manifest) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

/// The style that go-yaml gives to a string value in block context.
pub(in crate::manifest) fn style_of(text: &str) -> Style {
    let shape = Shape::of(text);
    if text.contains('\n') {
        return if shape.literal {
            Style::Literal
        } else {
            Style::DoubleQuoted
        };
    }
    if resolve(text) != Resolved::Text || is_base_60(text) {
        return Style::DoubleQuoted;
    }
    match shape {
        Shape { plain: true, .. } => Style::Plain,
        Shape {
            single_quoted: true,
            ..
        } => Style::SingleQuoted,
        _ => Style::DoubleQuoted,
    }
}

/// Which styles can hold a string.
struct Shape {
    plain: bool,
    single_quoted: bool,
    literal: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let special = !text.chars().all(is_printable);
        let space_break = text.contains(" \n");
        let indicators = text.starts_with("---") || text.starts_with("...") || has_indicators(text);
        let bounded = !text.starts_with([' ', '\n']) && !text.ends_with([' ', '\n']);
        let lines = text.contains('\n');
        let whole = !(special || space_break);
        Self {
            plain: whole && bounded && !lines && !indicators,
            single_quoted: whole && !text.contains("\n "),
            literal: whole && !text.ends_with(' '),
        }
    }
}

/// Returns whether a character has a meaning in YAML where it stands.
fn has_indicators(text: &str) -> bool {
    let bytes = text.as_bytes();
    let blank = |at: usize| {
        bytes
            .get(at)
            .is_none_or(|byte| matches!(byte, b' ' | b'\t'))
    };
    let first = match bytes.first() {
        Some(
            b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
            | b'"' | b'%' | b'@' | b'`',
        ) => true,
        Some(b'?' | b':' | b'-') => blank(1),
        _ => false,
    };
    first
        || (1..bytes.len()).any(|at| match bytes[at] {
            b':' => blank(at + 1),
            b'#' => matches!(bytes[at - 1], b' ' | b'\t' | b'\n'),
            _ => false,
        })
}

/// go-yaml's printable characters, less the line breaks of YAML 1.1.
///
/// It would write U+2028 and U+2029 as they are, which other parsers read as something else.
fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}')
        && !matches!(character, '\u{2028}' | '\u{2029}' | '\u{FEFF}')
}

/// Returns whether a string can stand between single quotes on one line.
pub(in crate::manifest) fn fits_single_quotes(text: &str) -> bool {
    text.chars()
        .all(|character| character != '\n' && is_printable(character))
}

/// A number in base 60, as only YAML 1.1 knows it: `190:20:30`.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = whole.split(':');
    let head = parts.next().unwrap_or_default();
    let digits_or_underscores = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let sixty = |part: &str| match part.as_bytes() {
        [digit] => digit.is_ascii_digit(),
        [b'0'..=b'5', digit] => digit.is_ascii_digit(),
        _ => false,
    };
    whole.contains(':')
        && head.starts_with(|first: char| first.is_ascii_digit())
        && digits_or_underscores(head)
        && digits_or_underscores(fraction)
        && parts.all(sixty)
}

/// go-yaml breaks a line at the next space after so many characters.
const WIDTH: usize = 80;

/// Writes a string without quotes, folded if there is an indentation for further lines.
pub(super) fn plain(out: &mut String, text: &str, indent: Option<usize>) {
    fold(out, text, indent, |out, character| {
        out.push(character);
        1
    });
}

/// Writes a string between single quotes, folded if there is an indentation for further lines.
pub(in crate::manifest) fn single_quoted(out: &mut String, text: &str, indent: Option<usize>) {
    out.push('\'');
    fold(out, text, indent, |out, character| {
        out.push(character);
        if character == '\'' {
            out.push('\'');
            return 2;
        }
        1
    });
    out.push('\'');
}

/// Writes the characters of a text, and a line break for a lone space past the width.
fn fold(
    out: &mut String,
    text: &str,
    indent: Option<usize>,
    mut write: impl FnMut(&mut String, char) -> usize,
) {
    let mut column = column(out);
    let mut after_space = false;
    let mut rest = text.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        let is_space = character == ' ';
        let inside = at > 0 && at + 1 < text.len();
        let lone = is_space && !after_space && rest.peek().is_none_or(|(_, next)| *next != ' ');
        match indent {
            Some(indent) if lone && inside && column > WIDTH => {
                new_line(out, indent);
                column = indent;
            }
            _ => column += write(out, character),
        }
        after_space = is_space;
    }
}

/// Writes a string between double quotes, folded if there is an indentation for further lines.
pub(in crate::manifest) fn double_quoted(out: &mut String, text: &str, indent: Option<usize>) {
    // go-yaml looks for a byte order mark at the start of the string, whatever character it is at.
    let after_mark = text.starts_with('\u{FEFF}');
    out.push('"');
    let mut column = column(out);
    let mut after_space = false;
    let mut rest = text.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        let is_space = character == ' ' && !after_mark;
        let inside = at > 0 && at + 1 < text.len();
        let before = out.len();
        match indent {
            Some(indent) if is_space && !after_space && inside && column > WIDTH => {
                new_line(out, indent);
                column = indent;
                if rest.peek().is_some_and(|(_, next)| *next == ' ') {
                    out.push('\\');
                    column += 1;
                }
            }
            _ if after_mark
                || !is_printable(character)
                || matches!(character, '"' | '\\' | '\n') =>
            {
                escape(out, character);
                column += out.len() - before;
            }
            _ => {
                out.push(character);
                column += 1;
            }
        }
        after_space = is_space;
    }
    out.push('"');
}

fn column(out: &str) -> usize {
    out.rsplit('\n').next().unwrap_or_default().chars().count()
}

fn new_line(out: &mut String, indent: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

fn escape(out: &mut String, character: char) {
    let short = match character {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{B}' => 'v',
        '\u{C}' => 'f',
        '\r' => 'r',
        '\u{1B}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{A0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let code = u32::from(character);
            let escaped = match code {
                0..=0xFF => format!("\\x{code:02X}"),
                0x100..=0xFFFF => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
            out.push_str(&escaped);
            return;
        }
    };
    out.push('\\');
    out.push(short);
}

/// Writes a string as a literal block, its lines indented: by `step` more than what they belong to.
pub(in crate::manifest) fn literal(out: &mut String, text: &str, indent: usize, step: usize) {
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push_str(&step.to_string());
    }
    if !text.ends_with('\n') {
        out.push('-');
    } else if text == "\n" || text.ends_with("\n\n") {
        out.push('+');
    }
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        new_line(out, if line.is_empty() { 0 } else { indent });
        out.push_str(line);
    }
    if text.ends_with('\n') {
        out.push('\n');
    }
}
