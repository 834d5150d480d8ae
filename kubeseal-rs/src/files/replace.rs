//! New content in place of a file's: whole or not at all, and never over what somebody else has just written.

use std::borrow::Cow;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use super::new::NewFile;
use super::{drain, folder_of};
use crate::error::CommandError;

/// What became of a file that was to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Swapped {
    /// It has the new content.
    Done,
    /// Somebody else has changed it meanwhile, and it was left so.
    ChangedMeanwhile,
}

/// Puts new content in place of a file's: whole or not at all, with the mode and owner it had.
///
/// A new file is readable by its owner only, as the original has it. A link's target is replaced, not the link; a pipe or
/// a device is written to.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), CommandError> {
    let put = put(path, None, content, 0o600);
    put.map(drop).map_err(|e| unwritable(path, e))
}

/// As [`replace`], but a new file is readable by whom the umask lets: for what is no secret.
pub(crate) fn replace_shared(path: &Path, content: &[u8]) -> Result<(), CommandError> {
    let put = put(path, None, content, 0o666);
    put.map(drop).map_err(|e| unwritable(path, e))
}

/// As [`replace`], unless the content is no longer what it was when it was read.
pub(crate) fn swap(path: &Path, before: &[u8], content: &[u8]) -> Result<Swapped, CommandError> {
    put(path, Some(before), content, 0o600).map_err(|e| unwritable(path, e))
}

/// Puts secrets in a file that only its owner can read, whatever its mode was.
pub(crate) fn replace_secret(path: &Path, content: &[u8]) -> Result<(), CommandError> {
    let write = || {
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return File::options().write(true).open(path)?.write_all(content);
        }
        let mut file = NewFile::make(path, 0o600)?;
        file.write(content)?;
        file.put(path, false)
    };
    write().map_err(|e| unwritable(path, e))
}

/// How many names a file has: only the one that is replaced gets the new content.
pub(crate) fn names(path: &Path) -> u64 {
    fs::metadata(path).map_or(1, |metadata| metadata.nlink())
}

fn unwritable(path: &Path, error: io::Error) -> CommandError {
    let failed = CommandError::new(format!("cannot write {}", path.display())).of(path);
    let folder = folder_of(path);
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied if File::options().write(true).open(path).is_ok() => {
            Some(format!(
                "files are replaced whole: {} must be writable too",
                folder.display()
            ))
        }
        _ => None,
    };
    let failed = failed.because(error);
    match hint {
        Some(hint) => failed.hint(hint),
        None => failed,
    }
}

fn put(
    path: &Path,
    before: Option<&[u8]>,
    content: &[u8],
    mode_of_new: u32,
) -> io::Result<Swapped> {
    let (path, metadata) = match target(path) {
        Ok(target) => target,
        Err(e) if e.kind() == io::ErrorKind::NotFound => match before {
            Some(_) => return Ok(Swapped::ChangedMeanwhile),
            None => return put_new(path, content, mode_of_new),
        },
        Err(e) => return Err(e),
    };
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        File::options()
            .write(true)
            .open(&path)?
            .write_all(content)?;
        return Ok(Swapped::Done);
    }
    let present = Locked::open(&path)?;
    if before.is_some_and(|before| !present.holds(before)) {
        return Ok(Swapped::ChangedMeanwhile);
    }
    let metadata = &present.metadata;
    let mut file = NewFile::make(&path, 0o600)?;
    file.write(content)?;
    keep_owner(file.file(), metadata)?;
    file.file()
        .set_permissions(Permissions::from_mode(metadata.mode() & 0o7777))?;
    file.put(&path, true)?;
    Ok(Swapped::Done)
}

/// Where a path leads in the end, and what is there. That a file is no link is known faster than where a path leads.
fn target(path: &Path) -> io::Result<(Cow<'_, Path>, fs::Metadata)> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_symlink() {
        return Ok((path.into(), metadata));
    }
    let target = fs::canonicalize(path)?;
    let metadata = fs::metadata(&target)?;
    Ok((target.into(), metadata))
}

fn put_new(path: &Path, content: &[u8], mode: u32) -> io::Result<Swapped> {
    // A link to a file that is not there yet makes that file.
    let path =
        fs::read_link(path).map_or_else(|_| path.to_owned(), |target| folder_of(path).join(target));
    let mut file = NewFile::make(&path, mode)?;
    file.write(content)?;
    file.put(&path, false)?;
    Ok(Swapped::Done)
}

/// A file that no other process of ours replaces as long as this lives.
struct Locked {
    file: File,
    metadata: fs::Metadata,
}

impl Locked {
    /// Waits for the others. What they have put in its place counts: of a replaced file, the new one is locked.
    fn open(path: &Path) -> io::Result<Self> {
        loop {
            // Whoever may not write to the file shall not replace it either.
            let file = File::options().read(true).write(true).open(path)?;
            match file.lock() {
                Ok(()) => {}
                // Some file systems know no locks: there, what was changed is noticed all the same.
                Err(e) if e.kind() == io::ErrorKind::Unsupported => {}
                Err(e) => return Err(e),
            }
            let (opened, present) = (file.metadata()?, fs::metadata(path)?);
            if (opened.dev(), opened.ino()) == (present.dev(), present.ino()) {
                return Ok(Self {
                    file,
                    metadata: opened,
                });
            }
        }
    }

    fn holds(&self, content: &[u8]) -> bool {
        self.metadata.len() == content.len() as u64
            && drain(&self.file, content.len()).is_ok_and(|found| *found == content)
    }
}

fn keep_owner(file: &File, before: &fs::Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    if (now.uid(), now.gid()) == (before.uid(), before.gid()) {
        return Ok(());
    }
    fchown(file, Some(before.uid()), Some(before.gid()))
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
    fn what_was_written_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "theirs").unwrap();
        assert_eq!(
            swap(&path, b"before", b"ours").unwrap(),
            Swapped::ChangedMeanwhile
        );
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(swap(&path, b"theirs", b"ours").unwrap(), Swapped::Done);
        assert_eq!(fs::read(&path).unwrap(), b"ours");
        fs::remove_file(&path).unwrap();
        assert_eq!(
            swap(&path, b"ours", b"again").unwrap(),
            Swapped::ChangedMeanwhile
        );
        assert!(!path.exists());
    }

    #[test]
    fn of_many_that_add_to_a_file_none_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "").unwrap();
        let add = |letter: u8| {
            for _ in 0..20 {
                loop {
                    let before = super::super::read(&path).unwrap();
                    let after = [before.as_slice(), &[letter]].concat();
                    if swap(&path, &before, &after).unwrap() == Swapped::Done {
                        break;
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for letter in b'a'..b'e' {
                scope.spawn(move || add(letter));
            }
        });
        let text = fs::read(&path).unwrap();
        for letter in b'a'..b'e' {
            assert_eq!(text.iter().filter(|found| **found == letter).count(), 20);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
