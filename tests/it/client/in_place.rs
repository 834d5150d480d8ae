//! Files that are changed in place: one entry changes, everything else stays, and there is never half a file.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::{Command, Stdio},
};

use testkit::cli;

use super::{HINT, folder, json, other_pair, ours, pair, read, secret, theirs};

/// A SealedSecret as a person keeps it: with comments, in an order of their own, sealed by the original client.
fn kept(scope: &str) -> String {
    let sealed = pair()
        .theirs()
        .args(["--scope", scope])
        .stdin(secret("db"))
        .ok();
    let value = json(&sealed)["spec"]["encryptedData"]["password"]
        .as_str()
        .expect("sealed")
        .to_owned();
    let annotations = match scope {
        "strict" => String::new(),
        scope => {
            format!("    annotations:\n      sealedsecrets.bitnami.com/{scope}: \"true\" # wide\n")
        }
    };
    format!(
        "# kept by hand\nkind: SealedSecret\napiVersion: bitnami.com/v1alpha1\n\
         metadata:\n    name: db   # the name\n    namespace: 'shop'\n{annotations}\
         spec:\n  encryptedData:\n    # the password\n    password: {value} # sealed\n  \
         template:\n    immutable: false\n    data:\n      url: \"pg://{{{{ .password }}}}\"\n"
    )
}

fn merge(file: &Path, input: &str, args: &[&str]) -> cli::Output {
    pair()
        .ours()
        .args(args.iter().copied())
        .arg("--merge-into")
        .arg(file)
        .stdin(input)
        .output()
}

fn opened(file: &Path) -> serde_json::Value {
    let keys = format!("{},{}", pair().key.display(), other_pair().key.display());
    json(
        &ours()
            .args(["--recovery-unseal", "--recovery-private-key", &keys, "-f"])
            .arg(file)
            .ok(),
    )["data"]
        .clone()
}

/// The lines of `after` that are not in `before`.
fn added<'a>(before: &str, after: &'a str) -> Vec<&'a str> {
    after
        .lines()
        .filter(|line| !before.lines().any(|known| known == *line))
        .collect()
}

#[test]
fn merging_changes_what_was_merged_and_nothing_else() {
    let folder = folder();
    let file = folder.path().join("sealed.yaml");
    let before = kept("strict");
    fs::write(&file, &before).expect("written");
    fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("set");
    let input = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: ignored\n  labels: {tier: back}\nstringData: {token: abc}\n";
    assert_eq!(merge(&file, input, &["--no-key-hint"]).code(), 0);
    let after = read(&file);
    let new = added(&before, &after);
    assert!(
        new.iter().any(|line| line.starts_with("    token: ")),
        "{new:?}"
    );
    assert!(
        new.iter().any(|line| line.trim() == "tier: back"),
        "{new:?}"
    );
    assert!(
        new.len() <= 4 && added(&after, &before).is_empty(),
        "{after}"
    );
    assert_eq!(opened(&file)["token"], "YWJj");
    assert_eq!(opened(&file)["password"], "aHVudGVyMg==");
    assert_eq!(fs::metadata(&file).expect("there").mode() & 0o777, 0o640);
    // Again, over what is there now.
    assert_eq!(
        merge(&file, &input.replace("abc", "xyz"), &["--no-key-hint"]).code(),
        0
    );
    assert_eq!(added(&after, &read(&file)).len(), 1);
    // And the original reads the result.
    theirs()
        .args(["--recovery-unseal", "--recovery-private-key"])
        .arg(&pair().key)
        .arg("-f")
        .arg(&file)
        .ok();
}

#[test]
fn merging_into_json_stays_json_and_says_which_key_sealed_what() {
    let folder = folder();
    let file = folder.path().join("sealed.json");
    fs::write(&file, other_pair().theirs().stdin(secret("db")).ok()).expect("written");
    assert_eq!(
        merge(&file, &secret("db").replace("password", "token"), &[]).code(),
        0
    );
    let merged = json(&read(&file));
    let hint = merged["metadata"]["annotations"][HINT]
        .as_str()
        .expect("a hint");
    assert!(
        hint.starts_with("token=SHA256:") && !hint.contains(' '),
        "{hint}"
    );
    assert_eq!(opened(&file)["token"], opened(&file)["password"]);
}

