//! What is said when no PGP key opens a document, and that nothing waits for ever.

use std::time::Instant;

use base64::{Engine, prelude::BASE64_STANDARD};
use decryptor::{format::Format, sops::Encrypted};

use super::{Keyring, SOON, groups, noting, recover, sops_encrypts, take, we_encrypt};
use crate::person::Person;

/// The headline and the words that scripts look for are those of sops.
#[test]
fn the_report_reads_as_that_of_sops() {
    let ring = Keyring::new();
    let fingerprint = ring.key("Ann <ann@example.org>", "future-default", "");
    let text = ring.0.encrypted(&["--pgp", &fingerprint]);
    let document = sops_encrypts(&ring.0, &["--pgp", &fingerprint]);
    let stranger = Keyring::new();
    let theirs = stranger.0.decrypts(&text);
    assert_eq!(theirs.code(), 128);
    let ours = recover(&document, &stranger.0.env()).expect_err("nobody has the key");
    let [ours, theirs] = [&ours, &theirs.stderr].map(|text| text.replace("\n      | ", " "));
    for said in [
        "Failed to get the data key required to decrypt the SOPS file.\n\nGroup 0: FAILED\n",
        &format!("  {fingerprint}: FAILED\n    - | could not decrypt data key with PGP key: "),
        "; GnuPG binary error: failed to decrypt sops data key with pgp: gpg: ",
        "gpg: decryption failed: No secret key",
        "\n\nRecovery failed because no master key was able to decrypt the file.",
    ] {
        assert!(theirs.contains(said), "{theirs}");
        assert!(ours.contains(said), "{ours}");
    }
    assert!(ours.contains("'SOPS_PGP_KEY_FILE'"), "{ours}");
}

#[test]
fn a_missing_gpg_is_said_with_what_to_do() {
    let ring = Keyring::new();
    let fingerprint = ring.key("Ann <ann@example.org>", "future-default", "");
    let document = sops_encrypts(&ring.0, &["--pgp", &fingerprint]);
    let person = Person::new().with("PATH", "bin:.");
    let errors = [
        recover(&document, &person.env()).map(drop),
        we_encrypt(groups(&fingerprint), &person.env()).map(drop),
    ];
    for error in errors {
        let error = error.expect_err("there is no gpg");
        let words = error.replace("\n      | ", " ");
        assert!(words.contains("in no absolute folder of PATH"), "{error}");
        assert!(words.contains("SOPS_PGP_KEY_FILE"), "{error}");
    }
}

#[test]
fn a_gpg_that_hangs_is_given_up_once_for_all_keys() {
    let ring = Keyring::new();
    let keys = ["Ann <ann@example.org>", "Bob <bob@example.org>"];
    let keys = keys.map(|name| ring.key(name, "future-default", ""));
    let document = sops_encrypts(&ring.0, &["--pgp", &keys.join(",")]);
    let person = Person::new();
    let (program, notes) = noting(&person, "exec sleep 600");
    let person = person.with("SOPS_GPG_EXEC", program);
    let env = person.env().with_time_limit(SOON);
    let start = Instant::now();
    for _ in 0..3 {
        let error = recover(&document, &env).expect_err("nothing opens it");
        assert!(error.contains("did not end in time"), "{error}");
    }
    assert!(start.elapsed() < SOON * 50, "{:?}", start.elapsed());
    assert_eq!(take(&notes).lines().count(), 1);
}

#[test]
fn a_changed_message_opens_nowhere() {
    let ring = Keyring::new();
    let fingerprint = ring.key("Ann <ann@example.org>", "future-default", "");
    let key = ring.export("--export-secret-keys", &fingerprint, "");
    let file = ring.0.path("key");
    std::fs::write(&file, key).expect("the folder is ours");
    let mut document = ring.0.encrypted(&["--pgp", &fingerprint]);
    let enc = document["sops"]["pgp"][0]["enc"].as_str().expect("text");
    let mut lines: Vec<String> = enc.lines().map(str::to_owned).collect();
    // In the last line of data, before the checksum of the armor, which is left out as RFC 9580 allows.
    let last = lines.len() - 3;
    let flipped = match lines[last].remove(4) {
        'A' => 'B',
        _ => 'A',
    };
    lines[last].insert(4, flipped);
    lines.remove(last + 1);
    document["sops"]["pgp"][0]["enc"] = lines.join("\n").into();
    assert_eq!(ring.0.decrypts(&document).code(), 128);
    let text = document.to_string();
    let changed = Encrypted::parse(text.as_bytes(), Format::Json);
    let changed = changed.expect("a document");
    let mut ring = ring;
    recover(&changed, &ring.0.env()).expect_err("gpg sees it");
    ring.set("SOPS_PGP_KEY_FILE", &file.display().to_string());
    ring.set("SOPS_GPG_EXEC", "/bin/false");
    recover(&changed, &ring.0.env()).expect_err("we see it");
}

/// Every byte of it changed in turn: it opens to the same or to nothing, and nothing panics.
#[test]
fn no_change_of_a_message_gives_another_key() {
    let mut ring = Keyring::new();
    let fingerprint = ring.key("Ann <ann@example.org>", "future-default", "");
    let secret = ring.export("--export-secret-keys", &fingerprint, "");
    let file = ring.0.path("key");
    std::fs::write(&file, secret).expect("the folder is ours");
    let mut document = ring.0.encrypted(&["--pgp", &fingerprint]);
    let enc = document["sops"]["pgp"][0]["enc"].as_str().expect("text");
    let lines: Vec<_> = enc.lines().skip(2).collect();
    let message = BASE64_STANDARD.decode(lines[..lines.len() - 2].concat());
    let message = message.expect("armor is Base64");
    ring.set("SOPS_PGP_KEY_FILE", &file.display().to_string());
    ring.set("SOPS_GPG_EXEC", "/bin/false");
    let env = ring.0.env();
    let mut open = |message: &[u8]| {
        let body = BASE64_STANDARD.encode(message);
        let enc = format!("-----BEGIN PGP MESSAGE-----\n\n{body}\n-----END PGP MESSAGE-----\n");
        document["sops"]["pgp"][0]["enc"] = enc.into();
        let text = document.to_string();
        let document = Encrypted::parse(text.as_bytes(), Format::Json).expect("a document");
        recover(&document, &env).map(|key| *key.expose_secret())
    };
    let key = open(&message).expect("nothing is changed yet");
    for place in 0..message.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut changed = message.clone();
            changed[place] ^= change;
            if let Ok(found) = open(&changed) {
                assert_eq!(found, key, "byte {place} with {change:#x}");
            }
        }
        open(&message[..place]).expect_err("it is cut short");
    }
}
