//! Writes scalars: each in the style that is asked for, or as SOPS does where none is.

use super::resolve::{is_text, is_text_everywhere};

/// What stands around a scalar that is to be written.
#[derive(Clone, Copy)]
pub(super) struct Around<'t> {
    /// Whether brackets or braces are open.
    pub(super) flow: bool,
    /// The column of the key or dash that it belongs to.
    pub(super) column: usize,
    /// The column that the lines of a block get.
    pub(super) indent: usize,
    /// How lines end.
    pub(super) newline: &'t str,
    /// Whether the line after it is empty: blocks that keep their last lines would take it in.
    pub(super) blank_follows: bool,
}

/// A text as SOPS writes it.
pub(super) fn default(text: &str, around: Around<'_>) -> String {
    if text.contains('\n') {
        let trailing = text.lines().any(|line| line.ends_with([' ', '\t']));
        let block = (!trailing).then(|| literal(text, None, around)).flatten();
        return block.unwrap_or_else(|| double(text));
    }
    if !is_text_everywhere(text) {
        return double(text);
    }
    plain(text, around.flow)
        .map(str::to_owned)
        .or_else(|| single(text))
        .unwrap_or_else(|| double(text))
}

/// A text without quotes. Returns `None` if it would not be read as that text.
pub(super) fn plain(text: &str, flow: bool) -> Option<&str> {
    (is_text(text) && stands_alone(text, flow)).then_some(text)
}

/// Whether a text can stand without quotes, whatever it would mean.
pub(super) fn stands_alone(text: &str, flow: bool) -> bool {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first() else {
        return false;
    };
    let flow_mark = |byte: u8| matches!(byte, b',' | b'[' | b']' | b'{' | b'}');
    let begins = match first {
        b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
        | b'"' | b'%' | b'@' | b'`' | b' ' | b'\t' => false,
        b'-' | b'?' | b':' => match bytes.get(1) {
            None => false,
            Some(next) => !(matches!(next, b' ' | b'\t') || flow && flow_mark(*next)),
        },
        _ => true,
    };
    let breaks = |pair: &[u8]| match pair {
        [b':', next] => matches!(next, b' ' | b'\t') || flow && flow_mark(*next),
        [b' ' | b'\t', b'#'] => true,
        _ => false,
    };
    let ends = text.ends_with([' ', '\t', ':'])
        || text.starts_with("---")
        || text.starts_with("...")
        || flow && bytes.iter().any(|byte| flow_mark(*byte))
        || bytes.windows(2).any(breaks);
    begins && !ends && !text.contains('\n') && text.chars().all(is_printable)
}

/// A text in single quotes. Returns `None` if it needs escapes or lines.
pub(super) fn single(text: &str) -> Option<String> {
    let fits = !text.contains('\n') && text.chars().all(is_printable);
    fits.then(|| format!("'{}'", text.replace('\'', "''")))
}

/// A text in double quotes, on one line, with as few escapes as can be.
pub(super) fn double(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{B}' => out.push_str("\\v"),
            '\u{C}' => out.push_str("\\f"),
            '\u{1B}' => out.push_str("\\e"),
            '\u{85}' => out.push_str("\\N"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            _ if is_printable(character) => out.push(character),
            _ => match u32::from(character) {
                code @ ..=0xFF => out.push_str(&format!("\\x{code:02X}")),
                code @ ..=0xFFFF => out.push_str(&format!("\\u{code:04X}")),
                code => out.push_str(&format!("\\U{code:08X}")),
            },
        }
    }
    out.push('"');
    out
}

/// A text as a literal block: header, lines, without the last line's end. `header` is kept if it fits.
///
/// Returns `None` if no literal block holds the text.
pub(super) fn literal(text: &str, header: Option<&str>, around: Around<'_>) -> Option<String> {
    let content = text.trim_end_matches('\n');
    let last = content.rsplit('\n').next().unwrap_or("");
    let printable = |c: char| c == '\n' || c == '\t' || is_printable(c);
    if around.flow || last.trim_matches([' ', '\t']).is_empty() || !text.chars().all(printable) {
        return None;
    }
    let (mark, indent) = literal_header(text, content, header, around)?;
    let mut out = mark;
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        out.push_str(around.newline);
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
    }
    Some(out)
}

/// The header of a block, and the column of its lines.
fn literal_header(
    text: &str,
    content: &str,
    header: Option<&str>,
    around: Around<'_>,
) -> Option<(String, usize)> {
    let breaks = text.len() - content.len();
    let digit = header.and_then(|header| header.chars().find(char::is_ascii_digit));
    let digit = digit
        .and_then(|digit| digit.to_digit(10))
        .map(|digit| digit as usize);
    let first = text.split('\n').find(|line| !line.is_empty()).unwrap_or("");
    let starts_with_space = first.starts_with([' ', '\t']);
    let indent = digit.map_or(around.indent, |digit| around.column + digit);
    let chomp = header.map(|header| header.chars().find(|c| matches!(c, '-' | '+')));
    let chomp_fits = match chomp {
        None => false,
        Some(Some('-')) => breaks == 0,
        Some(Some(_)) => breaks > 0,
        Some(None) => breaks == 1,
    };
    if let Some(header) = header.filter(|_| chomp_fits && (digit.is_some() || !starts_with_space)) {
        return Some((header.to_owned(), indent));
    }
    if breaks > 1 && around.blank_follows {
        return None;
    }
    let mut mark = "|".to_owned();
    if starts_with_space || digit.is_some() {
        let digit = indent
            .checked_sub(around.column)
            .filter(|digit| (1..=9).contains(digit))?;
        mark.push_str(&digit.to_string());
    }
    match breaks {
        0 => mark.push('-'),
        1 => {}
        _ => mark.push('+'),
    }
    Some((mark, indent))
}

/// Whether a character can stand as it is.
fn is_printable(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' => {
            !matches!(character, '\u{2028}' | '\u{2029}' | '\u{FEFF}')
        }
        _ => character >= '\u{10000}',
    }
}
