//! What configurations mean, and which are refused.

use super::*;

fn read(text: &str) -> Config {
    Config::parse(text.as_bytes()).expect("a configuration")
}

fn refusal(text: &str) -> String {
    let error = Config::parse(text.as_bytes()).err().expect("a refusal");
    let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default())
}

fn short(field: &'static str, text: &str) -> KeyEntry {
    KeyEntry {
        field,
        key: Spelling::Short(text.to_owned()),
    }
}

#[test]
fn the_first_rule_that_matches_counts() {
    let config = read(
        "creation_rules:\n- path_regex: ^prod/\n  age: one\n- path_regex: \\.yaml$\n  age: two\n- age: three\n",
    );
    for (path, key) in [
        ("prod/a.yaml", "one"),
        ("a.yaml", "two"),
        ("/elsewhere/prod/a.json", "three"),
    ] {
        let rule = config.rule_for(path).expect("a rule");
        assert_eq!(rule.groups, [[short("age", key)]], "{path}");
    }
}

#[test]
fn no_rules_and_rules_that_are_none_differ() {
    assert!(!read("").has_rules());
    assert!(!read("creation_rules:\n").has_rules());
    assert!(read("creation_rules: []\n").has_rules());
    assert!(read("creation_rules: []\n").rule_for("a").is_none());
}

#[test]
fn flat_keys_are_one_group_in_the_order_of_their_kinds() {
    let config = read(
        "creation_rules:\n- pgp: 'F1, F2,'\n  hc_vault_transit_uri: https://v/v1/transit/keys/k\n  age: [a, a, b]\n",
    );
    let keys = [
        short("age", "a"),
        short("age", "b"),
        short("pgp", "F1"),
        short("pgp", "F2"),
        short("hc_vault", "https://v/v1/transit/keys/k"),
    ];
    assert_eq!(config.rule_for("x").expect("a rule").groups, [keys]);
}

#[test]
fn groups_merge_others_first_and_hold_long_spellings() {
    let config = read(
        "creation_rules:\n- shamir_threshold: 1\n  age: ignored\n  key_groups:\n  - merge:\n    - age: [a]\n    \
         age: [b, a]\n    kms:\n    - arn: arn:aws:kms:r:1:key/x\n      context: {a: b}\n  - hc_vault: [v]\n",
    );
    let rule = config.rule_for("x").expect("a rule");
    assert_eq!(rule.shamir_threshold, Some(1));
    let [first, second] = rule.groups.as_slice() else {
        panic!("two groups");
    };
    assert_eq!(first[..2], [short("age", "a"), short("age", "b")]);
    assert!(matches!(&first[2].key, Spelling::Long(fields) if fields["context"]["a"] == "b"));
    assert_eq!(*second, [short("hc_vault", "v")]);
    assert_eq!(
        config.warnings,
        ["creation_rules[0] has key_groups: its keys outside of them have no effect"]
    );
}

#[test]
fn what_is_not_known_is_warned_of() {
    let config = read("creation_rules:\n- age: a\n  ages: b\nrules: []\nstores:\n  toml: {}\n");
    assert_eq!(
        config.warnings,
        [
            "creation_rules[0].ages is not known here and has no effect",
            "stores.toml is not known here and has no effect",
            "rules is not known here and has no effect",
        ]
    );
}

#[test]
fn what_cannot_be_used_is_refused_by_its_place() {
    for (text, expected) in [
        ("- a", "the file must be a mapping"),
        (
            "creation_rules:\n- age: {a: b}\n",
            "creation_rules[0].age must be a text, or a list of texts",
        ),
        (
            "creation_rules:\n- {}\n- path_regex: '['\n",
            "creation_rules[1].path_regex must be a regular expression",
        ),
        (
            "creation_rules:\n- encrypted_regex: '['\n",
            "creation_rules[0]: encrypted_regex is not a regular expression, or too large a one",
        ),
        (
            "creation_rules:\n- encrypted_regex: a\n  encrypted_suffix: b\n",
            "creation_rules[0]: encrypted_suffix and encrypted_regex cannot stand together: a document has one rule",
        ),
        (
            "creation_rules:\n- shamir_threshold: '2'\n",
            "creation_rules[0].shamir_threshold must be a number from 0 to 255",
        ),
        (
            "stores: {yaml: {indent: -2}}\n",
            "stores.yaml.indent must be a number from 0 to 255",
        ),
    ] {
        assert_eq!(refusal(text), expected);
    }
}

#[test]
fn indents_are_read_and_defaults_are_none() {
    let config =
        read("stores:\n  yaml: {indent: 2}\n  json: {indent: 0}\n  json_binary: {indent: -1}\n");
    let wanted = Indents {
        yaml: Some(2),
        json: Some(0),
        json_binary: None,
    };
    assert_eq!(config.indents, wanted);
}
