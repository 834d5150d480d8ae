//! Encrypted documents. Bytes in, bytes out: nothing here opens a file or waits for a network.

pub mod manifest;
pub mod sealed;
