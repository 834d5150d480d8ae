//! The grammar from before there were commands, and help.

use super::*;

#[test]
fn flags_without_a_command_do_what_they_do_in_the_original() {
    let desk = Desk::new();
    let other = identity(&desk.path("other.txt"));
    desk.write("closed.yaml", "a: 1\nb: hello\n");
    desk.encrypt(Whose::Theirs, "closed.yaml");
    let closed = desk.read("closed.yaml");
    let cases: &[(&[&str], &str)] = &[
        (&["--set", r#"["b"] "new""#, "f.yaml"], ""),
        (&["--set", r#"["b"] "new""#, "-i", "f.yaml"], ""),
        (
            &["--set", r#"["b"] {"x": ["y", 9007199254740993]}"#, "f.yaml"],
            "",
        ),
        (&["--set", r#"["new"][0] "new""#, "f.yaml"], ""),
        (&["--set", "x", "f.yaml"], "Invalid --set format"),
        (&["--set", r#"[b] 1"#, "f.yaml"], "Invalid --set format"),
        (
            &["--set", r#"["b"] x"#, "f.yaml"],
            "Value for --set is not valid JSON",
        ),
        (
            &["--set", r#"["b"] 1"#, "missing.yaml"],
            "Error reading file",
        ),
        (&["-r", "f.yaml"], "ENC["),
        (&["-r", "-i", "f.yaml"], ""),
        (&["--rotate", "-i", "--add-age", &other, "f.yaml"], ""),
        (
            &[
                "-r",
                "-i",
                "--rm-age",
                &desk.recipient,
                "--add-age",
                &other,
                "f.yaml",
            ],
            "",
        ),
        (
            &["-r", "-i", "--rm-age", &desk.recipient, "f.yaml"],
            "empty key group provided",
        ),
        (&["-r", "--output", "x", "f.yaml"], ""),
        (
            &["-r", "-i", "--output", "x", "f.yaml"],
            "cannot operate on both --output and --in-place",
        ),
        (
            &["-r", "missing.yaml"],
            "cannot operate on non-existent file",
        ),
        (
            &["-r", "--add-age", &other, "missing.yaml"],
            "cannot add or remove keys on non-existent file",
        ),
        (
            &["--add-age", &other, "missing.yaml"],
            "cannot add or remove keys on non-existent file",
        ),
        (
            &["--rotate", "--input-type", "json", "f.yaml"],
            "Could not unmarshal input data",
        ),
        (&["-r"], "no file specified"),
        (&["-s", "-d", "f.yaml"], "hello"),
        (&["--indent", "2", "-d", "f.yaml"], "hello"),
        (&["-d", "--output", "x", "f.yaml"], ""),
        (
            &[
                "-d",
                "--input-type",
                "yaml",
                "--output-type",
                "json",
                "f.yaml",
            ],
            "hello",
        ),
        (&["-e", "-i", "--age", &other, "plain.yaml"], ""),
    ];
    for (args, words) in cases {
        let [theirs, ours] = BOTH.map(|whose| {
            desk.write("f.yaml", &closed);
            desk.write("plain.yaml", "a: 1\n");
            let output = desk.sops(whose, args).output();
            let keys = format!("{}{}", desk.read("key.txt"), desk.read("other.txt"));
            let values = |name: &str| {
                let json = ["decrypt", "--output-type", "json", name];
                let shown = desk.sops(Whose::Theirs, &json).env("SOPS_AGE_KEY", &keys);
                shown.output().text()
            };
            let files = ["f.yaml", "plain.yaml"].map(|name| {
                let text = desk.read(name);
                let recipients: Vec<_> = text
                    .lines()
                    .filter(|line| line.contains("recipient: "))
                    .map(str::to_owned)
                    .collect();
                (values(name), recipients)
            });
            let made = fs::read_to_string(desk.path("x")).ok();
            let _ = fs::remove_file(desk.path("x"));
            let is_same = desk.read("f.yaml") == closed;
            (
                output,
                files,
                is_same,
                made.map(|text| text.contains("ENC[")),
            )
        });
        assert_eq!(
            ours.0.code(),
            theirs.0.code(),
            "{args:?}\n{}{}",
            said(&theirs.0),
            said(&ours.0)
        );
        assert_eq!(
            (&ours.1, ours.2, ours.3),
            (&theirs.1, theirs.2, theirs.3),
            "{args:?}"
        );
        for output in [&theirs.0, &ours.0] {
            assert!(said(output).contains(words), "{args:?}\n{}", said(output));
        }
    }
}

#[test]
fn one_thing_is_done_at_a_time() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: 1\n");
    desk.encrypt(Whose::Theirs, "f.yaml");
    let before = desk.read("f.yaml");
    for args in [
        &["-d", "-i", "-r", "f.yaml"][..],
        &["-r", "--set", r#"["a"] 2"#, "f.yaml"],
        &["-e", "--set", r#"["a"] 2"#, "f.yaml"],
    ] {
        let output = desk.sops(Whose::Ours, args).output();
        assert_eq!(
            (output.code(), output.stdout.len()),
            (8, 0),
            "{args:?}: {}",
            said(&output)
        );
        assert_eq!(desk.read("f.yaml"), before, "{args:?}");
    }
}

/// Every command and flag that the original's help lists is known here, or its absence is.
#[test]
fn every_flag_of_the_original_is_known() {
    let desk = Desk::new();
    let commands: [&[&str]; 16] = [
        &[],
        &["exec-env"],
        &["exec-file"],
        &["filestatus"],
        &["groups", "add"],
        &["groups", "delete"],
        &["updatekeys"],
        &["decrypt"],
        &["encrypt"],
        &["rotate"],
        &["edit"],
        &["set"],
        &["unset"],
        &["completion"],
        &["publish"],
        &["keyservice"],
    ];
    let is_built = |command: &[&str]| !matches!(command, ["publish" | "keyservice"]);
    let mut listed = Vec::new();
    for command in commands.into_iter().filter(|command| is_built(command)) {
        let help = desk
            .sops(Whose::Theirs, &[command, &["--help"]].concat())
            .ok();
        let options = help.split("OPTIONS:").nth(1).unwrap_or_default();
        let flags = options.lines().filter_map(|line| {
            let names = line.strip_prefix("   --")?;
            names
                .split([' ', ','])
                .next()
                .map(|name| format!("--{name}"))
        });
        for flag in flags.filter(|flag| !matches!(flag.as_str(), "--help" | "--version")) {
            // Whatever it wants, it is not a flag that nobody knows.
            let output = desk
                .sops(Whose::Ours, &[command, &[flag.as_str()]].concat())
                .output();
            assert!(
                !output.stderr.contains("unexpected argument"),
                "{command:?} {flag}: {}",
                output.stderr
            );
            listed.push(flag);
        }
    }
    assert!(listed.len() > 150, "the help was read: {}", listed.len());
    for (command, _) in desk
        .sops(Whose::Theirs, &["--help"])
        .ok()
        .split("COMMANDS:")
        .nth(1)
        .and_then(|text| text.split("GLOBAL OPTIONS:").next())
        .expect("a list of commands")
        .lines()
        .filter_map(|line| line.trim().split_once("  "))
        .filter(|(name, _)| !name.contains("help"))
    {
        assert!(
            commands.iter().any(|known| known.first() == Some(&command)),
            "{command}"
        );
    }
}

#[test]
fn help_is_a_word_too() {
    let desk = Desk::new();
    let sops = |args: &[&str]| desk.sops(Whose::Ours, args).ok();
    assert_eq!(sops(&["help"]), sops(&["--help"]));
    assert_eq!(sops(&["help", "encrypt"]), sops(&["encrypt", "--help"]));
}
