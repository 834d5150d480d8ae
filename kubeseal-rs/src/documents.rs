//! The documents of a stream, each with words for where it stands.

use decryptor::manifest::edit::Step;
use decryptor::manifest::{self, Document};
use decryptor::sealed::SealedSecret;
use serde_json::Value;

use crate::error::CommandError;

/// Reads every document of a stream, or says which one cannot be read.
pub(crate) fn read(text: &[u8]) -> Result<Vec<Document>, CommandError> {
    manifest::read(text).map_err(|e| CommandError::new("cannot read the input").because(e))
}

/// There was nothing where SealedSecrets were expected.
pub(crate) fn none_found() -> CommandError {
    CommandError::new("no sealed secrets found in the input")
        .hint("hand over SealedSecrets as YAML or JSON: in a file or on standard input")
}

/// Words for where a document stands and what it is. Empty if it is the only one.
pub(crate) fn place(document: &Document, count: usize) -> String {
    let name = document
        .name()
        .filter(|name| !name.is_empty())
        .map(|name| format!(" {name:?}"))
        .unwrap_or_default();
    let kind = document.kind().unwrap_or("object");
    match count {
        1 => format!("{kind}{name}"),
        _ => format!("{}, {kind}{name}", document.place()),
    }
}

/// The way from a stream's document to the object, which may be an item of a list.
pub(crate) fn path<'a>(document: &Document) -> Vec<Step<'a>> {
    match document.item {
        Some(item) => vec![Step::Key("items"), Step::Index(item)],
        None => Vec::new(),
    }
}

/// Reads a document as a SealedSecret.
pub(crate) fn sealed_secret(value: &Value) -> Result<SealedSecret, CommandError> {
    match value.get("kind").and_then(Value::as_str) {
        Some("SealedSecret") => {}
        Some(kind) if !kind.is_empty() => {
            return Err(CommandError::new(format!(
                "it is a {kind}, not a SealedSecret"
            )));
        }
        _ => {
            return Err(CommandError::new(
                "it has no kind; a SealedSecret says `kind: SealedSecret`",
            ));
        }
    }
    match value.get("apiVersion").and_then(Value::as_str) {
        Some("bitnami.com/v1alpha1") => {}
        other => {
            return Err(CommandError::new(format!(
                "its apiVersion is {:?}; a SealedSecret's is \"bitnami.com/v1alpha1\"",
                other.unwrap_or_default()
            )));
        }
    }
    // What the reader says shows the value that it stumbled over, and that may be clear text.
    serde_json::from_value(value.clone()).map_err(|_| {
        CommandError::new("its fields are not of the types that a SealedSecret's have")
    })
}
