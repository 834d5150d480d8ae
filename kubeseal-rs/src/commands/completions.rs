//! Completions for a shell.

use clap_complete::Shell;

use crate::error::CommandError;
use crate::front;
use crate::ui::Ui;

/// For which shell.
pub(crate) struct Args {
    /// The shell.
    pub(crate) shell: Shell,
    /// Whether they are for the link of that name.
    pub(crate) called_sops: bool,
}

pub(crate) fn run(args: Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args { shell, called_sops } = args;
    let (mut grammar, name) = match called_sops {
        true => (front::sops::completed(), "sops"),
        false => (front::kubeseal::shown(), "kubeseal"),
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut grammar, name, &mut text);
    ui.print(&text)
}
