//! `encrypt`, `decrypt`, `filestatus`, and the flags from before there were commands.

use std::net::TcpListener;
use std::thread;

use testkit::{PATIENCE, wait_until};

use super::*;

/// A document of each format.
pub(super) const DOCUMENTS: [(&str, &str); 5] = [
    (
        "a.yaml",
        "# head\na: 1 # one\nb:\n  - \"x: y\"\n  - 1.5\n---\nc: |\n  two\n  lines\n",
    ),
    ("a.json", "{\n\t\"a\": 1,\n\t\"b\": [\"x\", null, true]\n}"),
    ("a.env", "# head\nA=1\nB=two words\n"),
    ("a.ini", "[one]\n; note\na = 1\nb = two words\n"),
    ("a.bin", "anything at all\u{0}\n"),
];

#[test]
fn documents_go_back_and_forth_between_both_programs() {
    for (name, text) in DOCUMENTS {
        let desk = Desk::new();
        for (closes, opens) in [
            (Whose::Ours, Whose::Theirs),
            (Whose::Theirs, Whose::Ours),
            (Whose::Ours, Whose::Ours),
        ] {
            desk.write(name, text);
            let reference = {
                desk.encrypt(Whose::Theirs, name);
                desk.sops(Whose::Theirs, &["decrypt", name]).ok()
            };
            desk.write(name, text);
            desk.encrypt(closes, name);
            assert!(desk.read(name).contains("ENC["), "{name}");
            let opened = desk.sops(opens, &["decrypt", name]).ok();
            match (closes, opens) {
                (Whose::Ours, Whose::Ours) => {
                    assert_eq!(opened, text, "{name}: every byte comes back")
                }
                // Ours keeps what is not a value as it finds it: it is compared as the other one prints it.
                (Whose::Theirs, _) => {
                    desk.write(name, &opened);
                    desk.encrypt(Whose::Theirs, name);
                    assert_eq!(
                        desk.sops(Whose::Theirs, &["decrypt", name]).ok(),
                        reference,
                        "{name}"
                    );
                }
                _ => assert_eq!(opened, reference, "{name}"),
            }
        }
    }
}

