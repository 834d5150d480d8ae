//! What goes wrong in somebody's first hour, and what is said of it: what failed, on what, and what to do next.

use super::*;

#[test]
fn whatever_fails_names_its_file_and_the_next_step() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: 1\nb: [hello]\n");
    desk.encrypt(Whose::Ours, "f.yaml");
    desk.write("plain.yaml", "a: 1\n");
    desk.write("plain.pem", "-----BEGIN X-----\n");
    desk.write("empty.yaml", "");
    desk.write("folder/other.yaml", "a: 1\n");
    desk.write("other.txt", &identity_text());
    let text = desk.read("f.yaml");
    desk.write("torn.yaml", &text.replace("    mac: ENC", "    mac: ENX"));
    let cases: &[(&[&str], &str, &str)] = &[
        (
            &["decrypt", "plain.yaml"],
            "error: plain.yaml: sops metadata not found",
            "hint: it is not encrypted",
        ),
        (
            &["decrypt", "empty.yaml"],
            "error: empty.yaml: sops metadata not found",
            "hint: the file is empty",
        ),
        (
            &["decrypt", "plain.pem"],
            "error: plain.pem: Could not unmarshal input data",
            "--input-type yaml",
        ),
        (
            &["decrypt", "missing.yaml"],
            "error: cannot operate on non-existent file \"missing.yaml\"",
            "",
        ),
        (
            &["decrypt", "--extract", "[\"zz\"]", "f.yaml"],
            "error: f.yaml: Key not found",
            "[\"zz\"]",
        ),
        (&["decrypt", "torn.yaml"], "error: torn.yaml: ", "MAC"),
        (
            &["encrypt", "plain.yaml"],
            "error: plain.yaml: config file not found",
            "hint: name a key",
        ),
        (
            &["encrypt", "empty.yaml"],
            "error: empty.yaml: File cannot be completely empty",
            "hint: write something into it",
        ),
        (
            &["edit", "folder"],
            "error: Error reading file folder: is a directory",
            "hint: name a file in it",
        ),
        (
            &["set", "plain.yaml", "[\"a\"]", "2"],
            "error: plain.yaml: sops metadata not found",
            "hint: it is not encrypted",
        ),
        (
            &["rotate", "plain.yaml"],
            "error: plain.yaml: sops metadata not found",
            "hint: it is not encrypted",
        ),
        (
            &["encrypt", "--update", "missing.yaml", "plain.yaml"],
            "error: cannot operate on non-existent file \"missing.yaml\"",
            "",
        ),
        (
            &["encrypt", "--update", "plain.yaml", "folder/other.yaml"],
            "error: plain.yaml: sops metadata not found",
            "hint: it is not encrypted",
        ),
        (
            &["decrypt", "--output", "missing/x", "f.yaml"],
            "error: cannot write missing/x: no such file or directory",
            "",
        ),
        (
            &["exec-env", "f.yaml", "env"],
            "error: f.yaml: cannot use complex value in environment",
            "key b",
        ),
        (
            &["exec-env", "f.yaml"],
            "error: missing file to decrypt",
            "hint: exec-env FILE",
        ),
        (
            &["exec-file", "plain.yaml", "cat {}"],
            "error: plain.yaml: sops metadata not found",
            "hint: it is not encrypted",
        ),
    ];
    for (args, first, more) in cases {
        let output = desk.kubeseal(args).output();
        assert_ne!(output.code(), 0, "{args:?}");
        assert_eq!(output.text(), "", "{args:?}");
        let said = &output.stderr;
        let first_line = said
            .lines()
            .find(|line| line.starts_with("error: "))
            .unwrap_or_default();
        assert!(first_line.starts_with(first), "{args:?}\n{said}");
        assert!(
            !said.contains("error: error:") && !said.contains("error: Error:"),
            "{args:?}\n{said}"
        );
        assert!(said.contains(more), "{args:?}\n{said}");
    }
    let stranger = desk
        .kubeseal(&["decrypt", "f.yaml"])
        .env("SOPS_AGE_KEY_FILE", desk.path("other.txt"))
        .output();
    assert_eq!(stranger.code(), 128);
    assert!(
        stranger
            .stderr
            .starts_with("error: f.yaml: Failed to get the data key"),
        "{}",
        stranger.stderr
    );
}

