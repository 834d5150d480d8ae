//! What to say of age's errors.

use age::{DecryptError, EncryptError};

/// Why a file was not opened, in a few words.
pub(super) fn text(error: &DecryptError) -> String {
    let text = match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            "failed to decrypt file key"
        }
        DecryptError::ExcessiveWork { .. } => "the passphrase's work factor is too large",
        DecryptError::InvalidHeader => "failed to read header: it is malformed",
        DecryptError::InvalidMac => "bad header MAC",
        DecryptError::Io(error) => return format!("failed to read header: {error}"),
        DecryptError::NoMatchingKeys => "no identity matched any of the recipients",
        DecryptError::UnknownFormat => "failed to read header: unknown format",
        _ => "the file cannot be read",
    };
    text.to_owned()
}

/// Why a file was not made.
pub(super) fn wrapping(error: &EncryptError) -> String {
    match error {
        EncryptError::Io(error) => error.to_string(),
        _ => "the recipient cannot be encrypted to".to_owned(),
    }
}
