//! Encrypted documents. Bytes in, bytes out: nothing here opens a file or waits for a network.

#[cfg(feature = "sops")]
pub mod format;
mod go_pattern;
pub mod manifest;
#[cfg(feature = "sops")]
mod parts;
#[cfg(feature = "program")]
pub mod program;
pub mod sealed;
#[cfg(feature = "sops")]
pub mod sops;
#[cfg(feature = "sops")]
pub mod tree;
mod yaml_span;
