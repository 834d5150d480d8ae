//! Binary documents: JSON with one value, `data`, which is the whole file.

use super::ParseError;
use crate::tree::{Entry, Leaf, Pair, Tree, Value};

/// The JSON text that holds a value, still without metadata.
pub(crate) fn wrapped(sealed: &str) -> String {
    format!("{{\n\t\"data\": \"{sealed}\"\n}}\n")
}

/// Whether a document holds one value, the file. Others are JSON in a file that is not named so.
pub(crate) fn is_file(tree: &Tree) -> bool {
    let [document] = tree.documents.as_slice() else {
        return false;
    };
    matches!(document.as_slice(), [Entry::Pair(Pair { key, value: Value::Leaf(_), .. })] if key == "data")
}

/// The leaf that is the file.
pub(crate) fn opened(tree: &Tree) -> Result<&Leaf, ParseError> {
    let pairs = tree.documents.iter().flatten();
    let mut data = pairs.rev().filter_map(|entry| match entry {
        Entry::Pair(Pair {
            key,
            value: Value::Leaf(leaf),
            ..
        }) if key == "data" => Some(leaf),
        _ => None,
    });
    let missing = "no binary data: the document has another format, as yaml or json";
    data.next().ok_or_else(|| ParseError::new(1, missing))
}
