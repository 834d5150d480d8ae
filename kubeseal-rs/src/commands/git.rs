//! `git`: differences and merges of SOPS files in clear, for Git's own commands.

pub(crate) mod merge;
pub(crate) mod setup;
pub(crate) mod text_conv;

mod attributes;

use crate::error::CommandError;
use crate::ui::Ui;

/// What is done for Git.
pub(crate) enum Args {
    /// Make both drivers known to a repository, or unknown again.
    Setup(setup::Args),
    /// Print a file in clear.
    TextConv(text_conv::Args),
    /// Merge two versions of a file.
    Merge(Box<merge::Args>),
}

/// Does it.
pub(crate) fn run(args: &Args, ui: &mut Ui) -> Result<(), CommandError> {
    match args {
        Args::Setup(args) => setup::run(args, ui),
        Args::TextConv(args) => text_conv::run(args, ui),
        Args::Merge(args) => merge::run(args, ui),
    }
}
