//! How often AWS is asked, and what is prepared for it.

use std::fs;
use std::process::Command;

use super::desk::{Desk, TEXT, Whose};
use super::stub_of_kms::{KEY, actions, obedient};

#[test]
fn a_key_is_unwrapped_once_however_many_files_have_it() {
    let stub = obedient();
    let desk = Desk::at(&stub.address);
    let role = "arn:aws:iam::123456789012:role/shop";
    let with_role = format!("{KEY}+{role}");
    desk.write("b.yaml", TEXT);
    for (name, key) in [("a.yaml", KEY), ("b.yaml", &with_role)] {
        let args = ["encrypt", "-i", "--kms", key, name];
        desk.sops(Whose::Ours, &args).ok();
        for copy in 0..40 {
            let folder = desk.path(&format!("tree/{copy}"));
            fs::create_dir_all(&folder).expect("made");
            fs::copy(desk.path(name), folder.join(name)).expect("copied");
        }
    }
    let before = actions(&stub).len();
    let output = desk.kubeseal(&["decrypt", "--dry-run", "tree"]).output();
    assert_eq!(output.code(), 0, "{}", output.stderr);
    assert!(
        output.stderr.contains("can decrypt 80 files"),
        "{}",
        output.stderr
    );
    // Who has a role is somebody else, and asks for it once.
    let mut asked = actions(&stub).split_off(before);
    asked.sort();
    assert_eq!(asked, ["AssumeRole", "Decrypt", "Decrypt"]);
}

#[test]
fn nothing_is_prepared_where_no_file_has_a_key_in_aws() {
    let stub = obedient();
    let desk = Desk::at(&stub.address);
    for pipe in ["authorities", "config"] {
        let made = Command::new("mkfifo").arg(desk.path(pipe)).status();
        assert!(made.expect("coreutils are there").success());
    }
    let identity = age::x25519::Identity::generate();
    let secret = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    let recipient = identity.to_public().to_string();
    // Whoever read them would wait for ever: nobody writes into these pipes.
    let desk = desk
        .with("AWS_CONFIG_FILE", "config")
        .with("AWS_CA_BUNDLE", "authorities")
        .with("SOPS_AGE_KEY", &secret);
    let args = ["encrypt", "-i", "--age", &recipient, "a.yaml"];
    desk.sops(Whose::Ours, &args).ok();
    let opened = desk.sops(Whose::Ours, &["decrypt", "a.yaml"]).ok();
    assert_eq!(opened, TEXT);
    assert!(stub.seen().is_empty());
}
