//! Any text as a stream of manifests: read or refused; what is written reads back to the same value.
//!
//! A manifest is a mapping, or a list of them. A bare value between JSON documents is no manifest, and need not come
//! back: JSON allows characters in a string that YAML, as which a lone string is read, does not.
#![no_main]

use decryptor::manifest;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(documents) = manifest::read(bytes) else { return };
    for document in &documents {
        let value = document.value();
        if !(value.is_object() || value.is_array()) {
            continue;
        }
        for written in [manifest::write_json(value), manifest::write_yaml(value)] {
            let again = manifest::read(&written).expect("our own text is read");
            if again.len() == 1 {
                assert!(same(again[0].value(), value), "{:?}", String::from_utf8_lossy(&written));
            }
        }
    }
});

/// Equal but for how a number is held: 2.0 is written as 2, as Go writes it.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(key, value)| other.get(key).is_some_and(|v| same(value, v)))
        }
        _ => one == other,
    }
}
