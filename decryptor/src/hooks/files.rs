//! Reads files: regular ones, up to a size. A pipe or a device that a file's author names would hold the engine up forever.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::failure::Failure;

/// The most that a file may have. Kubernetes takes objects of 1.5 MiB at most.
const LIMIT: u64 = 64 << 20;
/// The most that standard input may have: all objects of a folder.
const STREAM_LIMIT: u64 = 256 << 20;

/// Reads a file. Symbolic links are followed.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let meta = fs::metadata(path).map_err(|e| unreadable(&e))?;
    if !meta.is_file() {
        return Err(Failure::new("it is not a regular file"));
    }
    if meta.len() > LIMIT {
        return Err(too_long(LIMIT));
    }
    let file = open(path).map_err(|e| unreadable(&e))?;
    // Another file may have taken its place meanwhile.
    if !file.metadata().is_ok_and(|meta| meta.is_file()) {
        return Err(Failure::new("it is not a regular file"));
    }
    let length = usize::try_from(meta.len()).unwrap_or_default();
    take(file, length, LIMIT)
}

/// Reads standard input to its end.
pub(super) fn read_stdin() -> Result<Zeroizing<Vec<u8>>, Failure> {
    take(io::stdin().lock(), 0, STREAM_LIMIT)
        .map_err(|failure| failure.at("cannot read standard input"))
}

/// Without waiting for whoever would write to a pipe.
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    File::options().read(true).custom_flags(flags).open(path)
}

fn take(source: impl Read, length: usize, limit: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(length + 1));
    let read = source.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|e| unreadable(&e))?;
    match bytes.len() as u64 > limit {
        true => Err(too_long(limit)),
        false => Ok(bytes),
    }
}

fn too_long(limit: u64) -> Failure {
    Failure::new(format!("it is larger than {} MiB", limit >> 20))
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::new(match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    })
}
