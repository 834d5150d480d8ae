//! Go's quoted strings: read as `strconv.Unquote`, written as `strconv.Quote`.

use super::unicode::{characters, is_print, push};

/// What a quoted or raw-quoted literal stands for.
pub(super) fn unquote(literal: &str) -> Result<Vec<u8>, &'static str> {
    const BAD: &str = "invalid string syntax";
    if let Some(raw) = literal.strip_prefix('`') {
        let raw = raw.strip_suffix('`').ok_or(BAD)?;
        return Ok(raw.bytes().filter(|&byte| byte != b'\r').collect());
    }
    let mut rest = literal
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .ok_or(BAD)?;
    let mut out = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let (unit, after) = unquote_unit(rest, '"').ok_or(BAD)?;
        match unit {
            Unit::Byte(byte) => out.push(byte),
            Unit::Char(c) => push(&mut out, c),
        }
        rest = after;
    }
    Ok(out)
}

/// What a character constant stands for.
pub(super) fn unquote_char(literal: &str) -> Result<i64, &'static str> {
    let rest = literal.strip_prefix('\'').unwrap_or(literal);
    match unquote_unit(rest, '\'') {
        Some((Unit::Byte(byte), "'")) => Ok(i64::from(byte)),
        Some((Unit::Char(c), "'")) => Ok(i64::from(u32::from(c))),
        _ => Err("malformed character constant"),
    }
}

enum Unit {
    Byte(u8),
    Char(char),
}

fn unquote_unit(text: &str, quote: char) -> Option<(Unit, &str)> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if first == quote {
        return None;
    }
    if first != '\\' {
        return Some((Unit::Char(first), chars.as_str()));
    }
    let escape = chars.next()?;
    let rest = chars.as_str();
    let simple = |byte: u8| Some((Unit::Byte(byte), rest));
    match escape {
        'a' => simple(0x07),
        'b' => simple(0x08),
        'f' => simple(0x0c),
        'n' => simple(b'\n'),
        'r' => simple(b'\r'),
        't' => simple(b'\t'),
        'v' => simple(0x0b),
        '\\' => simple(b'\\'),
        '\'' | '"' if escape == quote => simple(quote as u8),
        'x' => number(rest, 2, 16)
            .and_then(|(value, rest)| Some((Unit::Byte(u8::try_from(value).ok()?), rest))),
        'u' => number(rest, 4, 16)
            .and_then(|(value, rest)| Some((Unit::Char(char::from_u32(value)?), rest))),
        'U' => number(rest, 8, 16)
            .and_then(|(value, rest)| Some((Unit::Char(char::from_u32(value)?), rest))),
        '0'..='7' => number(&text[1..], 3, 8)
            .and_then(|(value, rest)| Some((Unit::Byte(u8::try_from(value).ok()?), rest))),
        _ => None,
    }
}

fn number(text: &str, digits: usize, base: u32) -> Option<(u32, &str)> {
    let value = text.get(..digits)?;
    if !value.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    Some((u32::from_str_radix(value, base).ok()?, &text[digits..]))
}

/// Writes `bytes` as a double-quoted Go string; `ascii` escapes everything else.
pub(super) fn quote(bytes: &[u8], ascii: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 2 + 2);
    out.push(b'"');
    for (at, c, width) in characters(bytes) {
        if c == char::REPLACEMENT_CHARACTER && width == 1 {
            out.extend_from_slice(format!("\\x{:02x}", bytes[at]).as_bytes());
        } else {
            escape(&mut out, c, '"', ascii);
        }
    }
    out.push(b'"');
    out
}

/// Writes a character as a single-quoted Go constant.
pub(super) fn quote_char(c: char, ascii: bool) -> Vec<u8> {
    let mut out = vec![b'\''];
    escape(&mut out, c, '\'', ascii);
    out.push(b'\'');
    out
}

/// Whether a string can stand between back quotes as it is.
pub(super) fn can_backquote(bytes: &[u8]) -> bool {
    characters(bytes).all(|(_, c, width)| match c {
        '\u{feff}' | '`' | '\u{7f}' => false,
        char::REPLACEMENT_CHARACTER => width > 1,
        c => c >= ' ' || c == '\t',
    })
}

fn escape(out: &mut Vec<u8>, c: char, quote: char, ascii: bool) {
    if c == quote || c == '\\' {
        out.push(b'\\');
        return push(out, c);
    }
    if (c.is_ascii() || !ascii) && is_print(c) {
        return push(out, c);
    }
    let simple = match c {
        '\u{7}' => b'a',
        '\u{8}' => b'b',
        '\u{c}' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '\u{b}' => b'v',
        _ => {
            let code = u32::from(c);
            let text = match code {
                0..0x20 | 0x7f => format!("\\x{code:02x}"),
                0..0x10000 => format!("\\u{code:04x}"),
                _ => format!("\\U{code:08x}"),
            };
            return out.extend_from_slice(text.as_bytes());
        }
    };
    out.extend_from_slice(&[b'\\', simple]);
}
