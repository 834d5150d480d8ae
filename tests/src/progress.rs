//! Tells the person at the terminal what is being set up.

use std::io::Write;

/// Writes one line to the terminal, past the capture of the test runner.
pub fn say(line: &str) {
    // The test runner captures the print macros only. A closed terminal is no reason to fail.
    let _ = writeln!(std::io::stderr(), "testkit: {line}");
}
