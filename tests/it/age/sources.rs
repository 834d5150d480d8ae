//! Every place where sops finds identities, and that each is read once.

use std::fs;

use super::{Person, age_key, recover, ssh_key, toy, with_toy};

/// Both open the document.
#[track_caller]
fn opens(person: &Person, document: &serde_json::Value) {
    let theirs = person.decrypts(document);
    assert_eq!(theirs.code(), 0, "{}", theirs.stderr);
    person.recover(document).expect("we open it too");
}

#[test]
fn each_place_is_read() {
    let (identity, recipient) = age_key(&[]);
    let document = Person::new().encrypted(&["--age", &recipient]);
    let other = age_key(&["-pq"]).0;
    opens(
        &Person::new().with("SOPS_AGE_KEY", format!("# mine\n{other} {identity}\n")),
        &document,
    );
    let person = Person::new();
    let file = person.write("key file", &format!("# mine\n\n{identity}\n{other}\n"));
    let person = person.with("SOPS_AGE_KEY_FILE", file.display().to_string());
    opens(&person, &document);
    let command = format!("cat '{}'", file.display());
    opens(&Person::new().with("SOPS_AGE_KEY_CMD", command), &document);
    let person = Person::new();
    person.write(".config/sops/age/keys.txt", &identity);
    opens(&person, &document);
    let person = Person::new();
    person.write("settings/sops/age/keys.txt", &identity);
    let settings = person.path("settings").display().to_string();
    opens(&person.with("XDG_CONFIG_HOME", settings), &document);
}

#[test]
fn ssh_keys_are_read_from_each_place() {
    let person = Person::new();
    let key = person.path("deploy");
    let recipient = ssh_key(&key, &["-t", "ed25519", "-N", ""]);
    let document = person.encrypted(&["--age", &recipient]);
    let key = key.display().to_string();
    opens(
        &Person::new().with("SOPS_AGE_SSH_PRIVATE_KEY_FILE", &key),
        &document,
    );
    let command = format!("cat {key}");
    opens(
        &Person::new().with("SOPS_AGE_SSH_PRIVATE_KEY_CMD", command),
        &document,
    );
}

#[test]
fn a_command_knows_the_recipient_and_runs_only_if_it_must() {
    let (identity, recipient) = age_key(&[]);
    let person = Person::new();
    let document = person.encrypted(&["--age", &recipient]);
    person.write(&recipient, &identity);
    let asked = person.path("asked").display().to_string();
    let folder = person.folder.path().display().to_string();
    let script = format!("echo run >> {asked}; cat {folder}/$SOPS_AGE_RECIPIENT");
    let person = person.with("SOPS_AGE_KEY_CMD", format!("sh -c '{script}'"));
    opens(&person, &document);
    fs::remove_file(&asked).expect("it ran");
    let env = person.env();
    for _ in 0..3 {
        recover(&document, &env).expect("the command's identity opens it");
    }
    assert_eq!(fs::read_to_string(&asked).expect("it ran"), "run\n");
    fs::remove_file(&asked).expect("it ran");
    let person = person.with("SOPS_AGE_KEY", identity);
    person.recover(&document).expect("the one at hand opens it");
    assert!(!fs::exists(&asked).expect("the folder is ours"));
}

#[test]
fn a_broken_identity_keeps_nobody_from_opening() {
    let (identity, recipient) = age_key(&[]);
    let person = Person::new();
    let document = person.encrypted(&["--age", &recipient]);
    let file = person.write("keys", &identity).display().to_string();
    let person = person
        .with("SOPS_AGE_KEY", "junk")
        .with("SOPS_AGE_KEY_FILE", file);
    opens(&person, &document);
}

#[test]
fn plugins_run_from_absolute_folders_only() {
    let [recipient, identity, _] = toy();
    let person = with_toy(Person::new().with("SOPS_AGE_KEY", identity));
    let document = person.encrypted(&["--age", &recipient]);
    let system = std::env::var("PATH").expect("PATH is text");
    for path in [".", "", "bin:."] {
        let lost = Person::new()
            .with("SOPS_AGE_KEY", person.variables["SOPS_AGE_KEY"].as_str())
            .with("PATH", format!("{path}:{system}"));
        let error = lost.recover(&document).expect_err("nothing runs");
        assert!(
            error.contains("age-plugin-toy: not found in an absolute folder"),
            "{error}"
        );
    }
    person.recover(&document).expect("here it runs");
}
