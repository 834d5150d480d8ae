//! `kubeseal git`: real Git shows and merges encrypted files, and the original opens what comes of it.

use super::*;

/// A repository with the drivers, and a key.
struct Repository(Desk);

const TEXT: &str = "# head\na: one\n\nb: \"two\" # of b\nc:\n  d: three\n  e: [1, 2]\n";

impl Repository {
    fn new() -> Self {
        let repository = Self(Desk::new());
        repository
            .0
            .write(".gitignore", "key.txt\nsops\nother.txt\n");
        repository.done(&["init", "-q", "-b", "main"]);
        repository
    }

    /// With one encrypted file, committed, for which the drivers are.
    fn with(whose: Whose, name: &str, text: &str) -> Self {
        let repository = Self::new();
        repository.0.write(name, text);
        repository.0.encrypt(whose, name);
        let output = repository.kubeseal(&["git", "setup"]);
        assert_eq!(output.code(), 0, "{}", output.stderr);
        repository.commit();
        repository
    }

    fn run(&self, program: impl Into<PathBuf>) -> Run {
        let path = ours::kubeseal();
        let bin = path.parent().expect("a folder").display().to_string();
        let usual = std::env::var("PATH").expect("PATH is text");
        let run = cli::run(program)
            .folder(self.0.folder.path())
            .env("SOPS_AGE_KEY_FILE", self.0.path("key.txt"))
            .env("PATH", format!("{bin}:{usual}"));
        ["AUTHOR", "COMMITTER"].iter().fold(run, |run, who| {
            run.env(format!("GIT_{who}_NAME"), "me")
                .env(format!("GIT_{who}_EMAIL"), "me@example.org")
        })
    }

    fn git(&self, args: &[&str]) -> Output {
        self.run("git").args(args.iter().copied()).output()
    }

    /// What must go well.
    fn done(&self, args: &[&str]) -> String {
        let output = self.git(args);
        assert_eq!(output.code(), 0, "{args:?}: {}", said(&output));
        output.text()
    }

    fn kubeseal(&self, args: &[&str]) -> Output {
        let program = ours::kubeseal();
        self.run(program).args(args.iter().copied()).output()
    }

    fn commit(&self) {
        self.done(&["add", "."]);
        self.done(&["commit", "-q", "-m", "x"]);
    }

    /// Two branches with a change each; returns what came of merging theirs into ours.
    fn merge(&self, ours: impl Fn(&Self), theirs: impl Fn(&Self)) -> Output {
        self.done(&["checkout", "-q", "-b", "theirs"]);
        theirs(self);
        self.commit();
        self.done(&["checkout", "-q", "main"]);
        ours(self);
        self.commit();
        self.git(&["merge", "-q", "--no-edit", "theirs"])
    }

    /// Encrypts another text over a file, with the smallest change.
    fn update(&self, name: &str, from: &str, to: &str) {
        let text = self.0.sops(Whose::Ours, &["decrypt", name]).ok();
        assert!(text.contains(from), "{from}: {text}");
        let text = text.replacen(from, to, 1);
        let args = ["encrypt", "--update", name, "--filename-override", name];
        let output = self
            .run(ours::kubeseal())
            .args(args.iter().copied())
            .args(["--output", name])
            .stdin(text)
            .output();
        assert_eq!(output.code(), 0, "{}", output.stderr);
    }

    /// What the original makes of a file, its MAC checked.
    fn opened(&self, name: &str) -> String {
        let output = self.0.sops(Whose::Theirs, &["decrypt", name]).output();
        assert_eq!(output.code(), 0, "{}\n{}", output.stderr, self.0.read(name));
        output.text()
    }
}

