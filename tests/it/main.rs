//! One test binary; a module per subject.

mod dependencies;
mod harness;
mod peers;
