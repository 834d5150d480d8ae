//! `edit`: clear text in the hands of an editor.

use super::*;

impl Desk {
    /// Writes a script; returns its path.
    pub(super) fn script(&self, name: &str, text: &str) -> String {
        self.write(name, &format!("#!/bin/sh\n{text}\n"));
        let path = self.path(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
        path.display().to_string()
    }
}

#[test]
fn an_editing_ends_as_with_the_original() {
    let desk = Desk::new();
    desk.write("closed.yaml", "a: 1\nb: hello\n");
    desk.encrypt(Whose::Theirs, "closed.yaml");
    let closed = desk.read("closed.yaml");
    desk.write("plain.yaml", "a: 1\n");
    let changes = desk.script("changes", "sed -i s/hello/changed/ \"$1\"");
    let mine = desk.recipient.as_str();
    let quoted = "sh -c 'sed -i s/hello/changed/ \"$0\"'";
    let cases: &[(&[&str], &str, &str)] = &[
        (&["edit", "f.yaml"], &changes, ""),
        (&["f.yaml"], &changes, ""),
        (&["edit", "f.yaml"], quoted, ""),
        (
            &["edit", "f.yaml"],
            "true",
            "File has not changed, exiting.",
        ),
        (
            &["edit", "f.yaml"],
            "false",
            "Could not run editor: exit status 1",
        ),
        (
            &["edit", "f.yaml"],
            "/missing/editor",
            "Could not run editor",
        ),
        (&["edit", "plain.yaml"], &changes, "sops metadata not found"),
        (&["edit"], &changes, "no file specified"),
        (
            &["edit", "new.yaml"],
            &changes,
            "config file not found, or has no creation rules",
        ),
        (
            &["edit", "--age", mine, "new.yaml"],
            "sed -i s/hello/changed/",
            "",
        ),
        (&["--age", mine, "new.json"], "sed -i s/hello/changed/", ""),
        (
            &["edit", "--age", mine, "new.env"],
            "sed -i s/hello/changed/",
            "",
        ),
        (
            &["edit", "--age", mine, "new.ini"],
            "sed -i s/hello/changed/",
            "",
        ),
        (
            &["edit", "--age", mine, "new.bin"],
            "true",
            "File has not changed, exiting.",
        ),
    ];
    for (args, editor, words) in cases {
        let new = args.last().filter(|name| name.starts_with("new."));
        let [theirs, ours] = BOTH.map(|whose| {
            desk.write("f.yaml", &closed);
            let output = desk.sops(whose, args).env("EDITOR", editor).output();
            let shown = |name: &str| {
                let json = ["decrypt", "--output-type", "json", name];
                desk.sops(Whose::Theirs, &json).output().text()
            };
            let made = new.map(|name| {
                let has = shown(name).contains("changed");
                let _ = fs::remove_file(desk.path(name));
                has
            });
            (output, desk.read("f.yaml") == closed, shown("f.yaml"), made)
        });
        assert_eq!(
            ours.0.code(),
            theirs.0.code(),
            "{args:?} {editor}\n{}",
            said(&ours.0)
        );
        assert_eq!(
            (ours.1, &ours.2, ours.3),
            (theirs.1, &theirs.2, theirs.3),
            "{args:?} {editor}"
        );
        for output in [&theirs.0, &ours.0] {
            assert!(
                said(output).contains(words),
                "{args:?} {editor}\n{}",
                said(output)
            );
        }
    }
}

#[test]
fn an_editor_sees_a_private_file_in_memory_that_is_gone_afterwards() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: hello # note\n\nb: other\n");
    desk.encrypt(Whose::Ours, "f.yaml");
    let before = desk.read("f.yaml");
    let seen = desk.path("seen");
    let editor = desk.script(
        "editor",
        &format!(
            "folder=$(dirname \"$1\"); {{ echo \"$1\"; stat -c %a \"$1\"; stat -c %a \"$folder\"; stat -f -c %T \"$folder\"; }} >{}\n\
             sed -i s/hello/changed/ \"$1\"",
            seen.display()
        ),
    );
    let edit = |args: &[&str]| desk.sops(Whose::Ours, args).env("EDITOR", &editor);
    edit(&["edit", "f.yaml"]).ok();
    let shown = desk.read("seen");
    let lines: Vec<_> = shown.lines().collect();
    assert!(
        lines[0].ends_with("/f.yaml"),
        "its name says what it is: {shown}"
    );
    assert_eq!(lines[1..], ["600", "700", "tmpfs"]);
    assert!(
        !Path::new(lines[0]).exists() && !Path::new(lines[0]).parent().expect("a folder").exists()
    );
    assert_eq!(
        desk.sops(Whose::Ours, &["decrypt", "f.yaml"]).ok(),
        "a: changed # note\n\nb: other\n"
    );
    let after = desk.read("f.yaml");
    let line = |text: &str, start: &str| {
        text.lines()
            .find(|line| line.starts_with(start))
            .map(str::to_owned)
    };
    assert_eq!(
        line(&after, "b:"),
        line(&before, "b:"),
        "what stays keeps its ciphertext"
    );
    assert_ne!(line(&after, "a:"), line(&before, "a:"));
}

