//! What the tests of Vault's keys stand on: a desk whose programs are told of a server, and servers that are none.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};
use std::thread;

use testkit::cli::Output;
pub(super) use testkit::desk::{TEXT, unwrapped};
use testkit::vault::Vault;

pub(super) struct Desk(testkit::desk::Desk);

impl Desk {
    /// With nothing but variables.
    pub(super) fn bare(variables: &[(&'static str, &str)]) -> Self {
        Self(testkit::desk::Desk::with(variables))
    }

    /// With a server's address and a token.
    pub(super) fn new(vault: &Vault, token: &str) -> Self {
        Self::with(vault, &[("VAULT_TOKEN", token)])
    }

    /// With a server's address and more variables.
    pub(super) fn with(vault: &Vault, variables: &[(&'static str, &str)]) -> Self {
        let place = [("VAULT_ADDR", vault.address.as_str())];
        Self::bare(&[&place, variables].concat())
    }

    /// Encrypts the document, by ours.
    pub(super) fn encrypt(&self, key: &str) -> Output {
        self.ours(&["encrypt", "-i", "--hc-vault-transit", key, "a.yaml"])
            .output()
    }
}

impl Deref for Desk {
    type Target = testkit::desk::Desk;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Desk {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
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
