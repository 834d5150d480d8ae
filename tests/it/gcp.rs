//! Keys of Google Cloud KMS: both programs open what the other one closed.

use std::fs;
use std::process::Command;

use testkit::gcp::{Gcp, TOKEN};

mod credentials;
mod desk;
mod trouble;

use desk::{Desk, TEXT, unwrapped};

#[test]
fn both_programs_open_what_the_other_one_closed() {
    let cloud = Gcp::start();
    let desk = Desk::new(&cloud, TOKEN);
    let key = cloud.key("crossed");
    for ours_closes in [true, false] {
        desk.write("a.yaml", TEXT);
        let args = ["encrypt", "-i", "--gcp-kms", &key, "a.yaml"];
        match ours_closes {
            true => desk.ours(&args).ok(),
            false => desk.theirs(&args).ok(),
        };
        let closed = desk.read("a.yaml");
        assert!(
            closed.contains(&format!("resource_id: {key}")) && closed.contains("created_at: "),
            "{closed}"
        );
        assert!(!closed.contains("hunter2"));
        assert_eq!(desk.theirs(&["decrypt", "a.yaml"]).ok(), TEXT);
        assert_eq!(desk.ours(&["decrypt", "a.yaml"]).ok(), TEXT);
        // A change keeps the key, and a rotation asks for it again.
        desk.ours(&["set", "a.yaml", "[\"user\"]", "\"other\""])
            .ok();
        desk.ours(&["rotate", "-i", "a.yaml"]).ok();
        let opened = desk.theirs(&["decrypt", "a.yaml"]).ok();
        assert!(opened.contains("user: other"), "{opened}");
    }
}

#[test]
fn every_format_and_groups_of_keys_cross() {
    let cloud = Gcp::start();
    let desk = Desk::new(&cloud, TOKEN);
    let key = cloud.key("formats");
    for (name, text) in [
        ("a.json", "{\n\t\"user\": \"app\"\n}"),
        ("a.env", "USER=app\n"),
        ("a.ini", "[db]\nuser = app\n"),
        ("a.bin", "\u{1}app\n"),
    ] {
        for ours_closes in [true, false] {
            desk.write(name, text);
            let args = ["encrypt", "-i", "--gcp-kms", &key, name];
            match ours_closes {
                true => desk.ours(&args).ok(),
                false => desk.theirs(&args).ok(),
            };
            assert!(desk.read(name).contains("cryptoKeys/formats"));
            let ours = desk.ours(&["decrypt", name]).ok();
            assert_eq!(
                ours.trim_end(),
                desk.theirs(&["decrypt", name]).ok().trim_end()
            );
            assert!(ours.contains("app"), "{ours}");
        }
    }
    let groups = [cloud.key("one"), cloud.key("two")];
    let groups = groups.map(|key| format!("  - gcp_kms:\n    - resource_id: {key}\n"));
    let rule = format!("creation_rules:\n- key_groups:\n{}", groups.concat());
    desk.write(".sops.yaml", &rule);
    for ours_closes in [true, false] {
        desk.write("a.yaml", TEXT);
        let args = ["encrypt", "-i", "a.yaml"];
        match ours_closes {
            true => desk.ours(&args).ok(),
            false => desk.theirs(&args).ok(),
        };
        assert!(desk.read("a.yaml").contains("shamir_threshold: 2"));
        assert_eq!(desk.theirs(&["decrypt", "a.yaml"]).ok(), TEXT);
        assert_eq!(desk.ours(&["decrypt", "a.yaml"]).ok(), TEXT);
    }
}

#[test]
fn a_configuration_names_keys_and_flags_change_them() {
    let cloud = Gcp::start();
    let desk = Desk::new(&cloud, TOKEN);
    let keys = ["configured", "anew", "added", "grouped"].map(|name| cloud.key(name));
    let [configured, anew, added, grouped] = &keys;
    for rule in [
        format!("gcp_kms: {configured}"),
        format!("gcp_kms:\n  - {configured}"),
        format!("key_groups:\n  - gcp_kms:\n    - resource_id: {configured}"),
    ] {
        desk.write(".sops.yaml", &format!("creation_rules:\n- {rule}\n"));
        desk.write("a.yaml", TEXT);
        desk.ours(&["encrypt", "-i", "a.yaml"]).ok();
        assert_eq!(desk.theirs(&["decrypt", "a.yaml"]).ok(), TEXT);
    }
    let rule = format!("creation_rules:\n- gcp_kms: {anew}\n");
    desk.write(".sops.yaml", &rule);
    desk.ours(&["updatekeys", "-y", "a.yaml"]).ok();
    let closed = desk.read("a.yaml");
    assert!(
        closed.contains(anew) && !closed.contains(configured),
        "{closed}"
    );
    fs::remove_file(desk.path(".sops.yaml")).expect("it is there");
    desk.ours(&["rotate", "-i", "--add-gcp-kms", added, "a.yaml"])
        .ok();
    assert!(desk.read("a.yaml").contains(added));
    cloud.refuse("anew", 403, "denied");
    assert_eq!(desk.theirs(&["decrypt", "a.yaml"]).ok(), TEXT);
    assert_eq!(desk.ours(&["decrypt", "a.yaml"]).ok(), TEXT);
    desk.ours(&["rotate", "-i", "--rm-gcp-kms", anew, "a.yaml"])
        .ok();
    assert!(!desk.read("a.yaml").contains(anew));
    let args = [
        "groups",
        "add",
        "-i",
        "--file",
        "a.yaml",
        "--gcp-kms",
        grouped,
    ];
    desk.ours(&args).ok();
    assert!(desk.read("a.yaml").contains(grouped));
    assert_eq!(desk.theirs(&["decrypt", "a.yaml"]).ok(), TEXT);
    desk.write("a.yaml", TEXT);
    let run = desk.ours(&["encrypt", "-i", "a.yaml"]);
    run.env("SOPS_GCP_KMS_IDS", format!("{added}, {grouped}"))
        .ok();
    let closed = desk.read("a.yaml");
    assert!(
        closed.contains(added) && closed.contains(grouped),
        "{closed}"
    );
}

