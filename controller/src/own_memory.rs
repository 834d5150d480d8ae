//! The sealing keys stay in this process's memory: no core dump on the node has them, and no program of the same user reads it.

/// Shuts others out.
#[cfg(target_os = "linux")]
pub(crate) fn keep() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};

    // A sandbox may forbid it, and has its own ways to keep memory apart.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn keep() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, dumpable_behavior};

    #[test]
    fn nothing_is_dumped() {
        super::keep();
        let behavior = dumpable_behavior().unwrap();
        assert!(matches!(behavior, DumpableBehavior::NotDumpable));
    }
}
