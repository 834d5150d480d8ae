//! Keys of Vault's transit engine, on a real server: both programs open what the other one closed.

use std::fs;

use serde_json::json;
use testkit::pki::Authority;
use testkit::vault::{self, ROOT, Vault};

mod allowed;
mod counted;
mod desk;
mod logins;
mod sessions;
mod spelling;
mod trouble;

use desk::{Desk, TEXT, unwrapped};

#[test]
fn both_programs_open_what_the_other_one_closed() {
    let vault = vault::shared();
    let desk = Desk::new(vault, ROOT);
    let key = vault.key("crossed");
    for ours_closes in [true, false] {
        desk.write("a.yaml", TEXT);
        let args = ["encrypt", "-i", "--hc-vault-transit", &key, "a.yaml"];
        match ours_closes {
            true => desk.ours(&args).ok(),
            false => desk.theirs(&args).ok(),
        };
        let closed = desk.read("a.yaml");
        assert!(
            closed.contains("enc: vault:v1:")
                && closed.contains(&format!("vault_address: {}", vault.address)),
            "{closed}"
        );
        assert!(!closed.contains("hunter2"));
        assert_eq!(desk.ours(&["decrypt", "a.yaml"]).ok(), TEXT);
        assert_eq!(desk.theirs(&["decrypt", "a.yaml"]).ok(), TEXT);
        // A change keeps the key, and a rotation asks for it again.
        desk.ours(&["set", "a.yaml", "[\"user\"]", "\"other\""])
            .ok();
        desk.ours(&["rotate", "-i", "a.yaml"]).ok();
        let opened = desk.theirs(&["decrypt", "a.yaml"]).ok();
        assert!(opened.contains("user: other"), "{opened}");
    }
    // Kept versions of the key open, too.
    vault.ask("POST", "transit/keys/crossed/rotate", &json!({}));
    assert!(desk.ours(&["decrypt", "a.yaml"]).ok().contains("hunter2"));
    desk.ours(&["rotate", "-i", "a.yaml"]).ok();
    assert!(desk.read("a.yaml").contains("enc: vault:v2:"));
}

#[test]
fn a_configuration_names_keys_of_vault() {
    let vault = vault::shared();
    let desk = Desk::new(vault, ROOT);
    let key = vault.key("configured");
    for rule in [
        format!("hc_vault_transit_uri: {key}"),
        format!("key_groups:\n  - hc_vault: ['{key}']"),
    ] {
        desk.write(".sops.yaml", &format!("creation_rules:\n- {rule}\n"));
        desk.write("a.yaml", TEXT);
        desk.ours(&["encrypt", "-i", "a.yaml"]).ok();
        let part = ["decrypt", "--extract", "[\"password\"]", "a.yaml"];
        assert_eq!(desk.theirs(&part).ok(), "hunter2");
    }
    // And `updatekeys` brings documents to another one.
    let other = vault.key("configured-anew");
    let rule = format!("creation_rules:\n- hc_vault_transit_uri: {other}\n");
    desk.write(".sops.yaml", &rule);
    desk.ours(&["updatekeys", "-y", "a.yaml"]).ok();
    let closed = desk.read("a.yaml");
    assert!(closed.contains("key_name: configured-anew"), "{closed}");
    assert!(desk.theirs(&["decrypt", "a.yaml"]).ok().contains("hunter2"));
}

#[test]
fn an_engine_may_stand_anywhere_and_its_keys_share_a_document_with_others() {
    let vault = vault::shared();
    vault.ask(
        "POST",
        "sys/mounts/team/a/keys",
        &json!({"type": "transit"}),
    );
    let desk = Desk::new(vault, ROOT);
    let keys = [
        format!("{}/v1/team/a/keys/keys/deep", vault.address),
        vault.key("beside"),
    ];
    let output = desk.encrypt(&keys.join(","));
    assert!(output.status.success(), "{}", output.stderr);
    assert!(desk.read("a.yaml").contains("engine_path: team/a/keys\n"));
    assert!(desk.theirs(&["decrypt", "a.yaml"]).ok().contains("hunter2"));
    // Either is enough.
    for gone in ["transit/keys/beside", "team/a/keys/keys/deep"] {
        let config = format!("{gone}/config");
        vault.ask("POST", &config, &json!({"deletion_allowed": true}));
    }
    vault.ask("DELETE", "transit/keys/beside", &json!(null));
    assert_eq!(desk.ours(&["decrypt", "a.yaml"]).ok(), TEXT);
    vault.ask("DELETE", "team/a/keys/keys/deep", &json!(null));
    let output = desk.ours(&["decrypt", "a.yaml"]).output();
    assert_eq!(output.code(), 128);
    let said = unwrapped(&output.stderr);
    assert!(said.contains("encryption key not found"), "{said}");
}

#[test]
fn certificates_are_checked_against_the_authority_that_is_named() {
    let vault = Vault::start_with_certificate();
    let key = vault.key("over-tls");
    let authority = vault.authority().to_str().expect("text").to_owned();
    let desk = Desk::with(
        &vault,
        &[("VAULT_TOKEN", ROOT), ("VAULT_CACERT", &authority)],
    );
    let output = desk.encrypt(&key);
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(desk.ours(&["decrypt", "a.yaml"]).ok(), TEXT);
    assert!(desk.theirs(&["decrypt", "a.yaml"]).ok().contains("hunter2"));
    let of_the_system = Desk::with(
        &vault,
        &[("VAULT_TOKEN", ROOT), ("SSL_CERT_FILE", &authority)],
    );
    let output = of_the_system.encrypt(&key);
    assert!(output.status.success(), "{}", output.stderr);
    let stranger = desk.path("stranger.pem");
    fs::write(&stranger, Authority::new("stranger").certificate()).expect("written");
    for variables in [
        &[("VAULT_CACERT", stranger.to_str().expect("text"))][..],
        &[("SSL_CERT_FILE", stranger.to_str().expect("text"))],
        &[],
    ] {
        let other = Desk::with(&vault, &[&[("VAULT_TOKEN", ROOT)], variables].concat());
        fs::copy(desk.path("a.yaml"), other.path("a.yaml")).expect("copied");
        let output = other.ours(&["decrypt", "a.yaml"]).output();
        assert_eq!(output.code(), 128);
        let said = unwrapped(&output.stderr);
        let reason = "invalid peer certificate: UnknownIssuer (VAULT_CACERT names";
        assert!(said.contains(reason), "{variables:?} {said}");
    }
}
