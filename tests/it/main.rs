//! One test binary; a module per subject.

mod chart;
mod client;
mod controller_create;
mod controller_drift;
mod controller_existing;
mod controller_namespaces;
mod controller_recreation;
mod controller_refusals;
mod controller_restart;
mod crd;
mod dependencies;
mod docs;
mod endpoints;
mod flags;
mod harness;
mod image;
mod interop;
mod keys;
mod lease;
mod manifests;
mod metrics;
mod peers;
mod pod;
mod stand;
mod swap;
mod templates;
