//! `.sops.yaml`: both programs choose the same keys and rules.

use super::*;

#[test]
fn both_choose_the_same_keys_and_rules() {
    let desk = Desk::new();
    let [one, two] = ["one.txt", "two.txt"].map(|name| identity(&desk.path(name)));
    let mine = &desk.recipient;
    desk.write(
        ".sops.yaml",
        &format!(
            "\
creation_rules:
- path_regex: ^by-folder/
  age: {one}
  encrypted_regex: ^secret
- path_regex: several\\.json$
  age: [{one}, {two}]
  mac_only_encrypted: true
  unencrypted_suffix: _clear
- path_regex: groups\\.json$
  shamir_threshold: 2
  key_groups:
  - age: [{mine}, {one}]
  - merge:
    - age: [{two}]
    age: [{one}, {two}]
- path_regex: \\.json$
  age: \"{two} , {mine},\"
"
        ),
    );
    for name in [
        "by-folder/a.json",
        "several.json",
        "groups.json",
        "deep/er/a.json",
    ] {
        desk.write(
            name,
            "{\"secret\": 1, \"plain_clear\": 2, \"plain_unencrypted\": 3}",
        );
        let [theirs, ours] = BOTH.map(|whose| {
            let text = desk.sops(whose, &["encrypt", name]).ok();
            let mut metadata = desk.metadata(&text);
            let fields = metadata.as_object_mut().expect("a mapping");
            for own in ["lastmodified", "mac", "layout"] {
                fields.remove(own);
            }
            forget_shares(&mut metadata);
            let document: Value = serde_json::from_str(&text).expect("JSON");
            let clear =
                ["secret", "plain_clear", "plain_unencrypted"].map(|key| document[key].is_number());
            (metadata, clear)
        });
        assert_eq!(ours, theirs, "{name}");
    }
}

/// What is encrypted differs each time.
fn forget_shares(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("enc");
            // sops leaves the lists of kinds that a group does not have.
            fields.retain(|_, field| field.as_array().is_none_or(|list| !list.is_empty()));
            fields.values_mut().for_each(forget_shares);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_shares),
        _ => {}
    }
}

#[test]
fn flags_take_the_place_of_the_keys_and_not_of_the_rules() {
    let desk = Desk::new();
    let other = identity(&desk.path("other.txt"));
    desk.write(
        ".sops.yaml",
        &format!(
            "creation_rules:\n- path_regex: a\\.json$\n  age: {other}\n  encrypted_regex: ^x$\n"
        ),
    );
    desk.write("a.json", "{\"x\": 1, \"y\": 2}");
    desk.write("b.json", "{\"x\": 1}");
    for whose in BOTH {
        let text = desk
            .sops(whose, &["encrypt", "--age", &desk.recipient, "a.json"])
            .ok();
        let metadata = desk.metadata(&text);
        assert_eq!(
            metadata["age"][0]["recipient"], *desk.recipient,
            "{whose:?}"
        );
        assert_eq!(metadata["encrypted_regex"], "^x$", "{whose:?}");
        // A configuration without a rule for the file stops it, whatever the flags say.
        let refused = desk
            .sops(whose, &["encrypt", "--age", &desk.recipient, "b.json"])
            .output();
        assert_eq!(refused.code(), 1, "{whose:?}");
        assert!(
            refused.stderr.contains("no matching creation rules found"),
            "{}",
            refused.stderr
        );
    }
}

#[test]
fn a_rule_that_does_not_compile_stops_everything() {
    let desk = Desk::new();
    let config = format!(
        "creation_rules:\n- age: {}\n  encrypted_regex: '['\n",
        desk.recipient
    );
    desk.write(".sops.yaml", &config);
    desk.write("a.json", "{\"secret\": \"in clear\"}");
    // The original takes it for a rule that nothing matches, and says that all is well.
    let theirs = desk.sops(Whose::Theirs, &["encrypt", "a.json"]).ok();
    assert!(theirs.contains("in clear"));
    let ours = desk
        .sops(Whose::Ours, &["encrypt", "-i", "a.json"])
        .output();
    assert_eq!(ours.code(), 1);
    assert!(
        ours.stderr
            .contains("encrypted_regex is not a regular expression"),
        "{}",
        ours.stderr
    );
    assert_eq!(desk.read("a.json"), "{\"secret\": \"in clear\"}");
}

#[test]
fn without_one_above_the_working_folder_the_one_above_the_file_counts() {
    let desk = Desk::new();
    let inner = identity(&desk.path("inner.txt"));
    let rule =
        |age: &str, path: &str| format!("creation_rules:\n- path_regex: {path}\n  age: {age}\n");
    desk.write("repo/.sops.yaml", &rule(&desk.recipient, "^app/b"));
    desk.write("repo/app/.sops.yaml", &rule(&inner, "^a"));
    for (name, recipient) in [("a.json", &inner), ("b.json", &desk.recipient)] {
        let name = format!("repo/app/{name}");
        desk.write(&name, "{\"x\": 1}");
        let text = desk.sops(Whose::Ours, &["encrypt", &name]).ok();
        assert_eq!(
            desk.metadata(&text)["age"][0]["recipient"],
            **recipient,
            "{name}"
        );
        assert_eq!(
            desk.sops(Whose::Theirs, &["encrypt", &name])
                .output()
                .code(),
            1
        );
    }
}

#[test]
fn what_has_no_effect_is_warned_of() {
    let desk = Desk::new();
    desk.write("a.json", "{\"x\": 1}");
    desk.write(".sops.yml", "creation_rules: []\n");
    desk.write(
        ".sops.yaml",
        &format!("creation_rules:\n- age: {}\n  ages: x\n", desk.recipient),
    );
    let output = desk.sops(Whose::Ours, &["encrypt", "a.json"]).output();
    assert!(
        output
            .stderr
            .contains("creation_rules[0].ages is not known here"),
        "{}",
        output.stderr
    );
    fs::remove_file(desk.path(".sops.yaml")).expect("ours");
    let output = desk.sops(Whose::Ours, &["encrypt", "a.json"]).output();
    assert_eq!(output.code(), 1);
    assert!(
        output.stderr.contains(".sops.yml is not read"),
        "{}",
        output.stderr
    );
}
