//! A token goes where a person or an administrator allows it, and nowhere else.

use std::fs;
use std::process::Command;

use testkit::vault::{self, ROOT};

use super::desk::{Desk, Stub, TEXT, answer, unwrapped};

#[test]
fn a_token_goes_only_where_somebody_allows_it() {
    let vault = vault::shared();
    let closed = Desk::new(vault, ROOT);
    assert!(closed.encrypt(&vault.key("allowed")).status.success());
    let open = |variables: &[(&'static str, &str)]| {
        let desk = Desk::bare(&[&[("VAULT_TOKEN", ROOT)], variables].concat());
        fs::copy(closed.path("a.yaml"), desk.path("a.yaml")).expect("copied");
        desk.ours(&["decrypt", "a.yaml"]).output()
    };
    for (refused, next) in [
        (&[][..], "set VAULT_ADDR=http://127.0.0.1:"),
        (&[("VAULT_ADDR", "http://127.0.0.1:1")], "VAULT_ADDR="),
        (&[("SOPS_HC_VAULT_ALLOWLIST", "none")], "add it there"),
        (
            &[
                ("SOPS_HC_VAULT_ALLOWLIST", "https://elsewhere.example"),
                ("VAULT_ADDR", &vault.address),
            ],
            "add it there",
        ),
    ] {
        let output = open(refused);
        assert_eq!(output.code(), 128, "{refused:?}");
        let said = unwrapped(&output.stderr);
        assert!(
            said.contains("no token is sent to http://127.0.0.1:"),
            "{said}"
        );
        assert!(
            said.contains(next) && said.contains("SOPS_HC_VAULT_ALLOWLIST"),
            "{said}"
        );
    }
    for allowed in [
        ("VAULT_ADDR", vault.address.as_str()),
        ("BAO_ADDR", &vault.address),
        ("SOPS_HC_VAULT_ALLOWLIST", &vault.address),
        ("SOPS_HC_VAULT_ALLOWLIST", "all"),
    ] {
        let output = open(&[allowed]);
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            TEXT,
            "{allowed:?} {}",
            output.stderr
        );
    }
}

#[test]
fn a_key_that_was_typed_is_allowed_for_that_command() {
    let vault = vault::shared();
    let key = vault.key("typed");
    let two = format!("{key},{}", vault.key("typed-too"));
    let desk = Desk::bare(&[("VAULT_TOKEN", ROOT)]);
    for (name, args) in [
        (
            "sops",
            &["encrypt", "-i", "--hc-vault-transit", &key, "a.yaml"][..],
        ),
        ("sops", &["-e", "-i", "--hc-vault-transit", &key, "a.yaml"]),
        (
            "kubeseal",
            &["encrypt", "-i", "--hc-vault-transit", &two, "a.yaml"],
        ),
    ] {
        desk.write("a.yaml", TEXT);
        match name {
            "sops" => desk.ours(args).ok(),
            _ => desk.kubeseal(args).ok(),
        };
        assert!(desk.theirs(&["decrypt", "a.yaml"]).ok().contains("hunter2"));
        // Another command has only what the file says.
        let output = desk.ours(&["decrypt", "a.yaml"]).output();
        assert_eq!(output.code(), 128);
        assert!(
            output.stderr.contains("no token is sent"),
            "{}",
            output.stderr
        );
    }
    desk.write("a.yaml", TEXT);
    desk.ours(&["encrypt", "-i", "a.yaml"])
        .env("SOPS_VAULT_URIS", &key)
        .ok();
    assert!(desk.read("a.yaml").contains("enc: vault:v1:"));
    // What was typed does not overrule the administrator's list, as with the original.
    for list in ["none", "https://elsewhere.example"] {
        desk.write("a.yaml", TEXT);
        let args = ["encrypt", "-i", "--hc-vault-transit", &key, "a.yaml"];
        for run in [desk.ours(&args), desk.theirs(&args)] {
            let output = run.env("SOPS_HC_VAULT_ALLOWLIST", list).output();
            assert_ne!(output.code(), 0, "{}", output.stderr);
            assert_eq!(desk.read("a.yaml"), TEXT);
        }
    }
}

#[test]
fn a_key_that_only_a_file_names_gets_no_token() {
    let vault = vault::shared();
    let desk = Desk::bare(&[("VAULT_TOKEN", ROOT)]);
    let rule = format!(
        "creation_rules:\n- hc_vault_transit_uri: {}\n",
        vault.key("filed")
    );
    desk.write(".sops.yaml", &rule);
    for args in [
        &["encrypt", "-i", "a.yaml"][..],
        &["encrypt", "--output", "b.yaml", "a.yaml"],
    ] {
        let output = desk.ours(args).output();
        assert_eq!(output.code(), 1, "{}", output.stderr);
        assert!(
            output.stderr.contains("set VAULT_ADDR=") && !desk.path("b.yaml").exists(),
            "{}",
            output.stderr
        );
        assert_eq!(desk.read("a.yaml"), TEXT);
    }
    assert_eq!(vault.calls("transit/encrypt/filed"), 0);
}