#[test]
fn a_command_line_ends_as_with_the_original() {
    let desk = Desk::new();
    desk.write("a.yaml", "a: 1\nb: hello # c\n");
    desk.write("closed.yaml", "a: 1\nb: hello # c\n");
    desk.encrypt(Whose::Theirs, "closed.yaml");
    let closed = desk.read("closed.yaml");
    let without = |start: &str| {
        let lines = closed.split_inclusive('\n');
        lines
            .filter(|line| !line.trim_start().starts_with(start))
            .collect::<String>()
    };
    desk.write("no-mac.yaml", &without("mac:"));
    desk.write("value-gone.yaml", &without("a:"));
    desk.write("no-version.yaml", &without("version:"));
    desk.write("garbled.yaml", &closed.replacen("ENC[", "EMC[", 1));
    desk.write(
        "other-time.yaml",
        &closed.replace("lastmodified: \"2", "lastmodified: \"1"),
    );
    desk.write("bad.yaml", "a: [1\n");
    desk.write("empty.yaml", "");
    desk.write("reserved.yaml", "sops: 1\n");
    desk.write("bad.json", "{\"a\": x}");
    let age = desk.recipient.as_str();
    let missing = "cannot operate on non-existent file";
    let cases: &[(&[&str], &str)] = &[
        (
            &["encrypt", "a.yaml"],
            "config file not found, or has no creation rules, and no keys provided",
        ),
        (&["encrypt", "--age", age, "missing.yaml"], missing),
        (
            &["encrypt", "--age", age, "bad.yaml"],
            "Error unmarshalling file",
        ),
        (
            &["encrypt", "--age", age, "bad.json"],
            "Error unmarshalling file",
        ),
        (
            &["encrypt", "--age", age, "empty.yaml"],
            "File cannot be completely empty",
        ),
        (
            &["encrypt", "--age", age, "reserved.yaml"],
            "top-level entry called 'sops'",
        ),
        (
            &["encrypt", "--age", age, "closed.yaml"],
            "top-level entry called 'sops'",
        ),
        (
            &["encrypt", "--age", age],
            "must specify --filename-override when reading from stdin",
        ),
        (
            &["encrypt", "-i", "--output", "x", "--age", age, "a.yaml"],
            "cannot operate on both --output and --in-place",
        ),
        (
            &["encrypt", "--age", "nonsense", "a.yaml"],
            "unknown recipient type: \"nonsense\"",
        ),
        (
            &[
                "encrypt",
                "--age",
                age,
                "--encrypted-regex",
                "a",
                "--unencrypted-suffix",
                "b",
                "a.yaml",
            ],
            "cannot use more than one of",
        ),
        (&["encrypt", "--age", age, "."], "Error reading file"),
        (&["encrypt", "--bogus"], ""),
        (
            &["--config", "missing.yaml", "encrypt", "a.yaml"],
            "could not read config file",
        ),
        (&["decrypt", "missing.yaml"], missing),
        (&["decrypt"], "Could not unmarshal input data"),
        (&["decrypt", "a.yaml"], "sops metadata not found"),
        (&["decrypt", "bad.yaml"], ""),
        (&["decrypt", "empty.yaml"], ""),
        (
            &["decrypt", "reserved.yaml"],
            "Found sops entry that is not a mapping",
        ),
        (&["decrypt", "garbled.yaml"], "Error decrypting tree"),
        (&["decrypt", "value-gone.yaml"], "MAC mismatch"),
        (&["decrypt", "--ignore-mac", "value-gone.yaml"], ""),
        (&["decrypt", "no-mac.yaml"], "MAC mismatch. File has no MAC"),
        (&["decrypt", "other-time.yaml"], "Cannot decrypt MAC"),
        (
            &["decrypt", "--decryption-order", "age,age", "closed.yaml"],
            "Duplicate decryption key type: age",
        ),
        (
            &["decrypt", "-i", "--output", "x", "closed.yaml"],
            "cannot operate on both --output and --in-place",
        ),
        (
            &["decrypt", "closed.yaml", "more"],
            "More than one positional argument",
        ),
        (
            &["decrypt", "--input-type", "json", "closed.yaml"],
            "Could not unmarshal input data",
        ),
        (&["-decrypt", "closed.yaml"], ""),
        (&["-d", "-i"], "no file specified"),
        (&["filestatus", "closed.yaml"], "{\"encrypted\":true}"),
        (&["filestatus", "a.yaml"], "{\"encrypted\":false}"),
        (&["filestatus", "no-mac.yaml"], "{\"encrypted\":false}"),
        (&["filestatus", "bad.yaml"], "cannot check file status"),
        (&["filestatus"], "no file specified"),
        (&["filestatus", "missing.yaml"], "cannot check file status"),
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
        for output in [&theirs, &ours] {
            assert!(said(output).contains(words), "{args:?}\n{}", said(output));
        }
        assert!(!desk.path("x").exists(), "{args:?}");
    }
    let mac = closed
        .lines()
        .find(|line| line.contains("mac:"))
        .expect("a MAC");
    for (args, _) in cases {
        let shown = said(&desk.sops(Whose::Ours, args).output());
        assert!(
            !shown.contains(mac.trim()) && !has_digest(&shown),
            "{args:?}: {shown}"
        );
    }
}

/// Whether a MAC is shown: sops prints both that it finds and that it wants.
fn has_digest(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_ascii_hexdigit());
    words.any(|word| word.len() >= 128)
}

#[test]
fn without_the_key_the_report_is_that_of_the_original() {
    let desk = Desk::new();
    desk.write("a.yaml", "a: 1\n");
    desk.encrypt(Whose::Theirs, "a.yaml");
    identity(&desk.path("key.txt"));
    let [theirs, ours] = BOTH.map(|whose| desk.sops(whose, &["decrypt", "a.yaml"]).output());
    assert_eq!((ours.code(), theirs.code()), (128, 128));
    assert_eq!(ours.stderr, format!("{}file: a.yaml\n", theirs.stderr));
}

