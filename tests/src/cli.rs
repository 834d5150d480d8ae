//! Runs a command-line program as a person would, in a known environment.

use std::{
    ffi::OsString,
    fs,
    io::{Read, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{
    ours, peer,
    reaper::{self, run_folder},
    wait::poll,
};

/// The original client.
pub fn theirs() -> Run {
    run(peer::KUBESEAL.path())
}

/// Our client.
pub fn ours() -> Run {
    run(ours::kubeseal())
}

/// Any other program.
pub fn run(program: impl Into<PathBuf>) -> Run {
    Run {
        program: program.into(),
        args: Vec::new(),
        env: Vec::new(),
        stdin: Vec::new(),
        folder: run_folder().to_owned(),
        timeout: Duration::from_secs(60),
    }
}

/// A program about to be run: no variables but `PATH`, `HOME` (an empty folder) and `LANG`, and nothing on stdin.
#[derive(Clone, Debug)]
pub struct Run {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    stdin: Vec<u8>,
    folder: PathBuf,
    timeout: Duration,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it printed as messages.
    pub stderr: String,
}

impl Run {
    /// Adds arguments.
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds one argument.
    pub fn arg(self, arg: impl Into<OsString>) -> Self {
        self.args([arg.into()])
    }

    /// Sets a variable.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Sets what it reads.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Sets the folder it runs in.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// Sets how long it may take (one minute if not said); then it is killed and the test fails.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Uses the kubeconfig file.
    pub fn kubeconfig(self, file: &Path) -> Self {
        self.env("KUBECONFIG", file)
    }

    /// Runs it to its end.
    pub fn output(self) -> Output {
        let mut child = self.spawn();
        reaper::adopt(child.id());
        let mut stdin = child.stdin.take().expect("stdin was asked for as a pipe");
        let input = self.stdin.clone();
        // Whoever does not read its input is free not to.
        thread::spawn(move || drop(stdin.write_all(&input)));
        let stdout = collect(child.stdout.take().expect("stdout was asked for as a pipe"));
        let stderr = collect(child.stderr.take().expect("stderr was asked for as a pipe"));
        let ended = poll(self.timeout, || child.try_wait().ok().flatten().ok_or(()));
        if ended.is_err() {
            let _ = child.kill();
        }
        let status = child.wait().expect("the child is ours");
        reaper::release(child.id());
        let [stdout, stderr] =
            [stdout, stderr].map(|reader| reader.join().expect("reading does not panic"));
        let output = Output {
            status,
            stdout,
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        };
        assert!(
            ended.is_ok(),
            "{self:?} ran longer than {:?}\n{output:?}",
            self.timeout
        );
        output
    }

    /// Runs it to its end, which must be a success, and returns what it printed.
    pub fn ok(self) -> String {
        let what = format!("{} {:?}", self.program.display(), self.args);
        let output = self.output();
        assert!(
            output.status.success(),
            "{what}: {}\n{}",
            output.status,
            output.stderr
        );
        output.text()
    }

    fn spawn(&self) -> Child {
        let home = run_folder().join("home");
        fs::create_dir_all(&home).expect("the run folder can be written");
        Command::new(&self.program)
            .args(&self.args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("LANG", "C.UTF-8")
            .envs(self.env.iter().cloned())
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|e| panic!("cannot run {}: {e}", self.program.display()))
    }
}

impl Output {
    /// The exit code; -1 if a signal ended it.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// What it printed, as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("the output is text")
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}
