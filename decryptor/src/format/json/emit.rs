//! Writes JSON as SOPS does: a tab for each level, and HTML's characters escaped. There are no comments.

use super::string;
use crate::format::emit::{EmitError, Out};
use crate::manifest::go_float::go_json_float;
use crate::tree::{Entry, Item, Pair, Scalar, Value};

/// Writes an object.
pub(in crate::format) fn emit_map(
    entries: &[Entry],
    depth: usize,
    out: &mut Out,
) -> Result<(), EmitError> {
    let mut pairs = entries.iter().filter_map(|entry| match entry {
        Entry::Pair(pair) => Some(pair),
        Entry::Comment(_) => None,
    });
    let Some(first) = pairs.next() else {
        out.push_str("{}");
        return Ok(());
    };
    out.push('{');
    for (at, pair) in std::iter::once(first).chain(pairs).enumerate() {
        begin(at, depth, out);
        emit_pair(pair, depth + 1, out)?;
    }
    end(depth, out);
    out.push('}');
    Ok(())
}

/// Writes a key and its value.
pub(in crate::format) fn emit_pair(
    pair: &Pair,
    depth: usize,
    out: &mut Out,
) -> Result<(), EmitError> {
    out.push_str(&escaped(&pair.key));
    out.push_str(": ");
    emit_value(&pair.value, depth, out).map_err(|error| match error.key.is_empty() {
        true => EmitError::new(&pair.key, error.reason),
        false => error,
    })
}

/// Writes any value.
pub(in crate::format) fn emit_value(
    value: &Value,
    depth: usize,
    out: &mut Out,
) -> Result<(), EmitError> {
    match value {
        Value::Map(entries) => emit_map(entries, depth, out),
        Value::List(items) => emit_list(items, depth, out),
        Value::Leaf(leaf) => {
            match &leaf.scalar {
                Scalar::Null => out.push_str("null"),
                Scalar::Bool(value) => out.push_str(&value.to_string()),
                Scalar::Int(value) => out.push_str(&value.to_string()),
                Scalar::Float(value) if value.is_finite() => out.push_str(&go_json_float(*value)),
                Scalar::Float(_) => {
                    return Err(EmitError::new("", "JSON has no infinity and no NaN"));
                }
                Scalar::Time(text) => out.push_str(&escaped(text)),
                Scalar::Text(text) => out.push_str(&escaped(text)),
                Scalar::Bytes(_) => {
                    return Err(EmitError::new(
                        "",
                        "the value is no text: JSON cannot hold it",
                    ));
                }
            }
            Ok(())
        }
    }
}

fn emit_list(items: &[Item], depth: usize, out: &mut Out) -> Result<(), EmitError> {
    let values = items.iter().filter_map(|item| match item {
        Item::Value(value) => Some(value),
        Item::Comment(_) => None,
    });
    out.push('[');
    let mut is_empty = true;
    for (at, value) in values.enumerate() {
        begin(at, depth, out);
        emit_value(value, depth + 1, out)?;
        is_empty = false;
    }
    if !is_empty {
        end(depth, out);
    }
    out.push(']');
    Ok(())
}

fn begin(at: usize, depth: usize, out: &mut Out) {
    out.push_str(if at == 0 { "\n" } else { ",\n" });
    out.extend(std::iter::repeat_n('\t', depth + 1));
}

fn end(depth: usize, out: &mut Out) {
    out.push('\n');
    out.extend(std::iter::repeat_n('\t', depth));
}

/// A text as Go's encoder writes it.
fn escaped(text: &str) -> String {
    let plain = string(text);
    if !plain.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return plain;
    }
    let mut out = String::with_capacity(plain.len() + 16);
    for character in plain.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => out.push(character),
        }
    }
    out
}
