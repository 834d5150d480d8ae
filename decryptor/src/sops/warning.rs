//! What people should know of a document that was opened, though it is no fault.

use std::fmt;

/// Something that people should know of a document that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// Comments that should be encrypted are not: anyone can have written them.
    UnencryptedComments(usize),
    /// A key stands twice in a mapping: its line, and the key.
    DuplicateKey(usize, String),
    /// How many documents behind the first have no place in the format.
    DocumentsDropped(usize),
    /// On this line, the value of this path claims a type that it did not have when it was encrypted. Nothing authenticates types.
    TypeDoubted(usize, String),
    /// The alias on this line repeated a value that is encrypted, which was written out there.
    AliasWrittenOut(usize),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnencryptedComments(1) => {
                f.write_str("Found possibly unencrypted comment: anybody may have written it")
            }
            Self::UnencryptedComments(count) => write!(
                f,
                "Found possibly unencrypted comment, {count} times: anybody may have written them"
            ),
            Self::DuplicateKey(line, key) => write!(
                f,
                "line {line}: the key {key:?} stands twice; programs differ in which one they take"
            ),
            Self::TypeDoubted(line, path) => write!(
                f,
                "line {line}: the type of {path} is not the one that it was encrypted with: somebody may have changed it, for nothing authenticates types"
            ),
            Self::AliasWrittenOut(line) => write!(
                f,
                "line {line}: the alias repeats what is encrypted: it is written out, for sops opens no copy under another path"
            ),
            Self::DocumentsDropped(count) => write!(
                f,
                "only the first document has a place in this format: {count} are left out"
            ),
        }
    }
}
