//! Data keys under age keys: what sops wrapped we unwrap, and what we wrap sops unwraps.

use std::{fs, path::Path};

use futures::executor::block_on;
use keys::{
    DataKey, DecryptionOrder, Env, KeyGroups,
    backend::{self, BACKENDS},
    groups::{KeyEntry, KeyGroup},
    master_key::{Fields, Wrapped},
};
use serde_json::{Value, json};
use testkit::{cli, peer};

use crate::person::{Person, SECRET};

mod hangs;
mod kit;
mod prompts;
mod report;
mod sources;

impl Person {
    fn recover(&self, document: &Value) -> Result<DataKey, String> {
        recover(document, &self.env())
    }
}

fn recover(document: &Value, env: &Env) -> Result<DataKey, String> {
    let groups = groups(document);
    block_on(groups.recover(env, &DecryptionOrder::default())).map_err(|error| error.to_string())
}

/// The key groups of a document.
fn groups(document: &Value) -> KeyGroups {
    let sops = &document["sops"];
    let threshold = sops["shamir_threshold"].as_u64().unwrap_or_default();
    let groups = match sops["key_groups"].as_array() {
        Some(groups) => groups.iter().map(group).collect(),
        None => vec![group(sops)],
    };
    KeyGroups {
        groups,
        threshold: usize::try_from(threshold).expect("few groups"),
    }
}

fn group(lists: &Value) -> KeyGroup {
    let entry = |field: &str, entry: &Value| {
        let recipient = entry["recipient"].as_str().expect("text");
        let fields = Fields::default().with("recipient", recipient);
        KeyEntry {
            key: backend::load(field, &fields).expect("a key"),
            wrapped: Some(Wrapped {
                enc: entry["enc"].as_str().expect("text").to_owned(),
                created_at: None,
            }),
        }
    };
    let keys = BACKENDS.iter().flat_map(|backend| {
        let list = lists[backend.field].as_array();
        let entries = list.map(Vec::as_slice).unwrap_or_default();
        entries.iter().map(|one| entry(backend.field, one))
    });
    KeyGroup {
        keys: keys.collect(),
    }
}

/// The document with its data key wrapped anew, by us.
fn wrapped_again(document: &Value, key: &DataKey, env: &Env) -> Value {
    let mut groups = groups(document);
    block_on(groups.wrap(key, env)).expect("all keys wrap");
    let mut document = document.clone();
    let several = groups.groups.len() > 1;
    for (i, group) in groups.groups.iter().enumerate() {
        let entries = group.keys.iter().map(|entry| {
            let recipient = entry.key.to_string();
            let wrapped = entry.wrapped.as_ref().expect("it was just wrapped");
            json!({"recipient": recipient, "enc": wrapped.enc})
        });
        let entries = Value::from(entries.collect::<Vec<_>>());
        let sops = &mut document["sops"];
        let place = if several {
            &mut sops["key_groups"][i]["age"]
        } else {
            &mut sops["age"]
        };
        *place = entries;
    }
    document
}

/// An age identity and its recipient.
fn age_key(args: &[&str]) -> (String, String) {
    let text = cli::run(peer::AGE_KEYGEN.path())
        .args(args.iter().copied())
        .ok();
    let identity = text.lines().last().expect("the identity is the last line");
    let recipient = text
        .lines()
        .find_map(|line| line.strip_prefix("# public key: "));
    (
        identity.to_owned(),
        recipient.expect("the recipient is said").to_owned(),
    )
}

/// An SSH key in `file`; returns its public half.
fn ssh_key(file: &Path, args: &[&str]) -> String {
    fs::create_dir_all(file.parent().expect("it is in a folder")).expect("it can be made");
    cli::run("ssh-keygen")
        .args(["-q", "-C", "ann@example.org", "-f"])
        .arg(file)
        .args(args.iter().copied())
        .ok();
    let public = fs::read_to_string(file.with_extension("pub")).expect("ssh-keygen writes it");
    public.trim().to_owned()
}

/// A recipient and two identities of the plugin; the second asks for a PIN.
fn toy() -> [String; 3] {
    let text = cli::run(peer::go("age-plugin-toy")).ok();
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.try_into().expect("three lines")
}

/// With the plugin's folder in front of `PATH`.
fn with_toy(person: Person) -> Person {
    let program = peer::go("age-plugin-toy");
    let folder = program.parent().expect("it is in a folder").display();
    let path = format!("{folder}:{}", person.variables["PATH"]);
    person.with("PATH", path)
}

/// sops encrypts to the recipient, we unwrap, wrap again, and sops decrypts.
#[track_caller]
fn goes_both_ways(person: &Person, recipient: &str) {
    let document = person.encrypted(&["--age", recipient]);
    let stored = &document["sops"]["age"][0]["recipient"];
    assert_eq!(stored, recipient);
    let key = person
        .recover(&document)
        .expect("we unwrap what sops wrapped");
    let ours = wrapped_again(&document, &key, &person.env());
    assert_ne!(ours, document);
    let opened = person.decrypts(&ours);
    assert_eq!(opened.code(), 0, "{}", opened.stderr);
    let opened: Value = serde_json::from_str(&opened.text()).expect("JSON");
    assert_eq!(opened["password"], "correct horse");
    let again = person.recover(&ours).expect("we unwrap what we wrapped");
    assert_eq!(again.expose_secret(), key.expose_secret());
}

