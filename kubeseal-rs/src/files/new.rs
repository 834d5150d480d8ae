//! A new file that has no name until it is complete: whatever ends the program before, nothing is left behind.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use tempfile::NamedTempFile;

use super::folder_of;

/// A file about to be put in its place.
pub(super) enum NewFile {
    /// It goes away with the program, unless it is put in its place.
    Nameless(File),
    /// The file system has no such files.
    Named(NamedTempFile),
}

impl NewFile {
    /// Makes one that will be `path`: with this mode, as far as the umask lets.
    pub(super) fn make(path: &Path, mode: u32) -> io::Result<Self> {
        let folder = folder_of(path);
        if let Some(file) = nameless(folder, mode) {
            return Ok(Self::Nameless(file));
        }
        tempfile::Builder::new()
            .prefix(".kubeseal-")
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(folder)
            .map(Self::Named)
    }

    /// The file itself.
    pub(super) fn file(&self) -> &File {
        match self {
            Self::Nameless(file) => file,
            Self::Named(file) => file.as_file(),
        }
    }

    /// Writes all of its content.
    pub(super) fn write(&mut self, content: &[u8]) -> io::Result<()> {
        self.file().write_all(content)
    }

    /// Puts it in its place, with its content on the disk before and its name after. `is_over`: another file has the name.
    pub(super) fn put(self, path: &Path, is_over: bool) -> io::Result<()> {
        self.file().sync_all()?;
        match self {
            Self::Nameless(file) => put_nameless(&file, path, is_over)?,
            Self::Named(file) => drop(file.persist(path).map_err(|e| e.error)?),
        }
        File::open(folder_of(path))?.sync_all()
    }
}

/// A file without a name. Returns `None` where the system has none, or cannot give them names later.
#[cfg(target_os = "linux")]
fn nameless(folder: &Path, mode: u32) -> Option<File> {
    use rustix::fs::{CWD, Mode, OFlags, openat};

    static CAN_BE_NAMED: LazyLock<bool> = LazyLock::new(|| Path::new("/proc/self/fd").exists());
    if !*CAN_BE_NAMED {
        return None;
    }
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = openat(CWD, folder, flags, Mode::from_raw_mode(mode)).ok()?;
    Some(File::from(file))
}

#[cfg(not(target_os = "linux"))]
fn nameless(_folder: &Path, _mode: u32) -> Option<File> {
    None
}

/// A file cannot be named over another one: it gets a name beside it first, and is moved at once.
#[cfg(target_os = "linux")]
fn put_nameless(file: &File, path: &Path, is_over: bool) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    use rustix::fs::{AtFlags, CWD, linkat};

    let source = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let link = |name: &Path| linkat(CWD, &source, CWD, name, AtFlags::SYMLINK_FOLLOW);
    if !is_over && link(path).is_ok() {
        return Ok(());
    }
    let beside = beside(path);
    // Threads that wait for each other in the folder between the two steps would make being killed there more likely.
    static LAST_STEP: Mutex<()> = Mutex::new(());
    let _alone = LAST_STEP.lock().unwrap_or_else(PoisonError::into_inner);
    // Who was killed between the two steps has left it.
    if link(&beside).is_err() {
        let _ = fs::remove_file(&beside);
        link(&beside)?;
    }
    fs::rename(&beside, path).inspect_err(|_| {
        // What matters is the first error.
        let _ = fs::remove_file(&beside);
    })
}

#[cfg(not(target_os = "linux"))]
fn put_nameless(_file: &File, _path: &Path, _is_over: bool) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

const BESIDE: &str = ".kubeseal-new";

/// Whether a name is one that files have before the last step only.
pub(crate) fn is_beside(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".") && name.ends_with(BESIDE.as_bytes())
}

/// The name before the last step: the same each time, so that there is never more than one.
fn beside(path: &Path) -> PathBuf {
    const LONGEST: usize = 200;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let end = (0..=name.len().min(LONGEST))
        .rev()
        .find(|end| name.is_char_boundary(*end));
    let name = &name[..end.unwrap_or_default()];
    folder_of(path).join(OsString::from(format!(".{name}{BESIDE}")))
}