#[test]
fn a_merge_is_sealed_in_the_scope_that_the_file_has() {
    let folder = folder();
    let file = folder.path().join("sealed.yaml");
    let input = secret("another-name").replace("password", "token");
    for scope in ["strict", "namespace-wide", "cluster-wide"] {
        fs::write(&file, kept(scope)).expect("written");
        assert_eq!(merge(&file, &input, &[]).code(), 0, "{scope}");
        assert_eq!(opened(&file)["token"], "aHVudGVyMg==", "{scope}");
    }
    let before = kept("strict");
    fs::write(&file, &before).expect("written");
    let annotated = input.replace(
        "{name",
        "{annotations: {sealedsecrets.bitnami.com/cluster-wide: 'true'}, name",
    );
    for output in [
        merge(&file, &input, &["--scope", "cluster-wide"]),
        merge(&file, &annotated, &[]),
    ] {
        assert_eq!(output.code(), 1);
        assert!(
            output.stderr.contains("scope is strict"),
            "{}",
            output.stderr
        );
        assert_eq!(read(&file), before);
    }
}

#[test]
fn a_file_that_cannot_be_replaced_stays_as_it_was() {
    let folder = folder();
    let file = folder.path().join("sealed.yaml");
    let before = kept("strict");
    fs::write(
        &file,
        format!("{before}---\nkind: ConfigMap\napiVersion: v1\n"),
    )
    .expect("written");
    let whole = read(&file);
    for input in [
        "kind: ConfigMap\napiVersion: v1\n",
        "",
        "a: [",
        &secret("db").replace("hunter2", "[]"),
    ] {
        assert_eq!(merge(&file, input, &[]).code(), 1);
        assert_eq!(read(&file), whole);
    }
    assert_eq!(
        merge(&folder.path().join("missing"), &secret("db"), &[]).code(),
        1
    );
    assert_eq!(
        fs::read_dir(folder.path()).expect("a folder").count(),
        1,
        "nothing is left behind"
    );
}

#[test]
fn a_write_that_fails_is_an_error() {
    let output = pair()
        .ours()
        .args(["-w", "/dev/full"])
        .stdin(secret("db"))
        .output();
    assert_eq!(output.code(), 1, "{output:?}");
    assert!(
        output
            .stderr
            .contains("cannot write /dev/full: no space left on device"),
        "{}",
        output.stderr
    );
}

#[test]
fn whoever_kills_it_finds_the_old_file_or_the_new_one() {
    let folder = folder();
    let file = folder.path().join("sealed.yaml");
    let before = kept("strict");
    for _ in 0..12 {
        fs::write(&file, &before).expect("written");
        let mut child = Command::new(testkit::ours::kubeseal())
            .arg("--re-encrypt")
            .arg("-f")
            .arg(&file)
            .arg("--cert")
            .arg(&other_pair().cert)
            .arg("--recovery-private-key")
            .arg(&pair().key)
            .stderr(Stdio::null())
            .spawn()
            .expect("our client starts");
        // At the moment at which there are two files, or when it is too late.
        let entries = || fs::read_dir(folder.path()).expect("a folder").count();
        let known = entries();
        while entries() == known && child.try_wait().expect("our child").is_none() {
            std::hint::spin_loop();
        }
        child.kill().expect("our child");
        child.wait().expect("our child");
        let after = read(&file);
        assert!(
            after == before || after.lines().count() == before.lines().count() + 2,
            "{after}"
        );
        assert_eq!(opened(&file)["password"], "aHVudGVyMg==");
    }
}