/// An identity that opens nothing here.
fn identity_text() -> String {
    cli::run(peer::AGE_KEYGEN.path()).ok()
}

#[test]
fn behind_the_name_of_sops_its_words_come_first_and_the_file_last() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: 1\n");
    let output = desk.sops(Whose::Ours, &["decrypt", "f.yaml"]).output();
    assert_eq!(
        output.stderr,
        "sops metadata not found\nhint: it is not encrypted\nfile: f.yaml\n"
    );
    desk.encrypt(Whose::Ours, "f.yaml");
    let failed = desk
        .sops(
            Whose::Ours,
            &["exec-file", "f.yaml", "cat {} >/dev/null; exit 7"],
        )
        .output();
    assert_eq!(
        (failed.code(), failed.stderr.as_str()),
        (7, "exit status 7\n"),
        "the file is not to blame"
    );
}

#[test]
fn exit_codes_are_those_of_the_original() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: 1\n");
    desk.encrypt(Whose::Theirs, "f.yaml");
    desk.write("empty.yaml", "");
    desk.write("folder/other.yaml", "a: 1\n");
    let mine = desk.recipient.as_str();
    let cases: &[(&[&str], i32)] = &[
        (&["decrypt", "--output", "missing/x", "f.yaml"], 3),
        (
            &[
                "encrypt",
                "--age",
                mine,
                "--output",
                "missing/x",
                "folder/other.yaml",
            ],
            3,
        ),
        (&["decrypt", "empty.yaml"], 1),
        (&["filestatus", "empty.yaml"], 0),
        (&["encrypt", "--age", mine, "empty.yaml"], 92),
        (&["decrypt", "folder"], 2),
        (&["edit", "folder"], 2),
        (&["set", "folder", "[\"a\"]", "1"], 2),
        (&["exec-env", "folder", "env"], 2),
    ];
    for (args, code) in cases {
        let [theirs, ours] = BOTH.map(|whose| desk.sops(whose, args).output());
        assert_eq!(theirs.code(), *code, "{args:?}: {}", said(&theirs));
        assert_eq!(ours.code(), *code, "{args:?}: {}", said(&ours));
        assert_eq!(ours.text(), theirs.text(), "{args:?}");
    }
}

#[test]
fn an_empty_list_of_variables_is_a_document() {
    let desk = Desk::new();
    for name in ["f.env", "f.ini"] {
        for (closes, opens) in [
            (Whose::Ours, Whose::Theirs),
            (Whose::Theirs, Whose::Ours),
            (Whose::Ours, Whose::Ours),
        ] {
            desk.write(name, "");
            desk.encrypt(closes, name);
            assert!(desk.read(name).contains("mac"), "{name} {closes:?}");
            let clear = desk.sops(opens, &["decrypt", name]).ok();
            assert_eq!(clear, "", "{name} {closes:?} {opens:?}");
        }
    }
}

#[test]
fn a_document_from_a_pipe_says_that_its_format_is_missing() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: 1\n");
    desk.encrypt(Whose::Ours, "f.yaml");
    let text = desk.read("f.yaml");
    let output = desk
        .sops(Whose::Ours, &["decrypt"])
        .stdin(text.clone())
        .output();
    assert_eq!(output.code(), 1);
    assert!(
        output.stderr.contains("--input-type yaml"),
        "{}",
        output.stderr
    );
    let given = ["decrypt", "--input-type", "yaml", "--output-type", "yaml"];
    assert_eq!(desk.sops(Whose::Ours, &given).stdin(text).ok(), "a: 1\n");
}
