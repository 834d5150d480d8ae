//! A server as a child process: its log in a file, its end certain.

use std::{
    fs::{self, File},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process_group};

use crate::{reaper, wait::poll};

/// A running server. It is killed when dropped, and when this process ends.
pub struct Process {
    name: String,
    log: PathBuf,
    pid: u32,
    child: Mutex<Child>,
}

impl Process {
    /// Starts `command`; what it prints is appended to `log`.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Self {
        let out = File::options().create(true).append(true).open(log);
        let out = out.unwrap_or_else(|e| panic!("cannot write the log {}: {e}", log.display()));
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a file handle can be duplicated"))
            .stderr(out)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|e| {
                panic!(
                    "cannot start {name} ({}): {e}",
                    command.get_program().display()
                )
            });
        reaper::adopt(child.id());
        Self {
            name: name.to_owned(),
            log: log.to_owned(),
            pid: child.id(),
            child: Mutex::new(child),
        }
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended. Returns `None` while it runs.
    pub fn exited(&self) -> Option<ExitStatus> {
        let status = self.child().try_wait().expect("the child is ours");
        if status.is_some() {
            reaper::release(self.pid);
        }
        status
    }

    /// Sends a signal to the server and its children; nothing if it has ended.
    pub fn signal(&self, signal: Signal) {
        if self.exited().is_none() {
            let group = Pid::from_raw(self.pid as i32).expect("a process number is not zero");
            // It may end in between, which is what most signals are for.
            let _ = kill_process_group(group, signal);
        }
    }

    /// Ends it with SIGTERM, and with SIGKILL after `patience`. Returns how it ended.
    pub fn stop(&self, patience: Duration) -> ExitStatus {
        self.signal(Signal::TERM);
        poll(patience, || self.exited().ok_or(())).unwrap_or_else(|()| self.kill())
    }

    /// Ends it with SIGKILL. Returns how it ended.
    pub fn kill(&self) -> ExitStatus {
        self.signal(Signal::KILL);
        let status = self.child().wait().expect("the child is ours");
        reaper::release(self.pid);
        status
    }

    /// All it has printed, also before a restart.
    pub fn log(&self) -> String {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Where its log is.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// The last lines of its log under a heading, for messages.
    pub fn tail(&self) -> String {
        let state = match self.exited() {
            None => "running".to_owned(),
            Some(status) => match (status.code(), status.signal()) {
                (Some(code), _) => format!("exited with {code}"),
                (None, signal) => format!("ended by signal {signal:?}"),
            },
        };
        format!(
            "--- {} ({state}), {}\n{}",
            self.name,
            self.log.display(),
            last_lines(&self.log(), 15)
        )
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().expect("no holder panics")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
