//! The client binary, `kubeseal`: turns what was typed into one command and runs it.

mod cert;
mod cluster;
mod commands;
mod documents;
mod error;
mod files;
mod front;
mod git;
mod keyring;
mod namespace;
mod output;
mod passphrase;
mod private_keys;
mod sops;
mod ui;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use decryptor::program::memory;
use ui::Ui;

fn main() -> ExitCode {
    memory::keep();
    // The first caller wins, and there is only this one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let is_sops = called_as().is_some_and(|name| name == "sops");
    let mut ui = Ui::new(is_sops);
    let args = std::env::args_os();
    let command = match is_sops {
        true => front::sops::parse(args, &mut ui),
        false => front::kubeseal::parse(args),
    };
    let outcome = match command {
        Ok(command) => command.run(&mut ui),
        Err(front::Stop::Shown(text)) => return ui.finish_early(&text),
        Err(front::Stop::Refused(error)) => Err(error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ui.fail(&error),
    }
}

/// The name of the link that the program was called by.
fn called_as() -> Option<OsString> {
    let path = PathBuf::from(std::env::args_os().next()?);
    path.file_stem().map(OsString::from)
}
