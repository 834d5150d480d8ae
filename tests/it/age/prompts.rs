//! Passphrases: asked for once, and only when what they open may help.

use std::sync::{Arc, Mutex};

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
