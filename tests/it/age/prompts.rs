//! Passphrases: asked for once, and only when what they open may help.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use age::secrecy::SecretString;
use keys::{Plaintext, env::Prompt};

use super::{Person, age_key, recover, ssh_key, toy, with_toy};

/// Answers everything the same, and notes what was asked.
#[derive(Clone)]
pub(super) struct Says(&'static str, Arc<Mutex<Vec<String>>>);

impl Says {
    pub(super) fn new(answer: &'static str) -> Self {
        Self(answer, Arc::default())
    }

    fn asked(&self) -> Vec<String> {
        self.1.lock().expect("no panic").clone()
    }
}

impl Prompt for Says {
    fn secret(&self, question: &str) -> Option<Plaintext> {
        self.1.lock().expect("no panic").push(question.to_owned());
        Some(Plaintext::new(self.0.as_bytes().to_vec()))
    }

    fn show(&self, message: &str) {
        self.1.lock().expect("no panic").push(message.to_owned());
    }
}

/// Identities under a passphrase, with little work so that the test is quick.
fn locked(identities: &str, passphrase: &str, armored: bool) -> Vec<u8> {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase));
    recipient.set_work_factor(2);
    if armored {
        return age::encrypt_and_armor(&recipient, identities.as_bytes())
            .expect("it encrypts")
            .into_bytes();
    }
    age::encrypt(&recipient, identities.as_bytes()).expect("it encrypts")
}

#[test]
fn an_identity_file_is_unlocked_once() {
    let (identity, recipient) = age_key(&["-pq"]);
    let document = Person::new().encrypted(&["--age", &recipient]);
    for armored in [false, true] {
        let person = Person::new();
        let file = person.write("keys", "");
        let text = locked(&format!("# mine\n{identity}\n"), "hunter2", armored);
        std::fs::write(&file, text).expect("the folder is ours");
        let person = person.with("SOPS_AGE_KEY_FILE", file.display().to_string());
        let says = Says::new("hunter2");
        let env = person.env().with_prompt(says.clone());
        for _ in 0..3 {
            recover(&document, &env).expect("the passphrase is right");
        }
        assert_eq!(
            says.asked(),
            ["Enter passphrase for identity 'SOPS_AGE_KEY_FILE':"]
        );
        let wrong = person.env().with_prompt(Says::new("hunter3"));
        let error = recover(&document, &wrong).expect_err("the passphrase is wrong");
        assert!(error.contains("incorrect passphrase"), "{error}");
        let error = person.recover(&document).expect_err("nobody is there");
        assert!(error.contains("nobody to ask"), "{error}");
    }
}

#[test]
fn nobody_is_asked_if_another_identity_opens() {
    let (identity, recipient) = age_key(&[]);
    let person = Person::new();
    let document = person.encrypted(&["--age", &recipient]);
    let file = person.write("keys", "");
    std::fs::write(&file, locked(&identity, "hunter2", true)).expect("the folder is ours");
    let person = person
        .with("SOPS_AGE_KEY_FILE", file.display().to_string())
        .with("SOPS_AGE_KEY", identity);
    let says = Says::new("hunter2");
    recover(&document, &person.env().with_prompt(says.clone())).expect("it opens");
    assert_eq!(says.asked(), [""; 0]);
}

#[test]
fn an_ssh_key_is_unlocked_for_its_own_documents_only() {
    for kind in ["ed25519", "rsa"] {
        let person = Person::new();
        let file = person.path(".ssh").join(format!("id_{kind}"));
        let recipient = ssh_key(&file, &["-t", kind, "-N", "hunter2"]);
        let document = person.encrypted(&["--age", &recipient]);
        let other = person.encrypted(&["--age", &age_key(&[]).1]);
        let says = Says::new("hunter2");
        let env = person.env().with_prompt(says.clone());
        recover(&other, &env).expect_err("it is not for this key");
        assert_eq!(says.asked(), [""; 0]);
        for _ in 0..2 {
            recover(&document, &env).expect("the passphrase is right");
        }
        let question = format!("Enter passphrase for \"{}\":", file.display());
        assert_eq!(says.asked(), [question]);
    }
}

#[test]
fn a_plugin_may_ask() {
    let [recipient, _, identity] = toy();
    let person = with_toy(Person::new().with("SOPS_AGE_KEY", identity));
    let document = person.encrypted(&["--age", &recipient]);
    let says = Says::new("1234");
    recover(&document, &person.env().with_prompt(says.clone())).expect("the PIN is right");
    assert_eq!(
        says.asked(),
        ["the toy wants to know you", "PIN of the toy"]
    );
    let wrong = person.env().with_prompt(Says::new("4321"));
    let error = recover(&document, &wrong).expect_err("the PIN is wrong");
    assert!(error.contains("that is not the PIN"), "{error}");
}

/// A gpg-agent that knows one passphrase and notes what it was asked, but for the terminal.
fn agent(socket: &Path, answer: &'static str, status: &'static str) -> Arc<Mutex<Vec<String>>> {
    let noted: Arc<Mutex<Vec<String>>> = Arc::default();
    let (listener, asked) = (
        UnixListener::bind(socket).expect("it is ours"),
        noted.clone(),
    );
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut writer: UnixStream = stream.try_clone().expect("a copy");
            let _ = writer.write_all(b"OK Pleased to meet you\n");
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let said = match line.split(' ').next() {
                    Some("GET_PASSPHRASE") if answer.is_empty() => {
                        "ERR 83886179 Operation cancelled <Pinentry>\n".to_owned()
                    }
                    Some("GET_PASSPHRASE") => {
                        let hex: String =
                            answer.bytes().map(|byte| format!("{byte:02X}")).collect();
                        format!("{status}OK {hex}\n")
                    }
                    _ => "OK\n".to_owned(),
                };
                if !line.starts_with("OPTION ttyname") {
                    asked.lock().expect("no panic").push(line);
                }
                let _ = writer.write_all(said.as_bytes());
            }
        }
    });
    noted
}

#[test]
fn gpg_agent_is_asked_first_as_the_original_asks_it() {
    let (identity, recipient) = age_key(&[]);
    let document = Person::new().encrypted(&["--age", &recipient]);
    for (armored, answer, opens) in [
        (false, "hunter 2é", true),
        (true, "hunter 2é", true),
        (true, "wrong", false),
        (true, "", false),
    ] {
        let text = locked(&identity, "hunter 2é", armored);
        let [theirs, ours] = ["theirs", "ours"].map(|whose| {
            let person = Person::new();
            let file = person.write("keys", "");
            std::fs::write(&file, &text).expect("ours");
            let socket = file.with_file_name("agent");
            // The original takes a line about the agent's state for an error.
            let status = if whose == "ours" {
                "S INQUIRE_MAXLEN 255\n"
            } else {
                ""
            };
            let noted = agent(&socket, answer, status);
            let person = person
                .with("SOPS_AGE_KEY_FILE", file.display().to_string())
                .with("GPG_AGENT_INFO", format!("{}:1:1", socket.display()))
                .with("DISPLAY", ":7")
                .with("TERM", "dumb");
            let opened = match whose {
                "theirs" => person.decrypts(&document).code() == 0,
                _ => recover(&document, &person.env().with_prompt(Says::new("unasked"))).is_ok(),
            };
            assert_eq!(opened, opens, "{whose} {answer}");
            noted.lock().expect("no panic").clone()
        });
        assert_eq!(ours, theirs, "{answer}");
    }
}
