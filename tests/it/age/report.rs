//! What we say when nothing opens is what sops says: scripts read it.

use super::{Person, age_key, ssh_key};

#[track_caller]
fn says_the_same(person: &Person, document: &serde_json::Value) {
    let theirs = person.decrypts(document);
    assert_eq!(theirs.code(), 128, "{}", theirs.stderr);
    let ours = person.recover(document).expect_err("nothing opens it");
    assert_eq!(format!("{ours}\n"), theirs.stderr);
}

#[test]
fn empty_places_are_listed() {
    let [(_, one), (_, two)] = [age_key(&[]), age_key(&["-pq"])];
    let person = Person::new();
    let document = person.encrypted(&["--age", &format!("{one},{two}")]);
    says_the_same(&person, &document);
}

#[test]
fn what_does_not_match_is_told_from_what_is_missing() {
    let [(other, _), (another, _)] = [age_key(&[]), age_key(&[])];
    let person = Person::new();
    let document = person.encrypted(&["--age", &age_key(&[]).1]);
    let person = person.with("SOPS_AGE_KEY", other.as_str());
    says_the_same(&person, &document);
    let person = person.with("SOPS_AGE_KEY", format!("{other}\n{another}"));
    says_the_same(&person, &document);
    let settings = person.write(".config/sops/age/keys.txt", "# none yet\n");
    says_the_same(&person, &document);
    // Of two places that hold nothing sops lists either first.
    std::fs::remove_file(settings).expect("it was just written");
    let person = person.with("SOPS_AGE_KEY", "");
    ssh_key(
        &person.path(".ssh/id_ed25519"),
        &["-t", "ed25519", "-N", ""],
    );
    says_the_same(&person, &document);
}

#[test]
fn what_cannot_be_loaded_is_said() {
    let person = Person::new();
    let document = person.encrypted(&["--age", &age_key(&[]).1]);
    for (name, value) in [
        ("SOPS_AGE_KEY", "junk"),
        ("SOPS_AGE_KEY_FILE", "/no/such/file"),
        ("SOPS_AGE_KEY_CMD", "false"),
        ("SOPS_AGE_KEY_CMD", "no-such-program"),
        ("SOPS_AGE_SSH_PRIVATE_KEY_CMD", "false"),
        ("SOPS_AGE_SSH_PRIVATE_KEY_FILE", "/no/such/file"),
    ] {
        let person = Person {
            folder: tempfile::TempDir::new().expect("a folder can be made"),
            variables: person.variables.clone(),
        }
        .with(name, value);
        says_the_same(&person, &document);
    }
}

#[test]
fn groups_are_reported_each() {
    let keys = [age_key(&[]), age_key(&[]), age_key(&[])];
    let [one, two, three] = keys.each_ref().map(|(_, recipient)| recipient.as_str());
    let person = Person::new();
    let config = serde_json::json!({"creation_rules": [{"shamir_threshold": 2, "key_groups": [
        {"age": [one, two]}, {"age": [three]},
    ]}]});
    person.write(".sops.yaml", &config.to_string());
    let document = person.encrypted(&[]);
    let person = person.with("SOPS_AGE_KEY", keys[1].0.as_str());
    says_the_same(&person, &document);
}
