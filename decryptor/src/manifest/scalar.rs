//! What a plain YAML word means, by go-yaml v2's rules: YAML 1.1 words, Go's integers, no sexagesimals.

use serde_json::{Number, Value};

use super::go_float::{Bits, go_float};

/// What a scalar stands for, before it must fit into JSON.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Resolved {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    /// A date: kept as the text it is, but never written without quotes.
    Timestamp,
    /// The key `<<`, without quotes.
    Merge,
    /// The text itself.
    Text,
}

/// Resolves a scalar without quotes and without tag.
pub(super) fn resolve(text: &str) -> Resolved {
    let Some(first) = text.bytes().next() else {
        return Resolved::Null;
    };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(text),
        b'.' => match word(text) {
            Resolved::Text => float(text),
            found => found,
        },
        b'+' | b'-' | b'0'..=b'9' => match word(text) {
            Resolved::Text if is_timestamp(text) => Resolved::Timestamp,
            Resolved::Text => number(text),
            found => found,
        },
        b'<' if text == "<<" => Resolved::Merge,
        _ => Resolved::Text,
    }
}

fn word(text: &str) -> Resolved {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Resolved::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Resolved::Bool(false)
        }
        "~" | "null" | "Null" | "NULL" => Resolved::Null,
        ".nan" | ".NaN" | ".NAN" => Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Resolved::Float(f64::NEG_INFINITY),
        _ => Resolved::Text,
    }
}

fn number(text: &str) -> Resolved {
    let digits;
    let plain = if text.contains('_') {
        digits = text.replace('_', "");
        digits.as_str()
    } else {
        text
    };
    integer(plain)
        .map(Resolved::from)
        .or_else(|| signed_binary(plain))
        .unwrap_or_else(|| float(plain))
}

/// go-yaml takes a sign after the prefix too, in binary numbers: `0b-11`.
fn signed_binary(plain: &str) -> Option<Resolved> {
    let digits = plain
        .strip_prefix("0b")
        .filter(|digits| digits.starts_with(['-', '+']))?;
    i64::from_str_radix(digits, 2).ok().map(Resolved::Int)
}

/// A whole number, as large as Go reads it.
pub(crate) enum Integer {
    Int(i64),
    /// Past the largest `Int`.
    Uint(u64),
}

impl From<Integer> for Resolved {
    fn from(integer: Integer) -> Self {
        match integer {
            Integer::Int(value) => Self::Int(value),
            Integer::Uint(value) => Self::Uint(value),
        }
    }
}

/// Go's `ParseInt(…, 0, 64)`, then `ParseUint`: a prefix tells the base, a lone leading zero means octal.
pub(crate) fn integer(plain: &str) -> Option<Integer> {
    let (sign, magnitude) = match plain.as_bytes() {
        [b'-', ..] => (Some('-'), &plain[1..]),
        [b'+', ..] => (Some('+'), &plain[1..]),
        _ => (None, plain),
    };
    let (base, digits) = match magnitude.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &magnitude[2..]),
        [b'0', b'o' | b'O', ..] => (8, &magnitude[2..]),
        [b'0', b'b' | b'B', ..] => (2, &magnitude[2..]),
        [b'0', _, ..] => (8, &magnitude[1..]),
        _ => (10, magnitude),
    };
    if !digits.bytes().all(|digit| digit.is_ascii_alphanumeric()) {
        return None;
    }
    let value = u64::from_str_radix(digits, base).ok()?;
    match sign {
        Some('-') => 0i64.checked_sub_unsigned(value).map(Integer::Int),
        Some(_) => i64::try_from(value).ok().map(Integer::Int),
        None => Some(i64::try_from(value).map_or(Integer::Uint(value), Integer::Int)),
    }
}

fn float(plain: &str) -> Resolved {
    match plain.parse::<f64>() {
        Ok(value) if is_decimal(plain) && value.is_finite() => Resolved::Float(value),
        _ => Resolved::Text,
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
pub(crate) fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, part)) => {
            digits(whole) && digits(part) && !(whole.is_empty() && part.is_empty())
        }
        None => digits(mantissa) && !mantissa.is_empty(),
    };
    mantissa_fits
        && exponent.is_none_or(|exponent| {
            let power = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            digits(power) && !power.is_empty()
        })
}

