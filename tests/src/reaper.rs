//! Ends every server when the test process ends, however it ends.

use std::{
    env, fs,
    io::Write,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{ChildStdin, Command, Stdio},
    sync::{Mutex, OnceLock},
};

/// A shell holds the other end of a pipe: when this process is gone, however it went, the pipe closes. Then it kills the
/// process groups it was told of and removes the run folder.
const SCRIPT: &str = r#"
groups=
while read -r verb group; do
    others=
    for g in $groups; do [ "$g" = "$group" ] || others="$others $g"; done
    groups=$others
    [ "$verb" = adopt ] && groups="$groups $group"
done
for g in $groups; do kill -s KILL -- "-$g" 2>/dev/null; done
[ -n "$KUBESEAL_RS_KEEP" ] || rm -rf -- "$1"
"#;

struct Reaper {
    orders: Mutex<ChildStdin>,
    folder: PathBuf,
}

/// The folder of this test process for data, logs and sockets; in memory where possible, gone when the process is.
///
/// Set `KUBESEAL_RS_KEEP=1` to keep it.
pub fn run_folder() -> &'static Path {
    &reaper().folder
}

/// Whether files of servers are to be kept for a look at them.
pub(crate) fn keeps() -> bool {
    env::var_os("KUBESEAL_RS_KEEP").is_some_and(|value| !value.is_empty())
}

/// From now on the process group ends with this process.
pub(crate) fn adopt(group: u32) {
    order(&format!("adopt {group}\n"));
}

/// The process group has ended: its number may be another's soon.
pub(crate) fn release(group: u32) {
    order(&format!("release {group}\n"));
}

fn order(line: &str) {
    let mut pipe = reaper().orders.lock().expect("no holder panics");
    pipe.write_all(line.as_bytes())
        .expect("the reaper reads until this process ends");
}

#[expect(clippy::zombie_processes, reason = "it ends after this process")]
fn reaper() -> &'static Reaper {
    static REAPER: OnceLock<Reaper> = OnceLock::new();
    REAPER.get_or_init(|| {
        let folder = make_folder();
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "reaper"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A Ctrl-C is for the tests, not for who cleans up after them.
            .process_group(0)
            .spawn()
            .expect("a machine with Rust on it has sh");
        let orders = Mutex::new(shell.stdin.take().expect("stdin was asked for as a pipe"));
        Reaper { orders, folder }
    })
}

fn make_folder() -> PathBuf {
    let in_memory = tempfile::Builder::new()
        .prefix("kubeseal-rs-")
        .tempdir_in("/dev/shm");
    let folder = in_memory.or_else(|_| {
        tempfile::Builder::new()
            .prefix("kubeseal-rs-")
            .tempdir_in(env::temp_dir())
    });
    let path = folder
        .expect("neither /dev/shm nor the temporary folder can be written")
        .keep();
    fs::canonicalize(&path).unwrap_or(path)
}
