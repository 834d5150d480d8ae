//! A tree of small SOPS documents: each by a call of sops 3.13.3, on all cores, and all by one call of ours.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, openat};
use tempfile::TempDir;
use testkit::{ours, peer};

use crate::Size;
use crate::client::median;
use crate::report::{Report, Wanted};

/// Threads of whatever is measured beside ours when it writes: as many as ours has.
const WRITERS: usize = 8;

/// Measures both programs in turns.
pub(crate) fn run(size: &Size, report: &mut Report) {
    let memory = Tree::new(
        TempDir::new_in("/dev/shm").expect("a folder in memory"),
        size.files,
    );
    // Wherever temporary files are, builds are on a disk: in memory, writes would cost nothing.
    let builds = ours::workspace().join("target");
    let disk = Tree::new(
        TempDir::new_in(builds).expect("a folder on a disk"),
        size.files,
    );
    let runs = size.runs.min(5);
    let out = memory.folder.path().join("out");
    let decrypt = ["decrypt", "--output-dir", "out", "tree"];
    let [mut theirs, mut files, mut stream] = [const { Vec::new() }; 3];
    for _ in 0..runs {
        theirs.push(memory.with_theirs());
        files.push(memory.with_ours(&decrypt));
        fs::remove_dir_all(&out).expect("it was written");
        stream.push(memory.with_ours(&["decrypt", "tree"]));
    }
    let theirs = median(theirs);
    let what = format!("sops, decrypt {} files", size.files);
    report.figure(format!("{what}, a call each: theirs"), milliseconds(theirs));
    for (to, times, target) in [
        ("a folder in memory", files, 75.0),
        ("standard output", stream, 75.0),
    ] {
        let ours = median(times);
        report.figure(format!("{what} to {to}: ours"), milliseconds(ours));
        report.target(
            format!("{what} to {to}: theirs / ours"),
            theirs / ours,
            Wanted::AtLeast(target),
        );
    }
    let [mut ours, mut floor] = [const { Vec::new() }; 2];
    for _ in 0..runs {
        ours.push(disk.with_ours(&["decrypt", "-i", "tree"]));
        floor.push(disk.writes());
        disk.with_ours(&["encrypt", "-i", "tree"]);
    }
    let (ours, floor) = (median(ours), median(floor));
    report.figure(format!("{what} in place: ours"), milliseconds(ours));
    report.figure(
        format!("{what} in place: the writes alone"),
        milliseconds(floor),
    );
    report.target(
        format!("{what} in place: ours / the writes alone"),
        ours / floor,
        Wanted::AtMost(1.5),
    );
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.1} ms", seconds * 1e3)
}

/// A folder with a key, a configuration, and encrypted files in ten folders below `tree`.
struct Tree {
    folder: TempDir,
    files: Vec<PathBuf>,
}

impl Tree {
    fn new(folder: TempDir, files: usize) -> Self {
        let path = folder.path();
        let key = Command::new(peer::AGE_KEYGEN.path()).output();
        let key = String::from_utf8(key.expect("age-keygen can be run").stdout).expect("text");
        let recipient = key
            .lines()
            .find_map(|line| line.strip_prefix("# public key: "));
        let recipient = recipient.expect("age-keygen names it");
        let config = format!("creation_rules:\n- path_regex: ^tree/\n  age: {recipient}\n");
        write(&path.join("key.txt"), &key);
        write(&path.join(".sops.yaml"), &config);
        let files: Vec<_> = (0..files)
            .map(|at| path.join(format!("tree/{}/{at}.yaml", at % 10)))
            .collect();
        for (at, file) in files.iter().enumerate() {
            fs::create_dir_all(file.parent().expect("it has one")).expect("a folder");
            write(
                file,
                &format!("user: app\npassword: secret {at}\nport: 5432\n"),
            );
        }
        let tree = Self { folder, files };
        tree.with_ours(&["encrypt", "-i", "tree"]);
        tree
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env("SOPS_AGE_KEY_FILE", self.folder.path().join("key.txt"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn with_ours(&self, args: &[&str]) -> Duration {
        let begun = Instant::now();
        let status = self.command(&ours::kubeseal()).args(args).status();
        assert!(status.expect("our client can be run").success(), "{args:?}");
        begun.elapsed()
    }

    fn with_theirs(&self) -> Duration {
        let cores = thread::available_parallelism().map_or(2, usize::from);
        let begun = Instant::now();
        self.share(cores, |file| {
            let status = self
                .command(&peer::SOPS.path())
                .arg("decrypt")
                .arg(file)
                .status();
            assert!(status.expect("sops can be run").success());
        });
        begun.elapsed()
    }

    /// What no program can do without that keeps the old file until the new one is on the disk, and leaves no half of a new
    /// one behind when it is killed.
    fn writes(&self) -> Duration {
        let begun = Instant::now();
        self.share(WRITERS, |file| {
            let text = fs::read(file).expect("it is there");
            let folder = file.parent().expect("it has one");
            let new = file.with_extension("new");
            let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
            let out = openat(CWD, folder, flags, Mode::RUSR | Mode::WUSR);
            let mut out = File::from(out.expect("the file system has files without names"));
            out.write_all(&text)
                .and_then(|()| out.sync_all())
                .expect("written");
            let nameless = format!("/proc/self/fd/{}", out.as_raw_fd());
            linkat(CWD, nameless, CWD, &new, AtFlags::SYMLINK_FOLLOW).expect("it gets a name");
            fs::rename(&new, file).expect("ours");
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .expect("written");
        });
        begun.elapsed()
    }

    fn share(&self, threads: usize, work: impl Fn(&Path) + Sync) {
        thread::scope(|scope| {
            for first in 0..threads {
                let work = &work;
                scope.spawn(move || {
                    for file in self.files.iter().skip(first).step_by(threads) {
                        work(file);
                    }
                });
            }
        });
    }
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("the folder can be written");
}
