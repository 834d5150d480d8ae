//! Encrypted documents. Bytes in, bytes out: nothing here opens a file or waits for a network.

mod go_pattern;
pub mod manifest;
pub mod sealed;
mod yaml_span;