#[test]
fn the_version_is_that_of_the_original_and_ours_on_the_next_line() {
    let desk = Desk::new();
    let theirs = desk
        .sops(Whose::Theirs, &["--version", "--disable-version-check"])
        .ok();
    for flag in ["--version", "-v", "-version"] {
        let ours = desk.sops(Whose::Ours, &[flag]).ok();
        let lines: Vec<_> = ours.lines().collect();
        assert_eq!(Some(lines[0]), theirs.lines().next());
        assert!(lines[1].starts_with("kubeseal-rs v"), "{ours}");
    }
}

/// A proxy sees whoever goes to the network: the original does.
#[test]
fn the_version_is_not_looked_up_on_the_network() {
    let desk = Desk::new();
    for flags in [&["--version"][..], &["--version", "--check-for-updates"]] {
        let proxy = TcpListener::bind("127.0.0.1:0").expect("a port");
        proxy.set_nonblocking(true).expect("it can");
        let address = format!("http://{}", proxy.local_addr().expect("an address"));
        let run = |whose| desk.sops(whose, flags).env("HTTPS_PROXY", &address);
        run(Whose::Ours).ok();
        assert!(proxy.accept().is_err(), "{flags:?}");
        // It asks again until nobody listens.
        let asked = thread::spawn(move || {
            wait_until("it asks", PATIENCE, || proxy.accept());
        });
        run(Whose::Theirs).ok();
        asked.join().expect("it asked");
    }
}

#[test]
fn clear_text_is_private_and_a_file_that_is_changed_keeps_its_mode() {
    let desk = Desk::new();
    desk.write("a.yaml", "a: 1\n");
    fs::set_permissions(desk.path("a.yaml"), fs::Permissions::from_mode(0o640)).expect("ours");
    let sops = |args: &[&str]| desk.sops(Whose::Ours, args).ok();
    sops(&[
        "encrypt",
        "--age",
        &desk.recipient,
        "--output",
        "closed.yaml",
        "a.yaml",
    ]);
    let usual = {
        fs::write(desk.path("usual"), "").expect("ours");
        mode(&desk.path("usual"))
    };
    assert_eq!(mode(&desk.path("closed.yaml")), usual);
    sops(&["decrypt", "--output", "open.yaml", "closed.yaml"]);
    assert_eq!(mode(&desk.path("open.yaml")), 0o600);
    for command in ["encrypt", "decrypt"] {
        desk.sops(Whose::Ours, &[command, "-i", "a.yaml"])
            .env("SOPS_AGE_RECIPIENTS", &desk.recipient)
            .ok();
        assert_eq!(mode(&desk.path("a.yaml")), 0o640, "{command}");
    }
    assert_eq!(desk.read("a.yaml"), "a: 1\n");
}

#[test]
fn a_file_stays_as_it_was_when_anything_fails() {
    let desk = Desk::new();
    desk.write("a.yaml", "a: 1\n");
    desk.write("closed.yaml", "a: secret\n");
    desk.encrypt(Whose::Ours, "closed.yaml");
    let both = format!(
        "{},age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t",
        desk.recipient
    );
    let cut = desk.read("closed.yaml").replacen("a: ENC", "b: ENC", 1);
    desk.write("cut.yaml", &cut);
    for (args, file) in [
        // One key of two cannot wrap: then none does.
        (vec!["encrypt", "-i", "--age", &both, "a.yaml"], "a.yaml"),
        (
            vec!["encrypt", "-i", "--kms", "arn:aws:kms:eu:1:key/x", "a.yaml"],
            "a.yaml",
        ),
        (
            vec![
                "encrypt",
                "-i",
                "--age",
                &desk.recipient,
                "--encrypted-regex",
                "[",
                "a.yaml",
            ],
            "a.yaml",
        ),
        (vec!["decrypt", "-i", "cut.yaml"], "cut.yaml"),
    ] {
        let before = desk.read(file);
        let output = desk.sops(Whose::Ours, &args).output();
        assert_ne!(output.code(), 0, "{args:?}");
        assert_eq!(desk.read(file), before, "{args:?}");
        assert!(!said(&output).contains("secret"), "{}", said(&output));
    }
}

