//! What a YAML scalar means to go-yaml v3, by which SOPS reads: YAML 1.2 words, YAML 1.1 numbers.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use saphyr_parser::{ScalarStyle, Tag};
use zeroize::Zeroizing;

use crate::manifest::scalar::{Integer, integer, is_decimal};
use crate::sops::time;
use crate::tree::Scalar;

const CORE: &str = "tag:yaml.org,2002:";

/// What a tag does to a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tagged {
    /// It decides the type: a value that is not of the type is refused.
    Typed,
    /// Whatever is written is a text.
    Text,
}

/// The value of a scalar, and what its tag did. The error says why SOPS could not hold it.
pub(super) fn value(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
) -> Result<(Scalar, Option<Tagged>), &'static str> {
    // To go-yaml, a tag without a name is none.
    let Some(tag) = tag.filter(|tag| {
        !matches!(
            (tag.handle.as_str(), tag.suffix.as_str()),
            ("!", "") | ("", "!")
        )
    }) else {
        return match style {
            ScalarStyle::Plain => Ok((plain(text)?, None)),
            _ => Ok((Scalar::text(text), None)),
        };
    };
    let name = format!("{}{}", tag.handle, tag.suffix);
    let wanted = name.strip_prefix(CORE).unwrap_or("");
    let scalar = match wanted {
        "bool" | "int" | "float" | "null" | "timestamp" => plain(text)?,
        "binary" => return Ok((binary(text)?, Some(Tagged::Typed))),
        _ => return Ok((Scalar::text(text), Some(Tagged::Text))),
    };
    let fits = match (wanted, scalar) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "go-yaml converts in the same way"
        )]
        ("float", Scalar::Int(value)) => Scalar::Float(value as f64),
        ("bool", scalar @ Scalar::Bool(_))
        | ("int", scalar @ Scalar::Int(_))
        | ("float", scalar @ Scalar::Float(_))
        | ("null", scalar @ Scalar::Null)
        | ("timestamp", scalar @ Scalar::Time(_)) => scalar,
        _ => return Err("the value does not fit its tag"),
    };
    Ok((fits, Some(Tagged::Typed)))
}

/// The value of a scalar without quotes and without tag.
pub(super) fn plain(text: &str) -> Result<Scalar, &'static str> {
    let Some(first) = text.bytes().next() else {
        return Ok(Scalar::Null);
    };
    if !may_begin_other(first) {
        return Ok(Scalar::text(text));
    }
    if let Some(scalar) = word(text) {
        return Ok(scalar);
    }
    Ok(match first {
        b'.' => float(text).map_or_else(|| Scalar::text(text), Scalar::Float),
        b'+' | b'-' | b'0'..=b'9' => match time::of_yaml(text)? {
            Some(time) => Scalar::Time(time),
            None => return number(text),
        },
        _ => Scalar::text(text),
    })
}

/// Whether anything but a text begins so.
fn may_begin_other(first: u8) -> bool {
    matches!(
        first,
        b't' | b'T' | b'f' | b'F' | b'n' | b'N' | b'~' | b'.' | b'+' | b'-' | b'0'..=b'9'
    )
}

/// Whether a text without quotes is that text, here and in YAML 1.1: sops quotes what is not.
pub(super) fn is_text_everywhere(text: &str) -> bool {
    is_text(text) && !is_old_bool(text) && !is_base_60(text)
}

/// Whether a text without quotes is that text.
pub(super) fn is_text(text: &str) -> bool {
    let Some(first) = text.bytes().next() else {
        return false;
    };
    text != "<<" && (!may_begin_other(first) || matches!(plain(text), Ok(Scalar::Text(_))))
}

fn is_old_bool(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    )
}

/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let mut places = whole.split(':');
    let first = places.next().unwrap_or("");
    let mut count = 0;
    let all = places.all(|place| {
        count += 1;
        match place.as_bytes() {
            [digit] => digit.is_ascii_digit(),
            [ten, digit] => (b'0'..=b'5').contains(ten) && digit.is_ascii_digit(),
            _ => false,
        }
    });
    first.starts_with(|c: char| c.is_ascii_digit())
        && digits(first)
        && all
        && count > 0
        && digits(part)
}