#[test]
fn a_repository_is_set_up_once_and_back_again() {
    let repository = Repository::new();
    let before = repository.done(&["config", "--local", "--list"]);
    repository.0.write(".gitattributes", "*.png binary\n");
    for name in ["a.yaml", "in/we ird[1] \"#*.json"] {
        let text = if name.ends_with("json") {
            "{\"a\": 1}"
        } else {
            TEXT
        };
        repository.0.write(name, text);
        repository.0.encrypt(Whose::Theirs, name);
    }
    repository.0.write("plain.yaml", "a: 1\n");
    let first = repository.kubeseal(&["git", "setup"]);
    assert_eq!(first.code(), 0, "{}", first.stderr);
    for words in [
        "diff.kubeseal.textconv = kubeseal git textconv",
        ".gitattributes: added /a.yaml",
    ] {
        assert!(first.stderr.contains(words), "{}", first.stderr);
    }
    let attributes = repository.0.read(".gitattributes");
    let again = repository.kubeseal(&["git", "setup"]);
    assert_eq!(again.stderr.trim(), "the repository is set up");
    assert_eq!(repository.0.read(".gitattributes"), attributes);
    for (name, driver) in [
        ("a.yaml", "kubeseal"),
        ("in/we ird[1] \"#*.json", "kubeseal"),
        ("in/we ird1 \"#x.json", "unspecified"),
        ("plain.yaml", "unspecified"),
    ] {
        let found = repository.done(&["check-attr", "-z", "merge", "diff", "--", name]);
        let found: Vec<_> = found.split('\0').collect();
        assert_eq!(
            (found[2], found[5]),
            (driver, driver),
            "{name}: {attributes}"
        );
    }
    let more = repository.kubeseal(&["git", "setup", "*.enc.yaml"]);
    assert!(more.stderr.contains("added *.enc.yaml"), "{}", more.stderr);
    assert_eq!(
        repository.done(&["config", "diff.kubeseal.cachetextconv"]),
        "false\n"
    );
    assert_ne!(repository.kubeseal(&["git", "setup", "!a"]).code(), 0);
    let undone = repository.kubeseal(&["git", "setup", "--undo"]);
    assert_eq!(undone.code(), 0, "{}", undone.stderr);
    assert_eq!(repository.0.read(".gitattributes"), "*.png binary\n");
    assert_eq!(repository.done(&["config", "--local", "--list"]), before);
    let nothing = repository.kubeseal(&["git", "setup", "--undo"]);
    assert_eq!((nothing.code(), nothing.stderr.as_str()), (0, ""));
    let outside = cli::ours().args(["git", "setup"]).folder("/").output();
    assert_eq!(outside.code(), 1);
    assert!(
        outside.stderr.contains("in a Git repository"),
        "{}",
        outside.stderr
    );
}

#[test]
fn differences_are_shown_in_clear_and_kept_nowhere() {
    let repository = Repository::with(Whose::Theirs, "a.yaml", TEXT);
    // Somebody keeps what all other drivers print.
    repository.done(&["config", "--unset", "diff.kubeseal.cachetextconv"]);
    repository.done(&["config", "diff.kubeseal.cachetextconv", "true"]);
    assert_eq!(repository.kubeseal(&["git", "setup"]).code(), 0);
    repository.update("a.yaml", "three", "four");
    let shown = repository.done(&["diff"]);
    let lines: Vec<_> = shown
        .lines()
        .filter(|line| {
            line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---")
        })
        .collect();
    assert_eq!(lines, ["-    d: three", "+    d: four"], "{shown}");
    repository.commit();
    assert!(
        repository
            .done(&["log", "-p", "-1"])
            .contains("+    d: four")
    );
    assert_eq!(repository.done(&["for-each-ref", "refs/notes"]), "");
    identity(&repository.0.path("key.txt"));
    let locked = repository.git(&["show"]);
    assert_eq!(locked.code(), 0, "{}", locked.stderr);
    assert!(
        locked.stderr.contains("is shown encrypted: "),
        "{}",
        locked.stderr
    );
    assert!(locked.text().contains("+    d: ENC[") && !locked.text().contains("four"));
}

