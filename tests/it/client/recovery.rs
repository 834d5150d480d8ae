//! Opening SealedSecrets with private keys at hand.

use std::{fs, os::unix::fs::PermissionsExt};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{folder, json, other_pair, ours, pair, read, secret, theirs};

fn key_secret(key: &str, cert: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": "k"},
        "data": {"tls.key": STANDARD.encode(key), "tls.crt": STANDARD.encode(cert)},
    })
}

#[test]
fn what_either_client_sealed_is_recovered_by_either() {
    for sealed in [
        pair().ours().stdin(secret("db")).ok(),
        pair().theirs().stdin(secret("db")).ok(),
    ] {
        let recover = ["--recovery-unseal", "--recovery-private-key"];
        let by_ours = ours()
            .args(recover)
            .arg(&pair().key)
            .stdin(sealed.as_str())
            .ok();
        let by_theirs = theirs()
            .args(recover)
            .arg(&pair().key)
            .stdin(sealed.as_str())
            .ok();
        let (mut by_ours, mut by_theirs) = (json(&by_ours), json(&by_theirs));
        assert_eq!(by_ours["data"]["password"], "aHVudGVyMg==");
        // Theirs names an owner without an identity, and no API server takes that.
        assert_eq!(by_ours["metadata"].get("ownerReferences"), None);
        by_theirs["metadata"]
            .as_object_mut()
            .expect("a mapping")
            .remove("ownerReferences");
        for object in [&mut by_ours, &mut by_theirs] {
            object["metadata"]
                .as_object_mut()
                .expect("a mapping")
                .retain(|_, value| !value.is_null());
        }
        assert_eq!(by_ours, by_theirs);
    }
}

#[test]
fn every_document_is_recovered_and_each_from_its_own_key() {
    let sealed = pair().ours().args(["-o", "yaml"]).stdin(secret("a")).ok()
        + &other_pair()
            .theirs()
            .args(["-o", "yaml"])
            .stdin(secret("b"))
            .ok();
    let both = format!("{},{}", pair().key.display(), other_pair().key.display());
    let text = ours()
        .args([
            "--recovery-unseal",
            "-oyaml",
            "--recovery-private-key",
            &both,
        ])
        .stdin(sealed.as_str())
        .ok();
    assert_eq!(text.matches("password: aHVudGVyMg==").count(), 2, "{text}");
    let output = ours()
        .args(["--recovery-unseal", "--recovery-private-key"])
        .arg(&pair().key)
        .stdin(sealed)
        .output();
    assert_eq!(output.code(), 1);
    assert!(output.stdout.is_empty(), "all or nothing");
    assert!(
        output.stderr.contains("document 2")
            && output
                .stderr
                .contains("no key could decrypt secret (password)"),
        "{}",
        output.stderr
    );
}

#[test]
fn keys_come_in_every_form_that_backups_have() {
    let folder = folder();
    let [mine, other] =
        [pair(), other_pair()].map(|pair| key_secret(&read(&pair.key), &read(&pair.cert)));
    let list =
        |kind: &str| json!({"apiVersion": "v1", "kind": kind, "items": [other, mine]}).to_string();
    let forms = [
        read(&pair().key),
        format!("a note before it\n{}", read(&pair().key)),
        mine.to_string(),
        format!("{other}\n{mine}"),
        list("List"),
        list("SecretList"),
    ];
    let sealed = pair().ours().stdin(secret("db")).ok();
    for form in forms {
        let path = folder.path().join("keys");
        fs::write(&path, &form).expect("written");
        let text = ours()
            .args(["--recovery-unseal", "--recovery-private-key"])
            .arg(&path)
            .stdin(sealed.as_str())
            .ok();
        assert!(text.contains("aHVudGVyMg=="), "{form}");
    }
}

#[test]
fn what_is_no_sealed_secret_is_named_by_its_place() {
    let output = ours()
        .args(["--recovery-unseal", "--recovery-private-key"])
        .arg(&pair().key)
        .stdin(secret("db"))
        .output();
    let said = "error: document 1 (line 1): it is a Secret, not a SealedSecret";
    assert!(
        output.code() == 1 && output.stderr.starts_with(said),
        "{}",
        output.stderr
    );
}

#[test]
fn without_a_key_the_message_is_the_known_one() {
    let sealed = pair().ours().stdin(secret("db")).ok();
    let output = ours().arg("--recovery-unseal").stdin(sealed).output();
    assert_eq!(output.code(), 1);
    assert!(
        output.stderr.starts_with(
            "error: no key could decrypt secret (password)\nhint: no private key was given"
        ),
        "{}",
        output.stderr
    );
}

#[test]
fn recovered_values_in_a_file_are_for_its_owner_only() {
    let folder = folder();
    let out = folder.path().join("secret.yaml");
    fs::write(&out, "before").expect("written");
    fs::set_permissions(&out, fs::Permissions::from_mode(0o644)).expect("set");
    let sealed = pair().ours().stdin(secret("db")).ok();
    ours()
        .args(["--recovery-unseal", "--recovery-private-key"])
        .arg(&pair().key)
        .arg("-w")
        .arg(&out)
        .stdin(sealed)
        .ok();
    assert!(read(&out).contains("aHVudGVyMg=="));
    assert_eq!(
        fs::metadata(&out)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
}
