//! What can be wrong with a document, and which kind of fault each is.

use super::metadata::MetadataError;
use super::value::ValueError;
use crate::format::ParseError;

/// A text that is no encrypted document.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// There is nothing in it.
    #[error("the file is empty: it must contain at least one document")]
    Empty,
    /// It is not UTF-8.
    #[error("the document is not UTF-8")]
    NotUtf8,
    /// It is not of its format.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// It cannot be used as metadata.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

/// A document that does not open.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A value does not open.
    #[error("{path}: {source}")]
    Value {
        /// The keys on the way to it.
        path: String,
        /// What is wrong with it.
        source: ValueError,
    },
    /// A value cannot stand where it is.
    #[error("{path}: {reason}")]
    Place {
        /// The keys on the way to it.
        path: String,
        /// What is wrong there.
        reason: &'static str,
    },
    /// The document has no MAC.
    #[error("the document has no MAC: nothing says that it is whole")]
    NoMac,
    /// The MAC itself does not open, or its time is none.
    #[error("the MAC does not open with the document's data key and time")]
    MacUnreadable,
    /// Values were added, removed, moved or replaced.
    #[error("the MAC does not match: values were added, removed or moved")]
    MacMismatch,
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// A document that cannot be encrypted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It has the metadata of an encrypted document.
    #[error("the document has an entry named sops, which is reserved")]
    Reserved,
    /// A key stands twice in a mapping.
    #[error("line {0}: the key {1:?} stands twice")]
    DuplicateKey(usize, String),
    /// An alias repeats what will be encrypted, and what it repeats cannot be written in its place.
    #[error("line {0}: an alias repeats a value that will be encrypted: write the value out")]
    Alias(usize),
    /// Encrypted comments would look like comments that keep values in clear.
    #[error("the rule for comments matches encrypted comments, too")]
    RuleMatchesEncrypted,
    /// The time is not one by RFC 3339.
    #[error("{0:?} is no time by RFC 3339")]
    Time(String),
    /// The earlier version does not open with the data key.
    #[error("the earlier version does not open with this data key")]
    Previous(#[source] OpenError),
    /// A value or a comment would stay in clear that the rules have encrypted.
    #[error("something that the rules have encrypted would stay in clear")]
    LeftInClear,
    /// What was made does not open again.
    #[error("the encrypted document would not open again")]
    Unsound(#[source] OpenError),
}

/// Kinds of faults, which commands tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// There is nothing in the file.
    Empty,
    /// It is not of its format.
    Malformed,
    /// It is not encrypted, or says nothing usable of its keys and rules.
    Metadata,
    /// What should be encrypted is so already, or has a reserved name.
    Reserved,
    /// A value does not open.
    Decryption,
    /// The MAC is missing, does not open or does not match.
    Mac,
    /// A value cannot be encrypted.
    Encryption,
    /// The format cannot hold the document.
    Emission,
    /// A path leads nowhere.
    NotFound,
}

impl ReadError {
    /// Its kind.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Empty => Fault::Empty,
            Self::NotUtf8 | Self::Parse(_) => Fault::Malformed,
            Self::Metadata(_) => Fault::Metadata,
        }
    }
}

impl OpenError {
    /// Its kind.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Value { .. } | Self::Place { .. } => Fault::Decryption,
            Self::NoMac | Self::MacUnreadable | Self::MacMismatch => Fault::Mac,
            Self::Read(error) => error.fault(),
        }
    }
}

impl CloseError {
    /// Its kind.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Read(error) => error.fault(),
            Self::Reserved => Fault::Reserved,
            Self::DuplicateKey(..) => Fault::Malformed,
            Self::Previous(error) => error.fault(),
            Self::Alias(_)
            | Self::RuleMatchesEncrypted
            | Self::Time(_)
            | Self::LeftInClear
            | Self::Unsound(_) => Fault::Encryption,
        }
    }
}
