//! Why a document was not read, opened or closed, with the words and exit codes that scripts know from sops.

use decryptor::sops::metadata::MetadataError;
use decryptor::sops::{CloseError, ConvertError, OpenError, ReadError, SetError};

use super::exit;
use crate::error::CommandError;

const RESERVED: &str = "\
The file you have provided has a top-level entry called 'sops', or, in a flat
file format, entries whose names begin with 'sops_'. That is where SOPS keeps
the metadata of an encrypted file: it seems to be encrypted already.";

/// An encrypted document that cannot be read.
pub(crate) fn encrypted(error: ReadError) -> CommandError {
    match error {
        ReadError::Metadata(MetadataError::Missing) => {
            CommandError::new("sops metadata not found").hint("it is not encrypted")
        }
        ReadError::Empty => CommandError::new("sops metadata not found").hint("the file is empty"),
        ReadError::Metadata(MetadataError::NotAMapping) => {
            CommandError::new("Found sops entry that is not a mapping")
        }
        error => CommandError::new("Could not unmarshal input data").because(error),
    }
}

/// A document in clear that cannot be read.
pub(crate) fn plain(error: ReadError) -> CommandError {
    CommandError::new("Error unmarshalling file")
        .because(error)
        .code(exit::UNREADABLE)
}

/// A document that does not open with its data key.
pub(crate) fn opening(error: OpenError) -> CommandError {
    let mac = |text: &str| {
        CommandError::new(text).code(exit::MAC).hint(
            "somebody changed the file without sops, or its history was merged by hand: compare it with its history; \
             --ignore-mac decrypts it as it is",
        )
    };
    match error {
        OpenError::NoMac => mac("MAC mismatch. File has no MAC"),
        OpenError::MacMismatch => {
            mac("MAC mismatch. Values were added, removed, moved or replaced")
        }
        OpenError::MacUnreadable => {
            mac("Cannot decrypt MAC: it does not belong to this data key and this time")
        }
        error @ (OpenError::Value { .. } | OpenError::Place { .. }) => {
            CommandError::new("Error decrypting tree")
                .because(error)
                .code(exit::NOT_DECRYPTED)
        }
        OpenError::Read(error) => encrypted(error),
    }
}

/// A document that cannot be encrypted.
pub(crate) fn closing(error: CloseError) -> CommandError {
    match error {
        CloseError::Reserved => reserved(),
        CloseError::Read(error) => plain(error),
        error @ CloseError::DuplicateKey(..) => CommandError::new("Error unmarshalling file")
            .because(error)
            .code(exit::UNREADABLE),
        error => CommandError::new("Error encrypting tree")
            .because(error)
            .code(exit::NOT_ENCRYPTED),
    }
}

/// A document that has metadata already.
pub(crate) fn reserved() -> CommandError {
    CommandError::new(RESERVED)
        .code(exit::ALREADY_ENCRYPTED)
        .hint(
            "to change an encrypted file, use edit or set; an entry of your own needs another name",
        )
}

/// A document that has no form in another format, or not the part that was asked for.
pub(crate) fn converting(error: ConvertError) -> CommandError {
    match error {
        ConvertError::Read(error) => plain(error),
        error @ ConvertError::Emit(_) => CommandError::new("Error dumping file")
            .because(error)
            .code(exit::UNWRITABLE_FORMAT),
        error @ (ConvertError::NotFound(_) | ConvertError::Comment(_)) => {
            CommandError::new("Key not found").because(error)
        }
    }
}

/// A value that cannot be set or removed.
pub(crate) fn changing(error: SetError) -> CommandError {
    match error {
        SetError::Value(reason) => CommandError::new("Value for --set is not valid JSON")
            .because(reason)
            .code(exit::BAD_CHANGE)
            .hint("a text is in double quotes, within those of the shell: '\"text\"'"),
        SetError::Reserved(_) => reserved(),
        error @ SetError::Twice => CommandError::new("Error setting value").because(error),
        SetError::Convert(error) => converting(error),
    }
}