#[test]
fn text_that_cannot_be_encrypted_is_given_back_to_the_editor() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: 1\n");
    desk.encrypt(Whose::Ours, "f.yaml");
    let before = desk.read("f.yaml");
    // First it breaks the text, then it mends it.
    let editor = desk.script(
        "editor",
        &format!(
            "echo \"$1\" >{}\nif grep -q broken \"$1\"; then echo 'a: 2' >\"$1\"; else echo 'a: [broken' >\"$1\"; fi",
            desk.path("seen").display()
        ),
    );
    let edit = |stdin: &str| {
        desk.sops(Whose::Ours, &["edit", "f.yaml"])
            .env("EDITOR", &editor)
            .stdin(stdin)
            .output()
    };
    // The original asks for ever where nobody answers.
    let output = edit("");
    assert_eq!(output.code(), 1, "{}", said(&output));
    assert!(
        output
            .stderr
            .contains("Press enter to return to the editor"),
        "{}",
        output.stderr
    );
    assert_eq!(desk.read("f.yaml"), before);
    assert!(!Path::new(desk.read("seen").trim()).exists());
    let output = edit("\n");
    assert_eq!(output.code(), 0, "{}", said(&output));
    assert_eq!(
        desk.sops(Whose::Theirs, &["decrypt", "f.yaml"]).ok(),
        "a: 2\n"
    );
}

#[test]
fn whoever_ends_it_while_an_editor_runs_leaves_no_clear_text() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: 1\n");
    desk.encrypt(Whose::Ours, "f.yaml");
    let before = desk.read("f.yaml");
    for signal in ["TERM", "HUP", "QUIT"] {
        let text = format!(
            "echo \"$1\" >{}\nkill -{signal} $PPID\nexec sleep 60",
            desk.path("seen").display()
        );
        let editor = desk.script("editor", &text);
        let output = desk
            .sops(Whose::Ours, &["edit", "f.yaml"])
            .env("EDITOR", &editor)
            .output();
        assert_eq!(output.code(), 1, "{signal}: {}", said(&output));
        assert!(
            output.stderr.contains("User canceled operation"),
            "{signal}: {}",
            output.stderr
        );
        let seen = desk.read("seen");
        assert!(!Path::new(seen.trim()).exists(), "{signal}");
        assert_eq!(desk.read("f.yaml"), before, "{signal}");
    }
}

#[test]
fn what_somebody_else_has_written_meanwhile_is_not_overwritten() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: 1\n");
    desk.encrypt(Whose::Ours, "f.yaml");
    let text = format!(
        "echo 'a: 2' >\"$1\"; echo other >{}",
        desk.path("f.yaml").display()
    );
    let editor = desk.script("editor", &text);
    let mine = &desk.recipient;
    let output = desk
        .sops(Whose::Ours, &["edit", "f.yaml"])
        .env("EDITOR", &editor)
        .output();
    assert_eq!(output.code(), 1, "{}", said(&output));
    assert!(
        output
            .stderr
            .contains("was changed by somebody else meanwhile"),
        "{}",
        output.stderr
    );
    assert_eq!(desk.read("f.yaml"), "other\n");
    fs::remove_file(desk.path("f.yaml")).expect("ours");
    let output = desk
        .sops(Whose::Ours, &["edit", "--age", mine, "f.yaml"])
        .env("EDITOR", &editor)
        .output();
    assert_eq!(output.code(), 1, "{}", said(&output));
    assert_eq!(desk.read("f.yaml"), "other\n");
}

#[test]
fn an_editor_has_the_terminal() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: 1\n");
    desk.encrypt(Whose::Ours, "f.yaml");
    let editor = desk.script(
        "editor",
        "read answer </dev/tty && echo \"a: $answer\" >\"$1\"",
    );
    let line = format!("{} edit f.yaml", desk.path("sops").display());
    let output = cli::run("script")
        .folder(desk.folder.path())
        .env("SOPS_AGE_KEY_FILE", desk.path("key.txt"))
        .env("EDITOR", &editor)
        .args(["-qec", &line, "/dev/null"])
        .stdin("typed\n")
        .output();
    assert_eq!(output.code(), 0, "{}", said(&output));
    assert_eq!(
        desk.sops(Whose::Theirs, &["decrypt", "f.yaml"]).ok(),
        "a: typed\n"
    );
}

