//! Whole trees of documents, behind our own name.

use super::*;

/// Documents that a rule covers, in folders below `tree`.
const COVERED: [(&str, &str); 6] = [
    ("a.secret.yaml", "# head\na: one\n"),
    ("deep/er/b.secret.json", "{\n\t\"b\": \"two\"\n}\n"),
    ("deep/secret.env", "C=three\n"),
    ("deep/secret.ini", "[one]\nd = four\n"),
    ("deep/secret.bin", "five\u{0}\n"),
    ("z.secret.yaml", "z: six\n---\nz: seven"),
];
/// Others.
const OTHERS: [(&str, &str); 5] = [
    ("README.md", "secret: ENC[AES256_GCM,\n"),
    ("deep/plain.yaml", "a: {{ template }}\n"),
    (".git/secret.yaml", "a: 1\n"),
    ("deep/.hidden/secret.yaml", "a: 1\n"),
    ("empty.json", ""),
];

fn tree() -> Desk {
    let desk = Desk::new();
    for (name, text) in COVERED.into_iter().chain(OTHERS) {
        desk.write(&format!("tree/{name}"), text);
    }
    desk.write("outside/secret.yaml", "a: 1\n");
    symlink(desk.path("outside"), desk.path("tree/link")).expect("a link");
    symlink("a.secret.yaml", desk.path("tree/link.secret.yaml")).expect("a link");
    config(&desk, &[&desk.recipient]);
    desk
}

fn config(desk: &Desk, recipients: &[&str]) {
    let rule = format!("  age: [{}]\n", recipients.join(", "));
    let text = format!(
        "creation_rules:\n- path_regex: secret\n{rule}- {}",
        &rule[2..]
    );
    desk.write(".sops.yaml", &text);
}

impl Desk {
    fn opens(&self, whose: Whose, key: &str, name: &str) -> Option<String> {
        let run = self.sops(whose, &["decrypt", name]);
        let output = run.env("SOPS_AGE_KEY_FILE", self.path(key)).output();
        output.status.success().then(|| output.text())
    }

    /// Whether each file of the tree holds what it held at first.
    fn is_in_clear(&self, covered_too: bool) {
        let covered = COVERED.into_iter().filter(|_| covered_too);
        for (name, text) in covered.chain(OTHERS) {
            assert_eq!(self.read(&format!("tree/{name}")), text, "{name}");
        }
        assert_eq!(self.read("outside/secret.yaml"), "a: 1\n");
    }
}

#[test]
fn a_whole_tree_is_encrypted_by_its_rules_and_decrypted_again() {
    let desk = tree();
    let said = desk.kubeseal(&["encrypt", "--dry-run", "tree"]).output();
    assert_eq!(said.code(), 0, "{}", said.stderr);
    assert!(
        said.stderr.contains("would encrypt tree/deep/secret.ini"),
        "{}",
        said.stderr
    );
    desk.is_in_clear(true);
    let said = desk.kubeseal(&["encrypt", "-i", "tree"]).output();
    assert_eq!(
        (said.code(), said.stderr.as_str()),
        (0, "encrypted 6 files\n")
    );
    desk.is_in_clear(false);
    for (name, text) in COVERED {
        let path = format!("tree/{name}");
        assert!(desk.read(&path).contains("ENC["), "{name}");
        assert_eq!(
            desk.opens(Whose::Ours, "key.txt", &path).as_deref(),
            Some(text)
        );
        assert!(
            desk.opens(Whose::Theirs, "key.txt", &path).is_some(),
            "{name}"
        );
    }
    let before = desk.read("tree/a.secret.yaml");
    let said = desk.kubeseal(&["encrypt", "-i", "tree"]).output();
    assert_eq!(said.stderr, "encrypted 0 files; 6 encrypted before\n");
    assert_eq!(desk.read("tree/a.secret.yaml"), before);

    let said = desk.kubeseal(&["decrypt", "--dry-run", "tree"]).output();
    assert_eq!(
        (said.code(), said.stderr.as_str()),
        (0, "can decrypt 6 files\n")
    );
    desk.kubeseal(&["decrypt", "--output-dir", "out/here", "tree"])
        .ok();
    let mut names = COVERED.map(|(name, _)| name.to_owned());
    names.sort();
    assert_eq!(desk.files("out/here"), names);
    for (name, text) in COVERED {
        let path = format!("out/here/{name}");
        assert_eq!(
            (desk.read(&path).as_str(), mode(&desk.path(&path))),
            (text, 0o600)
        );
    }
    assert_eq!(mode(&desk.path("out/here/deep")), 0o700);
    let said = desk.kubeseal(&["decrypt", "-i", "tree"]).output();
    assert_eq!(
        (said.code(), said.stderr.as_str()),
        (0, "decrypted 6 files\n")
    );
    desk.is_in_clear(true);
    assert_eq!(desk.files("tree").len(), COVERED.len() + OTHERS.len());
}

