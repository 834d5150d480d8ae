//! The harness: real servers and the Go peers.
//!
//! ```no_run
//! use serde_json::json;
//! use testkit::{cluster, path};
//!
//! let cluster = cluster::shared(); // or Cluster::start() for one of the test's own
//! let namespace = cluster.namespace();
//! cluster.api.create(&path::secrets(&namespace), &json!({"metadata": {"name": "db"}, "stringData": {"a": "b"}}));
//! cluster.wait_for(&path::secret(&namespace, "db"), "the Secret has a value", |secret| secret["data"]["a"] == "Yg==");
//! ```
//!
//! Everything it starts is listens on 127.0.0.1, on ports found free, and ends with the test process, however that ends.
//! Tools are built once by their own toolchains from versions pinned in `tests/peers`, into `~/.cache/kubeseal-rs`.

pub mod api;
pub mod cache;
pub mod cli;
pub mod cluster;
mod connect;
pub mod controller;
pub mod ours;
pub mod path;
pub mod peer;
pub mod pki;
pub mod ports;
pub mod process;
mod progress;
mod reaper;
mod wait;

pub use self::{
    cluster::Cluster,
    progress::say,
    reaper::run_folder,
    wait::{PATIENCE, poll, wait_until},
};
