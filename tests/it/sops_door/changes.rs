//! `set`, `unset`, `--extract` and `--output-type`.

use super::*;

const TEXT: &str = "\
# head
a: 1

b: \"hello\" # c
list:
- k: v
- 2.50
empty: {}
";

#[test]
fn changes_and_parts_end_as_with_the_original() {
    let desk = Desk::new();
    desk.write("closed.yaml", TEXT);
    desk.encrypt(Whose::Theirs, "closed.yaml");
    let closed = desk.read("closed.yaml");
    desk.write("plain.yaml", "a: 1\n");
    desk.write("value", "{\"x\": [1, true, null]}");
    let cases: &[(&[&str], &str)] = &[
        (&["set", "f.yaml", r#"["b"]"#, r#""x""#], ""),
        (&["set", "f.yaml", r#"["b"]"#, "-5"], ""),
        (
            &["set", "f.yaml", r#"["b"]"#, r#"{"c": ["d", 1.5, null]}"#],
            "",
        ),
        (&["set", "f.yaml", r#"["list"][0]["k"]"#, "false"], ""),
        (&["set", "f.yaml", r#"["list"][9]"#, r#""appended""#], ""),
        (
            &["set", "f.yaml", r#"["new"]["deeper"][0]"#, r#""made""#],
            "",
        ),
        (&["set", "--value-file", "f.yaml", r#"["b"]"#, "value"], ""),
        (
            &["set", "f.yaml", "b", r#""x""#],
            "Invalid set index format",
        ),
        (
            &["set", "f.yaml", r#"["b"]"#, "x"],
            "Value for --set is not valid JSON",
        ),
        (
            &["set", "f.yaml", r#"["sops"]"#, "1"],
            "top-level entry called 'sops'",
        ),
        (
            &["set", "missing.yaml", r#"["b"]"#, "1"],
            "Error reading file",
        ),
        (
            &["set", "plain.yaml", r#"["b"]"#, "1"],
            "sops metadata not found",
        ),
        (
            &["set", "f.yaml", r#"["b"]"#],
            "no file specified, or index and value are missing",
        ),
        (
            &["set"],
            "no file specified, or index and value are missing",
        ),
        (
            &["set", "--value-file", "f.yaml", r#"["b"]"#, "missing"],
            "no such file or directory",
        ),
        (
            &["set", "--value-stdin", "f.yaml", r#"["b"]"#],
            "Value for --set is not valid JSON",
        ),
        (&["unset", "f.yaml", r#"["a"]"#], ""),
        (&["unset", "f.yaml", r#"["list"][0]"#], ""),
        (&["unset", "f.yaml", r#"["list"]"#], ""),
        (&["unset", "f.yaml", r#"["zz"]"#], "Key not found"),
        (&["unset", "--idempotent", "f.yaml", r#"["zz"]"#], ""),
        (&["unset", "f.yaml", r#"["list"][7]"#], ""),
        (&["unset", "f.yaml", "b"], "Invalid unset index format"),
        (
            &["unset", "f.yaml"],
            "no file specified, or index is missing",
        ),
        (&["decrypt", "--extract", r#"["b"]"#, "f.yaml"], "hello"),
        (&["decrypt", "--extract", r#"["a"]"#, "f.yaml"], "1"),
        (
            &["decrypt", "--extract", r#"["list"][0]["k"]"#, "f.yaml"],
            "v",
        ),
        (
            &["decrypt", "--extract", r#"["list"][0]"#, "f.yaml"],
            "k: v",
        ),
        (&["decrypt", "--extract", r#"["zz"]"#, "f.yaml"], ""),
        (
            &["decrypt", "--extract", "b", "f.yaml"],
            "error parsing --extract path",
        ),
        (&["-d", "--extract", r#"["b"]"#, "f.yaml"], "hello"),
    ];
    for (args, words) in cases {
        let ends = BOTH.map(|whose| {
            desk.write("f.yaml", &closed);
            let output = desk.sops(whose, args).output();
            let shown = desk.sops(
                Whose::Theirs,
                &["decrypt", "--output-type", "json", "f.yaml"],
            );
            (output, desk.read("f.yaml") == closed, shown.ok())
        });
        let [
            (theirs, their_file, their_values),
            (ours, our_file, our_values),
        ] = &ends;
        assert_eq!(
            ours.code(),
            theirs.code(),
            "{args:?}\n{}{}",
            said(theirs),
            said(ours)
        );
        assert_eq!(
            our_file, their_file,
            "{args:?}: whether the file is another"
        );
        assert_eq!(our_values, their_values, "{args:?}");
        assert_eq!(ours.text(), theirs.text(), "{args:?}");
        for output in [theirs, ours] {
            assert!(said(output).contains(words), "{args:?}\n{}", said(output));
        }
    }
}

#[test]
fn a_change_touches_its_value_and_nothing_else() {
    for whose in BOTH {
        let desk = Desk::new();
        desk.write("f.yaml", TEXT);
        desk.encrypt(whose, "f.yaml");
        let before = desk.read("f.yaml");
        desk.sops(Whose::Ours, &["set", "--value-stdin", "f.yaml", r#"["a"]"#])
            .stdin("9007199254740993")
            .ok();
        let after = desk.read("f.yaml");
        let changed: Vec<_> = before
            .lines()
            .zip(after.lines())
            .filter(|(a, b)| a != b)
            .collect();
        assert_eq!(before.lines().count(), after.lines().count(), "{whose:?}");
        let starts: Vec<_> = changed
            .iter()
            .filter_map(|(_, line)| line.trim().split(':').next())
            .collect();
        // Within one second the time may be the same.
        assert!(
            starts == ["a", "lastmodified", "mac"] || starts == ["a", "mac"],
            "{whose:?}: {changed:#?}"
        );
        // The original makes a float of it, and another number.
        let extract = ["decrypt", "--extract", r#"["a"]"#, "f.yaml"];
        let value = desk.sops(Whose::Theirs, &extract).ok();
        assert_eq!(value.trim(), "9007199254740993", "{whose:?}");
    }
}

#[test]
fn an_idempotent_change_that_changes_nothing_leaves_the_file() {
    let desk = Desk::new();
    desk.write("f.yaml", TEXT);
    desk.encrypt(Whose::Ours, "f.yaml");
    let before = desk.read("f.yaml");
    for args in [
        &["set", "--idempotent", "f.yaml", r#"["b"]"#, r#""hello""#][..],
        &["unset", "--idempotent", "f.yaml", r#"["zz"]"#],
    ] {
        desk.sops(Whose::Ours, args).ok();
        assert_eq!(desk.read("f.yaml"), before, "{args:?}");
    }
}

#[test]
fn other_formats_hold_the_same_values() {
    let desk = Desk::new();
    let documents = [
        (
            "f.yaml",
            "a: 1\nb: two words\nc: \"3\"\n",
            &["json", "yaml"][..],
        ),
        (
            "f.json",
            "{\"a\": 1, \"b\": {\"c\": [\"d\", true]}}",
            &["yaml", "json"],
        ),
        ("t.yaml", "a: one\nb: two words\n", &["dotenv"]),
        ("f.env", "A=1\nB=two words\n", &["json", "yaml", "dotenv"]),
        ("f.ini", "[one]\na = 1\n", &["json", "yaml"]),
    ];
    for (name, text, formats) in documents {
        for format in formats {
            desk.write(name, text);
            let encrypt = [
                "encrypt",
                "--age",
                &desk.recipient,
                "--output-type",
                format,
                name,
            ];
            let values = |closed: &str| {
                desk.write("closed", closed);
                let args = [
                    "decrypt",
                    "--input-type",
                    format,
                    "--output-type",
                    "json",
                    "closed",
                ];
                desk.sops(Whose::Theirs, &args).output().text()
            };
            let [theirs, ours] = BOTH.map(|whose| {
                let output = desk.sops(whose, &encrypt).output();
                (output.code(), values(&output.text()))
            });
            assert_eq!(ours, theirs, "encrypting {name} as {format}");
            desk.encrypt(Whose::Theirs, name);
            let decrypt = ["decrypt", "--output-type", format, name];
            let [theirs, ours] = BOTH.map(|whose| desk.sops(whose, &decrypt).output());
            assert_eq!(
                ours.code(),
                theirs.code(),
                "{name} as {format}: {}",
                ours.stderr
            );
            if !name.ends_with(format) {
                assert_eq!(ours.text(), theirs.text(), "{name} as {format}");
            }
        }
    }
}

#[test]
fn documents_that_have_no_place_in_a_format_are_not_dropped() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: 1\n---\nb: 2\n");
    let encrypt = [
        "encrypt",
        "--age",
        &desk.recipient,
        "--output-type",
        "json",
        "f.yaml",
    ];
    let output = desk.sops(Whose::Ours, &encrypt).output();
    assert_eq!(
        (output.code(), output.stdout.len()),
        (4, 0),
        "{}",
        output.stderr
    );
    desk.encrypt(Whose::Theirs, "f.yaml");
    // To look at the first is no loss.
    let output = desk
        .sops(Whose::Ours, &["decrypt", "--output-type", "json", "f.yaml"])
        .output();
    assert_eq!(output.code(), 0);
    assert!(
        output.stderr.contains("1 are left out"),
        "{}",
        output.stderr
    );
}

#[test]
fn whole_numbers_stay_exact_or_are_refused() {
    let desk = Desk::new();
    for (name, text) in [("f.yaml", "a: 1\n"), ("f.json", "{\"a\": 1}")] {
        desk.write(name, text);
        desk.encrypt(Whose::Theirs, name);
        for number in [
            "9007199254740993",
            "9223372036854775807",
            "-9223372036854775808",
        ] {
            desk.sops(Whose::Ours, &["set", name, r#"["a"]"#, number])
                .ok();
            for opens in BOTH {
                let opened = desk
                    .sops(opens, &["decrypt", "--extract", r#"["a"]"#, name])
                    .ok();
                assert_eq!(opened.trim(), number, "{name} {opens:?}");
            }
        }
        let before = desk.read(name);
        for number in ["9223372036854775808", "[1, 123456789012345678901]"] {
            let output = desk
                .sops(Whose::Ours, &["set", name, r#"["a"]"#, number])
                .output();
            assert_eq!(output.code(), 7, "{}", said(&output));
            let said = &output.stderr;
            assert!(said.contains("too large to stay exact"), "{said}");
            assert!(!said.contains("12345") && !said.contains("92233"), "{said}");
            assert_eq!(desk.read(name), before);
        }
    }
}
