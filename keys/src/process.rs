//! Runs another program to its end, within a time limit.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    io::{self, Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use zeroize::Zeroizing;

use crate::env::Env;

/// The most that is read of what a program prints.
const LONGEST_OUTPUT: u64 = 1 << 24;

/// Programs that did not end in time. They are not waited for again: a document may name many keys.
#[derive(Default)]
struct Late(Mutex<BTreeSet<OsString>>);

/// Until when to wait for a program, known by what it was called with.
pub(crate) fn deadline(name: &OsStr, env: &Env) -> io::Result<Instant> {
    let late = env.once(Late::default);
    let known = late.0.lock().unwrap_or_else(PoisonError::into_inner);
    if known.contains(name) {
        return Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "it did not end in time before",
        ));
    }
    Ok(Instant::now() + env.time_limit())
}

/// Notes that a program did not end in time.
pub(crate) fn late(name: &OsStr, env: &Env) -> io::Error {
    let late = env.once(Late::default);
    let mut known = late.0.lock().unwrap_or_else(PoisonError::into_inner);
    known.insert(name.to_owned());
    io::Error::new(io::ErrorKind::TimedOut, "it did not end in time")
}

/// What came of a run.
pub(crate) struct Output {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// What it printed: maybe a secret.
    pub(crate) stdout: Zeroizing<Vec<u8>>,
    /// What it printed as messages.
    pub(crate) stderr: String,
}

/// Runs it with `input` on its standard input. Past the limit it is killed, and not run again under this name.
pub(crate) fn run(
    mut command: Command,
    input: &[u8],
    name: &OsStr,
    env: &Env,
) -> io::Result<Output> {
    let deadline = deadline(name, env)?;
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let stdin = child.stdin.take();
    let input = Zeroizing::new(input.to_vec());
    // Whoever does not read its input is free not to.
    thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let left = || deadline.saturating_duration_since(Instant::now());
    let ended = stdout
        .recv_timeout(left())
        .and_then(|stdout| Ok((stdout, stderr.recv_timeout(left())?)))
        .ok()
        .and_then(|(stdout, stderr)| Some((stdout, stderr, wait(&mut child, deadline)?)))
        .ok_or_else(|| late(name, env));
    if ended.is_err() {
        // It may have ended by itself just now.
        let _ = child.kill();
        let _ = child.wait();
    }
    let (stdout, stderr, status) = ended?;
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    Ok(Output {
        status,
        stdout,
        stderr,
    })
}

/// Waits for one that has closed its outputs: most have ended then. Returns `None` if it has not by the deadline.
pub(crate) fn wait(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    let mut pause = Duration::from_micros(50);
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Zeroizing<Vec<u8>>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::new());
        if let Some(pipe) = pipe {
            // What was read before an error is what there is.
            let _ = pipe.take(LONGEST_OUTPUT).read_to_end(&mut bytes);
        }
        // Nobody waits any more once the limit is past.
        let _ = send.send(bytes);
    });
    receive
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    fn env(limit: Duration) -> Env {
        Env::from([("PATH", "/bin")]).with_time_limit(limit)
    }

    #[test]
    fn input_and_both_outputs_go_through() {
        let output = run(
            shell("cat; echo said >&2; exit 3"),
            b"typed",
            OsStr::new("cat"),
            &env(Duration::from_secs(30)),
        )
        .expect("it runs");
        assert_eq!(
            (
                output.status.code(),
                output.stdout.as_slice(),
                output.stderr.as_str()
            ),
            (Some(3), b"typed".as_slice(), "said\n")
        );
    }

    #[test]
    fn whoever_takes_too_long_is_ended_and_not_waited_for_again() {
        let env = env(Duration::from_millis(50));
        for script in ["exec sleep 60", "exec >&- 2>&-; exec sleep 60"] {
            for said in ["it did not end in time", "it did not end in time before"] {
                let error = run(shell(script), b"", OsStr::new(script), &env).map(drop);
                let error = error.expect_err("it takes too long");
                assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{script}");
                assert_eq!(error.to_string(), said, "{script}");
            }
        }
        run(
            shell("true"),
            b"",
            OsStr::new("true"),
            &env.with_time_limit(Duration::from_secs(30)),
        )
        .expect("another one runs");
    }
}
