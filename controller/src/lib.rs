//! The in-cluster controller: turns SealedSecrets into Secrets.

pub mod metrics;
pub mod run;
