//! Values that are zeroed when dropped: what was read may be a plain Secret.

use std::mem;

use serde_json::{Map, Value};
use zeroize::Zeroize;

/// Overwrites every string and key in a value with zeros, and leaves null.
pub fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(map) => wipe_map(map),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    *value = Value::Null;
}

fn wipe_map(map: &mut Map<String, Value>) {
    for (mut key, mut value) in mem::take(map) {
        key.zeroize();
        wipe(&mut value);
    }
}

/// A value that zeroes its strings when dropped.
#[derive(Default)]
pub(super) struct Wiped(pub(super) Value);

impl Wiped {
    /// Takes the value out; zeroing it is now the taker's.
    pub(super) fn take(mut self) -> Value {
        mem::take(&mut self.0)
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// A mapping under construction.
#[derive(Default)]
pub(super) struct WipedMap(pub(super) Map<String, Value>);

impl WipedMap {
    pub(super) fn take(mut self) -> Map<String, Value> {
        mem::take(&mut self.0)
    }
}

impl Drop for WipedMap {
    fn drop(&mut self) {
        wipe_map(&mut self.0);
    }
}
