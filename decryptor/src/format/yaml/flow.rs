//! Writes a value in brackets and braces, on one line: it can stand in the place of an alias, wherever that is.

use super::leaf::plain_form;
use super::write::{double, plain};
use crate::format::emit::{EmitError, Out};
use crate::tree::{Entry, Item, Leaf, Scalar, Value};

/// The key that merges.
const MERGE: &str = "<<";

/// Writes a value without its comments.
pub(in crate::format) fn emit_flow(value: &Value, out: &mut Out) -> Result<(), EmitError> {
    match value {
        Value::Leaf(leaf) => leaf_of(leaf, out),
        Value::List(items) => {
            let values = items.iter().filter_map(|item| match item {
                Item::Value(value) => Some(value),
                Item::Comment(_) => None,
            });
            out.push('[');
            for (at, value) in values.enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                emit_flow(value, out)?;
            }
            out.push(']');
            Ok(())
        }
        Value::Map(entries) => {
            let pairs = entries.iter().filter_map(|entry| match entry {
                Entry::Pair(pair) => Some(pair),
                Entry::Comment(_) => None,
            });
            out.push('{');
            for (at, pair) in pairs.enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                match pair.key.as_str() {
                    MERGE => out.push_str(MERGE),
                    key => text(key, out),
                }
                out.push_str(": ");
                emit_flow(&pair.value, out)?;
            }
            out.push('}');
            Ok(())
        }
    }
}

fn leaf_of(leaf: &Leaf, out: &mut Out) -> Result<(), EmitError> {
    match &leaf.scalar {
        Scalar::Null => out.push_str("null"),
        Scalar::Text(written) => text(written, out),
        other => {
            let form = plain_form(other, b"").map_err(|reason| EmitError::new("", reason))?;
            out.push_str(&form);
        }
    }
    Ok(())
}

fn text(text: &str, out: &mut Out) {
    match plain(text, true) {
        Some(text) => out.push_str(text),
        None => out.push_str(&double(text)),
    }
}