#[test]
fn several_yaml_documents_are_one_stream_and_others_are_refused() {
    let desk = tree();
    desk.kubeseal(&["encrypt", "-i", "tree"]).ok();
    let (a, z) = ("tree/a.secret.yaml", "tree/z.secret.yaml");
    assert_eq!(
        desk.kubeseal(&["decrypt", z, a]).ok(),
        "---\nz: six\n---\nz: seven\n---\n# head\na: one\n"
    );
    let output = desk.kubeseal(&["decrypt", "tree"]).output();
    assert_eq!((output.code(), output.text().as_str()), (1, ""));
    assert!(output.stderr.contains("--output-dir"), "{}", output.stderr);
    let all = desk
        .kubeseal(&["decrypt", "--output-type", "yaml", a, "tree/deep/er"])
        .ok();
    assert_eq!(all, "---\n# head\na: one\n---\nb: two\n");
}

#[test]
fn nothing_is_encrypted_if_anything_is_wrong() {
    let desk = tree();
    desk.write("tree/y.secret.yaml", "a: [1\n");
    let output = desk.kubeseal(&["encrypt", "-i", "tree"]).output();
    assert_eq!(output.code(), 1, "{}", output.stderr);
    let place = "error: tree/y.secret.yaml: Error unmarshalling file";
    for words in [place, "error: no file was changed; 1 failed"] {
        assert!(output.stderr.contains(words), "{}", output.stderr);
    }
    desk.is_in_clear(true);
    fs::remove_file(desk.path("tree/y.secret.yaml")).expect("ours");
    config(&desk, &[&desk.recipient, "age1nonsense"]);
    assert_eq!(desk.kubeseal(&["encrypt", "-i", "tree"]).output().code(), 1);
    desk.write(".sops.yaml", "creation_rules:\n- path_regex: '['\n");
    assert_eq!(desk.kubeseal(&["encrypt", "-i", "tree"]).output().code(), 1);
    desk.write(
        ".sops.yaml",
        &format!("creation_rules:\n- age: {}\n", desk.recipient),
    );
    let output = desk.kubeseal(&["encrypt", "-i", "tree"]).output();
    assert!(
        output.stderr.contains("has a path_regex"),
        "{}",
        output.stderr
    );
    desk.is_in_clear(true);
}

