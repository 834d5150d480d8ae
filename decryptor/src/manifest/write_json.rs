//! Writes JSON as Go's `encoding/json` does, indented by two spaces.

use serde_json::{Number, Value};

use super::go_float::go_json_float;

/// Writes a value with its keys in their order, and a line break at the end.
///
/// `<`, `>`, `&` and the two Unicode line separators are escaped, as `MarshalIndent` does.
pub fn write_json(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write_value(&mut out, value, 0);
    out.push(b'\n');
    out
}

fn write_value(out: &mut Vec<u8>, value: &Value, depth: usize) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Value::Number(number) => out.extend_from_slice(json_number(number).as_bytes()),
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            write_items(out, b"[]", items, depth, |out, item| {
                write_value(out, item, depth + 1)
            });
        }
        Value::Object(map) => write_items(out, b"{}", map, depth, |out, (key, value)| {
            write_string(out, key);
            out.extend_from_slice(b": ");
            write_value(out, value, depth + 1);
        }),
    }
}

fn write_items<I: IntoIterator>(
    out: &mut Vec<u8>,
    brackets: &[u8; 2],
    items: I,
    depth: usize,
    mut write: impl FnMut(&mut Vec<u8>, I::Item),
) {
    out.push(brackets[0]);
    let mut empty = true;
    for item in items {
        if !empty {
            out.push(b',');
        }
        empty = false;
        new_line(out, depth + 1);
        write(out, item);
    }
    if !empty {
        new_line(out, depth);
    }
    out.push(brackets[1]);
}

fn new_line(out: &mut Vec<u8>, depth: usize) {
    out.push(b'\n');
    out.resize(out.len() + 2 * depth, b' ');
}

/// The text of a number in JSON.
pub(super) fn json_number(number: &Number) -> String {
    match number.as_f64() {
        Some(value) if number.is_f64() => go_json_float(value),
        _ => number.to_string(),
    }
}

/// Writes a string between double quotes, escaped as Go escapes it.
pub(super) fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut plain = 0;
    let mut at = 0;
    while at < bytes.len() {
        let Some((length, escape)) = escape(&bytes[at..]) else {
            at += 1;
            continue;
        };
        out.extend_from_slice(&bytes[plain..at]);
        out.extend_from_slice(escape.as_bytes());
        at += length;
        plain = at;
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'"');
}

/// How many bytes of the rest must be escaped, and what they become. `None` if the first byte stays.
fn escape(rest: &[u8]) -> Option<(usize, std::borrow::Cow<'static, str>)> {
    let short = match rest {
        [b'"', ..] => "\\\"",
        [b'\\', ..] => "\\\\",
        [b'\n', ..] => "\\n",
        [b'\r', ..] => "\\r",
        [b'\t', ..] => "\\t",
        [0x08, ..] => "\\b",
        [0x0c, ..] => "\\f",
        [b'<', ..] => "\\u003c",
        [b'>', ..] => "\\u003e",
        [b'&', ..] => "\\u0026",
        [0xE2, 0x80, 0xA8, ..] => return Some((3, "\\u2028".into())),
        [0xE2, 0x80, 0xA9, ..] => return Some((3, "\\u2029".into())),
        [control @ 0..0x20, ..] => return Some((1, format!("\\u{control:04x}").into())),
        _ => return None,
    };
    Some((1, short.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_looks_as_from_go() {
        let value = json!({"b": [1, 2.5, []], "a": {"<k>": "x&y\u{2028}\u{1}\n"}, "c": {}});
        let expected = concat!(
            "{\n  \"b\": [\n    1,\n    2.5,\n    []\n  ],\n  \"a\": {\n",
            "    \"\\u003ck\\u003e\": \"x\\u0026y\\u2028\\u0001\\n\"\n  },\n  \"c\": {}\n}\n",
        );
        assert_eq!(String::from_utf8(write_json(&value)).unwrap(), expected);
    }
}
