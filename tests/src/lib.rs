//! The harness: real servers and the Go peers.
//!
//! A cluster is etcd, kube-apiserver and kube-controller-manager, with RBAC, service accounts, garbage collection and the
//! service proxy; there are no nodes. Tests that keep to namespaces of their own share one:
//!
//! ```no_run
//! use serde_json::json;
//! use testkit::{cluster, path};
//!
//! let cluster = cluster::shared(); // Cluster::start() is one of the test's own: ready in three seconds
//! let namespace = cluster.namespace();
//! cluster.api.create(&path::secrets(&namespace), &json!({"metadata": {"name": "db"}, "stringData": {"a": "b"}}));
//! cluster.wait_for(&path::secret(&namespace, "db"), "the Secret has a value", |secret| secret["data"]["a"] == "Yg==");
//! let refused = cluster.api.send("POST", &path::secrets(&namespace), "application/json", b"{}").unwrap();
//! assert_eq!(refused.status, 400);
//! ```
//!
//! Controllers run as processes with a pod's view of the cluster, and the clients reach them through the API server. On a
//! shared cluster a controller has a namespace of its own and watches none but those of its test:
//!
//! ```no_run
//! use testkit::{cli, cluster, cluster::User, controller};
//!
//! let cluster = cluster::shared();
//! let (home, namespace) = (cluster.namespace(), cluster.namespace());
//! let controller = controller::theirs(&cluster) // or controller::ours
//!     .namespace(&home)
//!     .only_namespaces(&[&namespace])
//!     .args(["--key-size=2048"])
//!     .start();
//! let sealed = cli::ours() // or cli::theirs
//!     .args(["--controller-namespace", &home])
//!     .kubeconfig(&cluster.kubeconfig(&User::Admin))
//!     .stdin("{…}")
//!     .ok(); // output() if it may fail
//! assert_eq!(controller.metric("sealed_secrets_controller_unseal_errors_total"), 0.0);
//! let again = controller.kill().start(); // another process, the same place
//! again.stop();
//! ```
//!
//! Small Go programs that ours is compared with live in `tests/peers/<name>`:
//!
//! ```no_run
//! let answer = testkit::cli::run(testkit::peer::go("template")).stdin("{{ 1 }}").ok();
//! ```
//!
//! All servers listen on 127.0.0.1, on ports found free, and end with the test process, however that ends. Tools are built
//! once, by their own toolchains, from versions pinned in `tests/peers`, into `~/.cache/kubeseal-rs`
//! (`KUBESEAL_RS_CACHE`). Data and logs are in [`run_folder`], which `KUBESEAL_RS_KEEP=1` keeps.

pub mod api;
pub mod aws;
pub mod azure;
pub mod cache;
pub mod cli;
pub mod cluster;
mod connect;
pub mod controller;
pub mod desk;
pub mod gcp;
pub mod ours;
pub mod path;
pub mod peer;
pub mod pki;
pub mod ports;
pub mod process;
mod progress;
pub mod python;
mod reaper;
pub mod stub;
pub mod vault;
mod wait;

pub use self::{
    cluster::Cluster,
    progress::say,
    reaper::run_folder,
    wait::{PATIENCE, poll, wait_until},
};
