//! Which files are looked at: those that were named, those in folders that were named, or those that are staged.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::Args;
use crate::error::CommandError;
use crate::{files, git, sops};

/// A file that may be meant.
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    /// Whether it was named itself.
    pub(super) named: bool,
    /// Whether it is as it is staged.
    staged: bool,
}

impl Candidate {
    /// What it holds.
    pub(super) fn read(&self) -> Result<Zeroizing<Vec<u8>>, CommandError> {
        match self.staged {
            true => git::staged(&self.path),
            false => files::read(&self.path)
                .map_err(|e| CommandError::new("cannot read the file").because(e)),
        }
    }
}

/// Everything that is to be looked at.
pub(super) fn find(args: &Args) -> Result<Vec<Candidate>, CommandError> {
    let mut found = Vec::new();
    if args.staged {
        let paths = git::staged_files(&args.paths)?.into_iter();
        found.extend(paths.map(|path| Candidate {
            path,
            named: false,
            staged: true,
        }));
        return Ok(found);
    }
    let here = [PathBuf::from(".")];
    let paths = match args.paths.as_slice() {
        [] => &here,
        paths => paths,
    };
    found.extend(sops::found::find(paths)?.into_iter().map(|found| {
        let path = found.path.strip_prefix(".").map(Path::to_owned);
        Candidate {
            path: path.unwrap_or(found.path),
            named: found.named,
            staged: false,
        }
    }));
    Ok(found)
}
