//! Keys of Azure Key Vault: both programs open what the other one closed.

use testkit::azure::{Azure, FIRST, TENANT};

mod credentials;
mod desk;
mod trouble;

use desk::{Desk, TEXT, unwrapped};

#[test]
fn both_programs_open_what_the_other_one_closed() {
    let vault = Azure::start();
    let desk = Desk::new(&vault);
    let key = vault.key("crossed");
    let versioned = format!("{key}/{FIRST}");
    for (ours_closes, key) in [
        (true, &key),
        (true, &versioned),
        (false, &key),
        (false, &versioned),
    ] {
        desk.write("a.yaml", TEXT);
        let args = ["encrypt", "-i", "--azure-kv", key, "a.yaml"];
        match ours_closes {
            true => desk.ours(&args).ok(),
            false => desk.theirs(&args).ok(),
        };
        let closed = desk.read("a.yaml");
        for field in [
            format!("vault_url: {}", vault.stub.address),
            "name: crossed".to_owned(),
            format!("version: {FIRST}"),
        ] {
            assert!(closed.contains(&field), "{closed}");
        }
        assert!(closed.contains("created_at: ") && !closed.contains("hunter2"));
        assert_eq!(desk.theirs(&["decrypt", "a.yaml"]).ok(), TEXT);
        assert_eq!(desk.ours(&["decrypt", "a.yaml"]).ok(), TEXT);
        // A change keeps the key, and a rotation asks for it again.
        desk.ours(&["set", "a.yaml", "[\"user\"]", "\"other\""])
            .ok();
        desk.ours(&["rotate", "-i", "a.yaml"]).ok();
        let opened = desk.theirs(&["decrypt", "a.yaml"]).ok();
        assert!(opened.contains("user: other"), "{opened}");
    }
    let asked = desk.read("az.log");
    let wanted = "account get-access-token -o json --resource https://0.0.1:";
    assert!(
        asked
            .lines()
            .all(|line| line.starts_with(wanted) && line.ends_with(&format!("--tenant {TENANT}"))),
        "{asked}"
    );
}

#[test]
fn every_format_and_groups_of_keys_cross() {
    let vault = Azure::start();
    let desk = Desk::new(&vault);
    let key = vault.key("formats");
    for (name, text) in [
        ("a.json", "{\n\t\"user\": \"app\"\n}"),
        ("a.env", "USER=app\n"),
        ("a.ini", "[db]\nuser = app\n"),
        ("a.bin", "\u{1}app\n"),
    ] {
        for ours_closes in [true, false] {
            desk.write(name, text);
            let args = ["encrypt", "-i", "--azure-kv", &key, name];
            match ours_closes {
                true => desk.ours(&args).ok(),
                false => desk.theirs(&args).ok(),
            };
            let ours = desk.ours(&["decrypt", name]).ok();
            assert_eq!(
                ours.trim_end(),
                desk.theirs(&["decrypt", name]).ok().trim_end()
            );
            assert!(ours.contains("app"), "{ours}");
        }
    }
    // Names of fields are others there than in documents.
    let address = &vault.stub.address;
    let one = format!(
        "  - azure_keyvault:\n    - vaultUrl: {address}\n      key: one\n      version: {FIRST}\n"
    );
    let two = format!("  - azure_keyvault:\n    - vaultUrl: {address}\n      key: two\n");
    desk.write(
        ".sops.yaml",
        &format!("creation_rules:\n- key_groups:\n{one}{two}"),
    );
    for ours_closes in [true, false] {
        desk.write("a.yaml", TEXT);
        let args = ["encrypt", "-i", "a.yaml"];
        match ours_closes {
            true => desk.ours(&args).ok(),
            false => desk.theirs(&args).ok(),
        };
        assert!(desk.read("a.yaml").contains("shamir_threshold: 2"));
        assert_eq!(desk.read("a.yaml").matches(FIRST).count(), 2);
        assert_eq!(desk.theirs(&["decrypt", "a.yaml"]).ok(), TEXT);
        assert_eq!(desk.ours(&["decrypt", "a.yaml"]).ok(), TEXT);
    }
}

#[test]
fn a_configuration_names_keys_and_flags_change_them() {
    let vault = Azure::start();
    let desk = Desk::new(&vault);
    let named = |name: &str| format!("{}/{FIRST}", vault.key(name));
    let [configured, anew, added, grouped] = ["configured", "anew", "added", "grouped"].map(named);
    for rule in [
        format!("azure_keyvault: {configured}"),
        format!("azure_keyvault:\n  - {configured}"),
    ] {
        desk.write(".sops.yaml", &format!("creation_rules:\n- {rule}\n"));
        desk.write("a.yaml", TEXT);
        desk.ours(&["encrypt", "-i", "a.yaml"]).ok();
        assert_eq!(desk.theirs(&["decrypt", "a.yaml"]).ok(), TEXT);
    }
    desk.write(
        ".sops.yaml",
        &format!("creation_rules:\n- azure_keyvault: {anew}\n"),
    );
    desk.ours(&["updatekeys", "-y", "a.yaml"]).ok();
    let closed = desk.read("a.yaml");
    assert!(
        closed.contains("name: anew") && !closed.contains("configured"),
        "{closed}"
    );
    std::fs::remove_file(desk.path(".sops.yaml")).expect("it is there");
    desk.ours(&["rotate", "-i", "--add-azure-kv", &added, "a.yaml"])
        .ok();
    assert!(desk.read("a.yaml").contains("name: added"));
    desk.ours(&["rotate", "-i", "--rm-azure-kv", &anew, "a.yaml"])
        .ok();
    assert!(!desk.read("a.yaml").contains("name: anew"));
    let args = [
        "groups",
        "add",
        "-i",
        "--file",
        "a.yaml",
        "--azure-kv",
        &grouped,
    ];
    desk.ours(&args).ok();
    assert_eq!(desk.theirs(&["decrypt", "a.yaml"]).ok(), TEXT);
    desk.write("a.yaml", TEXT);
    let run = desk.ours(&["encrypt", "-i", "a.yaml"]);
    run.env("SOPS_AZURE_KEYVAULT_URLS", format!("{added},{grouped}"))
        .ok();
    let closed = desk.read("a.yaml");
    assert!(
        closed.contains("name: added") && closed.contains("name: grouped"),
        "{closed}"
    );
}

