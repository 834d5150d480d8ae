//! `kubeseal verify`: what can be seen without a key, in files, folders and what is about to be committed.

use testkit::python;

use super::*;

const CONFIG: &str = "creation_rules:\n- path_regex: ^secrets/\n  encrypted_regex: ^password$\n  age: RECIPIENT\n- age: RECIPIENT\n";
const TEXT: &str = "user: app\npassword: correct horse\nother:\n    password: staple\n";

struct Repository(Desk);

impl Repository {
    /// A folder with a configuration, an encrypted file that it covers, and one that it does not.
    fn new() -> Self {
        let desk = Desk::new();
        desk.write(".sops.yaml", &CONFIG.replace("RECIPIENT", &desk.recipient));
        for name in ["secrets/db.yaml", "elsewhere.json"] {
            let text = if name.ends_with("json") {
                "{\"a\": \"x\"}"
            } else {
                TEXT
            };
            desk.write(name, text);
            desk.sops(Whose::Ours, &["encrypt", "-i", name]).ok();
        }
        desk.write("README.md", "About ENC[AES256_GCM,data:x] and sops.\n");
        desk.write("values.yaml", "replicas: 1\n");
        Self(desk)
    }

    fn verify(&self, args: &[&str]) -> Output {
        self.run(args).output()
    }

    /// Without any key, unless one is added.
    fn run(&self, args: &[&str]) -> Run {
        cli::ours()
            .folder(self.0.folder.path())
            .arg("verify")
            .args(args.iter().copied())
    }

