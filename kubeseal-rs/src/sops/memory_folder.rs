//! A folder for clear text that other programs must see as a file: in memory, for its owner only, and gone afterwards.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::CommandError;
use crate::ui::Ui;

/// What to do where no folder lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnDisk {
    /// Nothing is written.
    Refuse,
    /// Clear text goes to the disk, where it can be found after it was deleted.
    Warn,
}

/// Makes such a folder.
pub(crate) fn make(on_disk: OnDisk, ui: &mut Ui) -> Result<TempDir, CommandError> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let usual = std::env::temp_dir();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let candidates = runtime
        .into_iter()
        .chain([PathBuf::from("/dev/shm"), usual.clone()]);
    for folder in candidates {
        let made = fs::canonicalize(&folder)
            .ok()
            .filter(|folder| is_in_memory(folder, &mounts))
            .and_then(|folder| make_in(&folder).ok());
        if let Some(made) = made {
            return Ok(made);
        }
    }
    match on_disk {
        OnDisk::Refuse => Err(CommandError::new(
            "no folder in memory can be written to, and clear text would stay on the disk",
        )
        .hint("mount a tmpfs on /dev/shm, or allow it with --allow-disk")),
        OnDisk::Warn => {
            ui.warn(format!(
                "clear text goes to {}, which may be on a disk: no folder in memory can be written to",
                usual.display()
            ));
            make_in_usual(&usual)
        }
    }
}

/// Makes such a folder wherever files for a while go: for what is never written to a disk itself, such as a pipe.
pub(crate) fn anywhere() -> Result<TempDir, CommandError> {
    make_in_usual(&std::env::temp_dir())
}

fn make_in_usual(usual: &Path) -> Result<TempDir, CommandError> {
    make_in(usual).map_err(|e| {
        CommandError::new(format!("cannot make a folder in {}", usual.display())).because(e)
    })
}

fn make_in(folder: &Path) -> std::io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix(".sops")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(folder)
}

/// Whether the file system that a folder lies on keeps its files in memory, by the list of mounts.
fn is_in_memory(folder: &Path, mounts: &str) -> bool {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (at, kind) = (words.nth(1)?, words.next()?);
        Some((unescape(at), kind))
    });
    let over = mounts.filter(|(at, _)| folder.starts_with(at));
    // Of two mounts on one folder the later one is seen.
    let innermost = over.max_by_key(|(at, _)| Path::new(at).components().count());
    innermost.is_some_and(|(_, kind)| matches!(kind, "tmpfs" | "ramfs"))
}

/// Spaces and the like are written in octal there.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_says_what_a_folder_is() {
        let mounts = "\
/dev/vda / ext4 rw 0 0
tmpfs /dev/shm tmpfs rw 0 0
/dev/vdb /dev/shm/disk ext4 rw 0 0
tmpfs /run/user\\0401 tmpfs rw 0 0
/dev/vdc /twice ext4 rw 0 0
tmpfs /twice tmpfs rw 0 0
";
        for (folder, expected) in [
            ("/tmp", false),
            ("/dev/shm", true),
            ("/dev/shmem", false),
            ("/dev/shm/deeper", true),
            ("/dev/shm/disk/x", false),
            ("/run/user 1", true),
            ("/twice", true),
        ] {
            assert_eq!(
                is_in_memory(Path::new(folder), mounts),
                expected,
                "{folder}"
            );
        }
        assert!(
            !is_in_memory(Path::new("/dev/shm"), ""),
            "where nothing is known"
        );
    }
}
