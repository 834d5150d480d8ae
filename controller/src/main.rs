//! The controller binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    controller::start::main()
}
