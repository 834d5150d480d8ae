//! What goes wrong: it is said once on standard error, with the next step, and nothing is printed.

use super::*;

/// Runs the function by hand over a list with one generator of these settings.
fn by_hand(desk: &Desk, settings: &str) -> Run {
    let settings: String = settings.lines().map(|line| format!("  {line}\n")).collect();
    let head = "kind: ResourceList\nfunctionConfig:\n  kind: ksops\n  metadata: {name: g}\n";
    desk.ksops(&[]).stdin(format!("{head}{settings}"))
}

#[test]
fn each_failure_names_its_cause_and_prints_nothing() {
    let desk = Desk::new();
    let secret = "kind: Secret\nmetadata: {name: a}\nstringData: {a: hunter2}\n";
    desk.encrypted("app/good.yaml", secret);
    desk.encrypted("app/text.yaml", "a: hunter2\n");
    desk.encrypted("app/blob.bin", [0xFF, 0]);
    desk.encrypted("app/bad.env", "A='hunter2\n");
    desk.write("app/plain.yaml", secret);
    desk.write("app/empty.yaml", "");
    desk.write("app/broken.yaml", "a: [hunter2\n");
    for (settings, words) in [
        ("other: 1\n", "neither `files` nor `secretFrom`"),
        (
            "file: [good.yaml]\n",
            "hint: name the encrypted files under `files`",
        ),
        ("files: good.yaml\n", "generator \"g\": `files` is no list"),
        ("files: [{}]\n", "`files` is no text"),
        (
            "files: [good.yaml, nowhere.yaml]\n",
            "error: nowhere.yaml: no such file or directory\n",
        ),
        (
            "files: [plain.yaml]\n",
            "error: plain.yaml: sops metadata not found\nhint: it is not encrypted",
        ),
        (
            "files: [empty.yaml]\n",
            "error: empty.yaml: sops metadata not found",
        ),
        (
            "files: [broken.yaml]\n",
            "error: broken.yaml: cannot read the document: line ",
        ),
        ("files: [.]\n", "error: .: it is not a regular file\n"),
        (
            "files: [/dev/zero]\n",
            "error: /dev/zero: it is not a regular file\n",
        ),
        (
            "files: [text.yaml]\n",
            "error: text.yaml: what it holds is no manifest: an object has no kind\nhint: `files` is for",
        ),
        ("secretFrom: [a]\n", "an item of `secretFrom` is no object"),
        (
            "secretFrom: [{files: [a=b=c]}]\n",
            "\"a=b=c\" has more than one `=`",
        ),
        (
            "secretFrom: [{files: [=b]}]\n",
            "\"=b\" is neither PATH nor KEY=PATH",
        ),
        (
            "secretFrom: [{metadata: {name: s}, files: [blob.bin]}]\n",
            "error: Secret \"s\": blob.bin: it is not UTF-8",
        ),
        (
            "secretFrom: [{envs: [bad.env]}]\n",
            "bad.env: line 1: a quoted value does not end\n",
        ),
    ] {
        let output = by_hand(&desk, settings).output();
        refused(&output, words);
        assert!(!output.stderr.contains("hunter2"), "{}", output.stderr);
    }
}

#[test]
fn nothing_is_printed_if_one_file_in_the_middle_fails() {
    let desk = Desk::new();
    for number in 0..9 {
        desk.encrypted(
            &format!("app/{number}.yaml"),
            format!("kind: Secret\nmetadata: {{name: s{number}}}\n"),
        );
    }
    let text = fs::read_to_string(desk.path("app/4.yaml")).expect("ours");
    let changed = text.replacen("data:", "data:A", 1);
    assert_ne!(changed, text);
    desk.write("app/4.yaml", changed);
    let files: String = (0..9).map(|number| format!("- {number}.yaml\n")).collect();
    // kustomize may keep to itself what a program prints that fails.
    let words = "error: 4.yaml: cannot decrypt it";
    refused(&by_hand(&desk, &format!("files:\n{files}")).output(), words);
    for way in WAYS {
        desk.generator(way, &format!("files:\n{files}"));
        let output = desk.build().output();
        assert_ne!(output.code(), 0, "{way:?}");
        assert_eq!(output.text(), "", "{way:?}");
        assert_eq!(
            output.stderr.matches("error: 4.yaml: ").count(),
            1,
            "{way:?}: {}",
            output.stderr
        );
    }
}

