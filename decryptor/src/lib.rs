//! Encrypted documents. Bytes in, bytes out: outside of `hooks` and `program`, nothing here opens a file or waits for a network.

#[cfg(feature = "sops")]
pub mod format;
mod go_pattern;
#[cfg(feature = "hooks")]
pub mod hooks;
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