#[test]
fn a_key_is_unwrapped_once_however_many_files_have_it() {
    let vault = Azure::start();
    let desk = Desk::new(&vault);
    desk.encrypt(&vault.key("counted"));
    for copy in 0..80 {
        desk.write(&format!("tree/{copy}.yaml"), &desk.read("a.yaml"));
    }
    let before = (vault.stub.seen().len(), desk.read("az.log").lines().count());
    let output = desk.kubeseal(&["decrypt", "--dry-run", "tree"]).output();
    assert_eq!(output.code(), 0, "{}", output.stderr);
    assert!(
        output.stderr.contains("can decrypt 80 files"),
        "{}",
        output.stderr
    );
    assert_eq!(vault.calls("counted", "decrypt"), 1);
    // One challenge, one login, one call.
    assert_eq!(vault.stub.seen().len(), before.0 + 2);
    assert_eq!(desk.read("az.log").lines().count(), before.1 + 1);
}

#[test]
fn old_versions_of_a_key_still_open() {
    let vault = Azure::start();
    let desk = Desk::new(&vault);
    desk.encrypt(&vault.key("kept"));
    let newer = "fedcba9876543210fedcba9876543210";
    vault.rotate("kept", newer);
    assert_eq!(desk.ours(&["decrypt", "a.yaml"]).ok(), TEXT);
    desk.write("a.yaml", TEXT);
    desk.encrypt(&vault.key("kept"));
    assert!(desk.read("a.yaml").contains(newer));
    assert_eq!(desk.theirs(&["decrypt", "a.yaml"]).ok(), TEXT);
}

#[test]
fn a_key_without_a_version_is_the_one_that_a_document_has() {
    let vault = Azure::start();
    let desk = Desk::new(&vault);
    let key = vault.key("open");
    let rule = format!("creation_rules:\n- azure_keyvault: {key}\n");
    desk.write(".sops.yaml", &rule);
    desk.ours(&["encrypt", "-i", "a.yaml"]).ok();
    desk.ours(&["rotate", "-i", "a.yaml"]).ok();
    vault.rotate("open", "fedcba9876543210fedcba9876543210");
    let closed = desk.read("a.yaml");
    let said = desk.ours(&["updatekeys", "-y", "a.yaml"]).output();
    assert!(
        said.stderr.contains("already up to date"),
        "{}",
        said.stderr
    );
    assert_eq!(desk.read("a.yaml"), closed);
    let output = desk.kubeseal(&["verify", "a.yaml"]).output();
    assert_eq!(output.code(), 0, "{} {}", output.stderr, output.text());
    desk.ours(&["rotate", "-i", "a.yaml"]).ok();
    assert!(desk.read("a.yaml").contains(FIRST));
    // That is how it gets the newest one.
    let args = [
        "rotate",
        "-i",
        "--rm-azure-kv",
        &key,
        "--add-azure-kv",
        &key,
        "a.yaml",
    ];
    desk.ours(&args).ok();
    let closed = desk.read("a.yaml");
    assert!(
        closed.contains("version: fedcba9876543210") && !closed.contains(FIRST),
        "{closed}"
    );
    assert_eq!(desk.theirs(&["decrypt", "a.yaml"]).ok(), TEXT);
}

#[test]
fn a_token_goes_only_where_somebody_allows_it() {
    let vault = Azure::start();
    let closed = Desk::new(&vault);
    let key = format!("{}/{FIRST}", vault.key("allowed"));
    assert!(closed.encrypt(&key).status.success());
    let open = |list: &str| {
        let mut desk = Desk::new(&vault);
        desk.write("a.yaml", &closed.read("a.yaml"));
        desk.variables
            .push(("SOPS_AZURE_KEYVAULT_ALLOWLIST", list.to_owned()));
        let output = desk.ours(&["decrypt", "a.yaml"]).output();
        (output, desk)
    };
    let calls = vault.stub.seen().len();
    for (list, next) in [
        (
            "",
            "it is no vault of Azure; a file names it, and you have not",
        ),
        ("none", "add it there if you trust it"),
        (
            "https://shop.vault.azure.net",
            "add it there if you trust it",
        ),
        (
            "https://shop.vault.azure.net/keys",
            "is not an address such as",
        ),
    ] {
        let (output, desk) = open(list);
        assert_eq!(output.code(), 128);
        let said = unwrapped(&output.stderr);
        assert!(
            said.contains(next) && said.contains("SOPS_AZURE_KEYVAULT_ALLOWLIST"),
            "{said}"
        );
        // Nobody was asked for a token either.
        assert!(!desk.path("az.log").exists());
    }
    assert_eq!(vault.stub.seen().len(), calls);
    // What was typed is allowed for that command.
    let mut desk = Desk::new(&vault);
    desk.variables
        .push(("SOPS_AZURE_KEYVAULT_ALLOWLIST", String::new()));
    assert!(desk.encrypt(&key).status.success());
    assert_eq!(desk.ours(&["decrypt", "a.yaml"]).output().code(), 128);
}
