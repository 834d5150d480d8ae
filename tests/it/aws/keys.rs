//! Which keys documents get: from flags, variables and `.sops.yaml`, and by changes.

use std::fs;

use testkit::aws;

use super::desk::{BOTH, Desk, TEXT, Whose, unwrapped};
use super::of_keys;

#[test]
fn a_configuration_names_keys_as_with_sops() {
    let aws = aws::shared();
    let desk = Desk::new(aws);
    desk.write(
        "credentials",
        "[shop]\naws_access_key_id = a\naws_secret_access_key = b\n",
    );
    let desk = desk.with("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    let (key, other) = (aws.key(), aws.key_in("us-east-2"));
    let role = "arn:aws:iam::123456789012:role/shop";
    for (rule, flags) in [
        (format!("kms: '{key}, {other}'"), &[][..]),
        (format!("kms: ['{key}+{role}', '{other}']"), &[]),
        (format!("kms: {key}\n  aws_profile: shop"), &[]),
        (
            format!("kms: {key}\n  aws_profile: shop"),
            &["--encryption-context", "a:1,b:2"],
        ),
        (
            format!(
                "key_groups:\n  - kms:\n    - arn: {key}\n      role: {role}\n      context: {{team: shop, \"n\": \"1\"}}\n      \
                 aws_profile: shop\n    - arn: {other}"
            ),
            &[],
        ),
        (
            format!("key_groups:\n  - kms:\n    - arn: {key}\n  - kms:\n    - arn: {other}"),
            // In groups each key has its own context.
            &["--encryption-context", "a:1"],
        ),
        // Of keys that are named otherwise the profile of a rule says nothing.
        (
            format!("kms: {other}\n  aws_profile: shop"),
            &["--kms", &key, "--encryption-context", "a:1"],
        ),
    ] {
        desk.write(".sops.yaml", &format!("creation_rules:\n- {rule}\n"));
        let written = BOTH.map(|whose| {
            desk.write("a.yaml", TEXT);
            // Behind `encrypt` the original forgets a context for keys of a configuration.
            let args = [&["-e", "-i"][..], flags, &["a.yaml"]].concat();
            desk.sops(whose, &args).ok();
            of_keys(&desk.read("a.yaml"))
        });
        assert_eq!(written[0], written[1], "{rule}");
        let opened = desk.sops(Whose::Ours, &["decrypt", "a.yaml"]).ok();
        assert!(opened.contains("hunter2"));
        desk.write("a.yaml", TEXT);
        let args = [&["encrypt", "-i"][..], flags, &["a.yaml"]].concat();
        desk.sops(Whose::Ours, &args).ok();
        let part = ["decrypt", "--extract", "[\"password\"]", "a.yaml"];
        assert_eq!(desk.sops(Whose::Theirs, &part).ok(), "hunter2", "{rule}");
    }
}

#[test]
fn updatekeys_brings_a_document_to_what_the_configuration_says() {
    let aws = aws::shared();
    let desk = Desk::new(aws);
    let (key, other) = (aws.key(), aws.key());
    assert!(desk.encrypt(&key).status.success());
    let before = desk.read("a.yaml");
    let rule = format!("key_groups:\n  - kms:\n    - arn: {other}\n      context: {{a: b}}");
    desk.write(".sops.yaml", &format!("creation_rules:\n- {rule}\n"));
    let written = BOTH.map(|whose| {
        desk.write("a.yaml", &before);
        desk.sops(whose, &["updatekeys", "-y", "a.yaml"]).ok();
        of_keys(&desk.read("a.yaml"))
    });
    assert_eq!(written[0], written[1]);
    for whose in BOTH {
        let opened = desk.sops(whose, &["decrypt", "a.yaml"]).ok();
        assert!(opened.contains("hunter2"));
    }
}

#[test]
fn keys_are_added_and_removed_by_their_names() {
    let aws = aws::shared();
    let desk = Desk::new(aws);
    let (key, other) = (aws.key(), aws.key());
    for whose in BOTH {
        desk.write("a.yaml", TEXT);
        let args = ["encrypt", "-i", "a.yaml"];
        // The variable counts as the flag does.
        desk.sops(whose, &args).env("SOPS_KMS_ARN", &key).ok();
        let context = ["--encryption-context", "a:b"];
        let change = |how: &[&str]| {
            let args = [&["rotate", "-i"], how, &["a.yaml"]].concat();
            desk.sops(whose, &args).ok();
            of_keys(&desk.read("a.yaml")).join("\n")
        };
        let added = change(&[&["--add-kms", &other], &context[..]].concat());
        assert!(added.contains(&other) && added.contains("a: b"), "{added}");
        // Another context is another key.
        let same = change(&["--rm-kms", &other]);
        assert_eq!(same, added);
        let removed = change(&[&["--rm-kms", &other], &context[..]].concat());
        assert!(
            !removed.contains(&other) && removed.contains(&key),
            "{removed}"
        );
    }
    let group = [
        "groups",
        "add",
        "--file",
        "a.yaml",
        "--in-place",
        "--kms",
        &other,
        "--encryption-context",
        "a:b",
    ];
    desk.sops(Whose::Ours, &group).ok();
    for whose in BOTH {
        let opened = desk.sops(whose, &["decrypt", "a.yaml"]).ok();
        assert!(opened.contains("hunter2"));
    }
}

#[test]
fn a_context_that_cannot_be_read_is_never_left_out() {
    let aws = aws::shared();
    let desk = Desk::new(aws);
    let key = aws.key();
    for context in ["a", "a:b:c", "a:b,", ",", "a=b"] {
        let args = [
            "encrypt",
            "-i",
            "--kms",
            &key,
            "--encryption-context",
            context,
            "a.yaml",
        ];
        let theirs = desk.sops(Whose::Theirs, &args).output();
        assert_eq!(theirs.code(), 6);
        desk.refuses(&args, 6, &["Invalid KMS encryption context format"]);
    }
    for context in ["n: shop", "team: 1", "team: yes", "team: ", "team: [a]"] {
        let rule = format!("key_groups:\n  - kms:\n    - arn: {key}\n      context: {{{context}}}");
        desk.write(".sops.yaml", &format!("creation_rules:\n- {rule}\n"));
        desk.refuses(
            &["encrypt", "-i", "a.yaml"],
            1,
            &["in a context is not text"],
        );
    }
    fs::remove_file(desk.path(".sops.yaml")).expect("it is there");
    assert!(desk.encrypt(&key).status.success());
    // There the original goes on without a context.
    let args = [
        "rotate",
        "-i",
        "--add-kms",
        &key,
        "--encryption-context",
        "a",
        "a.yaml",
    ];
    desk.refuses(&args, 6, &["Invalid KMS encryption context format"]);
}

#[test]
fn what_is_no_key_of_aws_is_kept_and_opens_nothing() {
    let aws = aws::shared();
    let desk = Desk::new(aws);
    let key = aws.key();
    let identity = age::x25519::Identity::generate();
    let secret = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    let recipient = identity.to_public().to_string();
    let args = [
        "encrypt", "-i", "--kms", &key, "--age", &recipient, "a.yaml",
    ];
    desk.sops(Whose::Ours, &args).ok();
    let good = desk.read("a.yaml");
    for (before, after) in [
        (":eu-west-1:", ":evil.example/x:"),
        (":eu-west-1:", ":x@127.0.0.1:"),
        ("arn:aws:", "arn:aws-evil:"),
        ("aws_profile: \"\"", "aws_profile: [a]"),
        ("aws_profile: \"\"", "role: arn:aws:iam::1:user/x"),
        ("aws_profile: \"\"", "context: {a: [b]}"),
    ] {
        desk.write("a.yaml", &good.replace(before, after));
        let said = desk.refuses(&["decrypt", "a.yaml"], 128, &["kms"]);
        assert!(!said.contains("no credentials"), "{said}");
        let run = desk.sops(Whose::Ours, &["decrypt", "a.yaml"]);
        assert_eq!(run.env("SOPS_AGE_KEY", &secret).ok(), TEXT, "{after}");
        let run = desk.sops(Whose::Ours, &["set", "a.yaml", "[\"user\"]", "\"x\""]);
        run.env("SOPS_AGE_KEY", &secret).ok();
        let kept = desk.read("a.yaml");
        assert!(
            kept.contains(after.split(['{', '[']).next().expect("text")),
            "{kept}"
        );
    }
    let output = desk.encrypt("arn:aws:kms:evil.example:1:key/k");
    assert_eq!(output.code(), 1);
    let said = unwrapped(&output.stderr);
    assert!(said.contains("its region is no name of a region"), "{said}");
}
