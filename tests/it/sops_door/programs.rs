//! `exec-env` and `exec-file`: clear text in the hands of other programs.

use std::os::unix::process::ExitStatusExt;

use testkit::{PATIENCE, wait_until};

use super::*;

#[test]
fn a_command_gets_the_values_as_its_variables() {
    let desk = Desk::new();
    desk.write("f.yaml", "A: 1\nB: true\nC: 1.50\nD: 2024-01-02T03:04:05Z\nE: ''\nG: \"x y\\nz\"\nH: 0x10\n# c\n---\nZ: no\n");
    desk.encrypt(Whose::Theirs, "f.yaml");
    for (name, text) in [("map.yaml", "a: {b: 1}\n"), ("equals.yaml", "\"a=b\": 1\n")] {
        desk.write(name, text);
        desk.encrypt(Whose::Theirs, name);
    }
    let show = r#"printf '%s|' "$A" "$B" "$C" "$D" "$E" "$G" "$H" "$Z" "$OTHER"; exit 7"#;
    let cases: &[(&[&str], &str)] = &[
        (&["exec-env", "f.yaml", show], ""),
        (&["exec-env", "--pristine", "f.yaml", show], ""),
        (&["exec-env", "--same-process", "f.yaml", show], ""),
        (
            &["exec-env", "map.yaml", "true"],
            "cannot use complex value in environment; offending key a",
        ),
        (
            &["exec-env", "equals.yaml", "true"],
            "cannot use keys with '=' in environment: a=b",
        ),
        (&["exec-env", "f.yaml"], "error: missing file to decrypt"),
        (&["exec-env", "missing.yaml", "true"], "Error reading file"),
        (
            &["exec-env", "--same-process", "--background", "f.yaml", show],
            "The --same-process flag cannot be used with --background",
        ),
        (
            &["exec-env", "--user", "nobody-here", "f.yaml", "true"],
            "user: unknown user nobody-here",
        ),
        (&["exec-env"], "error: missing file to decrypt"),
    ];
    for (args, words) in cases {
        let [theirs, ours] = BOTH.map(|whose| desk.sops(whose, args).env("OTHER", "mine").output());
        assert_eq!(ours.code(), theirs.code(), "{args:?}\n{}", said(&ours));
        assert_eq!(ours.text(), theirs.text(), "{args:?}");
        assert!(
            ours.stderr.contains(words) && theirs.stderr.contains(words),
            "{}",
            said(&ours)
        );
    }
    let ended = desk
        .sops(Whose::Ours, &["exec-env", "f.yaml", "kill -TERM $$"])
        .output();
    assert_eq!(
        ended.status.signal(),
        Some(15),
        "signals are the command's own"
    );
}

#[test]
fn nothing_is_an_empty_variable() {
    let desk = Desk::new();
    desk.write("f.yaml", "A: null\nB: x\n");
    desk.encrypt(Whose::Theirs, "f.yaml");
    let show = r#"printf '%s|' "$A" "$B""#;
    let shown = BOTH.map(|whose| desk.sops(whose, &["exec-env", "f.yaml", show]).ok());
    assert_eq!(shown, ["<nil>|x|", "|x|"]);
}

/// The original may fail, or not, as it happens.
#[test]
fn a_command_need_not_read_its_file() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: 1\n");
    desk.encrypt(Whose::Theirs, "f.yaml");
    for _ in 0..20 {
        let output = desk
            .sops(Whose::Ours, &["exec-file", "f.yaml", "true"])
            .output();
        assert_eq!((output.code(), said(&output)), (0, String::new()));
    }
}

#[test]
fn a_command_gets_the_document_as_a_file() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: 1\nb: hello\n");
    desk.encrypt(Whose::Theirs, "f.yaml");
    // Where a command ends without having read the pipe, the original may fail.
    let modes = "stat -c '%F %a' {}; stat -c %a $(dirname {}); cat {}";
    let not_local = "The provided filename is not a local path.";
    let cases: &[(&[&str], &str)] = &[
        (&["exec-file", "f.yaml", "cat {}; basename {}"], ""),
        (&["exec-file", "--no-fifo", "f.yaml", "cat {} {}"], ""),
        (&["exec-file", "f.yaml", modes], ""),
        (&["exec-file", "--no-fifo", "f.yaml", modes], ""),
        (
            &[
                "exec-file",
                "--filename",
                "x.json",
                "--output-type",
                "json",
                "f.yaml",
                "cat {}; basename {}",
            ],
            "",
        ),
        (
            &[
                "exec-file",
                "--no-fifo",
                "--filename",
                "x",
                "f.yaml",
                "basename {}",
            ],
            "",
        ),
        (
            &["exec-file", "--filename", "../x", "f.yaml", "cat {}"],
            not_local,
        ),
        (
            &["exec-file", "--filename", "/x", "f.yaml", "cat {}"],
            not_local,
        ),
        (&["exec-file", "--no-fifo", "f.yaml", "true"], ""),
        (&["exec-file", "f.yaml", "cat {}; exit 7"], "exit status 7"),
        (
            &["exec-file", "f.yaml", "cat {}; kill -TERM $$"],
            "signal: terminated",
        ),
        (
            &["exec-file", "--no-fifo", "f.yaml", "kill -KILL $$"],
            "signal: killed",
        ),
        (
            &["exec-file", "--input-type", "json", "f.yaml", "cat {}"],
            "Could not unmarshal input data",
        ),
        (
            &["exec-file", "--output-type", "ini", "f.yaml", "cat {}"],
            "Error dumping file",
        ),
        (
            &["exec-file", "missing.yaml", "cat {}"],
            "Error reading file",
        ),
        (&["exec-file", "f.yaml"], "error: missing file to decrypt"),
        (
            &["exec-file", "--user", "nobody-here", "f.yaml", "true"],
            "user: unknown user nobody-here",
        ),
    ];
    for (args, words) in cases {
        let [theirs, ours] = BOTH.map(|whose| desk.sops(whose, args).output());
        assert_eq!(
            ours.code(),
            theirs.code(),
            "{args:?}\n{}{}",
            said(&theirs),
            said(&ours)
        );
        assert_eq!(ours.text(), theirs.text(), "{args:?}");
        for output in [&theirs, &ours] {
            assert!(output.stderr.contains(words), "{args:?}\n{}", said(output));
        }
    }
}

