//! The values of a document as variables of an environment.

use zeroize::Zeroizing;

use super::value::in_words;
use super::{Fault, Plain, ReadError};
use crate::tree::{Entry, Pair, Value};

/// A document that is no environment.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariableError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A key holds more than one value, or bytes that are no text.
    #[error("cannot use complex value in environment; offending key {0}")]
    Complex(String),
    /// A key that no variable can have.
    #[error("cannot use keys with '=' in environment: {0}")]
    Name(String),
}

impl VariableError {
    /// Its kind.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Read(error) => error.fault(),
            Self::Complex(_) | Self::Name(_) => Fault::Emission,
        }
    }
}

impl Plain {
    /// The keys and values of the first document. Nothing is an empty text.
    pub fn variables(&self) -> Result<Vec<(String, Zeroizing<String>)>, VariableError> {
        let tree = self.any_tree()?;
        let entries = tree.documents.first().into_iter().flatten();
        let pairs = entries.filter_map(|entry| match entry {
            Entry::Pair(pair) => Some(pair),
            Entry::Comment(_) => None,
        });
        pairs.map(variable).collect()
    }
}

fn variable(pair: &Pair) -> Result<(String, Zeroizing<String>), VariableError> {
    let key = pair.key.clone();
    if key.is_empty() || key.contains(['=', '\0']) {
        return Err(VariableError::Name(key));
    }
    let value = match &pair.value {
        Value::Leaf(leaf) => in_words(&leaf.scalar).filter(|text| !text.contains('\0')),
        Value::Map(_) | Value::List(_) => None,
    };
    match value {
        Some(value) => Ok((key, value)),
        None => Err(VariableError::Complex(key)),
    }
}
