//! The in-cluster controller: turns SealedSecrets into Secrets.

pub mod args;
pub mod client;
pub mod http;
pub mod key_store;
pub mod lease;
pub mod log;
pub mod metrics;
pub mod renewal;
pub mod run;

/// What `--version` says, without the program's name.
pub const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));