#[test]
fn keys_are_shown_and_not_changed_in_an_editor() {
    let desk = Desk::new();
    for (name, text) in [
        ("f.yaml", "a: hello # note\n\nb: other\n"),
        ("f.json", "{\n\t\"a\": \"hello\"\n}"),
        ("f.env", "A=hello\n"),
        ("f.ini", "[one]\na = hello\n"),
    ] {
        for flags in [&["edit", "-s"][..], &["--show-master-keys"]] {
            desk.write(name, text);
            desk.encrypt(Whose::Ours, name);
            let edit = |script: &str, stdin: &str| {
                let editor = desk.script("editor", script);
                desk.sops(Whose::Ours, &[flags, &[name]].concat())
                    .env("EDITOR", editor)
                    .stdin(stdin)
                    .output()
            };
            let copy = format!("cp \"$1\" {}", desk.path("seen").display());
            assert_eq!(edit(&copy, "").code(), 200, "{name}");
            let seen = desk.read("seen");
            assert!(
                seen.contains(&desk.recipient) && seen.contains("hello"),
                "{name}: {seen}"
            );
            let before = desk.read(name);
            let output = edit(
                &format!("sed -i s/{}/{}/ \"$1\"", desk.recipient, "age1other"),
                "",
            );
            assert_eq!(output.code(), 1, "{name}: {}", said(&output));
            assert_eq!(desk.read(name), before, "{name}");
            // The original drops what was edited.
            let output = edit("sed -i s/hello/changed/ \"$1\"", "");
            assert_eq!(output.code(), 0, "{name}: {}", said(&output));
            let opened = desk.sops(Whose::Ours, &["decrypt", name]).ok();
            assert_eq!(opened, text.replace("hello", "changed"), "{name}");
            desk.sops(Whose::Theirs, &["decrypt", name]).ok();
        }
    }
}

#[test]
fn an_editor_gets_no_keys() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: hello\n");
    desk.encrypt(Whose::Ours, "f.yaml");
    let seen = desk.path("seen");
    let editor = desk.script(
        "editor",
        &format!("env >{0}; sed -i s/hello/changed/ \"$1\"", seen.display()),
    );
    desk.sops(Whose::Ours, &["edit", "f.yaml"])
        .env("EDITOR", editor)
        .env("SOPS_AGE_KEY", desk.read("key.txt"))
        .env("SOPS_PGP_KEY", "battery staple")
        .env("VAULT_TOKEN", "battery staple")
        .env("BAO_SECRET_ID", "battery staple")
        .env("SEALED_SECRETS_KEYRING_PASSPHRASE", "correct horse")
        .env("MINE", "stays")
        .ok();
    let seen = desk.read("seen");
    assert!(seen.contains("MINE=stays"), "{seen}");
    for secret in ["AGE-SECRET-KEY", "correct horse", "battery staple"] {
        assert!(!seen.contains(secret), "{seen}");
    }
}

#[test]
fn no_other_program_of_the_same_user_sees_the_memory() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: hello\n");
    desk.encrypt(Whose::Ours, "f.yaml");
    // What the system keeps of a process whose memory is shut belongs to root and its group, whoever runs it.
    let look = |name: &str, process: &str| {
        let seen = desk.path(name);
        desk.script(
            name,
            &format!("stat -c %u:%g /proc/{process}/stat >{}.txt", seen.display()),
        )
    };
    let (editor, command) = (look("editor", "$PPID"), look("command", "self"));
    let mut lines = vec![];
    for (line, seen) in [
        ("edit f.yaml", "editor.txt"),
        (&format!("exec-env f.yaml {command}"), "command.txt"),
    ] {
        let sops = desk.path("sops").display().to_string();
        // Root's own group would tell nothing.
        let other_group = "[ $(id -u) != 0 ] || group='setpriv --regid=65534 --clear-groups'";
        desk.with_keys(cli::run("sh"))
            .env("EDITOR", &editor)
            .args(["-c", &format!("{other_group}; exec $group {sops} {line}")])
            .output();
        lines.push(desk.read(seen));
    }
    assert_eq!(lines[0], "0:0\n");
    assert_ne!(
        lines[1], "0:0\n",
        "the command of exec-env is as it ever was"
    );
}
