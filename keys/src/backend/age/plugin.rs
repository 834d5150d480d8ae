//! age plugins: programs that wrap and unwrap file keys, spoken to over their standard input and output.
//!
//! Which program runs is said by a recipient in a file that strangers may write. So its name is from a small alphabet, and it
//! is looked for in the absolute folders of `PATH` only.

use std::{
    collections::HashSet,
    io::{self, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use age_core::{
    format::{FILE_KEY_BYTES, FileKey, Stanza},
    primitives::bech32_decode,
    secrecy::ExposeSecret,
};
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use zeroize::Zeroizing;

use crate::{env::Env, process};

mod stanza;

use stanza::{receive, write};

/// The most that is told of what a plugin says.
const LONGEST_MESSAGE: usize = 400;
const MOST_ERRORS: usize = 16;
/// How long it may take to end, once nothing more is asked of it.
const LAST_MOMENTS: Duration = Duration::from_secs(1);
/// Variables with secret keys, which are not for a program that a document names.
const SECRETS: [&str; 2] = ["SOPS_AGE_KEY", "SOPS_PGP_KEY"];

/// What a plugin wraps to or unwraps with.
#[derive(Clone)]
pub(super) struct Peer {
    /// The plugin's name.
    name: String,
    /// The recipient or identity, which only the plugin understands.
    text: Zeroizing<String>,
}

impl Peer {
    /// Reads `age1NAME1…`.
    pub(super) fn recipient(text: &str) -> Result<Self, String> {
        Self::read(text, |prefix| {
            prefix.strip_prefix("age1").map(str::to_owned)
        })
    }

    /// Reads `AGE-PLUGIN-NAME-1…`.
    pub(super) fn identity(text: &str) -> Result<Self, String> {
        Self::read(text, |prefix| {
            let name = prefix.strip_prefix("AGE-PLUGIN-")?.strip_suffix('-')?;
            Some(name.to_ascii_lowercase())
        })
    }

    fn read(text: &str, name: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let name = bech32_decode(
            text,
            |_| "invalid Bech32 encoding".to_owned(),
            |_| Ok(()),
            |prefix, _| name(prefix.as_str()).ok_or_else(|| "invalid type".to_owned()),
        )?;
        let allowed = |c: u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'+' | b'-');
        if name.is_empty() || !name.bytes().all(allowed) {
            return Err(format!("invalid plugin name: {name:?}"));
        }
        Ok(Self {
            name,
            text: Zeroizing::new(text.to_owned()),
        })
    }

    /// Has the plugin wrap a file key to this recipient: stanzas, and labels on whom they may stand beside.
    pub(super) fn wrap(
        &self,
        file_key: &FileKey,
        env: &Env,
    ) -> Result<(Vec<Stanza>, HashSet<String>), String> {
        let mut talk = Conversation::start(self, "recipient-v1", env)?;
        talk.send("add-recipient", &[&self.text], b"")?;
        talk.send("extension-labels", &[], b"")?;
        talk.send("wrap-file-key", &[], file_key.expose_secret())?;
        talk.send("done", &[], b"")?;
        let (mut stanzas, mut labels) = (Vec::new(), None);
        talk.answer(|stanza| match stanza.tag.as_str() {
            "recipient-stanza" => {
                let mut args = stanza.args.into_iter();
                let (Some("0"), Some(tag)) = (args.next().as_deref(), args.next()) else {
                    return Answer::Wrong;
                };
                stanzas.push(Stanza {
                    tag,
                    args: args.collect(),
                    body: stanza.body,
                });
                Answer::Taken
            }
            "labels" if labels.is_none() => {
                labels = Some(HashSet::from_iter(stanza.args));
                Answer::Taken
            }
            _ => Answer::Unknown,
        })?;
        if stanzas.is_empty() {
            return Err(self.says("it returned neither stanzas nor errors"));
        }
        Ok((stanzas, labels.unwrap_or_default()))
    }

    /// Has the plugin unwrap the file key with this identity. Returns `None` if it is not for it.
    pub(super) fn unwrap(&self, stanzas: &[Stanza], env: &Env) -> Result<Option<FileKey>, String> {
        let mut talk = Conversation::start(self, "identity-v1", env)?;
        talk.send("add-identity", &[&self.text], b"")?;
        for Stanza { tag, args, body } in stanzas {
            let mut all = vec!["0", tag.as_str()];
            all.extend(args.iter().map(String::as_str));
            talk.send("recipient-stanza", &all, body)?;
        }
        talk.send("done", &[], b"")?;
        let mut file_key = None;
        talk.answer(|stanza| {
            if stanza.tag != "file-key" {
                return Answer::Unknown;
            }
            let body = Zeroizing::new(stanza.body);
            let key = <[u8; FILE_KEY_BYTES]>::try_from(body.as_slice());
            match (key, stanza.args.as_slice()) {
                (Ok(key), [file]) if file == "0" && file_key.is_none() => {
                    file_key = Some(FileKey::new(Box::new(key)));
                    Answer::Taken
                }
                _ => Answer::Wrong,
            }
        })?;
        Ok(file_key)
    }

    fn program(&self) -> String {
        format!("age-plugin-{}", self.name)
    }

    fn says(&self, message: &str) -> String {
        format!("{}: {message}", self.program())
    }
}

/// What to say to a plugin's message.
enum Answer {
    Taken,
    Wrong,
    Unknown,
}

/// A running plugin. It is ended when this is dropped.
struct Conversation<'a> {
    peer: &'a Peer,
    env: &'a Env,
    program: PathBuf,
    child: Child,
    /// What is to be said. Written on a thread of its own: a plugin that does not listen holds up nobody.
    output: Option<mpsc::Sender<Zeroizing<String>>>,
    input: mpsc::Receiver<io::Result<Stanza>>,
    /// Until when it may take. The time that a person takes to answer does not count.
    deadline: Instant,
}

