//! `sops` as people type it, with PGP keys: the real one and ours, each opening what the other wrote.

use std::{fs, os::unix::fs::symlink, path::PathBuf};

use testkit::{cli, ours, peer};

use super::Keyring;
use crate::person::{Person, SECRET};

fn both(person: &Person) -> [PathBuf; 2] {
    let ours = person.path("sops");
    symlink(ours::kubeseal(), &ours).expect("the folder is ours");
    [peer::SOPS.path(), ours]
}

fn sops(program: &PathBuf, person: &Person, args: &[&str]) -> cli::Output {
    let run = cli::run(program).folder(person.folder.path());
    let run = run.args(args.iter().copied());
    let variables = person.variables.iter();
    variables
        .fold(run, |run, (name, value)| run.env(name, value))
        .output()
}

#[test]
fn each_decrypts_what_the_other_encrypted_for_a_pgp_key() {
    let ring = Keyring::new();
    let fingerprint = ring.key("Ann <ann@example.org>", "future-default", "");
    let person = &ring.0;
    person.write("plain.json", SECRET);
    let both = both(person);
    let [theirs, ours] = both.each_ref();
    for (writer, reader) in [(theirs, ours), (ours, theirs), (ours, ours)] {
        let args = ["encrypt", "--pgp", &fingerprint, "plain.json"];
        let encrypted = sops(writer, person, &args);
        assert_eq!(encrypted.code(), 0, "{}", encrypted.stderr);
        fs::write(person.path("e.json"), &encrypted.stdout).expect("the folder is ours");
        let opened = sops(reader, person, &["decrypt", "e.json"]);
        assert_eq!(opened.code(), 0, "{}", opened.stderr);
        assert!(opened.text().contains("correct horse"), "{}", opened.text());
    }
}

#[test]
fn both_end_with_128_where_nobody_has_the_key() {
    let ring = Keyring::new();
    let fingerprint = ring.key("Ann <ann@example.org>", "future-default", "");
    let document = ring.0.encrypted(&["--pgp", &fingerprint]);
    let stranger = Keyring::new();
    stranger.0.write("e.json", &document.to_string());
    for program in both(&stranger.0) {
        let output = sops(&program, &stranger.0, &["decrypt", "e.json"]);
        assert_eq!(output.code(), 128, "{}", output.stderr);
        assert!(output.stdout.is_empty(), "{}", output.text());
        let headline = "Failed to get the data key required to decrypt the SOPS file.";
        assert!(output.stderr.contains(headline), "{}", output.stderr);
    }
}
