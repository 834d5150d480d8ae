//! Data keys under PGP keys: with gpg as sops has it, and with exported keys where there is no gpg.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use decryptor::{
    format::Format,
    sops::{Closing, Encrypted, Plain, metadata::Metadata, rules::Rules},
};
use futures::executor::block_on;
use keys::{
    DataKey, DecryptionOrder, Env, KeyGroups,
    backend::{age, pgp},
};
use testkit::{cli, peer};

use crate::person::{Person, SECRET};

mod command_line;
mod exported;
mod failures;

/// A person with a keyring of gpg.
pub(crate) struct Keyring(pub(crate) Person);

impl Keyring {
    pub(crate) fn new() -> Self {
        let person = Person::new();
        let home = person.path("gnupg");
        fs::create_dir(&home).expect("the folder is ours");
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).expect("the folder is ours");
        Self(person.with("GNUPGHOME", home.display().to_string()))
    }

    fn set(&mut self, name: &str, value: &str) {
        self.0.variables.insert(name.to_owned(), value.to_owned());
    }

    fn gpg(&self, args: &[&str]) -> cli::Run {
        let variables = self.0.variables.iter();
        let run = cli::run("gpg").args(["--batch", "--quiet", "--no-tty"]);
        let run = run.args(args.iter().copied());
        variables.fold(run, |run, (name, value)| run.env(name, value))
    }

    /// Makes a key; returns its fingerprint.
    pub(crate) fn key(&self, name: &str, algorithm: &str, passphrase: &str) -> String {
        let generate = ["--passphrase", passphrase, "--pinentry-mode", "loopback"];
        let generate = [&generate[..], &["--quick-gen-key", name, algorithm]].concat();
        self.gpg(&generate).ok();
        if algorithm.starts_with("rsa") {
            let primary = &self.fingerprints(name)[0];
            let add = ["--passphrase", passphrase, "--pinentry-mode", "loopback"];
            let add = [&add[..], &["--quick-add-key", primary, algorithm, "encr"]].concat();
            self.gpg(&add).ok();
        }
        self.fingerprints(name).swap_remove(0)
    }

    /// Of the key and of its subkeys.
    fn fingerprints(&self, name: &str) -> Vec<String> {
        let list = self.gpg(&["--with-colons", "--list-keys", name]).ok();
        let lines = list.lines().filter(|line| line.starts_with("fpr:"));
        let fingerprint = |line: &str| line.split(':').nth(9).expect("a field").to_owned();
        lines.map(fingerprint).collect()
    }

    fn export(&self, what: &str, key: &str, passphrase: &str) -> Vec<u8> {
        let args = ["--passphrase", passphrase, "--pinentry-mode", "loopback"];
        let args = [&args[..], &[what, key]].concat();
        self.gpg(&args).output().stdout
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        let home = &self.0.variables["GNUPGHOME"];
        cli::run("gpgconf")
            .args(["--kill", "gpg-agent"])
            .env("GNUPGHOME", home)
            .output();
    }
}

fn sops_encrypts(person: &Person, args: &[&str]) -> Encrypted {
    let document = person.encrypted(args).to_string();
    Encrypted::parse(document.as_bytes(), Format::Json).expect("a document")
}

fn recover(document: &Encrypted, env: &Env) -> Result<DataKey, String> {
    let groups = &document.metadata().key_groups;
    block_on(groups.recover(env, &DecryptionOrder::default())).map_err(|error| error.to_string())
}

#[track_caller]
fn we_open(document: &Encrypted, env: &Env) {
    let key = recover(document, env).unwrap_or_else(|error| panic!("{error}"));
    let opened = document.open(&key).expect("it opens");
    let text = str::from_utf8(opened.expose_secret()).expect("text");
    assert!(text.contains("correct horse"), "{text}");
}

fn we_encrypt(mut groups: KeyGroups, env: &Env) -> Result<Encrypted, String> {
    let key = DataKey::generate();
    block_on(groups.wrap(&key, env)).map_err(|error| error.to_string())?;
    let plain = Plain::parse(SECRET.as_bytes(), Format::Json).expect("a document");
    let closing = Closing {
        metadata: Metadata::new(Rules::default(), groups),
        now: "2024-01-02T03:04:05Z",
        previous: None,
    };
    Ok(plain.close(&key, closing).expect("it closes"))
}

fn groups(fingerprints: &str) -> KeyGroups {
    let keys = pgp::BACKEND.parse_list(fingerprints);
    KeyGroups::one(keys.expect("fingerprints"))
}

#[track_caller]
fn sops_opens(person: &Person, document: &Encrypted) {
    let text = str::from_utf8(document.as_bytes()).expect("text");
    let document = serde_json::from_str(text).expect("JSON");
    let opened = person.decrypts(&document);
    assert_eq!(opened.code(), 0, "{}", opened.stderr);
    assert!(opened.text().contains("correct horse"), "{}", opened.text());
}

/// sops encrypts and we decrypt; we encrypt, and sops and we decrypt.
#[track_caller]
fn goes_both_ways(ring: &Keyring, fingerprint: &str) {
    let env = ring.0.env();
    we_open(&sops_encrypts(&ring.0, &["--pgp", fingerprint]), &env);
    let ours = we_encrypt(groups(fingerprint), &env).expect("it wraps");
    sops_opens(&ring.0, &ours);
    we_open(&ours, &env);
}