#[test]
fn changes_of_different_values_merge() {
    type Case<'t> = (&'t str, &'t str, [&'t str; 2], [&'t str; 2], &'t [&'t str]);
    let cases: &[Case<'_>] = &[
        (
            "f.yaml",
            TEXT,
            ["one", "ours"],
            ["three", "theirs"],
            &["a: ours", "d: theirs", "# head", "# of b"],
        ),
        (
            "f.yaml",
            TEXT,
            ["a: one", "a: one\nnew: ours"],
            ["\"two\"", "\"theirs\""],
            &["new: ours", "theirs"],
        ),
        (
            "f.yaml",
            TEXT,
            ["# head\n", "# ours\n"],
            ["a: one\n", ""],
            &["# ours", "b: "],
        ),
        (
            "f.yaml",
            TEXT,
            ["[1, 2]", "[9, 2]"],
            ["[1, 2]", "[1, 2, 3]"],
            &["- 9", "- 2", "- 3"],
        ),
        (
            "f.json",
            "{\n  \"a\": \"one\",\n  \"b\": \"two\"\n}\n",
            ["one", "ours"],
            ["two", "theirs"],
            &["ours", "theirs"],
        ),
        (
            "f.env",
            "A=one\nB=two\n",
            ["one", "ours"],
            ["two", "theirs"],
            &["A=ours", "B=theirs"],
        ),
        (
            "f.ini",
            "[s]\na = one\nb = two\n",
            ["one", "ours"],
            ["two", "theirs"],
            &["= ours", "= theirs"],
        ),
    ];
    for (name, text, ours, theirs, words) in cases {
        for whose in BOTH {
            if whose == Whose::Theirs && text.contains("# of b") && theirs[0].contains("[1, 2]") {
                // The original writes lists over several lines.
                continue;
            }
            let repository = Repository::with(whose, name, text);
            let before = repository.0.read(name);
            let value = |from: &str| {
                if whose == Whose::Theirs {
                    from.replace('"', "")
                } else {
                    from.to_owned()
                }
            };
            let output = repository.merge(
                |r| r.update(name, &value(ours[0]), &value(ours[1])),
                |r| r.update(name, &value(theirs[0]), &value(theirs[1])),
            );
            assert_eq!(output.code(), 0, "{name} {ours:?}: {}", said(&output));
            let opened = repository.opened(name);
            for word in *words {
                assert!(opened.contains(word), "{name}: {word}\n{opened}");
            }
            assert_eq!(repository.done(&["status", "--porcelain"]), "");
            // Each side's ciphertexts stay: the result has no value that neither side has.
            let sides = ["main~1", "theirs"]
                .map(|side| repository.done(&["show", "--no-textconv", &format!("{side}:{name}")]));
            let after = repository.0.read(name);
            let lines = after.lines().filter(|line| !line.contains("mac"));
            for sealed in lines.flat_map(|line| line.split("ENC[").skip(1)) {
                let sealed = sealed.split(']').next().unwrap_or_default();
                assert!(
                    sides.iter().any(|side| side.contains(sealed)),
                    "{name}: {after}\n{before}"
                );
            }
        }
    }
}

#[test]
fn one_value_changed_twice_is_a_conflict_of_encrypted_texts() {
    for (name, text) in [
        ("f.yaml", TEXT),
        ("f.bin", "one\n"),
        ("f.json", "{\"a\": \"one\"}"),
    ] {
        let repository = Repository::with(Whose::Ours, name, text);
        let output = repository.merge(
            |r| r.update(name, "one", "ours-secret"),
            |r| r.update(name, "one", "theirs-secret"),
        );
        assert_eq!(output.code(), 1, "{}", said(&output));
        let left = repository.0.read(name);
        assert!(
            left.contains("<<<<<<< ours") && left.contains(">>>>>>> theirs"),
            "{left}"
        );
        assert!(!left.contains("-secret") && !said(&output).contains("-secret"));
        assert!(
            repository
                .done(&["status", "--porcelain"])
                .contains(&format!("UU {name}"))
        );
        let what = if name == "f.bin" {
            "the file"
        } else {
            "both sides changed a"
        };
        assert!(said(&output).contains(what), "{}", said(&output));
        assert!(
            said(&output).contains("git checkout --ours"),
            "{}",
            said(&output)
        );
        // The way out that it names.
        repository.done(&["checkout", "--ours", "--", name]);
        repository.done(&["add", name]);
        assert!(repository.opened(name).contains("ours-secret"));
    }
}

#[test]
fn without_a_key_nothing_is_merged() {
    let repository = Repository::with(Whose::Ours, "f.yaml", TEXT);
    repository.0.write("second.yaml", "x: 1\ny: 2\n");
    let output = {
        let key = repository.0.read("key.txt");
        repository.done(&["checkout", "-q", "-b", "theirs"]);
        repository.update("f.yaml", "three", "theirs");
        repository.commit();
        repository.done(&["checkout", "-q", "main"]);
        repository.update("f.yaml", "one", "ours");
        repository.commit();
        identity(&repository.0.path("key.txt"));
        let output = repository.git(&["merge", "-q", "--no-edit", "theirs"]);
        repository.0.write("key.txt", &key);
        output
    };
    assert_eq!(output.code(), 1, "{}", said(&output));
    assert!(said(&output).contains("f.yaml: "), "{}", said(&output));
    assert!(
        repository
            .done(&["status", "--porcelain"])
            .contains("UU f.yaml")
    );
    assert!(repository.0.read("f.yaml").contains("<<<<<<< "));
    // With the key, Git can be asked again.
    repository.done(&["checkout", "--merge", "--", "f.yaml"]);
    let opened = repository.opened("f.yaml");
    assert!(
        opened.contains("a: ours") && opened.contains("d: theirs"),
        "{opened}"
    );
}

#[test]
fn keys_are_those_of_the_side_that_changed_them() {
    let first = |r: &Repository| r.update("f.yaml", "one", "ours");
    let last = |r: &Repository| r.update("f.yaml", "three", "theirs");
    type Step<'a> = &'a dyn Fn(&Repository);
    let rotate = |r: &Repository| drop(r.0.sops(Whose::Theirs, &["rotate", "-i", "f.yaml"]).ok());
    let add = |r: &Repository, name: &str| {
        let other = identity(&r.0.path(name));
        let text = format!("creation_rules:\n- age: {},{other}\n", r.0.recipient);
        r.0.write("keys", &text);
        let args = ["--config", "keys", "updatekeys", "-y", "f.yaml"];
        r.0.sops(Whose::Theirs, &args).ok();
        fs::remove_file(r.0.path("keys")).expect("written before");
    };
    let add_one = |r: &Repository| add(r, "other.txt");
    let add_two = |r: &Repository| add(r, "third.txt");
    let rotate_and_change = |r: &Repository| {
        rotate(r);
        last(r);
    };
    let add_and_change = |r: &Repository| {
        add_one(r);
        last(r);
    };
    let cases: [(Step<'_>, Step<'_>, &[&str], usize); 6] = [
        (&first, &rotate_and_change, &["a: ours", "d: theirs"], 1),
        (&rotate_and_change, &first, &["a: ours", "d: theirs"], 1),
        (&first, &add_and_change, &["a: ours", "d: theirs"], 2),
        (&rotate_and_change, &add_one, &["d: theirs"], 2),
        (&add_one, &add_two, &["a: one"], 3),
        (&rotate_and_change, &rotate, &["d: theirs"], 1),
    ];
    for (number, (ours, theirs, words, count)) in cases.into_iter().enumerate() {
        let repository = Repository::with(Whose::Ours, "f.yaml", TEXT);
        repository
            .0
            .write(".gitignore", "key.txt\nsops\nother.txt\nthird.txt\n");
        repository.commit();
        let output = repository.merge(ours, theirs);
        assert_eq!(output.code(), 0, "{number}: {}", said(&output));
        let opened = repository.opened("f.yaml");
        for word in words {
            assert!(opened.contains(word), "{number}: {opened}");
        }
        let text = repository.0.read("f.yaml");
        assert_eq!(
            text.matches("recipient: ").count(),
            count,
            "{number}: {text}"
        );
        if count == 2 {
            let other = repository.0.sops(Whose::Theirs, &["decrypt", "f.yaml"]);
            let other = other.env("SOPS_AGE_KEY_FILE", repository.0.path("other.txt"));
            assert_eq!(other.output().code(), 0, "{number}");
        }
    }
}

#[test]
fn changes_are_carried_over_by_other_commands_and_files_in_clear_merge_as_ever() {
    let repository = Repository::with(Whose::Ours, "f.yaml", TEXT);
    repository.done(&["checkout", "-q", "-b", "theirs"]);
    repository.update("f.yaml", "three", "theirs");
    repository.commit();
    repository.done(&["checkout", "-q", "main"]);
    repository.update("f.yaml", "one", "ours");
    repository.commit();
    repository.done(&["cherry-pick", "theirs"]);
    assert!(repository.opened("f.yaml").contains("d: theirs"));
    let repository = Repository::new();
    repository.0.write("p.yaml", "a: 1\nb: 2\nc: 3\nd: 4\n");
    repository.kubeseal(&["git", "setup", "*.yaml"]);
    repository.commit();
    let change = |from: &'static str, to: &'static str| {
        move |r: &Repository| r.0.write("p.yaml", &r.0.read("p.yaml").replace(from, to))
    };
    let output = repository.merge(change("a: 1", "a: 5"), change("d: 4", "d: 6"));
    assert_eq!(output.code(), 0, "{}", said(&output));
    assert_eq!(repository.0.read("p.yaml"), "a: 5\nb: 2\nc: 3\nd: 6\n");
}