fn re_encrypt() -> cli::Run {
    ours()
        .arg("--cert")
        .arg(&other_pair().cert)
        .arg("--recovery-private-key")
        .arg(&pair().key)
}

#[test]
fn re_encryption_with_keys_at_hand_keeps_everything_but_the_values() {
    let folder = folder();
    let file = folder.path().join("sealed.yaml");
    let before = kept("namespace-wide");
    fs::write(&file, &before).expect("written");
    re_encrypt()
        .args(["--re-encrypt", "--no-key-hint", "-f"])
        .arg(&file)
        .ok();
    let after = read(&file);
    let changed = added(&before, &after);
    assert!(
        changed.len() == 1
            && changed[0].starts_with("    password: A")
            && changed[0].ends_with(" # sealed"),
        "{changed:?}"
    );
    let sealed_with = |key: &Path| {
        let text = ours()
            .args(["--recovery-unseal", "--recovery-private-key"])
            .arg(key)
            .arg("-f")
            .arg(&file)
            .output();
        text.code() == 0
    };
    assert!(sealed_with(&other_pair().key) && !sealed_with(&pair().key));
    // What is under the new key already stays as it is.
    let both = format!("{},{}", pair().key.display(), other_pair().key.display());
    ours()
        .args([
            "--re-encrypt",
            "--no-key-hint",
            "--recovery-private-key",
            &both,
            "--cert",
        ])
        .arg(&other_pair().cert)
        .arg("-f")
        .arg(&file)
        .ok();
    assert_eq!(read(&file), after);
    // Through a pipe the result has the format that was asked for, as the original has it.
    fs::write(&file, &before).expect("written");
    let text = re_encrypt()
        .args(["--re-encrypt"])
        .stdin(before.as_str())
        .ok();
    assert_eq!(
        json(&text)["spec"]["template"]["data"]["url"],
        "pg://{{ .password }}"
    );
    let text = re_encrypt()
        .args(["--re-encrypt", "-oyaml"])
        .stdin(before.as_str())
        .ok();
    assert!(text.starts_with("# kept by hand\n"), "{text}");
}

#[test]
fn trees_are_re_encrypted_whole_or_not_at_all() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("apps/.hidden")).expect("made");
    fs::create_dir_all(path("apps/chart/templates")).expect("made");
    let sealed = |name: &str| pair().ours().args(["-o", "yaml"]).stdin(secret(name)).ok();
    let files = [
        (
            "apps/a.yaml",
            format!(
                "{}---\nkind: ConfigMap\napiVersion: v1\ndata: {{a: b}} # stays\n",
                sealed("a")
            ),
        ),
        ("apps/b.json", pair().theirs().stdin(secret("b")).ok()),
        (
            "apps/list.yml",
            format!(
                "kind: List\napiVersion: v1\nitems:\n- {}\n",
                json(&pair().ours().stdin(secret("c")).ok())
            ),
        ),
        (
            "apps/chart/templates/x.yaml",
            "{{ if .Values.on }}\nkind: Secret\n{{ end }}\n".to_owned(),
        ),
        ("apps/.hidden/h.yaml", sealed("h")),
        ("apps/readme.txt", "kind: SealedSecret".to_owned()),
    ];
    for (name, text) in &files {
        fs::write(path(name), text).expect("written");
    }
    let unchanged = |names: &[&str]| {
        files
            .iter()
            .all(|(name, text)| !names.contains(name) || &read(path(name)) == text)
    };
    let run = |args: &[&str]| {
        ours()
            .arg("re-encrypt")
            .arg(path("apps"))
            .arg("--cert")
            .arg(&other_pair().cert)
            .arg("--recovery-private-key")
            .arg(&pair().key)
            .args(args.iter().copied())
            .output()
    };
    let all: Vec<_> = files.iter().map(|(name, _)| *name).collect();
    let output = run(&["--dry-run"]);
    assert!(
        output.code() == 0
            && output
                .stderr
                .contains("would re-encrypt 3 values in 3 files"),
        "{output:?}"
    );
    assert!(unchanged(&all));
    // One that does not open holds back all.
    fs::write(path("apps/z.yaml"), sealed_for_another()).expect("written");
    let output = run(&[]);
    assert_eq!(output.code(), 1);
    assert!(
        output.stderr.contains("z.yaml") && output.stderr.contains("no file was changed"),
        "{}",
        output.stderr
    );
    assert!(unchanged(&all));
    fs::remove_file(path("apps/z.yaml")).expect("removed");
    let output = run(&[]);
    assert_eq!(output.code(), 0, "{output:?}");
    assert!(unchanged(&[
        "apps/chart/templates/x.yaml",
        "apps/.hidden/h.yaml",
        "apps/readme.txt"
    ]));
    assert!(read(path("apps/a.yaml")).contains("data: {a: b} # stays"));
    for name in ["apps/a.yaml", "apps/b.json", "apps/list.yml"] {
        let inspected = ours().arg("inspect").arg(path(name)).output();
        assert!(
            inspected.text().contains("said to be sealed with SHA256:"),
            "{inspected:?}"
        );
    }
}

