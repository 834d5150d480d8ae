//! Git, asked through its own program.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use crate::error::CommandError;

/// Runs Git in the working folder; returns what it printed.
pub(crate) fn run<A: AsRef<OsStr>>(args: &[A]) -> Result<Zeroizing<Vec<u8>>, CommandError> {
    match run_if(args)? {
        (0, out, _) => Ok(out),
        (_, _, said) => Err(failed(args, &said)),
    }
}

/// Runs Git; returns its exit code, what it printed, and what it said.
pub(crate) fn run_if<A: AsRef<OsStr>>(
    args: &[A],
) -> Result<(i32, Zeroizing<Vec<u8>>, String), CommandError> {
    let output = Command::new("git")
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| CommandError::new("cannot run git").because(e))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let code = output.status.code().unwrap_or(-1);
    Ok((code, Zeroizing::new(output.stdout), said))
}

fn failed<A: AsRef<OsStr>>(args: &[A], said: &str) -> CommandError {
    let command = args.first().map(|word| word.as_ref().to_string_lossy());
    CommandError::new(format!("git {} failed", command.unwrap_or_default()))
        .because(said.to_owned())
}

/// The files that are staged and not removed, as seen from the working folder; those under `paths` if there are any. Links
/// and modules are no files.
pub(crate) fn staged_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CommandError> {
    let mut args: Vec<&OsStr> = [
        "diff",
        "--cached",
        "--raw",
        "--relative",
        "--no-renames",
        "--diff-filter=ACMT",
        "-z",
        "--",
    ]
    .map(OsStr::new)
    .to_vec();
    args.extend(paths.iter().map(|path| path.as_os_str()));
    Ok(regular(&run(&args)?))
}

/// The regular files of a raw difference: before each name stand the modes that it had and has.
fn regular(out: &[u8]) -> Vec<PathBuf> {
    let mut parts = out.split(|byte| *byte == 0);
    let mut files = Vec::new();
    while let (Some(meta), Some(name)) = (parts.next(), parts.next()) {
        let mode = meta.split(|byte| *byte == b' ').nth(1);
        if mode.is_some_and(|mode| mode.starts_with(b"100")) {
            files.push(PathBuf::from(OsStr::from_bytes(name)));
        }
    }
    files
}

/// Names that Git printed with a zero byte behind each.
pub(crate) fn names(out: &[u8]) -> Vec<PathBuf> {
    let names = out.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names
        .map(|name| PathBuf::from(OsStr::from_bytes(name)))
        .collect()
}

/// A file as it is staged.
pub(crate) fn staged(path: &Path) -> Result<Zeroizing<Vec<u8>>, CommandError> {
    let mut name = b":./".to_vec();
    name.extend_from_slice(path.as_os_str().as_bytes());
    let name = std::ffi::OsString::from_vec(name);
    run(&[OsStr::new("cat-file"), OsStr::new("blob"), &name])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_modules_are_no_files() {
        let out = b":000000 100644 0 1 A\0a b.yaml\0:100644 120000 0 1 T\0link\0:0 160000 0 1 A\0module\0:100644 100755 0 1 M\0c\0";
        let files = regular(out);
        assert_eq!(files, [PathBuf::from("a b.yaml"), PathBuf::from("c")]);
        assert!(regular(b"").is_empty());
    }
}