fn word(text: &str) -> Option<Scalar> {
    Some(match text {
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

fn number(text: &str) -> Result<Scalar, &'static str> {
    let plain = match text.contains('_') {
        true => Cow::Owned(text.replace('_', "")),
        false => Cow::Borrowed(text),
    };
    let found = integer(&plain).or_else(|| prefixed(&plain));
    match found {
        Some(Integer::Int(value)) => Ok(Scalar::Int(value)),
        Some(Integer::Uint(_)) => Err("a whole number past 9223372036854775807: quote it"),
        None => Ok(float(&plain).map_or_else(|| Scalar::text(text), Scalar::Float)),
    }
}

/// go-yaml takes a sign after the prefix too, in binary and octal numbers: `0b-11`.
fn prefixed(plain: &str) -> Option<Integer> {
    let (digits, base) = match plain.strip_prefix("0b") {
        Some(digits) => (digits, 2),
        None => (plain.strip_prefix("0o")?, 8),
    };
    let signed = digits.starts_with(['-', '+']);
    i64::from_str_radix(digits, base)
        .ok()
        .filter(|_| signed)
        .map(Integer::Int)
}

fn float(plain: &str) -> Option<f64> {
    let value = plain.parse::<f64>().ok()?;
    (is_decimal(plain) && value.is_finite()).then_some(value)
}

fn binary(text: &str) -> Result<Scalar, &'static str> {
    let packed = Zeroizing::new(text.replace(['\r', '\n'], ""));
    let bytes = BASE64_STANDARD.decode(packed.as_bytes());
    let bytes = bytes.map_err(|_| "the !!binary value is not base64")?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => Scalar::Text(Zeroizing::new(text)),
        Err(error) => Scalar::Bytes(Zeroizing::new(error.into_bytes())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What sops 3.13.3 makes of each, as type and bytes.
    #[test]
    fn words_and_numbers_resolve_as_in_go_yaml_v3() {
        let cases = [
            ("yes", "str", "yes"),
            ("on", "str", "on"),
            ("TRUE", "bool", "True"),
            ("tRUE", "str", "tRUE"),
            ("017", "int", "15"),
            ("0o17", "int", "15"),
            ("0x1F", "int", "31"),
            ("0b11", "int", "3"),
            ("0o-7", "int", "-7"),
            ("1_000", "int", "1000"),
            ("-0", "int", "0"),
            ("08", "float", "8"),
            ("1e3", "float", "1000"),
            (".5", "float", "0.5"),
            ("1e400", "str", "1e400"),
            (".inf", "float", "+Inf"),
            ("190:20:30", "str", "190:20:30"),
            ("2024-01-02", "time", "2024-01-02T00:00:00Z"),
            (
                "2024-01-02 03:04:05 +02:00",
                "str",
                "2024-01-02 03:04:05 +02:00",
            ),
            ("18446744073709551616", "float", "18446744073709552000"),
        ];
        for (text, kind, bytes) in cases {
            let scalar = plain(text).expect("a value");
            assert_eq!(crate::sops::value::Type::of(&scalar).name(), kind, "{text}");
            assert_eq!(
                *crate::sops::value::canonical(&scalar),
                *bytes.as_bytes(),
                "{text}"
            );
        }
        assert!(matches!(plain("~"), Ok(Scalar::Null)));
        assert!(plain("18446744073709551615").is_err());
        assert!(plain("2024-01-02T03:04:05+24:00").is_err());
    }

    #[test]
    fn what_yaml_1_1_reads_otherwise_is_no_text_everywhere() {
        for text in ["yes", "N", "12:30:45", "1:2", "<<", "1", "~"] {
            assert!(!is_text_everywhere(text), "{text}");
        }
        for text in ["12:99", "a:1", "yess", "x"] {
            assert!(is_text_everywhere(text), "{text}");
        }
    }
}