    fn git(&self, args: &[&str]) -> Output {
        let path = ours::kubeseal();
        let bin = path.parent().expect("a folder").display().to_string();
        let usual = std::env::var("PATH").expect("PATH is text");
        cli::run("git")
            .folder(self.0.folder.path())
            .env("PATH", format!("{bin}:{usual}"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .args(["-c", "user.name=me", "-c", "user.email=me@example.org"])
            .args(args.iter().copied())
            .output()
    }

    /// Changes a file's text.
    fn change(&self, name: &str, from: &str, to: &str) {
        let text = self.0.read(name);
        assert!(text.contains(from), "{text}");
        self.0.write(name, &text.replacen(from, to, 1));
    }

    /// The encrypted value of a line.
    fn sealed(&self, name: &str, line: usize) -> String {
        let text = self.0.read(name);
        let line = text.lines().nth(line).expect("a line");
        line[line.find("ENC[").expect("a value")..].to_owned()
    }
}

#[test]
fn files_that_are_as_they_should_be_are_found_so_without_a_key() {
    let repository = Repository::new();
    for args in [
        &[][..],
        &["."],
        &["secrets"],
        &[
            "secrets/db.yaml",
            "elsewhere.json",
            "values.yaml",
            "README.md",
        ],
    ] {
        let output = repository.verify(args);
        assert_eq!(output.code(), 0, "{args:?}: {}", said(&output));
        assert_eq!(output.text(), "");
    }
    let output = repository.verify(&[]);
    assert!(
        output.stderr.contains("as they should be: 2"),
        "{}",
        output.stderr
    );
    let named = repository.verify(&["--every-file", "values.yaml"]);
    assert_eq!(named.code(), 1, "{}", said(&named));
}

#[test]
fn files_of_the_original_are_as_they_should_be() {
    for (name, text) in commands::DOCUMENTS {
        let repository = Repository::new();
        repository.0.write(name, text);
        repository.0.encrypt(Whose::Theirs, name);
        let output = repository.verify(&[name]);
        assert_eq!(output.code(), 0, "{name}: {}", said(&output));
        let opened = repository
            .run(&["--mac", name])
            .env("SOPS_AGE_KEY_FILE", repository.0.path("key.txt"));
        assert_eq!(opened.output().code(), 0, "{name}");
    }
}

#[test]
fn each_finding_says_where_and_never_what() {
    type Break = fn(&Repository);
    let cases: &[(Break, &str, &str)] = &[
        (
            |r| {
                r.change(
                    "secrets/db.yaml",
                    &r.sealed("secrets/db.yaml", 1),
                    "very-secret",
                )
            },
            "secrets/db.yaml:2:11: error: password: the value is in clear",
            "value-in-clear",
        ),
        (
            |r| {
                r.change(
                    "secrets/db.yaml",
                    &r.sealed("secrets/db.yaml", 3),
                    "ENC[very-secret",
                )
            },
            "secrets/db.yaml:4:15: error: other.password:",
            "value-malformed",
        ),
        (
            |r| {
                r.change(
                    "secrets/db.yaml",
                    "user: app",
                    "user: app\nuser: very-secret",
                )
            },
            "error: the key \"user\" stands twice",
            "duplicate-key",
        ),
        (
            |r| r.change("secrets/db.yaml", "    mac: ", "    mak: "),
            "error: there is no mac",
            "metadata",
        ),
        (
            |r| {
                r.change(
                    "secrets/db.yaml",
                    "encrypted_regex: ^password$",
                    "encrypted_regex: ^other$",
                )
            },
            "secrets/db.yaml:2:11: error: password: the value is in clear, and .sops.yaml",
            "rule-differs",
        ),
        (
            |r| r.0.write("secrets/new.yaml", "password: very-secret\n"),
            "secrets/new.yaml:1:1: error: not encrypted, and .sops.yaml has a rule for it",
            "plaintext-file",
        ),
        (
            |r| {
                r.change(
                    "secrets/db.yaml",
                    "user: app",
                    "<<<<<<< HEAD\nuser: very-secret\n=======\nuser: app\n>>>>>>> x",
                )
            },
            "secrets/db.yaml:1:1: error: ",
            "unreadable",
        ),
        (
            |r| {
                let other = identity(&r.0.path("other.txt"));
                r.change(
                    ".sops.yaml",
                    &format!("age: {}\n- ", r.0.recipient),
                    &format!("age: {other}\n- "),
                );
            },
            "is not in .sops.yaml",
            "recipients",
        ),
    ];
    for (breaks, words, rule) in cases {
        let repository = Repository::new();
        breaks(&repository);
        if *rule == "rule-differs" {
            // The value that only the configuration has encrypted.
            let sealed = repository.sealed("secrets/db.yaml", 1);
            repository.change("secrets/db.yaml", &sealed, "very-secret");
        }
        let output = repository.verify(&[]);
        assert_eq!(output.code(), 1, "{rule}: {}", said(&output));
        let text = output.text();
        assert!(text.contains(words), "{rule}: {text}");
        assert!(text.contains(&format!("[{rule}]")), "{rule}: {text}");
        assert!(output.stderr.contains("findings: "), "{}", output.stderr);
        for style in ["text", "json", "sarif"] {
            let output = repository.verify(&["--output", style]);
            assert_eq!(output.code(), 1, "{rule}, {style}");
            assert!(!said(&output).contains("very-secret"), "{}", said(&output));
        }
    }
}

#[test]
fn the_mac_is_checked_with_a_key() {
    let repository = Repository::new();
    let one = repository.sealed("secrets/db.yaml", 1);
    let gone = format!("password: {one}\n");
    repository.change("secrets/db.yaml", &gone, "");
    assert_eq!(repository.verify(&[]).code(), 0, "nobody can see it");
    let key = repository.0.path("key.txt");
    let run = || repository.run(&["--mac"]).env("SOPS_AGE_KEY_FILE", &key);
    let output = run().output();
    assert_eq!(output.code(), 1, "{}", said(&output));
    assert!(output.text().contains("[mac]"), "{}", output.text());
    identity(&key);
    let output = run().output();
    assert_eq!(output.code(), 2, "without the key: {}", said(&output));
}

#[test]
fn reports_for_programs_are_of_their_schemas() {
    let repository = Repository::new();
    repository
        .0
        .write("secrets/a b#.yaml", "password: very-secret\n");
    let sealed = repository.sealed("secrets/db.yaml", 1);
    repository.change("secrets/db.yaml", &sealed, "very-secret");
    let sarif = repository.verify(&["--output", "sarif"]).text();
    python::assert_is_sarif(&sarif);
    let log: Value = serde_json::from_str(&sarif).expect("JSON");
    let results = log["runs"][0]["results"].as_array().expect("results");
    assert_eq!(results.len(), 2);
    let place = &results[1]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "secrets/db.yaml");
    assert_eq!(place["region"]["startLine"], 2);
    assert_eq!(place["region"]["startColumn"], 11);
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array();
    let at = results[1]["ruleIndex"].as_u64().expect("an index");
    let rule = &rules.expect("rules")[usize::try_from(at).expect("small")];
    assert_eq!(rule["id"], results[1]["ruleId"]);
    let uri = &results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "secrets/a%20b%23.yaml");
    let whole = Repository::new().verify(&["--output", "sarif"]);
    assert_eq!(whole.code(), 0);
    python::assert_is_sarif(&whole.text());
    let json = repository.verify(&["--output", "json"]).text();
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["verified"], 3);
    assert_eq!(json["findings"][1]["rule"], "value-in-clear");
    let missing = repository.verify(&["missing.yaml", "--output", "sarif"]);
    assert_eq!(missing.code(), 2, "{}", missing.stderr);
    let flag = repository.verify(&["--output", "xml"]);
    assert_eq!(flag.code(), 2);
}