/// Returns whether YAML's date forms, as go-yaml reads them, have this one.
pub(super) fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 5 || !bytes[..4].iter().all(u8::is_ascii_digit) || bytes[4] != b'-' {
        return false;
    }
    date(text).is_some()
}

fn date(text: &str) -> Option<()> {
    let year: u16 = text.get(..4)?.parse().ok()?;
    let (month, rest) = one_or_two_digits(text.get(5..)?)?;
    let (day, rest) = one_or_two_digits(rest.strip_prefix('-')?)?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in(month, year) {
        return None;
    }
    if rest.is_empty() {
        return Some(());
    }
    if let Some(time) = rest.strip_prefix(['T', 't']) {
        return zone(clock(time)?);
    }
    let time = rest.strip_prefix(' ')?.trim_start_matches(' ');
    clock(time)?.is_empty().then_some(())
}

fn days_in(month: u8, year: u16) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

/// `15:4:5` with a fraction of any length; gives back what follows.
fn clock(text: &str) -> Option<&str> {
    let (hour, rest) = one_or_two_digits(text)?;
    let (minute, rest) = one_or_two_digits(rest.strip_prefix(':')?)?;
    let (second, rest) = one_or_two_digits(rest.strip_prefix(':')?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    match rest.as_bytes() {
        [b'.' | b',', digit, ..] if digit.is_ascii_digit() => {
            Some(rest[1..].trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        _ => Some(rest),
    }
}

fn zone(text: &str) -> Option<()> {
    if text == "Z" {
        return Some(());
    }
    let offset = text.strip_prefix(['+', '-'])?.as_bytes();
    let [h1, h2, b':', m1, m2] = offset else {
        return None;
    };
    let two = |a: &u8, b: &u8| {
        (a.is_ascii_digit() && b.is_ascii_digit()).then(|| (a - b'0') * 10 + (b - b'0'))
    };
    (two(h1, h2)? <= 24 && two(m1, m2)? <= 60).then_some(())
}

fn one_or_two_digits(text: &str) -> Option<(u8, &str)> {
    let length = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    Some((text.get(..length)?.parse().ok()?, &text[length..]))
}

/// Returns the text that a scalar becomes in a string field, as the original's YAML reader converts it.
///
/// `true` gives "true", `10` gives "10", `1.10` gives "1.1" (single precision, as there), null gives "".
/// Returns `None` for mappings and sequences. The text of a string is copied: the copy is the caller's to zero.
pub fn text_of_scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => Some(text_of_number(number)),
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// The text of a number where a string is wanted.
pub(super) fn text_of_number(number: &Number) -> String {
    match number.as_f64() {
        Some(value) if number.is_f64() => go_float(value, Bits::Single),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_resolve_as_in_yaml_1_1() {
        let cases = [
            ("yes", Resolved::Bool(true)),
            ("Off", Resolved::Bool(false)),
            ("yES", Resolved::Text),
            ("~", Resolved::Null),
            ("nULL", Resolved::Text),
            ("012", Resolved::Int(10)),
            ("0o12", Resolved::Int(10)),
            ("08", Resolved::Float(8.0)),
            ("0b11", Resolved::Int(3)),
            ("-0x1F", Resolved::Int(-31)),
            ("1_000", Resolved::Int(1000)),
            ("18446744073709551615", Resolved::Uint(u64::MAX)),
            ("-9223372036854775808", Resolved::Int(i64::MIN)),
            ("1e3", Resolved::Float(1000.0)),
            ("1e400", Resolved::Text),
            (".", Resolved::Text),
            ("-", Resolved::Text),
            ("1.", Resolved::Float(1.0)),
            ("190:20:30", Resolved::Text),
            ("2001-12-14", Resolved::Timestamp),
            ("2001-02-30", Resolved::Text),
            ("<<", Resolved::Merge),
            ("+-1", Resolved::Text),
            ("0x", Resolved::Text),
            ("0b-11", Resolved::Int(-3)),
        ];
        for (text, expected) in cases {
            assert_eq!(resolve(text), expected, "{text}");
        }
    }
}
