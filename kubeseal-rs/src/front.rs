//! Front doors: each turns what was typed into one command.

pub(crate) mod kubeseal;
pub(crate) mod sops;

mod connection;
mod document_commands;
mod document_flags;
mod flags;
mod git;
mod klog;
mod subcommands;
mod values;
mod verify;

use crate::error::CommandError;

/// Why there is no command to run.
pub(crate) enum Stop {
    /// There is a text to show: help, or why the flags cannot be understood.
    Shown(Box<clap::Error>),
    /// What was asked for makes no sense.
    Refused(CommandError),
}

impl From<clap::Error> for Stop {
    fn from(text: clap::Error) -> Self {
        Self::Shown(Box::new(text))
    }
}

impl From<CommandError> for Stop {
    fn from(error: CommandError) -> Self {
        Self::Refused(error)
    }
}