#[test]
fn a_flag_behind_the_file_is_refused() {
    let desk = Desk::new();
    desk.write("a.yaml", "a: 1\n");
    desk.encrypt(Whose::Theirs, "a.yaml");
    let before = desk.read("a.yaml");
    for args in [&["-d", "a.yaml", "-i"][..], &["-d", "-e", "a.yaml"]] {
        let output = desk.sops(Whose::Ours, args).output();
        assert_eq!((output.code(), output.stdout.len()), (8, 0), "{args:?}");
        assert_eq!(desk.read("a.yaml"), before);
    }
}

#[test]
fn a_word_that_is_no_command_makes_no_file() {
    let desk = Desk::new();
    let args = ["--age", &desk.recipient, "encryptt"];
    let output = desk.sops(Whose::Ours, &args).env("EDITOR", "true").output();
    assert_eq!(output.code(), 100, "{}", said(&output));
    assert!(
        output.stderr.contains("no command and no file encryptt"),
        "{}",
        output.stderr
    );
    assert!(!desk.path("encryptt").exists());
}

#[test]
fn json_that_ends_too_early_is_refused() {
    let desk = Desk::new();
    for text in ["{\"a\": ", "{\"a\": 1, \"b\": "] {
        desk.write("a.json", text);
        let [theirs, ours] = BOTH.map(|whose| {
            desk.sops(whose, &["encrypt", "--age", &desk.recipient, "a.json"])
                .output()
        });
        assert_eq!((theirs.code(), ours.code()), (0, 2), "{text}");
    }
}

#[test]
fn kubeseal_has_the_same_commands() {
    let desk = Desk::new();
    desk.write("a.json", "{\"a\": \"b\"}");
    let kubeseal = |args: &[&str]| {
        let run = cli::ours()
            .folder(desk.folder.path())
            .args(args.iter().copied());
        run.env("SOPS_AGE_KEY_FILE", desk.path("key.txt")).output()
    };
    let closed = kubeseal(&["encrypt", "-i", "--age", &desk.recipient, "a.json"]);
    assert_eq!(closed.code(), 0, "{}", closed.stderr);
    assert_eq!(
        kubeseal(&["filestatus", "a.json"]).text(),
        "{\"encrypted\":true}\n"
    );
    assert_eq!(kubeseal(&["decrypt", "a.json"]).text(), "{\"a\": \"b\"}");
    let again = kubeseal(&["encrypt", "-i", "--age", &desk.recipient, "a.json"]);
    assert_eq!(again.code(), 203);
    assert!(again.stderr.starts_with("error: "), "{}", again.stderr);
}

#[test]
fn what_is_not_built_is_refused_and_writes_nothing() {
    let desk = Desk::new();
    desk.write("a.yaml", "a: 1\n");
    for args in [
        &["exec-file", "--background", "a.yaml", "true"][..],
        &["publish", "a.yaml"],
        &[
            "encrypt",
            "-i",
            "--keyservice",
            "tcp://127.0.0.1:1",
            "--age",
            &desk.recipient,
            "a.yaml",
        ],
        &[
            "encrypt",
            "-i",
            "--enable-local-keyservice=false",
            "--age",
            &desk.recipient,
            "a.yaml",
        ],
    ] {
        let output = desk.sops(Whose::Ours, args).output();
        assert_ne!(output.code(), 0, "{args:?}");
        assert_ne!(output.stderr, "", "{args:?}");
        assert_eq!(desk.read("a.yaml"), "a: 1\n", "{args:?}");
    }
}
