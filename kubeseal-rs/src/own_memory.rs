//! What this process holds in clear stays in its memory: no core dump has it, and no program of the same user reads it.

/// Shuts others out until the process becomes another program: what a person runs is not changed by it.
#[cfg(target_os = "linux")]
pub(crate) fn keep() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};

    // A sandbox may forbid it, and has its own ways to keep memory apart.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn keep() {}
