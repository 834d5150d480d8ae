//! The in-cluster controller: turns SealedSecrets into Secrets.
//!
//! - [`args`], [`log`], [`client`]: what it is told, where it says what it does, how it reaches the API server.
//! - [`key_store`], [`renewal`]: the sealing keys, and when there is a new one.
//! - [`lease`]: which of several replicas writes.
//! - [`run`]: the core, which turns SealedSecrets into Secrets.
//! - [`http`], [`metrics`]: what others can ask it.
//! - [`start`]: all of them put together.

pub mod args;
pub mod client;
pub mod http;
pub mod key_store;
pub mod lease;
pub mod log;
pub mod metrics;
pub mod renewal;
pub mod run;
pub mod start;

/// What `--version` says, without the program's name.
pub const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));