#[test]
fn keys_are_added_to_documents_by_their_names() {
    let vault = vault::shared();
    let desk = Desk::bare(&[("VAULT_TOKEN", ROOT), ("SOPS_AGE_KEY_FILE", "key.txt")]);
    let identity = age::x25519::Identity::generate();
    let secret = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    desk.write("key.txt", &secret);
    let recipient = identity.to_public().to_string();
    desk.ours(&["encrypt", "-i", "--age", &recipient, "a.yaml"])
        .ok();
    let (added, grouped) = (vault.key("added"), vault.key("grouped"));
    desk.ours(&["rotate", "-i", "--add-hc-vault-transit", &added, "a.yaml"])
        .ok();
    assert!(desk.read("a.yaml").contains("key_name: added"));
    let theirs = desk
        .theirs(&["decrypt", "a.yaml"])
        .env("SOPS_AGE_KEY_FILE", "");
    assert!(theirs.ok().contains("hunter2"));
    let rotate = ["rotate", "-i", "--rm-hc-vault-transit", &added, "a.yaml"];
    desk.ours(&rotate).ok();
    assert!(!desk.read("a.yaml").contains("key_name: added"));
    let args = [
        "groups",
        "add",
        "--file",
        "a.yaml",
        "--in-place",
        "--hc-vault-transit",
        &grouped,
    ];
    desk.ours(&args).ok();
    assert!(desk.theirs(&["decrypt", "a.yaml"]).ok().contains("hunter2"));
}

#[test]
fn nothing_is_prepared_for_a_server_that_is_not_asked() {
    let vault = vault::shared();
    let desk = Desk::bare(&[("VAULT_TOKEN", ROOT)]);
    let made = Command::new("mkfifo")
        .arg(desk.path("authorities"))
        .status();
    assert!(made.expect("coreutils are there").success());
    // Whoever read the authorities would wait for ever: nobody writes into that pipe.
    desk.write("a.yaml", TEXT);
    desk.encrypt(&vault.key("unprepared"));
    let text = desk.read("a.yaml").replace("http://", "https://");
    desk.write("a.yaml", &text);
    let run = desk.ours(&["decrypt", "a.yaml"]);
    let output = run.env("SSL_CERT_FILE", "authorities").output();
    assert_eq!(output.code(), 128);
    assert!(
        output.stderr.contains("no token is sent"),
        "{}",
        output.stderr
    );
    let identity = age::x25519::Identity::generate();
    let secret = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    let recipient = identity.to_public().to_string();
    desk.write("b.yaml", TEXT);
    desk.ours(&["encrypt", "-i", "--age", &recipient, "b.yaml"])
        .ok();
    let run = desk.ours(&["decrypt", "b.yaml"]);
    let opened = run
        .env("SOPS_AGE_KEY", &secret)
        .env("SSL_CERT_FILE", "authorities");
    assert_eq!(opened.ok(), TEXT);
}

#[test]
fn a_document_whose_key_names_no_server_opens_with_another_key() {
    let vault = vault::shared();
    let desk = Desk::new(vault, ROOT);
    let identity = age::x25519::Identity::generate();
    let secret = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    let recipient = identity.to_public().to_string();
    let key = vault.key("odd");
    let args = [
        "encrypt",
        "-i",
        "--age",
        &recipient,
        "--hc-vault-transit",
        &key,
        "a.yaml",
    ];
    desk.ours(&args).ok();
    for (before, after) in [
        (vault.address.as_str(), "https://vault.example/prefix"),
        ("key_name: odd", "key_name: ../../sys/seal"),
        ("engine_path: transit", "engine_path: sys?x"),
    ] {
        let text = desk.read("a.yaml").replace(before, after);
        desk.write("b.yaml", &text);
        let output = desk.ours(&["decrypt", "b.yaml"]).output();
        assert_eq!(output.code(), 128);
        let said = unwrapped(&output.stderr);
        assert!(said.contains("of a Vault transit key"), "{said}");
        let opened = desk
            .ours(&["decrypt", "b.yaml"])
            .env("SOPS_AGE_KEY", &secret);
        assert_eq!(opened.ok(), TEXT);
    }
}

#[test]
fn no_redirection_is_followed() {
    let elsewhere = Stub::start(|_, _| answer("200 OK", "{}"));
    let place = elsewhere.address.clone();
    let stub = Stub::start(move |_, _| {
        format!(
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: {place}/v1/x?token=t\r\ncontent-length: 0\r\n\r\n"
        )
    });
    for list in ["", "all"] {
        let mut desk = stub.desk();
        desk.variables
            .push(("SOPS_HC_VAULT_ALLOWLIST", list.to_owned()));
        let output = desk.encrypt(&stub.key());
        assert_eq!(output.code(), 1);
        let said = format!("sends to {}/v1/x; nothing is sent there", elsewhere.address);
        assert!(output.stderr.contains(&said), "{}", output.stderr);
        assert_eq!(desk.read("a.yaml"), TEXT);
    }
    assert_eq!(elsewhere.seen(), Vec::<String>::new());
    assert_eq!(stub.seen().len(), 2);
}