#[test]
fn one_file_that_fails_keeps_none_of_the_others_from_their_turn() {
    let desk = tree();
    let other = identity(&desk.path("other.txt"));
    desk.kubeseal(&["encrypt", "-i", "tree"]).ok();
    let broken = desk.read("tree/z.secret.yaml").replacen("ENC[", "EMC[", 1);
    desk.write("tree/z.secret.yaml", &broken);
    let failed = |args: &[&str], summary: &str| {
        let output = desk.kubeseal(args).output();
        assert_eq!(output.code(), 1, "{args:?}: {}", output.stderr);
        let place = "error: tree/z.secret.yaml: Error decrypting tree";
        for words in [place, summary] {
            assert!(output.stderr.contains(words), "{args:?}: {}", output.stderr);
        }
        assert_eq!(desk.read("tree/z.secret.yaml"), broken);
        desk.is_in_clear(false);
    };
    let a = desk.read("tree/a.secret.yaml");
    config(&desk, &[&desk.recipient, &other]);
    failed(
        &["rotate", "--dry-run", "--add-age", &other, "tree"],
        "can rotate the data keys of 5 files; 1 failed",
    );
    assert_eq!(desk.read("tree/a.secret.yaml"), a);
    failed(
        &["rotate", "-i", "--add-age", &other, "tree"],
        "rotated the data keys of 5 files; 1 failed",
    );
    let opened = desk.opens(Whose::Theirs, "other.txt", "tree/a.secret.yaml");
    assert_eq!(opened.as_deref(), Some("# head\na: one\n"));
    failed(&["decrypt", "-i", "tree"], "decrypted 5 files; 1 failed");
    for (name, text) in &COVERED[..5] {
        assert_eq!(desk.read(&format!("tree/{name}")), *text);
    }
}

#[test]
fn keys_of_a_tree_are_brought_up_to_date_after_one_question() {
    let desk = tree();
    let other = identity(&desk.path("other.txt"));
    desk.kubeseal(&["encrypt", "-i", "tree"]).ok();
    config(&desk, &[&other]);
    let before = desk.read("tree/deep/secret.env");
    for (args, answer) in [
        (&["updatekeys", "--dry-run", "tree"][..], ""),
        (&["updatekeys", "tree"], "n\n"),
    ] {
        let output = desk.kubeseal(args).stdin(answer).output();
        assert_eq!(output.code(), 0, "{}", output.stderr);
        let shown = format!("+++ {other}\n");
        assert_eq!(
            output.text().matches(&shown).count(),
            6,
            "{}",
            output.text()
        );
        assert_eq!(desk.read("tree/deep/secret.env"), before);
    }
    let output = desk.kubeseal(&["updatekeys", "tree"]).stdin("y\n").output();
    assert_eq!(output.code(), 0, "{}", output.stderr);
    for words in [
        "may have kept the data key",
        "updated 6 files; 0 up to date before",
    ] {
        assert!(output.stderr.contains(words), "{}", output.stderr);
    }
    for (name, _) in COVERED {
        let path = format!("tree/{name}");
        assert!(
            desk.opens(Whose::Theirs, "other.txt", &path).is_some(),
            "{name}"
        );
        assert!(
            desk.opens(Whose::Ours, "key.txt", &path).is_none(),
            "{name}"
        );
    }
    let output = desk.kubeseal(&["updatekeys", "-y", "tree"]).output();
    assert_eq!(output.stderr, "updated 0 files; 6 up to date before\n");
    desk.is_in_clear(false);
}

#[test]
fn the_status_of_a_tree_is_a_line_per_file_that_is_encrypted_or_should_be() {
    let desk = tree();
    desk.write("tree/other.json", "{\"a\": 1}");
    desk.encrypt(Whose::Theirs, "tree/other.json");
    desk.encrypt(Whose::Theirs, "tree/a.secret.yaml");
    let lines = desk.kubeseal(&["filestatus", "tree", ".sops.yaml"]).ok();
    let expected = [
        ("tree/a.secret.yaml", true),
        ("tree/deep/er/b.secret.json", false),
        ("tree/deep/secret.bin", false),
        ("tree/deep/secret.env", false),
        ("tree/deep/secret.ini", false),
        ("tree/other.json", true),
        ("tree/z.secret.yaml", false),
        (".sops.yaml", false),
    ];
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let expected =
        expected.map(|(file, encrypted)| serde_json::json!({"file": file, "encrypted": encrypted}));
    assert_eq!(lines, expected);
    let one = desk.kubeseal(&["filestatus", "tree/other.json"]).ok();
    assert_eq!(one, "{\"encrypted\":true}\n", "as sops prints it");
}