impl<'a> Conversation<'a> {
    fn start(peer: &'a Peer, machine: &str, env: &'a Env) -> Result<Self, String> {
        let program: PathBuf = env
            .program(peer.program())
            .ok_or_else(|| peer.says("not found in an absolute folder of PATH"))?;
        let failed = |error: io::Error| peer.says(&error.to_string());
        let deadline = process::deadline(program.as_os_str(), env).map_err(failed)?;
        let debug = env
            .variable("AGEDEBUG")
            .is_some_and(|what| what == "plugin");
        let mut command = env.command(&program);
        for secret in SECRETS {
            command.env_remove(secret);
        }
        let mut child = command
            .arg(format!("--age-plugin={machine}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(if debug {
                Stdio::inherit()
            } else {
                Stdio::null()
            })
            .spawn()
            .map_err(failed)?;
        let stdin = child.stdin.take().expect("it was asked for as a pipe");
        let stdout = child.stdout.take().expect("it was asked for as a pipe");
        Ok(Self {
            peer,
            env,
            program,
            child,
            output: Some(speak(stdin)),
            input: listen(stdout),
            deadline,
        })
    }

    fn send(&mut self, tag: &str, args: &[&str], body: &[u8]) -> Result<(), String> {
        let output = self.output.as_ref();
        output
            .and_then(|output| output.send(write(tag, args, body)).ok())
            .ok_or_else(|| self.peer.says("it ended in the middle"))
    }

    fn receive(&mut self) -> Result<Stanza, String> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let stanza = match self.input.recv_timeout(left) {
            Ok(stanza) => stanza,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                Err(process::late(self.program.as_os_str(), self.env))
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(io::ErrorKind::UnexpectedEof.into()),
        };
        stanza.map_err(|error| self.peer.says(&error.to_string()))
    }

    /// Takes messages until the plugin has no more. What it asks of a person is answered here.
    fn answer(mut self, mut take: impl FnMut(Stanza) -> Answer) -> Result<(), String> {
        let mut errors = Vec::new();
        loop {
            let stanza = self.receive()?;
            match stanza.tag.as_str() {
                "done" => break,
                "error" => {
                    errors.push(shown(&stanza.body));
                    if errors.len() == MOST_ERRORS {
                        break;
                    }
                    self.send("ok", &[], b"")?;
                }
                "msg" | "confirm" | "request-public" | "request-secret" => {
                    let start = Instant::now();
                    self.ask(&stanza)?;
                    self.deadline += start.elapsed();
                }
                _ => match take(stanza) {
                    Answer::Taken => self.send("ok", &[], b"")?,
                    Answer::Wrong => {
                        return Err(self.peer.says("it does not keep to the protocol"));
                    }
                    Answer::Unknown => self.send("unsupported", &[], b"")?,
                },
            }
        }
        if errors.is_empty() {
            return Ok(());
        }
        Err(self.peer.says(&errors.join("; ")))
    }

    /// Has a person answer, if there is one.
    fn ask(&mut self, stanza: &Stanza) -> Result<(), String> {
        let Some(person) = self.env.prompt() else {
            return self.send("fail", &[], b"");
        };
        let question = shown(&stanza.body);
        let choice = |i: usize| {
            let text = BASE64_STANDARD_NO_PAD.decode(stanza.args.get(i)?).ok()?;
            Some(shown(&text))
        };
        match stanza.tag.as_str() {
            "msg" => {
                person.show(&question);
                self.send("ok", &[], b"")
            }
            "confirm" => {
                let yes = choice(0).unwrap_or_else(|| "yes".to_owned());
                match person.confirm(&question, &yes, choice(1).as_deref()) {
                    Some(true) => self.send("ok", &["yes"], b""),
                    Some(false) => self.send("ok", &["no"], b""),
                    None => self.send("fail", &[], b""),
                }
            }
            "request-public" => match person.public(&question) {
                Some(text) => self.send("ok", &[], text.as_bytes()),
                None => self.send("fail", &[], b""),
            },
            _ => match person.secret(&question) {
                Some(secret) => self.send("ok", &[], secret.expose_secret()),
                None => self.send("fail", &[], b""),
            },
        }
    }
}

impl Drop for Conversation<'_> {
    fn drop(&mut self) {
        // The end of its input tells it to leave a device in order.
        self.output = None;
        let patience = self.deadline.min(Instant::now() + LAST_MOMENTS);
        if process::wait(&mut self.child, patience).is_none() {
            // It may have ended by itself just now.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn speak(mut stdin: ChildStdin) -> mpsc::Sender<Zeroizing<String>> {
    let (send, said) = mpsc::channel::<Zeroizing<String>>();
    thread::spawn(move || {
        for text in said {
            let written = stdin.write_all(text.as_bytes());
            // Whoever has ended is found out by listening.
            if written.and_then(|()| stdin.flush()).is_err() {
                break;
            }
        }
    });
    send
}

fn listen(stdout: ChildStdout) -> mpsc::Receiver<io::Result<Stanza>> {
    // As many as are waited for: a plugin that talks without end waits too.
    let (send, input) = mpsc::sync_channel(4);
    thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        loop {
            let stanza = receive(&mut reader);
            let last = stanza.is_err();
            // Nobody listens any more when the conversation is over.
            if send.send(stanza).is_err() || last {
                break;
            }
        }
    });
    input
}

/// What a plugin says, fit for a terminal.
fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let visible = text.chars().filter(|c| !c.is_control());
    visible.take(LONGEST_MESSAGE).collect()
}
