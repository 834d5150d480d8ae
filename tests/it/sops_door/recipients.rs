//! `rotate` and `updatekeys`: documents get other keys.

use super::*;

/// The recipients of an encrypted JSON file.
fn recipients(desk: &Desk, name: &str) -> Vec<String> {
    let metadata = desk.metadata(&desk.read(name));
    let keys = metadata["age"].as_array().expect("age keys");
    let keys = keys.iter().map(|key| key["recipient"].as_str());
    keys.map(|key| key.expect("a recipient").to_owned())
        .collect()
}

/// The encrypted value of a JSON file.
fn value(desk: &Desk, name: &str) -> Value {
    let document: Value = serde_json::from_str(&desk.read(name)).expect("JSON");
    document["a"].clone()
}

fn config(desk: &Desk, recipients: &[&str]) {
    let text = format!("creation_rules:\n- age: [{}]\n", recipients.join(", "));
    desk.write(".sops.yaml", &text);
}

#[test]
fn rotation_gives_another_data_key_and_other_recipients() {
    let desk = Desk::new();
    let (mine, other) = (desk.recipient.as_str(), identity(&desk.path("other.txt")));
    let other = other.as_str();
    for whose in BOTH {
        desk.write("a.json", "{\"a\": \"secret\"}");
        desk.encrypt(Whose::Theirs, "a.json");
        let before = value(&desk, "a.json");
        desk.sops(whose, &["rotate", "-i", "--add-age", other, "a.json"])
            .ok();
        assert_eq!(recipients(&desk, "a.json"), [mine, other], "{whose:?}");
        assert_ne!(value(&desk, "a.json"), before, "{whose:?}");
        desk.sops(whose, &["rotate", "-i", "--rm-age", mine, "a.json"])
            .ok();
        assert_eq!(recipients(&desk, "a.json"), [other], "{whose:?}");
        for opens in BOTH {
            assert_eq!(
                desk.sops(opens, &["decrypt", "a.json"]).output().code(),
                128
            );
            let opened = desk
                .sops(opens, &["decrypt", "--extract", r#"["a"]"#, "a.json"])
                .env("SOPS_AGE_KEY_FILE", desk.path("other.txt"))
                .ok();
            assert_eq!(opened, "secret");
        }
    }
}

#[test]
fn rotation_ends_as_with_the_original() {
    let desk = Desk::new();
    desk.write("closed.json", "{\"a\": 1}");
    desk.encrypt(Whose::Theirs, "closed.json");
    desk.write("plain.json", "{\"a\": 1}");
    let closed = desk.read("closed.json");
    let mine = desk.recipient.as_str();
    let cases: &[(&[&str], &str)] = &[
        (&["rotate", "closed.json"], "ENC["),
        (&["rotate"], "no file specified"),
        (&["rotate", "missing.json"], "Error reading file"),
        (
            &["rotate", "--add-age", mine, "missing.json"],
            "cannot add or remove keys on non-existent file",
        ),
        (
            &["rotate", "-i", "--rm-age", mine, "closed.json"],
            "Could not generate data key: [empty key group provided]",
        ),
        (
            &["rotate", "-i", "--output", "x", "closed.json"],
            "cannot operate on both --output and --in-place",
        ),
        (&["rotate", "plain.json"], "sops metadata not found"),
    ];
    for (args, words) in cases {
        for whose in BOTH {
            let output = desk.sops(whose, args).output();
            let theirs = desk.sops(Whose::Theirs, args).output();
            assert_eq!(output.code(), theirs.code(), "{args:?}\n{}", said(&output));
            assert!(said(&output).contains(words), "{args:?}\n{}", said(&output));
            assert_eq!(desk.read("closed.json"), closed, "{args:?}");
        }
    }
}

#[test]
fn a_key_that_nobody_can_wrap_for_stops_a_rotation() {
    let desk = Desk::new();
    desk.write("a.json", "{\"a\": 1}");
    desk.encrypt(Whose::Theirs, "a.json");
    // A key of a kind that is kept, but not built: whoever holds it would be locked out.
    let with_kms = desk.read("a.json").replace(
        "\"sops\": {",
        "\"sops\": {\"kms\": [{\"arn\": \"arn:aws:kms:eu-west-1:1:key/x\", \"created_at\": \"2024-01-02T03:04:05Z\", \"enc\": \"x\", \"aws_profile\": \"\"}],",
    );
    desk.write("a.json", &with_kms);
    desk.sops(Whose::Ours, &["decrypt", "a.json"]).ok();
    desk.sops(Whose::Ours, &["set", "a.json", r#"["a"]"#, "2"])
        .ok();
    let kept = desk.metadata(&desk.read("a.json"))["kms"][0]["arn"].clone();
    assert_eq!(kept, "arn:aws:kms:eu-west-1:1:key/x", "it is kept");
    let before = desk.read("a.json");
    let output = desk.sops(Whose::Ours, &["rotate", "-i", "a.json"]).output();
    assert_eq!(output.code(), 1, "{}", said(&output));
    assert_eq!(desk.read("a.json"), before);
}

#[test]
fn keys_are_brought_up_to_date_and_values_stay() {
    let desk = Desk::new();
    let (mine, other) = (desk.recipient.as_str(), identity(&desk.path("other.txt")));
    let other = other.as_str();
    for whose in BOTH {
        desk.write("a.json", "{\"a\": \"secret\"}");
        desk.encrypt(whose, "a.json");
        let (text, before) = (desk.read("a.json"), value(&desk, "a.json"));
        let mac = desk.metadata(&text)["mac"].clone();
        config(&desk, &[mine, other]);
        let update = |args: &[&str], answer: &str| {
            desk.sops(Whose::Ours, &[&["updatekeys"], args, &["a.json"]].concat())
                .stdin(answer)
                .output()
        };
        assert_eq!(update(&[], "").code(), 1, "nobody has said yes");
        assert_eq!(desk.read("a.json"), text);
        assert_eq!(update(&[], "n\n").code(), 0);
        assert_eq!(desk.read("a.json"), text);
        let output = update(&[], "y\n");
        assert_eq!(output.code(), 0, "{}", said(&output));
        let shown = format!("Group 1\n    {mine}\n+++ {other}\n");
        assert!(output.text().contains(&shown), "{}", output.text());
        assert_eq!(recipients(&desk, "a.json"), [mine, other]);
        assert_eq!(value(&desk, "a.json"), before);
        assert_eq!(desk.metadata(&desk.read("a.json"))["mac"], mac);
        let synced = desk.read("a.json");
        assert!(update(&["-y"], "").stderr.contains("already up to date"));
        assert_eq!(desk.read("a.json"), synced);
        let theirs = desk.sops(Whose::Theirs, &["updatekeys", "a.json"]).output();
        assert!(
            theirs.stderr.contains("already up to date"),
            "{}",
            theirs.stderr
        );
        config(&desk, &[other]);
        let output = update(&["-y"], "");
        assert!(
            output.text().contains(&format!("--- {mine}\n")),
            "{}",
            output.text()
        );
        assert!(
            output.stderr.contains("may have kept the data key"),
            "{}",
            output.stderr
        );
        let opened = desk
            .sops(
                Whose::Theirs,
                &["decrypt", "--extract", r#"["a"]"#, "a.json"],
            )
            .env("SOPS_AGE_KEY_FILE", desk.path("other.txt"))
            .ok();
        assert_eq!(opened, "secret");
    }
}

#[test]
fn the_threshold_of_the_configuration_counts() {
    let desk = Desk::new();
    let names = ["other.txt", "third.txt", "fourth.txt"];
    let [other, third, fourth] = names.map(|name| identity(&desk.path(name)));
    let mine = &desk.recipient;
    let identities = ["key.txt", "other.txt", "third.txt"].map(|name| desk.read(name));
    desk.write("key.txt", &identities.concat());
    let config = |last: &str, threshold: usize| {
        let groups = [mine, &other, last]
            .map(|key| format!("  - age: [{key}]\n"))
            .concat();
        let text =
            format!("creation_rules:\n- shamir_threshold: {threshold}\n  key_groups:\n{groups}");
        desk.write(".sops.yaml", &text);
    };
    for (whose, expected) in [(Whose::Theirs, 2), (Whose::Ours, 3)] {
        config(&third, 2);
        desk.write("a.json", "{\"a\": \"x\"}");
        desk.sops(Whose::Theirs, &["encrypt", "-i", "a.json"]).ok();
        config(&fourth, 3);
        desk.sops(whose, &["updatekeys", "-y", "a.json"]).ok();
        let metadata = desk.metadata(&desk.read("a.json"));
        assert_eq!(metadata["shamir_threshold"], expected, "{whose:?}");
    }
}

#[test]
fn one_file_that_fails_does_not_keep_others_from_their_keys() {
    let desk = Desk::new();
    let other = identity(&desk.path("other.txt"));
    desk.write("plain.json", "{\"a\": 1}");
    desk.write("b.json", "{\"a\": 1}");
    desk.encrypt(Whose::Theirs, "b.json");
    config(&desk, &[&other]);
    let files = ["updatekeys", "-y", "plain.json", ".", "b.json"];
    let output = desk.sops(Whose::Ours, &files).output();
    assert_eq!(output.code(), 1);
    for words in [
        "sops metadata not found",
        "can't operate on a directory",
        "failed updating 2 key(s)",
    ] {
        assert!(output.stderr.contains(words), "{}", output.stderr);
    }
    assert_eq!(recipients(&desk, "b.json"), [other]);
    fs::remove_file(desk.path(".sops.yaml")).expect("ours");
    let [theirs, ours] = BOTH.map(|whose| desk.sops(whose, &["updatekeys", "b.json"]).output());
    assert_eq!((ours.code(), theirs.code()), (1, 1));
    assert!(
        ours.stderr.contains("config file not found"),
        "{}",
        ours.stderr
    );
}

#[test]
fn whoever_is_removed_can_be_left_with_an_old_data_key() {
    let desk = Desk::new();
    let (mine, other) = (desk.recipient.as_str(), identity(&desk.path("other.txt")));
    let other = other.as_str();
    desk.write("a.json", "{\"a\": \"secret\"}");
    config(&desk, &[mine, other]);
    desk.sops(Whose::Theirs, &["encrypt", "-i", "a.json"]).ok();
    let before = value(&desk, "a.json");
    config(&desk, &[mine]);
    let update = ["updatekeys", "-y", "--rotate", "a.json"];
    let output = desk.sops(Whose::Ours, &update).output();
    assert_eq!(output.code(), 0, "{}", said(&output));
    assert!(
        output.stderr.contains("change the secrets themselves"),
        "{}",
        output.stderr
    );
    assert_eq!(recipients(&desk, "a.json"), [mine]);
    assert_ne!(value(&desk, "a.json"), before, "another data key");
    let opened = desk
        .sops(
            Whose::Theirs,
            &["decrypt", "--extract", r#"["a"]"#, "a.json"],
        )
        .ok();
    assert_eq!(opened, "secret");
    // Whoever is only added needs no other data key.
    let before = value(&desk, "a.json");
    config(&desk, &[mine, other]);
    desk.sops(Whose::Ours, &update).ok();
    assert_eq!(recipients(&desk, "a.json"), [mine, other]);
    assert_eq!(value(&desk, "a.json"), before);
}

#[test]
fn keys_that_the_configuration_does_not_list_get_no_data_key() {
    let desk = Desk::new();
    let (mine, other) = (desk.recipient.as_str(), identity(&desk.path("other.txt")));
    let other = other.as_str();
    desk.write("a.json", "{\"a\": 1}");
    config(&desk, &[mine]);
    desk.sops(Whose::Theirs, &["encrypt", "-i", "a.json"]).ok();
    let before = desk.read("a.json");
    let kubeseal = |args: &[&str]| {
        cli::ours()
            .folder(desk.folder.path())
            .env("SOPS_AGE_KEY_FILE", desk.path("key.txt"))
            .args(args.iter().copied())
            .output()
    };
    let unlisted = format!("the configuration does not list {other}");
    let add = ["rotate", "-i", "--add-age", other, "a.json"];
    let group = ["groups", "add", "-i", "--age", other, "-f", "a.json"];
    for args in [&add[..], &group] {
        let output = kubeseal(args);
        assert_eq!(output.code(), 1, "{args:?}: {}", said(&output));
        assert!(output.stderr.contains(&unlisted), "{}", output.stderr);
        assert_eq!(desk.read("a.json"), before, "{args:?}");
    }
    assert_eq!(
        kubeseal(&["rotate", "-i", "a.json"]).code(),
        0,
        "all are listed"
    );
    // As sops has it: behind its door people are only told.
    let output = desk.sops(Whose::Ours, &add).output();
    assert_eq!(output.code(), 0, "{}", said(&output));
    assert!(output.stderr.contains(&unlisted), "{}", output.stderr);
    assert_eq!(recipients(&desk, "a.json"), [mine, other]);
    // Somebody may have written another key into the file, and waits for the next data key.
    let before = desk.read("a.json");
    assert_eq!(kubeseal(&["rotate", "-i", "a.json"]).code(), 1);
    assert_eq!(desk.read("a.json"), before);
    assert_eq!(
        kubeseal(&["rotate", "-i", "--allow-unlisted", "a.json"]).code(),
        0
    );
}
