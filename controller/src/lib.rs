//! The in-cluster controller: turns SealedSecrets into Secrets.
//!
//! - [`args`], [`log`], [`client`]: what it is told, where it says what it does, how it reaches the API server.
//! - [`key_store`], [`renewal`]: the sealing keys, and when there is a new one.
//! - [`lease`], [`fence`]: which of several replicas writes, and that no other does.
//! - [`run`]: the core, which turns SealedSecrets into Secrets.
//! - [`http`], [`metrics`]: what others can ask it.
//! - [`start`]: all of them put together.

mod api;
mod apply;
pub mod args;
mod backoff;
pub mod client;
mod context;
mod drift;
mod events;
pub mod fence;
pub mod http;
pub mod key_store;
pub mod lease;
mod list;
mod live;
pub mod log;
mod mark;
pub mod metrics;
mod name;
mod namespaces;
mod own_memory;
mod pieces;
mod plan;
mod queue;
mod reconcile;
mod records;
pub mod renewal;
mod rival;
pub mod run;
mod sealed_object;
mod site;
pub mod start;
mod status;

/// What `--version` says, without the program's name.
pub const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));
