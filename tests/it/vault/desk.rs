//! What the tests of Vault's keys stand on: a folder with a document, and servers that are none.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;
use testkit::cli::{self, Output, Run};
use testkit::vault::Vault;
use testkit::{ours, peer};

pub(super) const TEXT: &str = "user: app\npassword: hunter2 # yes\n";

/// A folder with a document in clear, and what both programs are told of a server.
pub(super) struct Desk {
    pub(super) folder: TempDir,
    pub(super) variables: Vec<(&'static str, String)>,
}

impl Desk {
    /// With nothing but variables.
    pub(super) fn bare(variables: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a.yaml"), TEXT).expect("written");
        symlink(ours::kubeseal(), folder.path().join("sops")).expect("a link");
        let variables = variables.iter();
        Self {
            folder,
            variables: variables
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
        }
    }

    /// With a server's address and a token.
    pub(super) fn new(vault: &Vault, token: &str) -> Self {
        Self::with(vault, &[("VAULT_TOKEN", token)])
    }

    /// With a server's address and more variables.
    pub(super) fn with(vault: &Vault, variables: &[(&'static str, &str)]) -> Self {
        let mut desk = Self::bare(&[("VAULT_ADDR", &vault.address)]);
        desk.variables.extend(Self::bare(variables).variables);
        desk
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("it is there")
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn run(&self, program: PathBuf, args: &[&str]) -> Run {
        let run = cli::run(program).folder(self.folder.path());
        let variables = self.variables.iter();
        let run = variables.fold(run, |run, (name, value)| run.env(*name, value));
        run.args(args.iter().copied())
    }

    /// Ours behind the name `sops`.
    pub(super) fn ours(&self, args: &[&str]) -> Run {
        self.run(self.path("sops"), args)
    }

    /// Ours behind its own name.
    pub(super) fn kubeseal(&self, args: &[&str]) -> Run {
        self.run(ours::kubeseal(), args)
    }

    pub(super) fn theirs(&self, args: &[&str]) -> Run {
        self.run(peer::SOPS.path(), args)
    }

    /// Encrypts the document, by ours.
    pub(super) fn encrypt(&self, key: &str) -> Output {
        self.ours(&["encrypt", "-i", "--hc-vault-transit", key, "a.yaml"])
            .output()
    }
}

/// What answers like no Vault: it is told what to say to each call, and keeps what was asked.
pub(super) struct Stub {
    pub(super) address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    /// `answer` gets the number of the call, from zero, and what was asked. Nothing is no answer.
    pub(super) fn start(answer: impl Fn(usize, &str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("it is bound"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let calls = seen.clone();
        thread::spawn(move || {
            // Connections without an answer stay open: the caller has to give up.
            let mut silent = Vec::new();
            for mut stream in listener.incoming().flatten() {
                let mut head = [0; 4096];
                let length = stream.read(&mut head).unwrap_or(0);
                let asked = String::from_utf8_lossy(&head[..length]).into_owned();
                let mut calls = calls.lock().expect("no holder panics");
                let text = answer(calls.len(), &asked);
                calls.push(asked);
                drop(calls);
                match text.is_empty() {
                    true => silent.push(stream),
                    false => drop(stream.write_all(text.as_bytes())),
                }
            }
        });
        Self { address, seen }
    }

    /// What was asked so far.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("no holder panics").clone()
    }

    pub(super) fn desk(&self) -> Desk {
        Desk::bare(&[
            ("VAULT_ADDR", &self.address),
            ("VAULT_TOKEN", "s.token-of-tests"),
        ])
    }

    pub(super) fn key(&self) -> String {
        format!("{}/v1/transit/keys/k", self.address)
    }
}

/// An answer with a status line's end and a body.
pub(super) fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// A report without its frame.
pub(super) fn unwrapped(report: &str) -> String {
    let words = report.split_whitespace().filter(|word| *word != "|");
    words.collect::<Vec<_>>().join(" ")
}
