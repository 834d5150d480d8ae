//! `encrypt --update`: what did not change in clear does not change encrypted.

use super::*;

const BEFORE: &str = "\
# head
a: one

b:
  - \"x: y\"
  - 1.5
c_unencrypted: clear
";

fn update(desk: &Desk, more: &[&str]) -> Output {
    let args = ["encrypt", "--update", "closed.yaml"];
    cli::ours()
        .folder(desk.folder.path())
        .env("SOPS_AGE_KEY_FILE", desk.path("key.txt"))
        .args(args.iter().chain(more).copied())
        .output()
}

/// The first words of the lines that differ.
fn changed<'t>(before: &str, after: &'t str) -> Vec<&'t str> {
    assert_eq!(before.lines().count(), after.lines().count(), "{after}");
    let lines = before.lines().zip(after.lines());
    let lines = lines.filter(|(before, after)| before != after);
    lines
        .filter_map(|(_, line)| line.trim().split(':').next())
        .filter(|name| *name != "lastmodified")
        .collect()
}

#[test]
fn an_update_touches_what_changed_and_nothing_else() {
    for whose in BOTH {
        let desk = Desk::new();
        desk.write("closed.yaml", BEFORE);
        desk.encrypt(whose, "closed.yaml");
        let before = desk.read("closed.yaml");
        // What the one writes has lost the layout of its source, so its own is taken.
        let text = desk
            .sops(Whose::Ours, &["decrypt", "closed.yaml"])
            .ok()
            .replace("1.5", "2.5");
        desk.write("plain.yaml", &text);
        let output = update(&desk, &["--output", "new.yaml", "plain.yaml"]);
        assert_eq!(output.code(), 0, "{}", output.stderr);
        let after = desk.read("new.yaml");
        let changed = changed(&before, &after);
        assert_eq!(changed.len(), 2, "{whose:?}: {changed:?}");
        assert!(changed[0].starts_with("- ENC["), "{whose:?}: {changed:?}");
        assert_eq!(changed[1], "mac");
        let values = ["decrypt", "--output-type", "json", "new.yaml"];
        let values: Value =
            serde_json::from_str(&desk.sops(Whose::Theirs, &values).ok()).expect("JSON");
        assert_eq!(
            (&values["a"], &values["b"][1]),
            (&Value::from("one"), &Value::from(2.5)),
            "{whose:?}"
        );
    }
}

#[test]
fn an_update_without_a_change_gives_the_same_bytes() {
    for (name, text) in commands::DOCUMENTS {
        for (closes, opens) in [
            (Whose::Ours, Whose::Ours),
            (Whose::Theirs, Whose::Ours),
            (Whose::Theirs, Whose::Theirs),
        ] {
            if (name, opens) == ("a.yaml", Whose::Theirs) {
                // The original moves comments from behind values to above them.
                continue;
            }
            let desk = Desk::new();
            desk.write("closed.yaml", text);
            let format = format!("--input-type={}", kind(name));
            let output = format!("--output-type={}", kind(name));
            let encrypt = ["encrypt", "-i", "--age", &desk.recipient, &format, &output];
            desk.sops(closes, &encrypt).arg("closed.yaml").ok();
            let before = desk.read("closed.yaml");
            let decrypt = ["decrypt", &format, &output, "closed.yaml"];
            desk.write("plain", &desk.sops(opens, &decrypt).ok());
            let output = update(&desk, &[&format, "plain"]);
            assert_eq!(output.code(), 0, "{name}: {}", output.stderr);
            assert_eq!(output.text(), before, "{name}, {closes:?}, {opens:?}");
        }
    }
}

fn kind(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((_, "env")) => "dotenv",
        Some((_, "bin")) => "binary",
        Some((_, end)) => end,
        None => name,
    }
}

#[test]
fn an_update_keeps_keys_and_rules_and_needs_a_key() {
    let desk = Desk::new();
    desk.write("closed.yaml", BEFORE);
    desk.encrypt(Whose::Theirs, "closed.yaml");
    let before = desk.read("closed.yaml");
    desk.write("plain.yaml", "a: other secret\nd_unencrypted: clear\n");
    let ruled = update(&desk, &["--encrypted-regex", "x", "plain.yaml"]);
    assert_eq!((ruled.code(), ruled.stdout.len()), (8, 0));
    let other = identity(&desk.path("other.txt"));
    let keyed = update(&desk, &["--age", &other, "plain.yaml"]);
    assert_eq!(keyed.code(), 0, "{}", keyed.stderr);
    assert!(keyed.stderr.contains("are not used"), "{}", keyed.stderr);
    let text = keyed.text();
    assert!(text.contains(&desk.recipient) && !text.contains(&other));
    assert!(text.contains("d_unencrypted: clear"), "{text}");
    identity(&desk.path("key.txt"));
    let locked = update(&desk, &["--output", "closed.yaml", "plain.yaml"]);
    assert_eq!(locked.code(), 128);
    assert!(!said(&locked).contains("other secret"));
    assert_eq!(desk.read("closed.yaml"), before);
    let missing = cli::ours()
        .folder(desk.folder.path())
        .args(["encrypt", "--update", "missing.yaml", "plain.yaml"])
        .output();
    assert_eq!(missing.code(), 100, "{}", missing.stderr);
}

#[test]
fn what_comes_through_a_pipe_has_the_name_of_the_earlier_version() {
    let desk = Desk::new();
    desk.write("closed.yaml", BEFORE);
    desk.encrypt(Whose::Ours, "closed.yaml");
    let clear = desk.kubeseal(&["decrypt", "closed.yaml"]).ok();
    let updated = desk
        .kubeseal(&["encrypt", "--update", "closed.yaml"])
        .stdin(clear.replace("one", "two"))
        .ok();
    assert_eq!(changed(&desk.read("closed.yaml"), &updated), ["a", "mac"]);
}