#[test]
fn without_a_key_the_reason_is_said_once_for_all_files() {
    let desk = Desk::new();
    for name in ["a", "b"] {
        desk.encrypted(&format!("app/{name}.yaml"), "kind: Secret\n");
    }
    let other = Desk::new();
    let run = by_hand(&desk, "files: [a.yaml, b.yaml]\n");
    let output = run.env("SOPS_AGE_KEY_FILE", other.path("key.txt")).output();
    refused(&output, "error: a.yaml: Failed to get the data key");
    refused(&output, "error: b.yaml: the same as a.yaml\n");
    refused(&output, &desk.recipient);
}

#[test]
fn standard_input_must_be_a_list_with_a_generator() {
    let desk = Desk::new();
    for (text, words) in [
        ("", "standard input is no list of resources"),
        ("kind: Secret\n", "standard input is no list of resources"),
        (
            "kind: ResourceList\n---\nkind: ResourceList\n",
            "standard input is no list of resources",
        ),
        (
            "kind: ResourceList\nitems: [{kind: Secret}]\n",
            "the list has no generator",
        ),
        (
            "kind: ResourceList\nitems: [{a: 1\n",
            "standard input is no list of resources: document 1",
        ),
        // Repeats itself over and over.
        (
            "kind: ResourceList\na: &a [x, x, x]\nb: &b [*a, *a, *a]\nitems: [*b, *b]\n",
            "the list has no generator",
        ),
    ] {
        desk.write("app/unused", "");
        refused(&desk.ksops(&[]).stdin(text).output(), words);
    }
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let desk = Desk::new();
    let mut text = "kind: ResourceList\na0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(8);
        text += &format!("a{level}: &a{level} [{before}x]\n");
    }
    desk.write("app/unused", "");
    refused(
        &desk.ksops(&[]).stdin(text).output(),
        "standard input is no list of resources",
    );
}

#[test]
fn other_command_lines_show_the_usage() {
    let desk = Desk::new();
    desk.write("app/unused", "");
    for args in [
        &["a", "b"][..],
        &["install"],
        &["install", "--with-kustomize"],
        &["install", "a", "b"],
    ] {
        refused(&desk.ksops(args).output(), "usage: ksops < RESOURCE-LIST");
    }
    refused(
        &desk.ksops(&["nowhere.yaml"]).output(),
        "error: nowhere.yaml: no such file",
    );
    assert!(desk.ksops(&["--help"]).ok().starts_with("usage: ksops"));
    let run = |args: &[&str]| cli::run(ours::decryptor()).args(args.iter().copied());
    refused(&run(&[]).output(), "usage: decryptor HOOK");
    refused(&run(&["other"]).output(), "usage: decryptor HOOK");
    refused(&run(&["ksops", "a", "b"]).output(), "usage: ksops <");
    assert!(run(&["--version"]).ok().starts_with("decryptor "));
}

#[test]
fn the_limit_of_concurrency_is_a_whole_number() {
    let desk = Desk::new();
    desk.encrypted("app/a.yaml", "kind: Secret\nmetadata: {name: a}\n");
    for (limit, code) in [
        ("", 0),
        ("1", 0),
        ("500", 0),
        ("0", 1),
        ("-1", 1),
        ("abc", 1),
    ] {
        let output = by_hand(&desk, "files: [a.yaml]\n")
            .env("KSOPS_CONCURRENCY_LIMIT", limit)
            .output();
        assert_eq!(output.code(), code, "{limit}: {}", output.stderr);
        if code == 1 {
            refused(&output, "KSOPS_CONCURRENCY_LIMIT");
        }
    }
}
