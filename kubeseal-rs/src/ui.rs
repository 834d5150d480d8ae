//! The only place that writes to the terminal: results, warnings, errors, progress.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::error::CommandError;

/// Standard output and standard error.
pub(crate) struct Ui {
    /// Whether errors stand alone, without a word before them: sops's do.
    bare: bool,
    /// Warnings that wait until it is their file's turn. `None` if they are shown at once.
    held: Option<Vec<String>>,
}

impl Ui {
    /// A terminal as kubeseal's users know it, or as sops's do.
    pub(crate) fn new(as_sops: bool) -> Self {
        Self {
            bare: as_sops,
            held: None,
        }
    }

    /// Holds warnings back, for one of many files that are worked on at the same time.
    pub(crate) fn holding() -> Self {
        Self {
            bare: false,
            held: Some(Vec::new()),
        }
    }

    /// Shows what was held back, with the file's name.
    pub(crate) fn warn_of(&mut self, place: impl fmt::Display, held: Self) {
        for text in held.held.into_iter().flatten() {
            self.warn(format!("{place}: {text}"));
        }
    }

    /// Writes a result to standard output.
    pub(crate) fn print(&mut self, bytes: &[u8]) -> Result<(), CommandError> {
        let mut stdout = io::stdout().lock();
        stdout
            .write_all(bytes)
            .and_then(|()| stdout.flush())
            .map_err(|e| {
                CommandError::new("cannot write to standard output")
                    .of(Path::new("standard output"))
                    .because(e)
            })
    }

    /// Says something that does not stop the command.
    pub(crate) fn warn(&mut self, text: impl AsRef<str>) {
        match &mut self.held {
            Some(held) => held.push(text.as_ref().to_owned()),
            None => self.say(&format!("warning: {}", text.as_ref())),
        }
    }

    /// Says what was done or is waited for.
    pub(crate) fn note(&mut self, text: impl AsRef<str>) {
        self.say(text.as_ref());
    }

    /// Says what is awaited on standard input, if a person sits there.
    pub(crate) fn expect_typing(&mut self, what: &str) {
        if io::stdin().is_terminal() {
            self.say(&format!("(tty detected: expecting {what} in stdin)"));
        }
    }

    /// Shows an error among several.
    pub(crate) fn complain(&mut self, error: &CommandError) {
        self.say(&error.to_string());
    }

    /// Shows an error; returns the code to exit with.
    pub(crate) fn fail(&mut self, error: &CommandError) -> ExitCode {
        match self.bare {
            true => self.say(&error.bare()),
            false => self.say(&error.to_string()),
        }
        ExitCode::from(error.exit_code)
    }

    /// Shows a help text, or why the flags cannot be understood; returns the code to exit with.
    pub(crate) fn finish_early(&mut self, text: &clap::Error) -> ExitCode {
        // If even that cannot be written there is nobody to tell.
        let _ = text.print();
        match text.use_stderr() {
            true if self.bare => ExitCode::from(1),
            true => ExitCode::from(u8::try_from(text.exit_code()).unwrap_or(2)),
            false => ExitCode::SUCCESS,
        }
    }

    fn say(&mut self, line: &str) {
        tell(line);
    }
}

/// Tells a person at a terminal something that cannot wait until the command ends.
pub(crate) fn tell(message: &str) {
    // If standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{message}");
}

/// Asks a person at a terminal for a line that is no secret.
pub(crate) fn ask(question: &str) -> io::Result<String> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question}").and_then(|()| stderr.flush())?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// Reads a line that is the answer to a question. The end of the input is an error.
pub(crate) fn answer() -> io::Result<String> {
    let mut line = String::new();
    match io::stdin().read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim().to_owned()),
    }
}

/// How far a long piece of work is: one line on a terminal, nothing elsewhere or when it is done soon.
pub(crate) struct Progress {
    what: &'static str,
    total: usize,
    done: AtomicUsize,
    begin: Instant,
    shown_at: AtomicU64,
    visible: bool,
}

const QUIET: Duration = Duration::from_millis(500);
const PAUSE_MILLIS: u64 = 100;

impl Progress {
    /// Begins to count up to `total`.
    pub(crate) fn new(what: &'static str, total: usize) -> Self {
        Self {
            what,
            total,
            done: AtomicUsize::new(0),
            begin: Instant::now(),
            shown_at: AtomicU64::new(0),
            visible: io::stderr().is_terminal(),
        }
    }

    /// One more is done.
    pub(crate) fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if !self.visible {
            return;
        }
        let elapsed = self.begin.elapsed();
        let now = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let last = self.shown_at.load(Ordering::Relaxed);
        let due = elapsed > QUIET && now.saturating_sub(last) >= PAUSE_MILLIS;
        let exchange = || {
            self.shown_at
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
        };
        if due && exchange().is_ok() {
            let _ = write!(
                io::stderr().lock(),
                "\r{} {done} of {}…",
                self.what,
                self.total
            );
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown_at.load(Ordering::Relaxed) > 0 {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}
