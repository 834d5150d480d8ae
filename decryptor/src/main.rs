//! The hooks binary, `decryptor`: called by sync engines under the names that they know.

use std::process::ExitCode;

use decryptor::hooks;
use decryptor::program::memory;

fn main() -> ExitCode {
    memory::keep();
    // The first caller wins, and there is only this one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    hooks::run(std::env::args_os())
}
