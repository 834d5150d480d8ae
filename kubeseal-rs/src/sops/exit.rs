//! The exit codes of sops 3.13.3, by which scripts tell failures apart. Whatever is not here is 1.

/// The input cannot be read or parsed.
pub(crate) const UNREADABLE: u8 = 2;
/// The result cannot be written.
pub(crate) const UNWRITABLE: u8 = 3;
/// The result cannot be put together in the format that was asked for.
pub(crate) const UNWRITABLE_FORMAT: u8 = 4;
/// An encryption context of AWS KMS cannot be understood.
pub(crate) const BAD_CONTEXT: u8 = 6;
/// The path or the value of a change cannot be understood.
pub(crate) const BAD_CHANGE: u8 = 7;
/// Flags contradict each other, or one is missing.
pub(crate) const CONFLICTING_FLAGS: u8 = 8;
/// Values could not be encrypted.
pub(crate) const NOT_ENCRYPTED: u8 = 23;
/// Values could not be decrypted.
pub(crate) const NOT_DECRYPTED: u8 = 25;
/// There is no file whose keys could be changed.
pub(crate) const NO_FILE_TO_CHANGE: u8 = 49;
/// The MAC is missing, unreadable or another one.
pub(crate) const MAC: u8 = 51;
/// The path of --extract is none.
pub(crate) const BAD_PATH: u8 = 91;
/// The document is empty.
pub(crate) const EMPTY: u8 = 92;
/// No file was named, or there is no such file.
pub(crate) const NO_FILE: u8 = 100;
/// A kind of key stands twice in the order of decryption.
pub(crate) const DUPLICATE_ORDER: u8 = 112;
/// No key that opens the document is at hand.
pub(crate) const NO_DATA_KEY: u8 = 128;
/// The document is encrypted already, or has an entry with the reserved name.
pub(crate) const ALREADY_ENCRYPTED: u8 = 203;
/// An editor left the document as it was.
pub(crate) const NOT_CHANGED: u8 = 200;
/// There is no editor, or it failed.
pub(crate) const NO_EDITOR: u8 = 201;
