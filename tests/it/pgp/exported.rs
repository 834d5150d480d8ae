//! Where there is no gpg, as in containers: a secret key that was exported.

use std::{
    fs,
    sync::{Arc, Mutex},
};

use keys::{Env, Plaintext, env::Prompt};

use super::{Keyring, recover, sops_encrypts, we_open};
use crate::person::Person;

/// Nothing is in `PATH`.
fn without_gpg() -> Person {
    let person = Person::new();
    let empty = person.path("empty").display().to_string();
    person.with("PATH", empty)
}

#[test]
fn an_exported_key_opens_without_gpg() {
    for algorithm in ["rsa2048", "future-default"] {
        let ring = Keyring::new();
        let fingerprint = ring.key("Ann <ann@example.org>", algorithm, "");
        let other = ring.key("Bob <bob@example.org>", "future-default", "");
        let document = sops_encrypts(&ring.0, &["--pgp", &fingerprint]);
        ring.0.write("gnupg/gpg.conf", "throw-keyids\n");
        let anonymous = sops_encrypts(&ring.0, &["--pgp", &fingerprint]);
        let whole = ring.export("--export-secret-keys", &fingerprint, "");
        let mut both = ring.export("--export-secret-keys", &other, "");
        both.extend(&whole);
        let subkeys = ring.export("--export-secret-subkeys", &fingerprint, "");
        for keys in [&whole, &both, &subkeys] {
            let person = without_gpg();
            let file = person.path("keys");
            fs::write(&file, keys).expect("the folder is ours");
            let file = file.display().to_string();
            let person = person.with("SOPS_PGP_KEY_FILE", file);
            let env = person.env();
            we_open(&document, &env);
            we_open(&anonymous, &env);
        }
        let armored = |key| String::from_utf8(armor(&ring, key)).expect("armor is text");
        let [armored, another] = [armored(&fingerprint), armored(&other)];
        let person = without_gpg().with("SOPS_PGP_KEY", format!("{another}\n{armored}"));
        we_open(&document, &person.env());
        let person = without_gpg();
        let old = person.write(".gnupg/secring.gpg", "");
        fs::write(old, &both).expect("the folder is ours");
        we_open(&document, &person.env());
    }
}

fn armor(ring: &Keyring, key: &str) -> Vec<u8> {
    ring.gpg(&["--armor", "--export-secret-keys", key])
        .output()
        .stdout
}

#[derive(Clone)]
struct Says(&'static str, Arc<Mutex<Vec<String>>>);

impl Prompt for Says {
    fn secret(&self, question: &str) -> Option<Plaintext> {
        self.1.lock().expect("no panic").push(question.to_owned());
        Some(Plaintext::new(self.0.as_bytes().to_vec()))
    }
}

fn with_answer(env: Env, answer: &'static str) -> (Env, Says) {
    let says = Says(answer, Arc::default());
    (env.with_prompt(says.clone()), says)
}

#[test]
fn a_locked_key_is_unlocked_once_and_for_its_own_documents() {
    let ring = Keyring::new();
    let fingerprint = ring.key("Ann <ann@example.org>", "future-default", "hunter2");
    let other = ring.key("Bob <bob@example.org>", "future-default", "");
    let document = sops_encrypts(&ring.0, &["--pgp", &fingerprint]);
    let strange = sops_encrypts(&ring.0, &["--pgp", &other]);
    let key = ring.export("--export-secret-keys", &fingerprint, "hunter2");
    let person = without_gpg();
    let file = person.path("keys");
    fs::write(&file, key).expect("the folder is ours");
    let person = person.with("SOPS_PGP_KEY_FILE", file.display().to_string());
    let (env, says) = with_answer(person.env(), "hunter2");
    recover(&strange, &env).expect_err("it is for another key");
    for _ in 0..3 {
        we_open(&document, &env);
    }
    let asked = says.1.lock().expect("no panic").clone();
    assert_eq!(
        asked,
        [format!("Enter passphrase for PGP key {fingerprint}:")]
    );
    let (env, says) = with_answer(person.env(), "hunter3");
    for _ in 0..2 {
        let error = recover(&document, &env).expect_err("the passphrase is wrong");
        assert!(!error.contains("hunter3"), "{error}");
        let words = error.replace("\n      | ", " ");
        assert!(words.contains("the passphrase is wrong"), "{error}");
    }
    assert_eq!(says.1.lock().expect("no panic").len(), 1);
    let error = recover(&document, &person.env()).expect_err("nobody is there");
    assert!(error.contains("nobody to ask"), "{error}");
}

#[test]
fn what_is_no_secret_key_is_said() {
    let ring = Keyring::new();
    let fingerprint = ring.key("Ann <ann@example.org>", "future-default", "");
    let document = sops_encrypts(&ring.0, &["--pgp", &fingerprint]);
    let public = ring.gpg(&["--armor", "--export", &fingerprint]).ok();
    let whole = String::from_utf8(armor(&ring, &fingerprint)).expect("armor is text");
    let cut = &whole[..whole.len() / 2];
    for (key, said) in [
        (public.as_str(), "gpg --export-secret-keys"),
        ("junk", "it is not an exported secret key"),
        (cut, "it is not an exported secret key"),
        ("", "none in 'SOPS_PGP_KEY'"),
    ] {
        let person = without_gpg().with("SOPS_PGP_KEY", key);
        let error = recover(&document, &person.env()).expect_err("it opens nothing");
        let words = error.replace("\n      | ", " ");
        assert!(words.contains(said), "{error}");
    }
}
