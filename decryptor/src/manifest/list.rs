//! Lists of objects, taken apart into their items.

use serde_json::{Map, Value};

use super::wipe::Wiped;
use super::{Document, Parsed};

/// Counts documents, skips empty ones, and replaces each list by its items.
pub(super) fn expand(values: Vec<Parsed>) -> Vec<Document> {
    let mut documents = Vec::with_capacity(values.len());
    for document in number(values) {
        if !is_list(&document.value.0) {
            documents.push(document);
            continue;
        }
        let Document {
            index, line, value, ..
        } = document;
        for (item, value) in items(value).into_iter().enumerate() {
            documents.push(Document {
                index,
                line,
                item: Some(item),
                value,
            });
        }
    }
    documents
}

/// Counts documents and skips empty ones.
pub(super) fn number(values: Vec<Parsed>) -> impl Iterator<Item = Document> {
    let filled = values
        .into_iter()
        .filter(|parsed| !parsed.value.0.is_null());
    filled
        .enumerate()
        .map(|(index, Parsed { line, value })| Document {
            index,
            line,
            item: None,
            value,
        })
}

/// Returns whether an object is a list of objects: `List`, `SecretList` and their like.
pub(super) fn is_list(value: &Value) -> bool {
    let kind = value.get("kind").and_then(Value::as_str);
    kind.is_some_and(|kind| kind.ends_with("List"))
        && value
            .get("items")
            .is_some_and(|items| items.is_array() || items.is_null())
}

/// The items, with the kind and version that API servers leave out in typed lists.
fn items(mut list: Wiped) -> Vec<Wiped> {
    let kind = list.0["kind"].as_str().unwrap_or_default();
    let kind = kind.strip_suffix("List").unwrap_or(kind).to_owned();
    let version = list.0.get("apiVersion").cloned();
    let Some(Value::Array(items)) = list.0.get_mut("items").map(Value::take) else {
        return Vec::new();
    };
    let complete = |mut item: Value| {
        if let (Value::Object(object), false) = (&mut item, kind.is_empty()) {
            add_type(object, &kind, version.as_ref());
        }
        Wiped(item)
    };
    items.into_iter().map(complete).collect()
}

fn add_type(object: &mut Map<String, Value>, kind: &str, version: Option<&Value>) {
    if !object.contains_key("kind") {
        object.insert("kind".to_owned(), kind.into());
        if let (Some(version), false) = (version, object.contains_key("apiVersion")) {
            object.insert("apiVersion".to_owned(), version.clone());
        }
    }
}