#[test]
fn keys_of_each_algorithm_go_both_ways() {
    for algorithm in ["rsa2048", "future-default"] {
        let ring = Keyring::new();
        let fingerprint = ring.key("Ann <ann@example.org>", algorithm, "");
        goes_both_ways(&ring, &fingerprint);
    }
}

#[test]
fn a_key_is_named_in_every_way_that_sops_takes() {
    let ring = Keyring::new();
    ring.key("Ann <ann@example.org>", "future-default", "");
    let [primary, subkey] = ring
        .fingerprints("ann")
        .try_into()
        .expect("a key and its subkey");
    let spaced: Vec<_> = primary.as_bytes().chunks(4).collect();
    let spaced = String::from_utf8(spaced.join(&b' ')).expect("digits");
    for name in [
        spaced,
        primary.to_lowercase(),
        format!("0x{primary}"),
        primary[24..].to_owned(),
        format!("{subkey}!"),
        format!("{}!", &subkey[24..]),
    ] {
        goes_both_ways(&ring, &name);
    }
}

#[test]
fn what_names_no_key_is_refused() {
    let ring = Keyring::new();
    let fingerprint = ring.key("Ann <ann@example.org>", "future-default", "");
    let short = &fingerprint[32..];
    let strange = "00112233445566778899AABBCCDDEEFF00112233";
    let plain = ring.0.write("plain.json", SECRET);
    for name in [short, "ann@example.org", "junk", strange] {
        let theirs = ring.0.run(&peer::SOPS).args(["encrypt", "--pgp", name]);
        assert_ne!(theirs.arg(&plain).output().code(), 0, "{name}");
        let ours = pgp::BACKEND
            .parse_list(name)
            .map_err(|error| error.to_string())
            .and_then(|keys| we_encrypt(KeyGroups::one(keys), &ring.0.env()).map(drop));
        assert!(ours.is_err(), "{name}");
    }
}

/// A program in place of gpg that notes how it is called.
fn noting(person: &Person, script: &str) -> (String, std::path::PathBuf) {
    let notes = person.path("notes");
    let script = format!(
        "#!/bin/sh\n(for a; do printf '[%s]' \"$a\"; done; echo \" ${{SOPS_AGE_KEY-}}\") >>'{}'\n{script}\n",
        notes.display()
    );
    let program = person.write("noting gpg", &script);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("the file is ours");
    (program.display().to_string(), notes)
}

fn take(notes: &Path) -> String {
    let text = fs::read_to_string(notes).unwrap_or_default();
    let _ = fs::remove_file(notes);
    text
}

#[test]
fn gpg_is_called_as_sops_calls_it_and_sees_no_secret() {
    let mut ring = Keyring::new();
    let fingerprint = ring.key("Ann <ann@example.org>", "future-default", "");
    let (program, notes) = noting(&ring.0, "exec gpg \"$@\"");
    ring.set("SOPS_GPG_EXEC", &program);
    let document = sops_encrypts(&ring.0, &["--pgp", &fingerprint]);
    sops_opens(&ring.0, &document);
    let theirs = take(&notes);
    ring.set("SOPS_AGE_KEY", "AGE-SECRET-KEY-1");
    let env = ring.0.env();
    let ours = we_encrypt(groups(&fingerprint), &env).expect("it wraps");
    we_open(&ours, &env);
    assert_eq!(take(&notes), theirs);
}

#[test]
fn age_is_tried_before_gpg() {
    let mut ring = Keyring::new();
    let fingerprint = ring.key("Ann <ann@example.org>", "future-default", "");
    let (program, notes) = noting(&ring.0, "exec gpg \"$@\"");
    let text = cli::run(peer::AGE_KEYGEN.path()).ok();
    let identity = text.lines().last().expect("the identity is the last line");
    let recipient = text
        .lines()
        .find_map(|line| line.strip_prefix("# public key: "));
    let recipient = recipient.expect("the recipient is said");
    let document = sops_encrypts(&ring.0, &["--pgp", &fingerprint, "--age", recipient]);
    ring.set("SOPS_GPG_EXEC", &program);
    we_open(&document, &ring.0.env());
    assert_eq!(take(&notes), "[-d] \n");
    ring.set("SOPS_AGE_KEY", identity);
    we_open(&document, &ring.0.env());
    assert_eq!(take(&notes), "");
    let order = DecryptionOrder::parse("pgp,age").expect("an order");
    let key = block_on(
        document
            .metadata()
            .key_groups
            .recover(&ring.0.env(), &order),
    );
    assert_eq!(take(&notes), "[-d] \n");
    document
        .open(&key.expect("gpg opens it"))
        .expect("it opens");
    let mut both = age::BACKEND.parse_list(recipient).expect("a recipient");
    both.extend(pgp::BACKEND.parse_list(&fingerprint).expect("a key"));
    let ours = we_encrypt(KeyGroups::one(both), &ring.0.env()).expect("it wraps");
    sops_opens(&ring.0, &ours);
}

/// How long a test waits for a program that hangs.
const SOON: Duration = Duration::from_millis(300);
