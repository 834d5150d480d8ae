//! One test binary; a module per subject.

mod chart;
mod controller_create;
mod crd;
mod dependencies;
mod harness;
mod interop;
mod manifests;
mod peers;
mod stand;
mod swap;
mod templates;
