//! A shell command of the person's: signals are passed on to it, and how it ends is how we end.

use std::io::{self, IsTerminal};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use tokio::runtime::{self, Runtime};
use tokio::signal::unix::{SignalKind, signal as caught};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::user::Account;
use crate::error::CommandError;

/// Signals that ask a program for something. Those that a terminal sends reach the command by themselves.
const PASSED_ON: [(Signal, bool); 6] = [
    (Signal::SIGTERM, false),
    (Signal::SIGHUP, false),
    (Signal::SIGUSR1, false),
    (Signal::SIGUSR2, false),
    (Signal::SIGINT, true),
    (Signal::SIGQUIT, true),
];

/// What the shell is to run. A user's own variables come after those that are there.
pub(crate) fn shell(line: &str, account: Option<&Account>) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(line);
    if let Some(account) = account {
        command.envs(account.variables());
    }
    command
}

/// Lets it run and does not wait for it. It has no terminal.
pub(crate) fn leave(mut command: Command) -> Result<(), CommandError> {
    command.stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(drop).map_err(cannot_run)
}

/// Signals are caught as long as it lives, from before there is a command to pass them on to.
pub(crate) struct Signals {
    runtime: Runtime,
    told: UnboundedReceiver<Signal>,
}

impl Signals {
    pub(crate) fn catch() -> Result<Self, CommandError> {
        let failed = |e| CommandError::new("cannot catch signals").because(e);
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(failed)?;
        let has_terminal = io::stdin().is_terminal();
        let (tell, told) = mpsc::unbounded_channel();
        let inside = runtime.enter();
        for (signal, is_typed) in PASSED_ON {
            let mut signals = caught(SignalKind::from_raw(signal as i32)).map_err(failed)?;
            let tell = tell.clone();
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    if !(is_typed && has_terminal) && tell.send(signal).is_err() {
                        break;
                    }
                }
            });
        }
        drop(inside);
        Ok(Self { runtime, told })
    }

    /// Runs a command to its end. If it fails, so do we, with its exit code.
    pub(crate) fn run(mut self, command: Command) -> Result<(), CommandError> {
        let status = self.wait(command).map_err(cannot_run)?;
        if status.success() {
            return Ok(());
        }
        Err(match status.code() {
            Some(code) => CommandError::new(format!("exit status {code}"))
                .code(u8::try_from(code).unwrap_or(u8::MAX)),
            None => CommandError::new(format!("signal: {}", ended_by(status))).code(u8::MAX),
        })
    }

    fn wait(&mut self, command: Command) -> io::Result<ExitStatus> {
        let Self { runtime, told } = self;
        runtime.block_on(async {
            let mut child = tokio::process::Command::from(command).spawn()?;
            let process = child.id().and_then(|id| i32::try_from(id).ok());
            loop {
                tokio::select! {
                    status = child.wait() => return status,
                    Some(signal) = told.recv() => if let Some(process) = process {
                        // If it has just ended there is nobody to tell.
                        let _ = signal::kill(Pid::from_raw(process), signal);
                    }
                }
            }
        })
    }
}

/// The signal that ended it, as sops names the usual ones.
fn ended_by(status: ExitStatus) -> String {
    match status
        .signal()
        .and_then(|number| Signal::try_from(number).ok())
    {
        Some(Signal::SIGTERM) => "terminated".to_owned(),
        Some(Signal::SIGKILL) => "killed".to_owned(),
        Some(Signal::SIGINT) => "interrupt".to_owned(),
        Some(Signal::SIGHUP) => "hangup".to_owned(),
        Some(Signal::SIGQUIT) => "quit".to_owned(),
        Some(other) => other.to_string(),
        None => status.to_string(),
    }
}

fn cannot_run(error: io::Error) -> CommandError {
    CommandError::new("cannot run /bin/sh").because(error)
}
