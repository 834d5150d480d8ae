//! The memory of this process: what it holds in clear stays there (no core dump has it, and no program of the same user reads
//! it), and what was given back serves again.

use std::hint::black_box;

/// Shuts others out until the process becomes another program: what a person runs is not changed by it.
#[cfg(target_os = "linux")]
pub fn keep() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};

    // A sandbox may forbid it, and has its own ways to keep memory apart.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Other systems have no such switch.
#[cfg(not(target_os = "linux"))]
pub fn keep() {}

/// Has large pieces that are given back serve again, instead of going to the system and coming from there page by page: glibc
/// keeps what is smaller than the largest one that was given back before (mallopt(3)).
pub fn reuse() {
    const LARGEST: usize = 16 << 20;
    drop(black_box(Vec::<u8>::with_capacity(LARGEST)));
}