#[test]
fn the_file_of_a_command_lies_in_memory_and_is_gone_afterwards() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: 1\n");
    desk.encrypt(Whose::Ours, "f.yaml");
    let show = "echo {}; stat -f -c %T {}";
    let shown = desk
        .sops(Whose::Ours, &["exec-file", "--no-fifo", "f.yaml", show])
        .ok();
    let (path, kind) = shown.trim().split_once('\n').expect("two lines");
    assert_eq!(kind, "tmpfs");
    assert!(!Path::new(path).exists() && !Path::new(path).parent().expect("a folder").exists());
    let piped = desk
        .sops(Whose::Ours, &["exec-file", "f.yaml", "echo {}"])
        .ok();
    assert!(!Path::new(piped.trim()).parent().expect("a folder").exists());
}

#[test]
fn a_signal_reaches_the_command_and_the_file_is_gone_afterwards() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: 1\n");
    desk.encrypt(Whose::Ours, "f.yaml");
    for signal in ["TERM", "HUP", "INT", "USR1"] {
        // Nothing but the signal that is passed on ends it in time.
        let script = format!(
            "trap 'kill $p; echo passed; exit 9' {signal}; echo {{}}; sleep 60 >/dev/null 2>&1 & p=$!; \
             kill -{signal} $PPID; wait $p"
        );
        let run = desk.sops(Whose::Ours, &["exec-file", "--no-fifo", "f.yaml", &script]);
        let output = run.output();
        assert_eq!(output.code(), 9, "{signal}: {}", said(&output));
        let shown = output.text();
        let (path, rest) = shown.split_once('\n').expect("two lines");
        assert_eq!(rest, "passed\n");
        assert!(!Path::new(path).exists(), "{signal}");
    }
}

#[test]
fn nobody_waits_for_a_command_in_the_background() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: 1\n");
    desk.encrypt(Whose::Theirs, "f.yaml");
    for whose in BOTH {
        let _ = fs::remove_file(desk.path("done"));
        // Whoever waited would wait for ever.
        let command = "until test -e go; do sleep 0.05; done; echo $a >done.new; mv done.new done";
        let output = desk
            .sops(whose, &["exec-env", "--background", "f.yaml", command])
            .output();
        assert_eq!(output.code(), 0, "{whose:?}: {}", said(&output));
        assert!(output.stderr.contains("deprecated"), "{}", output.stderr);
        desk.write("go", "");
        let done = || fs::read_to_string(desk.path("done"));
        assert_eq!(wait_until("the command ends", PATIENCE, done), "1\n");
        fs::remove_file(desk.path("go")).expect("ours");
    }
}

/// Only root becomes somebody else: others are told so.
#[test]
fn a_command_runs_as_another_user() {
    let desk = Desk::new();
    desk.write("f.yaml", "a: 1\n");
    desk.encrypt(Whose::Theirs, "f.yaml");
    let show = "id -u; id -G; echo $HOME $USER $LOGNAME $a";
    let file = "id -u; stat -c '%U %a' {}; cat {}";
    for args in [
        &["exec-env", "--user", "nobody", "f.yaml", show][..],
        &["exec-env", "--pristine", "--user", "nobody", "f.yaml", show],
        &[
            "exec-env",
            "--same-process",
            "--user",
            "nobody",
            "f.yaml",
            "id -u",
        ],
        &["exec-file", "--user", "nobody", "f.yaml", file],
        &["exec-file", "--user", "nobody", "--no-fifo", "f.yaml", file],
    ] {
        let [theirs, ours] = BOTH.map(|whose| desk.sops(whose, args).output());
        assert_eq!(
            ours.code(),
            theirs.code(),
            "{args:?}\n{}{}",
            said(&theirs),
            said(&ours)
        );
        assert_eq!(ours.text(), theirs.text(), "{args:?}");
    }
}
