//! A document in clear in another format, or a part of it.

use std::sync::Mutex;

use keys::Plaintext;
use zeroize::Zeroizing;

use super::path::{Path, Step};
use super::types::Types;
use super::{Fault, Plain, ReadError, Warning};
use crate::format::{EmitError, Format, Parsed, emit, emit_value};
use crate::tree::{Entry, Item, Leaf, Pair, Place, Scalar, Tree, Value};

/// A document that has no such form.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The format does not hold it.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// The path leads nowhere.
    #[error("the document has no {0}")]
    NotFound(String),
    /// What stands there is a comment.
    #[error("{0} is a comment: in lists, they count")]
    Comment(String),
}

impl ConvertError {
    /// Its kind.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Read(error) => error.fault(),
            Self::Emit(_) => Fault::Emission,
            Self::NotFound(_) | Self::Comment(_) => Fault::NotFound,
        }
    }
}

impl Plain {
    /// The same document in another format, laid out as by SOPS. In its own format, it stays as it is.
    pub fn convert(&self, to: Format) -> Result<Self, ConvertError> {
        let mut warnings = self.warnings.clone();
        let (text, parsed, types) = match self.format == to {
            true => (self.text.clone(), self.take_parsed(), self.types.clone()),
            false => {
                let mut tree = self.any_tree()?;
                if to != Format::Yaml && tree.documents.len() > 1 {
                    warnings.push(Warning::DocumentsDropped(tree.documents.len() - 1));
                    tree.documents.truncate(1);
                }
                let text = emit(&tree, to)?;
                let parsed = read_again(&text, to)?;
                let types = parsed
                    .as_ref()
                    .map(|parsed| Types::lost(&tree, &parsed.tree));
                (text, parsed, types.unwrap_or_default())
            }
        };
        Ok(Self {
            format: to,
            text,
            parsed: Mutex::new(parsed),
            types,
            warnings,
        })
    }

    /// The document as SOPS lays it out in its own format, whatever its layout here is.
    pub fn in_the_layout_of_sops(&self) -> Result<Plaintext, ConvertError> {
        match self.format {
            Format::Binary => Ok(Plaintext::from(self.text.clone())),
            format => Ok(Plaintext::from(emit(&self.typed_tree()?, format)?)),
        }
    }

    /// A part of the first document: texts as they are, all else in a format.
    pub fn extract(&self, path: &Path, format: Format) -> Result<Plaintext, ConvertError> {
        let tree = self.any_tree()?;
        let found = tree
            .documents
            .first()
            .and_then(|entries| in_map(entries, path.steps()));
        let found = found.ok_or_else(|| match is_comment(&tree, path.steps()) {
            true => ConvertError::Comment(written(path)),
            false => ConvertError::NotFound(written(path)),
        })?;
        Ok(Plaintext::from(emit_value(found, format)?))
    }

    /// Keys and values with their types. Binary files have one value, `data`.
    pub(super) fn any_tree(&self) -> Result<Tree, ReadError> {
        if self.format != Format::Binary {
            return self.typed_tree();
        }
        let scalar = match str::from_utf8(&self.text) {
            Ok(text) => Scalar::text(text),
            Err(_) => Scalar::Bytes(Zeroizing::new(self.text.to_vec())),
        };
        let leaf = Leaf {
            scalar,
            place: Place::default(),
        };
        let data = Pair {
            key: "data".to_owned(),
            at: 0..0,
            end: 0,
            value: Value::Leaf(leaf),
        };
        Ok(Tree {
            documents: vec![vec![Entry::Pair(data)]],
        })
    }
}

/// A comment may hold what another format does not allow: a control character in YAML.
fn read_again(text: &[u8], format: Format) -> Result<Option<Parsed>, EmitError> {
    if format == Format::Binary || text.is_empty() {
        return Ok(None);
    }
    let read = str::from_utf8(text).ok();
    let read = read.and_then(|text| format.parse(text).ok());
    let refused = || EmitError::of(format, "the format cannot hold a comment or a value of it");
    read.ok_or_else(refused).map(Some)
}

/// A path as people type it.
pub(super) fn written(path: &Path) -> String {
    let one = |step: &Step| match step {
        Step::Key(key) => format!("[\"{key}\"]"),
        Step::Index(at) => format!("[{at}]"),
    };
    path.steps().iter().map(one).collect()
}

pub(super) fn in_map<'t>(entries: &'t [Entry], steps: &[Step]) -> Option<&'t Value> {
    let (Step::Key(wanted), rest) = steps.split_first()? else {
        return None;
    };
    let value = entries.iter().find_map(|entry| match entry {
        Entry::Pair(pair) if pair.key == *wanted => Some(&pair.value),
        _ => None,
    })?;
    within(value, rest)
}

/// Whether the last step leads to a comment in a list.
fn is_comment(tree: &Tree, steps: &[Step]) -> bool {
    let (Some(document), Some((Step::Index(at), way))) =
        (tree.documents.first(), steps.split_last())
    else {
        return false;
    };
    match in_map(document, way) {
        Some(Value::List(items)) => matches!(items.get(*at), Some(Item::Comment(_))),
        _ => false,
    }
}

fn within<'t>(value: &'t Value, steps: &[Step]) -> Option<&'t Value> {
    match (value, steps.split_first()) {
        (value, None) => Some(value),
        (Value::Map(entries), Some(_)) => in_map(entries, steps),
        (Value::List(items), Some((Step::Index(at), rest))) => match items.get(*at)? {
            Item::Value(value) => within(value, rest),
            Item::Comment(_) => None,
        },
        _ => None,
    }
}