#[test]
fn a_key_is_unwrapped_once_however_many_files_have_it() {
    let cloud = Gcp::start();
    let desk = Desk::new(&cloud, TOKEN);
    desk.encrypt(&cloud.key("counted"));
    for copy in 0..80 {
        desk.write(&format!("tree/{copy}.yaml"), &desk.read("a.yaml"));
    }
    assert_eq!(cloud.calls("counted", "encrypt"), 1);
    let output = desk.kubeseal(&["decrypt", "--dry-run", "tree"]).output();
    assert_eq!(output.code(), 0, "{}", output.stderr);
    let said = "can decrypt 80 files";
    assert!(output.stderr.contains(said), "{}", output.stderr);
    assert_eq!(cloud.calls("counted", "decrypt"), 1);
}

#[test]
fn what_names_no_key_is_refused_and_another_key_opens() {
    let cloud = Gcp::start();
    let desk = Desk::new(&cloud, TOKEN);
    for text in [
        "projects/k",
        &format!("{}/cryptoKeyVersions/1", cloud.key("k")),
    ] {
        let output = desk.encrypt(text);
        assert_eq!(output.code(), 1);
        let said = "is not a key of Google Cloud KMS; write it as projects/PROJECT";
        assert!(output.stderr.contains(said), "{}", output.stderr);
        assert_eq!(desk.read("a.yaml"), TEXT);
    }
    let identity = age::x25519::Identity::generate();
    let secret = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    let recipient = identity.to_public().to_string();
    desk.write("a.yaml", TEXT);
    let key = cloud.key("odd");
    let args = [
        "encrypt",
        "-i",
        "--age",
        &recipient,
        "--gcp-kms",
        &key,
        "a.yaml",
    ];
    desk.ours(&args).ok();
    let before = cloud.stub.seen().len();
    for odd in ["../../../v1/x", "odd/cryptoKeyVersions/1", "odd:decrypt?x="] {
        let text = desk
            .read("a.yaml")
            .replace("cryptoKeys/odd", &format!("cryptoKeys/{odd}"));
        desk.write("b.yaml", &text);
        let output = desk.ours(&["decrypt", "b.yaml"]).output();
        assert_eq!(output.code(), 128);
        let said = unwrapped(&output.stderr);
        assert!(said.contains("is not a key of Google Cloud KMS"), "{said}");
        let opened = desk.ours(&["decrypt", "b.yaml"]);
        assert_eq!(opened.env("SOPS_AGE_KEY", &secret).ok(), TEXT);
    }
    assert_eq!(cloud.stub.seen().len(), before);
}

#[test]
fn nothing_is_prepared_for_a_cloud_that_is_not_asked() {
    let cloud = Gcp::start();
    let pipe = ("GOOGLE_APPLICATION_CREDENTIALS", "pipe");
    let desk = Desk::with(&cloud, &[pipe, ("SSL_CERT_FILE", "pipe")]);
    let made = Command::new("mkfifo").arg(desk.path("pipe")).status();
    assert!(made.expect("coreutils are there").success());
    // Whoever read credentials or authorities would wait for ever: nobody writes into that pipe.
    let identity = age::x25519::Identity::generate();
    let secret = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    let recipient = identity.to_public().to_string();
    desk.ours(&["encrypt", "-i", "--age", &recipient, "a.yaml"])
        .ok();
    let opened = desk.ours(&["decrypt", "a.yaml"]);
    assert_eq!(opened.env("SOPS_AGE_KEY", &secret).ok(), TEXT);
}

#[test]
fn both_take_an_id_for_the_same_key_or_for_none() {
    let cloud = Gcp::start();
    // Nobody is let in, so that each says whom it asked for.
    let desk = Desk::new(&cloud, "ya29.nobody");
    let key = cloud.key("named");
    let spaced = key.replace("/keyRings", " /keyRings");
    for (id, is_key) in [
        (key.as_str(), true),
        (&spaced, true),
        (
            "projects/example.com:p/locations/l/keyRings/r/cryptoKeys/k_1",
            true,
        ),
        ("projects/p/locations/l/keyRings/r/cryptoKeys", false),
        ("projects/p/locations/l/cryptoKeys/k", false),
        (&format!("{key}/cryptoKeyVersions/1"), false),
    ] {
        let before = cloud.stub.seen().len();
        let args = ["encrypt", "-i", "--gcp-kms", id, "a.yaml"];
        for run in [desk.ours(&args), desk.theirs(&args)] {
            let output = run.output();
            assert_eq!(output.code(), 1, "{}", output.stderr);
            let name = format!("with master key \"{}\"", id.replace(' ', ""));
            assert!(
                !is_key || output.stderr.contains(&name),
                "{}",
                output.stderr
            );
            assert_eq!(desk.read("a.yaml"), TEXT);
        }
        let seen = cloud.stub.seen();
        let paths: Vec<_> = seen[before..].iter().map(|asked| &asked.path).collect();
        let expected = if is_key { 2 } else { 0 };
        assert_eq!(paths.len(), expected, "{id} {paths:?}");
        assert!(paths.windows(2).all(|pair| pair[0] == pair[1]), "{paths:?}");
    }
}
