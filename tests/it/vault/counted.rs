//! How often a server is asked.

use std::fs;

use testkit::vault::{self, ROOT};

use super::desk::Desk;

#[test]
fn a_key_is_unwrapped_once_however_many_files_have_it() {
    let vault = vault::shared();
    let desk = Desk::new(vault, ROOT);
    let key = vault.key("counted");
    for (number, name) in ["a.yaml", "b.yaml"].iter().enumerate() {
        desk.write(name, &format!("password: hunter{number}\n"));
        desk.ours(&["encrypt", "-i", "--hc-vault-transit", &key, name])
            .ok();
        for copy in 0..40 {
            let folder = desk.path(&format!("tree/{copy}"));
            fs::create_dir_all(&folder).expect("made");
            fs::copy(desk.path(name), folder.join(name)).expect("copied");
        }
    }
    assert_eq!(vault.calls("transit/encrypt/counted"), 2);
    let output = desk.kubeseal(&["decrypt", "--dry-run", "tree"]).output();
    assert_eq!(output.code(), 0, "{}", output.stderr);
    assert!(
        output.stderr.contains("can decrypt 80 files"),
        "{}",
        output.stderr
    );
    assert_eq!(vault.calls("transit/decrypt/counted"), 2);
    // Another process, with another token, asks for itself.
    let encrypt_only = vault.token("counted", &[("transit/encrypt/counted", "update")]);
    let output = desk
        .kubeseal(&["decrypt", "--dry-run", "tree/0"])
        .env("VAULT_TOKEN", &encrypt_only)
        .output();
    assert_eq!(output.code(), 1);
    assert!(
        output.stderr.contains("permission denied"),
        "{}",
        output.stderr
    );
    assert_eq!(vault.calls("transit/decrypt/counted"), 4);
}
