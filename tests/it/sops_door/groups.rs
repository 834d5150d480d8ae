//! `groups`: a data key shared among groups of keys.

use super::*;

/// The recipients of each group, and the threshold, of an encrypted JSON document.
fn groups(desk: &Desk, text: &str) -> (Vec<Vec<String>>, Value) {
    let metadata = desk.metadata(text);
    let recipients = |group: &Value| -> Vec<String> {
        let keys = group["age"].as_array().into_iter().flatten();
        keys.map(|key| key["recipient"].as_str().expect("a recipient").to_owned())
            .collect()
    };
    let groups = match metadata["key_groups"].as_array() {
        Some(groups) => groups.iter().map(recipients).collect(),
        None => vec![recipients(&metadata)],
    };
    (groups, metadata["shamir_threshold"].clone())
}

#[test]
fn groups_come_and_go_as_with_the_original() {
    let desk = Desk::new();
    let [two, three] = ["two.txt", "three.txt"].map(|name| identity(&desk.path(name)));
    let (two, three) = (two.as_str(), three.as_str());
    let both = format!("{two},{three}");
    let all: String = ["key.txt", "two.txt", "three.txt"]
        .map(|name| desk.read(name))
        .concat();
    desk.write("all.txt", &all);
    let starts: [(&str, &[&str]); 2] = [
        ("one.json", &[]),
        (
            "two.json",
            &["groups", "add", "-i", "-f", "two.json", "--age", two],
        ),
    ];
    for (name, args) in starts {
        desk.write(name, "{\"a\": \"secret\"}");
        desk.encrypt(Whose::Theirs, name);
        if !args.is_empty() {
            desk.sops(Whose::Theirs, args).ok();
        }
    }
    let cases: &[(&str, &[&str], &str)] = &[
        ("one.json", &["add", "--age", two], ""),
        ("one.json", &["add", "--age", two, "--age", three], ""),
        ("one.json", &["add", "--age", &both], ""),
        ("two.json", &["add", "--age", three], ""),
        (
            "two.json",
            &[
                "add",
                "--age",
                three,
                "--shamir-secret-sharing-threshold",
                "3",
            ],
            "",
        ),
        (
            "two.json",
            &["delete", "--shamir-secret-sharing-threshold", "1", "1"],
            "",
        ),
        (
            "two.json",
            &["delete", "1"],
            "will make the Shamir threshold impossible to satisfy",
        ),
        (
            "two.json",
            &["delete", "x"],
            "failed to parse [index] argument",
        ),
        (
            "two.json",
            &["delete"],
            "exactly one positional argument (index) required",
        ),
        (
            "two.json",
            &["add", "--age", three, "more"],
            "no positional arguments allowed",
        ),
    ];
    for (start, args, words) in cases {
        let [theirs, ours] = BOTH.map(|whose| {
            let text = desk.read(start);
            desk.write("f.json", &text);
            let (verb, more) = args.split_first().expect("a verb");
            let run = |place: &[&str]| {
                let args = [&["groups", verb, "--file", "f.json"], place, more].concat();
                desk.sops(whose, &args)
                    .env("SOPS_AGE_KEY_FILE", desk.path("all.txt"))
                    .output()
            };
            let printed = run(&[]);
            assert_eq!(desk.read("f.json"), text, "{args:?}: without --in-place");
            let output = run(&["-i"]);
            assert_eq!(printed.code(), output.code(), "{args:?}");
            let after = desk.read("f.json");
            if output.code() == 0 {
                assert_eq!(
                    groups(&desk, &printed.text()),
                    groups(&desk, &after),
                    "{args:?}"
                );
                for opens in BOTH {
                    let opened = desk
                        .sops(opens, &["decrypt", "--extract", r#"["a"]"#, "f.json"])
                        .env("SOPS_AGE_KEY_FILE", desk.path("all.txt"))
                        .ok();
                    assert_eq!(opened, "secret", "{args:?}");
                }
            }
            let same_value = after.lines().nth(1) == text.lines().nth(1);
            (output, groups(&desk, &after), same_value)
        });
        assert_eq!(
            ours.0.code(),
            theirs.0.code(),
            "{args:?}\n{}{}",
            said(&theirs.0),
            said(&ours.0)
        );
        assert_eq!((ours.1, ours.2), (theirs.1, theirs.2), "{args:?}");
        for output in [&theirs.0, &ours.0] {
            assert!(said(output).contains(words), "{args:?}\n{}", said(output));
        }
    }
}

#[test]
fn groups_that_could_not_open_a_document_are_refused() {
    let desk = Desk::new();
    let two = identity(&desk.path("two.txt"));
    desk.write("f.json", "{\"a\": 1}");
    desk.encrypt(Whose::Theirs, "f.json");
    let before = desk.read("f.json");
    let kms = "arn:aws:kms:eu-west-1:1:key/x";
    let threshold = "--shamir-secret-sharing-threshold";
    for args in [
        &["groups", "add", "-i", "-f", "f.json"][..],
        &["groups", "add", "-i", "-f", "f.json", "--age", "nonsense"],
        &[
            "groups", "add", "-i", "-f", "f.json", "--age", &two, "--kms", kms,
        ],
        &[
            "groups", "add", "-i", "-f", "f.json", "--age", &two, threshold, "3",
        ],
        &[
            "groups", "add", "-i", "-f", "f.json", "--age", &two, threshold, "1",
        ],
        &["groups", "delete", "-i", "-f", "f.json", "0"],
        &["groups", "delete", "-i", "-f", "f.json", "5"],
    ] {
        let output = desk.sops(Whose::Ours, args).output();
        assert_eq!(output.code(), 1, "{args:?}: {}", said(&output));
        assert_eq!(desk.read("f.json"), before, "{args:?}");
    }
    for args in [
        &["groups", "add", "-f", "missing.json", "--age", &two][..],
        &["groups", "delete", "0"],
    ] {
        let [theirs, ours] = BOTH.map(|whose| desk.sops(whose, args).output().code());
        assert_eq!(ours, theirs, "{args:?}");
    }
}
