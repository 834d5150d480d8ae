//! Runs another program to its end, within a time limit.

use std::{
    io::{self, Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use zeroize::Zeroizing;

/// The most that is read of what a program prints.
const LONGEST_OUTPUT: u64 = 1 << 24;

/// What came of a run.
pub(crate) struct Output {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// What it printed: maybe a secret.
    pub(crate) stdout: Zeroizing<Vec<u8>>,
    /// What it printed as messages.
    pub(crate) stderr: String,
}

/// Runs it with `input` on its standard input. Past the limit it is killed.
pub(crate) fn run(mut command: Command, input: &[u8], limit: Duration) -> io::Result<Output> {
    let deadline = Instant::now() + limit;
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
        .map_err(|_| late())
        .and_then(|(stdout, stderr)| Ok((stdout, stderr, wait(&mut child, deadline)?)));
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

/// Waits for one that has closed its outputs: most have ended then.
fn wait(child: &mut Child, deadline: Instant) -> io::Result<ExitStatus> {
    let mut pause = Duration::from_micros(50);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            return Err(late());
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it did not end in time")
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

    #[test]
    fn input_and_both_outputs_go_through() {
        let output = run(
            shell("cat; echo said >&2; exit 3"),
            b"typed",
            Duration::from_secs(30),
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
    fn whoever_takes_too_long_is_ended() {
        for script in ["exec sleep 60", "exec >&- 2>&-; exec sleep 60"] {
            let error = run(shell(script), b"", Duration::from_millis(50)).map(drop);
            assert_eq!(
                error.map_err(|e| e.kind()),
                Err(io::ErrorKind::TimedOut),
                "{script}"
            );
        }
    }
}
