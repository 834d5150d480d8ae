//! Files: read whole, replaced whole or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use zeroize::Zeroizing;

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

/// Puts new content in place of a file's: whole or not at all, with the mode and owner it had.
///
/// A new file is readable by its owner only, as the original has it. A link's target is replaced, not the link; a pipe or
/// a device is written to.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), CommandError> {
    replace_file(path, content, 0o600)
        .map_err(|e| CommandError::new(format!("cannot write {}", path.display())).because(e))
}

/// As [`replace`], but a new file is readable by whom the umask lets: for what is no secret.
pub(crate) fn replace_shared(path: &Path, content: &[u8]) -> Result<(), CommandError> {
    replace_file(path, content, 0o666)
        .map_err(|e| CommandError::new(format!("cannot write {}", path.display())).because(e))
}

fn replace_file(path: &Path, content: &[u8], mode_of_new: u32) -> io::Result<()> {
    let path = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(e) if e.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(e) => return Err(e),
    };
    let before = match fs::metadata(&path) {
        Ok(metadata) => Some(metadata),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e),
    };
    if let Some(metadata) = &before {
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !metadata.is_file() {
            return File::options().write(true).open(&path)?.write_all(content);
        }
        // Whoever may not write to the file shall not replace it either.
        File::options().write(true).open(&path)?;
    }
    let mode = before.as_ref().map_or(mode_of_new, |_| 0o600);
    let mut file = new_beside(&path, mode)?;
    file.write_all(content)?;
    if let Some(metadata) = &before {
        keep_owner(file.as_file(), metadata)?;
        file.as_file()
            .set_permissions(Permissions::from_mode(metadata.mode() & 0o7777))?;
    }
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|e| e.error)?;
    sync_folder(&path)
}

fn new_beside(path: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    tempfile::Builder::new()
        .prefix(".kubeseal-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder)
}

fn keep_owner(file: &File, before: &fs::Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    if (now.uid(), now.gid()) == (before.uid(), before.gid()) {
        return Ok(());
    }
    std::os::unix::fs::fchown(file, Some(before.uid()), Some(before.gid()))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if folder != Path::new("") => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
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

/// Puts secrets in a file that only its owner can read, whatever its mode was.
pub(crate) fn replace_secret(path: &Path, content: &[u8]) -> Result<(), CommandError> {
    let write = || {
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return File::options().write(true).open(path)?.write_all(content);
        }
        let mut file = new_beside(path, 0o600)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|e| e.error)?;
        sync_folder(path)
    };
    write().map_err(|e| CommandError::new(format!("cannot write {}", path.display())).because(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_keeps_its_mode_and_a_new_one_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
        let path = folder.path().join("a");
        replace(&path, b"one").unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(
            (mode(&path), fs::read(&path).unwrap()),
            (0o664, b"two".to_vec())
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_and_its_target_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "one").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        replace(&link, b"two").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"two");
    }

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
