//! A local keyring in place of a cluster.

use std::{fs, os::unix::fs::PermissionsExt};

use super::{folder, json, ours, read, secret, theirs};

#[test]
fn a_keyring_seals_and_opens_without_a_cluster() {
    let folder = folder();
    let ring = folder.path().join("ring");
    let run = || ours().arg("keyring");
    run()
        .args(["new", "--key-size=2048", "--keyring"])
        .arg(&ring)
        .ok();
    assert_eq!(
        fs::metadata(&ring).expect("made").permissions().mode() & 0o777,
        0o700
    );
    for entry in fs::read_dir(&ring).expect("a folder") {
        let metadata = entry.expect("an entry").metadata().expect("there");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
    let sealed = ours().arg("--keyring").arg(&ring).stdin(secret("db")).ok();
    let opened = ours()
        .args(["unseal", "--keyring"])
        .arg(&ring)
        .stdin(sealed.as_str())
        .ok();
    assert_eq!(json(&opened)["data"]["password"], "aHVudGVyMg==");
    let opened = ours()
        .args(["--recovery-unseal", "--keyring"])
        .arg(&ring)
        .stdin(sealed.as_str())
        .ok();
    assert_eq!(json(&opened)["data"]["password"], "aHVudGVyMg==");
    // A second key seals from now on; the first one still opens.
    let newest = run()
        .args(["new", "--key-size=2048", "--keyring"])
        .arg(&ring)
        .ok();
    let fingerprint = newest.split_whitespace().next().expect("a fingerprint");
    let list = run().args(["list", "--keyring"]).arg(&ring).ok();
    assert_eq!(list.lines().count(), 2);
    assert!(
        list.starts_with(&newest),
        "made in one second or not: {list}"
    );
    assert!(!list.contains("PRIVATE"), "{list}");
    ours()
        .args(["unseal", "--keyring"])
        .arg(&ring)
        .stdin(sealed.as_str())
        .ok();
    let cert = run()
        .args(["cert", fingerprint, "--keyring"])
        .arg(&ring)
        .ok();
    assert!(cert.starts_with("-----BEGIN CERTIFICATE-----"));
    let file = folder.path().join("cert.pem");
    fs::write(&file, cert).expect("written");
    theirs().arg("--cert").arg(&file).stdin(secret("db")).ok();
}

/// The front page's first command; what it shows is what the page shows.
#[test]
fn the_first_command_shows_the_whole_way_as_the_front_page_does() {
    let home = folder();
    let run = || ours().arg("try").env("HOME", home.path()).ok();
    let text = run();
    let page = read(testkit::ours::workspace().join("README.md"));
    let (_, shown) = page
        .split_once("```text\n")
        .expect("it shows what is printed");
    let (shown, _) = shown.split_once("\n```").expect("it ends");
    let varies = |line: &str| {
        ["…", "SHA256:", "/home/"]
            .iter()
            .any(|part| line.contains(part))
    };
    let mut rest = text.lines();
    for line in shown.lines().filter(|line| !varies(line)) {
        assert!(
            rest.any(|printed| printed == line),
            "{line:?} is not there, or not in order\n{text}"
        );
    }
    for line in page
        .lines()
        .filter(|line| line.starts_with("docker build") || line.starts_with("helm install"))
    {
        let command = line.split("  ").next().unwrap_or_default();
        assert!(text.contains(command), "{command}\n{text}");
    }
    assert!(text.contains("correct horse battery staple"));
    assert!(text.contains("Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ=="));
    let keys = || {
        ours()
            .args(["keyring", "list"])
            .env("HOME", home.path())
            .ok()
            .lines()
            .count()
    };
    run();
    assert_eq!(keys(), 1, "the key is there already");
}

#[test]
fn a_passphrase_protects_the_private_key_only() {
    let folder = folder();
    let ring = folder.path().join("ring");
    let word = folder.path().join("passphrase");
    fs::write(&word, "correct horse\n").expect("written");
    ours()
        .args([
            "keyring",
            "new",
            "--key-size=2048",
            "--passphrase",
            "--passphrase-file",
        ])
        .arg(&word)
        .arg("--keyring")
        .arg(&ring)
        .ok();
    let sealed = ours().arg("--keyring").arg(&ring).stdin(secret("db")).ok();
    let unseal = || {
        ours()
            .args(["unseal", "--keyring"])
            .arg(&ring)
            .stdin(sealed.as_str())
    };
    unseal().arg("--passphrase-file").arg(&word).ok();
    unseal()
        .env("SEALED_SECRETS_KEYRING_PASSPHRASE", "correct horse")
        .ok();
    for run in [
        unseal(),
        unseal().env("SEALED_SECRETS_KEYRING_PASSPHRASE", "wrong canary"),
    ] {
        let output = run.output();
        assert_eq!(output.code(), 1);
        assert!(
            output.stdout.is_empty() && !output.stderr.contains("canary"),
            "{output:?}"
        );
    }
    let files: Vec<_> = fs::read_dir(&ring)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert!(
        files
            .iter()
            .all(|path| !read_lossy(path).contains("PRIVATE KEY"))
    );
}

fn read_lossy(path: &std::path::Path) -> String {
    String::from_utf8_lossy(&fs::read(path).expect("a file")).into_owned()
}

#[test]
fn an_empty_keyring_says_how_to_fill_it() {
    let folder = folder();
    let output = ours()
        .arg("--keyring")
        .arg(folder.path())
        .stdin(secret("db"))
        .output();
    assert_eq!(output.code(), 1);
    assert!(
        output
            .stderr
            .contains("hint: make one with `kubeseal keyring new --keyring /"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_key_leaves_the_keyring_only_into_a_new_private_file() {
    let folder = folder();
    let (ring, out) = (folder.path().join("ring"), folder.path().join("key.json"));
    ours()
        .args(["keyring", "new", "--key-size=2048", "--keyring"])
        .arg(&ring)
        .ok();
    let export = || {
        ours()
            .args(["keyring", "export", "-w"])
            .arg(&out)
            .arg("--keyring")
            .arg(&ring)
            .output()
    };
    let output = export();
    assert_eq!(output.code(), 0, "{output:?}");
    assert!(output.stdout.is_empty() && !output.stderr.contains("PRIVATE"));
    assert_eq!(
        fs::metadata(&out).expect("made").permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(export().code(), 1, "it is there already");
    let sealed = ours().arg("--keyring").arg(&ring).stdin(secret("db")).ok();
    let opened = theirs()
        .args(["--recovery-unseal", "--recovery-private-key"])
        .arg(&out)
        .stdin(sealed)
        .ok();
    assert_eq!(json(&opened)["data"]["password"], "aHVudGVyMg==");
    assert!(read(&out).contains("sealed-secrets-key\": \"active"));
}