#[test]
fn native_keys_go_both_ways() {
    let (identity, recipient) = age_key(&[]);
    goes_both_ways(&Person::new().with("SOPS_AGE_KEY", identity), &recipient);
}

#[test]
fn post_quantum_keys_go_both_ways() {
    let (identity, recipient) = age_key(&["-pq"]);
    assert!(recipient.starts_with("age1pq1"), "{recipient}");
    goes_both_ways(&Person::new().with("SOPS_AGE_KEY", identity), &recipient);
}

#[test]
fn ssh_keys_go_both_ways() {
    for (name, args) in [
        ("id_ed25519", &["-t", "ed25519", "-N", ""][..]),
        ("id_rsa", &["-t", "rsa", "-b", "2048", "-N", ""]),
        (
            "id_rsa",
            &["-t", "rsa", "-b", "2048", "-N", "", "-m", "PEM"],
        ),
    ] {
        let person = Person::new();
        let recipient = ssh_key(&person.path(".ssh").join(name), args);
        goes_both_ways(&person, &recipient);
        // Without the comment too.
        let words: Vec<_> = recipient.split(' ').take(2).collect();
        goes_both_ways(&person, &words.join(" "));
    }
}

#[test]
fn plugins_go_both_ways() {
    let [recipient, identity, _] = toy();
    let person = with_toy(Person::new().with("SOPS_AGE_KEY", identity));
    goes_both_ways(&person, &recipient);
}

#[test]
fn groups_go_both_ways() {
    let keys = [age_key(&[]), age_key(&["-pq"]), age_key(&[]), age_key(&[])];
    let [one, quantum, two, three] = keys.each_ref().map(|(_, recipient)| recipient.as_str());
    let person = Person::new();
    let config = json!({"creation_rules": [{"shamir_threshold": 2, "key_groups": [
        {"age": [one, quantum]}, {"age": [two]}, {"age": [three]},
    ]}]});
    person.write(".sops.yaml", &config.to_string());
    let document = person.encrypted(&[]);
    let person = person.with("SOPS_AGE_KEY", format!("{} {}", keys[1].0, keys[3].0));
    let key = person.recover(&document).expect("two groups open");
    let ours = wrapped_again(&document, &key, &person.env());
    for (i, j) in [(0, 2), (1, 3), (2, 3)] {
        let other = Person::new().with("SOPS_AGE_KEY", format!("{}\n{}", keys[i].0, keys[j].0));
        let opened = other.decrypts(&ours);
        assert_eq!(opened.code(), 0, "{i} and {j}: {}", opened.stderr);
        let again = other.recover(&ours).expect("two groups open");
        assert_eq!(again.expose_secret(), key.expose_secret());
    }
}

#[test]
fn age_itself_opens_what_we_wrap() {
    for args in [&[][..], &["-pq"]] {
        let (identity, recipient) = age_key(args);
        let person = Person::new();
        let identity = person.write("identity", &identity);
        let mut groups = KeyGroups::one(
            backend::age::BACKEND
                .parse_list(&recipient)
                .expect("a recipient"),
        );
        let key = DataKey::generate();
        block_on(groups.wrap(&key, &person.env())).expect("it wraps");
        let wrapped = groups.groups[0].keys[0].wrapped.as_ref().expect("wrapped");
        assert!(wrapped.enc.ends_with("-----END AGE ENCRYPTED FILE-----\n"));
        let opened = person
            .run(&peer::AGE)
            .args(["-d", "-i"])
            .arg(identity)
            .stdin(wrapped.enc.clone())
            .output();
        assert_eq!(opened.stdout, key.expose_secret(), "{}", opened.stderr);
    }
}

#[test]
fn what_names_no_recipient_is_refused() {
    for text in [
        "",
        "age",
        "age1",
        "age1junk",
        "age1pq1qqqq",
        "age1xyz1qqqq",
        "AGE1QQQQ",
        "ssh-dss AAAA",
        "ssh-rsa AAAA",
        // An RSA key whose exponent is nothing but zeros.
        "ssh-rsa AAAAB3NzaC1yc2EAAAACAAAAAAABAQ==",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA",
        "1022470DE3F0BC54BC6AB62DE05550BC07FB1A0A",
    ] {
        let ours = (backend::age::BACKEND.parse)(text);
        assert!(ours.is_err(), "{text}");
        let person = Person::new();
        let plain = person.write("plain.json", SECRET);
        let theirs = person
            .run(&peer::SOPS)
            .args(["encrypt", "--age", text])
            .arg(plain);
        assert_ne!(theirs.output().code(), 0, "{text}");
    }
}
