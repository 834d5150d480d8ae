//! The folder of built tools: outside the checkout, one entry per name and version, whole or absent.

use std::{
    env,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use crate::progress::say;

/// The folder that holds every built tool.
///
/// `$KUBESEAL_RS_CACHE`, else `$XDG_CACHE_HOME/kubeseal-rs`, else `~/.cache/kubeseal-rs`.
pub fn folder() -> PathBuf {
    let path = match (
        env::var_os("KUBESEAL_RS_CACHE"),
        env::var_os("XDG_CACHE_HOME"),
        env::var_os("HOME"),
    ) {
        (Some(own), ..) => PathBuf::from(own),
        (_, Some(xdg), _) => Path::new(&xdg).join("kubeseal-rs"),
        (_, _, Some(home)) => Path::new(&home).join(".cache/kubeseal-rs"),
        _ => panic!("no place for the tools cache: set KUBESEAL_RS_CACHE to a folder"),
    };
    fs::create_dir_all(&path)
        .unwrap_or_else(|e| panic!("cannot create the tools cache {}: {e}", path.display()));
    path
}

/// The folder of `entry`, filled by `build` if it is not there yet.
///
/// `build` gets an empty folder, which is moved into place when it returns: an entry that exists is complete, also after
/// a kill. One build runs at a time, over all processes.
pub fn entry(entry: &str, build: impl FnOnce(&Path)) -> PathBuf {
    let cache = folder();
    let path = cache.join(entry);
    if path.is_dir() {
        return path;
    }
    let _lock = lock(&cache.join("build.lock"), entry);
    if path.is_dir() {
        return path;
    }
    let partial = cache.join(format!("{entry}.partial"));
    let _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(&partial).expect("the cache folder can be written, its lock file was");
    build(&partial);
    fs::rename(&partial, &path)
        .unwrap_or_else(|e| panic!("cannot move {} into place: {e}", partial.display()));
    path
}

fn lock(path: &Path, wanted: &str) -> File {
    let file =
        File::create(path).unwrap_or_else(|e| panic!("cannot write {}: {e}", path.display()));
    match file.try_lock() {
        Ok(()) => return file,
        Err(TryLockError::WouldBlock) => say(&format!("waiting for the build lock, then {wanted}")),
        Err(TryLockError::Error(e)) => panic!("cannot lock {}: {e}", path.display()),
    }
    file.lock()
        .unwrap_or_else(|e| panic!("cannot lock {}: {e}", path.display()));
    file
}
