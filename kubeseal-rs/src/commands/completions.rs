//! Completions for a shell.

use clap_complete::Shell;

use crate::error::CommandError;
use crate::front;
use crate::ui::Ui;

/// For which shell.
pub(crate) struct Args {
    /// The shell.
    pub(crate) shell: Shell,
}

pub(crate) fn run(args: Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args { shell } = args;
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut front::kubeseal::shown(), "kubeseal", &mut text);
    ui.print(&text)
}
