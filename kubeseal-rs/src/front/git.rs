//! The commands of `git`, most of which Git itself calls.

use std::path::PathBuf;

use clap::Subcommand;

use super::document_flags::{ConfigFlags, OrderFlags};
use crate::commands::git::{self, merge, setup, text_conv};
use crate::error::CommandError;

/// What is done for Git.
#[derive(Subcommand)]
pub(super) enum GitCommand {
    /// Have git diff show SOPS files in clear, and git merge merge them, in this repository
    Setup {
        /// Take back what an earlier call has set
        #[arg(long)]
        undo: bool,
        #[command(flatten)]
        config: ConfigFlags,
        /// Patterns as in .gitattributes; without any, one for each SOPS file that is there
        #[arg(value_name = "PATTERN")]
        patterns: Vec<String>,
    },
    /// Print a SOPS file in clear, or as it is if no key opens it (called by git diff)
    Textconv {
        #[command(flatten)]
        order: OrderFlags,
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Merge two versions of a SOPS file in memory (called by git merge)
    Merge {
        /// How long marks of conflicts are
        #[arg(long, value_name = "LENGTH", default_value = "7")]
        marker_size: u16,
        /// Name of the file in the repository
        #[arg(long, value_name = "PATH")]
        path: PathBuf,
        #[command(flatten)]
        order: OrderFlags,
        /// The version that both come from
        base: PathBuf,
        /// Our version, which the result replaces
        ours: PathBuf,
        /// Their version
        theirs: PathBuf,
    },
}

impl GitCommand {
    pub(super) fn args(self) -> Result<git::Args, CommandError> {
        Ok(match self {
            Self::Setup {
                undo,
                config,
                patterns,
            } => git::Args::Setup(setup::Args {
                patterns,
                undo,
                config: config.choice(&ConfigFlags::default()),
            }),
            Self::Textconv { order, file } => git::Args::TextConv(text_conv::Args {
                path: file,
                opening: order.opening(false)?,
            }),
            Self::Merge {
                marker_size,
                path,
                order,
                base,
                ours,
                theirs,
            } => git::Args::Merge(Box::new(merge::Args {
                base,
                ours,
                theirs,
                path,
                marker_size,
                opening: order.opening(false)?,
            })),
        })
    }
}
