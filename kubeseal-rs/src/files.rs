//! Files: read whole, replaced whole or not at all.

mod new;
mod replace;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub(crate) use new::is_beside;
pub(crate) use replace::{Swapped, names, replace, replace_secret, replace_shared, swap};

use crate::error::CommandError;
use crate::ui::Ui;

/// Where a command's input comes from.
#[derive(Clone)]
pub(crate) enum Input {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl Input {
    /// A file if there is a name, else standard input.
    pub(crate) fn of(name: Option<String>) -> Self {
        name.map_or(Self::Stdin, |name| Self::File(name.into()))
    }

    /// Reads it to its end. It may hold secrets: what is returned is zeroed on drop.
    pub(crate) fn read(&self, what: &str, ui: &mut Ui) -> Result<Zeroizing<Vec<u8>>, CommandError> {
        match self {
            Self::File(path) => read(path).map_err(|e| {
                CommandError::new("Could not read file specified with --secret-file").because(
                    format!("{}: {}", path.display(), crate::error::io_reason(&e)),
                )
            }),
            Self::Stdin => {
                ui.expect_typing(what);
                drain(io::stdin().lock(), 0)
                    .map_err(|e| CommandError::new("cannot read standard input").because(e))
            }
        }
    }
}

/// Reads a file that may hold secrets.
pub(crate) fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    drain(file, usize::try_from(length).unwrap_or_default())
}

/// Reads how a file begins.
pub(crate) fn begin(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    const ENOUGH: u64 = 64;
    drain(File::open(path)?.take(ENOUGH), 0)
}

/// Reads to the end without leaving copies behind: a growing vector would free its old, unwiped buffers.
fn drain(mut source: impl Read, expected: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    const MOST_AT_FIRST: usize = 1 << 26;
    let mut bytes = Zeroizing::new(Vec::with_capacity(
        expected.clamp(1 << 14, MOST_AT_FIRST) + 1,
    ));
    let mut chunk = Zeroizing::new([0; 1 << 14]);
    loop {
        let length = match source.read(chunk.as_mut()) {
            Ok(0) => return Ok(bytes),
            Ok(length) => length,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        if bytes.capacity() - bytes.len() < length {
            let mut larger = Zeroizing::new(Vec::with_capacity(bytes.capacity() * 2));
            larger.extend_from_slice(&bytes);
            bytes = larger;
        }
        bytes.extend_from_slice(&chunk[..length]);
    }
}

/// The folder that a file lies in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Makes a file for secrets: readable by its owner only, and never in place of another one.
pub(crate) fn create_secret(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a secret is of no use to anybody; what matters is the first error.
        let _ = fs::remove_file(path);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_secret_file_is_private_and_never_overwrites() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create_secret(&path, b"x").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert!(create_secret(&path, b"y").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"x");
    }
}