/// A SealedSecret under a key that is not at hand.
fn sealed_for_another() -> String {
    super::Pair::new("third")
        .ours()
        .args(["-o", "yaml"])
        .stdin(secret("z"))
        .ok()
}

#[test]
fn inspection_without_keys_finds_what_is_wrong() {
    let inspect = |text: &str| ours().args(["inspect", "-o", "json"]).stdin(text).output();
    let good = pair().ours().stdin(secret("db")).ok();
    let output = inspect(&good);
    assert_eq!(output.code(), 0, "{output:?}");
    let report = &json(&output.text())[0];
    assert_eq!(
        (&report["scope"], &report["name"]),
        (&"strict".into(), &"db".into())
    );
    assert_eq!(
        (&report["items"][0]["bytes"], &report["items"][0]["keyBits"]),
        (&7.into(), &2048.into())
    );
    let value = json(&good)["spec"]["encryptedData"]["password"]
        .as_str()
        .expect("sealed")
        .to_owned();
    for (from, to, words) in [
        (value.as_str(), "AQ==", "cut off"),
        (value.as_str(), "no base64!", "not base64"),
        (&value[..4], "AAAA", "bits"),
        (
            "\"name\": \"db\",\n        \"namespace\"",
            "\"name\": \"other\",\n        \"namespace\"",
            "template's name",
        ),
        ("\"SealedSecret\"", "\"Secret\"", "not a SealedSecret"),
    ] {
        let output = inspect(&good.replace(from, to));
        assert_eq!(output.code(), 1, "{words}: {output:?}");
        assert!(output.text().contains(words), "{words}: {}", output.text());
    }
    // A file in which there is none does not pass as good.
    let folder = folder();
    for (name, text) in [
        ("good", good.as_str()),
        ("empty", "# nothing\n"),
        ("map", "kind: ConfigMap\n"),
    ] {
        fs::write(folder.path().join(name), text).expect("written");
    }
    let files = |names: &[&str]| {
        let output = ours()
            .arg("inspect")
            .args(names.iter().copied())
            .folder(folder.path())
            .output();
        (output.code(), output.text() + &output.stderr)
    };
    let none = "no sealed secrets found in the input";
    for (names, words) in [
        (
            &["good", "empty"][..],
            "empty, empty\n  problem     there is no SealedSecret in it",
        ),
        (&["empty"], none),
        (&["map"], none),
        (&["empty", "map"], none),
        (&["good", "map"], "1 of 2 documents have problems"),
    ] {
        let (code, said) = files(names);
        assert!(code == 1 && said.contains(words), "{names:?}: {said}");
    }
    let with = |cert: &Path| {
        ours()
            .arg("inspect")
            .arg("--cert")
            .arg(cert)
            .stdin(good.as_str())
            .output()
            .code()
    };
    assert_eq!((with(&pair().cert), with(&other_pair().cert)), (0, 1));
}