#[test]
fn several_files_are_changed_in_place_or_refused_before_anything_is_done() {
    let desk = tree();
    let cases: &[(&[&str], &str)] = &[
        (&["encrypt", "tree"], "--in-place"),
        (
            &["encrypt", "--output", "x", "tree"],
            "--output names one file",
        ),
        (
            &["encrypt", "-i", "--filename-override", "x.yaml", "tree"],
            "is for one file",
        ),
        (&["rotate", "tree"], "--in-place"),
        (
            &["rotate", "-i", "--output-type", "json", "tree"],
            "keeps the file's format",
        ),
        (
            &["decrypt", "--output", "x", "tree"],
            "--output names one file",
        ),
        (
            &["decrypt", "-i", "--output-dir", "x", "tree"],
            "ask for different things",
        ),
        (
            &["decrypt", "--extract", "[\"a\"]", "tree"],
            "--extract takes one file",
        ),
        (
            &["decrypt", "-i", "tree", "missing.yaml"],
            "non-existent file",
        ),
        (&["edit", "tree", "tree"], "takes one file"),
    ];
    for (args, words) in cases {
        let output = desk.kubeseal(args).output();
        assert!(!output.status.success(), "{args:?}");
        assert!(output.stderr.contains(words), "{args:?}: {}", output.stderr);
        desk.is_in_clear(true);
        assert!(!desk.path("x").exists(), "{args:?}");
    }
    // Behind the name of sops one file is one file.
    let output = desk.sops(Whose::Ours, &["encrypt", "-i", "tree"]).output();
    assert_eq!(output.code(), 2, "{}", output.stderr);
    desk.is_in_clear(true);
}

#[test]
fn clear_text_never_goes_over_its_own_source_or_over_another_ones() {
    let desk = tree();
    desk.kubeseal(&["encrypt", "-i", "tree"]).ok();
    desk.write("more/a.secret.yaml", &desk.read("tree/a.secret.yaml"));
    let before = desk.read("tree/a.secret.yaml");
    let output = desk
        .kubeseal(&["decrypt", "--output-dir", "tree", "tree"])
        .output();
    assert_eq!(output.code(), 1, "{}", output.stderr);
    assert!(
        output.stderr.contains("overwritten with its clear text"),
        "{}",
        output.stderr
    );
    assert_eq!(desk.read("tree/a.secret.yaml"), before);
    let output = desk
        .kubeseal(&["decrypt", "--output-dir", "out", "tree", "more"])
        .output();
    assert_eq!(output.code(), 1, "{}", output.stderr);
    assert!(
        output
            .stderr
            .contains("more/a.secret.yaml: another file goes to"),
        "{}",
        output.stderr
    );
    assert_eq!(desk.read("out/a.secret.yaml"), "# head\na: one\n");
}

#[test]
fn a_signal_ends_the_work_between_two_files() {
    let desk = Desk::new();
    config(&desk, &[&desk.recipient]);
    let names: Vec<_> = (0..300)
        .map(|number| format!("tree/{number}.secret.yaml"))
        .collect();
    for name in &names {
        desk.write(name, "a: one\n");
    }
    desk.kubeseal(&["encrypt", "-i", "tree"]).ok();
    let key = desk.path("key.txt");
    let command = desk.script("key", &format!("kill -INT $PPID\ncat {}", key.display()));
    let output = cli::run(ours::kubeseal())
        .folder(desk.folder.path())
        .env("SOPS_AGE_KEY_CMD", command)
        .args(["decrypt", "-i", "tree"])
        .output();
    assert_eq!(output.code(), 130, "{}", output.stderr);
    assert!(
        output
            .stderr
            .contains("error: stopped by a signal: decrypted "),
        "{}",
        output.stderr
    );
    assert_eq!(desk.files("tree").len(), names.len());
    let clear = names
        .iter()
        .filter(|name| desk.read(name) == "a: one\n")
        .count();
    assert!(
        output.stderr.contains(&format!("decrypted {clear} file")),
        "{clear}: {}",
        output.stderr
    );
    assert!(clear < names.len());
}