#[test]
fn what_is_staged_counts_and_not_what_lies_in_the_folder() {
    let repository = Repository::new();
    assert_eq!(repository.git(&["init", "-q"]).code(), 0);
    let staged = || repository.verify(&["--staged"]);
    assert_eq!(staged().code(), 0, "{}", said(&staged()));
    repository.0.write("secrets/new.yaml", TEXT);
    symlink("db.yaml", repository.0.path("secrets/link.yaml")).expect("a link");
    assert_eq!(repository.git(&["add", "."]).code(), 0);
    repository
        .0
        .sops(Whose::Ours, &["encrypt", "-i", "secrets/new.yaml"])
        .ok();
    assert_eq!(repository.verify(&[]).code(), 0);
    let output = staged();
    assert_eq!(output.code(), 1, "{}", said(&output));
    assert!(
        output.text().starts_with("secrets/new.yaml:1:1: "),
        "{}",
        output.text()
    );
    repository.git(&["add", "."]);
    assert_eq!(staged().code(), 0, "{}", said(&staged()));
}

#[test]
fn a_commit_of_clear_text_is_stopped_by_pre_commit() {
    let repository = Repository::new();
    let hooks = Repository::new();
    let definition = fs::read_to_string(ours::workspace().join(".pre-commit-hooks.yaml"));
    hooks
        .0
        .write(".pre-commit-hooks.yaml", &definition.expect("our hooks"));
    for args in [
        &["init", "-q"][..],
        &["add", "."],
        &["commit", "-qm", "x"],
        &["tag", "v1"],
    ] {
        assert_eq!(hooks.git(args).code(), 0, "{args:?}");
    }
    let config = format!(
        "repos:\n- repo: {}\n  rev: v1\n  hooks:\n  - id: kubeseal-verify\n",
        hooks.0.folder.path().display()
    );
    repository.0.write(".pre-commit-config.yaml", &config);
    repository.0.write("secrets/new.yaml", TEXT);
    repository.git(&["init", "-q"]);
    repository.git(&["add", "."]);
    python::pre_commit()
        .folder(repository.0.folder.path())
        .env("PRE_COMMIT_HOME", repository.0.path("cache"))
        .arg("install")
        .ok();
    let commit = |message| {
        let output = repository.git(&["commit", "-m", message]);
        (output.code(), said(&output))
    };
    let (code, text) = commit("in clear");
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("secrets/new.yaml:1:1: error: not encrypted"),
        "{text}"
    );
    assert!(!text.contains("correct horse"), "{text}");
    repository
        .0
        .sops(Whose::Ours, &["encrypt", "-i", "secrets/new.yaml"])
        .ok();
    repository.git(&["add", "secrets"]);
    let (code, text) = commit("encrypted");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("Passed"), "{text}");
}
