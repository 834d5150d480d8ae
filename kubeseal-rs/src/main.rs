//! The client binary, `kubeseal`: turns what was typed into one command and runs it.

mod cert;
mod cluster;
mod commands;
mod documents;
mod error;
mod files;
mod front;
mod keyring;
mod namespace;
mod output;
mod parallel;
mod passphrase;
mod private_keys;
mod ui;

use std::process::ExitCode;

use ui::Ui;

fn main() -> ExitCode {
    let mut ui = Ui::default();
    // The first caller wins, and there is only this one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let outcome = match front::kubeseal::parse(std::env::args_os()) {
        Ok(command) => command.run(&mut ui),
        Err(front::Stop::Shown(text)) => return ui.finish_early(&text),
        Err(front::Stop::Refused(error)) => Err(error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ui.fail(&error),
    }
}
