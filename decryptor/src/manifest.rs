//! Streams of Kubernetes objects.

use serde_json::Value;

/// The text that a scalar becomes where text is wanted.
pub fn text_of_scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Null => Some(String::new()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}
