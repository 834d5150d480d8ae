//! What one side seals the other opens, value by value; the controllers meet in `swap`.

use std::{collections::BTreeMap, fs, path::PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use decryptor::sealed::{PlainSecret, SealedSecret, seal, unseal};
use keys::{
    KeyRing, Scope, SealingCert, SealingKey,
    sealing::{KeySize, NewKey},
};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};
use testkit::{cli, ours, run_folder};

const SCOPES: [Scope; 3] = [Scope::Strict, Scope::NamespaceWide, Scope::ClusterWide];

/// A key pair in files, as both clients take it.
struct Pair {
    ring: KeyRing,
    cert: SealingCert,
    key_file: PathBuf,
    cert_file: PathBuf,
}

impl Pair {
    fn new(size: KeySize, name: &str) -> Self {
        let (now, lifetime) = (jiff::Timestamp::now(), jiff::SignedDuration::from_hours(24));
        let new = NewKey::generate(size, "", now, lifetime).expect("a key can be made");
        Self::of(&new.key_pem, &new.cert_pem, name)
    }

    fn of(key: &str, cert: &str, name: &str) -> Self {
        let file = |kind: &str, text: &str| {
            let path = run_folder().join(format!("{name}.{kind}"));
            fs::write(&path, text).expect("the folder can be written");
            path
        };
        Self {
            ring: KeyRing::new([(SealingKey::from_pem(key.as_bytes()).expect("a key"), None)]),
            cert: SealingCert::from_pem(cert.as_bytes()).expect("a certificate"),
            key_file: file("key", key),
            cert_file: file("crt", cert),
        }
    }

    /// Opened by the original client: its recovery mode prints the Secret.
    fn their_recovery(&self, sealed: &SealedSecret) -> Value {
        let text = serde_json::to_string(sealed).expect("an object");
        let secret = cli::theirs()
            .args(["--recovery-unseal", "--recovery-private-key"])
            .arg(&self.key_file)
            .stdin(text)
            .ok();
        serde_json::from_str(&secret).expect("kubeseal prints JSON")
    }

    /// Sealed by the original client.
    fn their_sealed(&self, secret: &Value, scope: Scope) -> SealedSecret {
        let text = cli::theirs()
            .args(["--scope", &scope.to_string(), "--cert"])
            .arg(&self.cert_file)
            .stdin(secret.to_string())
            .ok();
        serde_json::from_str(&text).expect("kubeseal prints JSON")
    }
}

fn manifest(data: &BTreeMap<String, Vec<u8>>) -> Value {
    let data: BTreeMap<_, _> = data
        .iter()
        .map(|(key, value)| (key, STANDARD.encode(value)))
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Secret", "data": data, "type": "Opaque",
        "metadata": {"name": "name", "namespace": "ns", "labels": {"l": "1"}, "annotations": {"a": "2"}},
    })
}

fn check_both_ways(pair: &Pair, data: &BTreeMap<String, Vec<u8>>, scope: Scope) {
    let manifest = manifest(data);
    let ours = seal(
        &PlainSecret::from_value(&manifest).expect("a Secret"),
        &pair.cert,
        scope,
    );
    let mut recovered = pair.their_recovery(&ours);
    // Go prints an empty value as null.
    for value in recovered["data"]
        .as_object_mut()
        .expect("a mapping")
        .values_mut()
    {
        if value.is_null() {
            *value = json!("");
        }
    }
    assert_eq!(
        recovered["data"], manifest["data"],
        "ours, opened by theirs"
    );
    let theirs = pair.their_sealed(&manifest, scope);
    let opened = unseal(&theirs, &pair.ring, &Default::default()).expect("theirs, opened by ours");
    let opened: BTreeMap<_, _> = opened
        .data
        .iter()
        .map(|(key, value)| (key.clone(), value.expose_secret().to_vec()))
        .collect();
    assert_eq!(&opened, data);
    assert_eq!(theirs.spec.template, ours.spec.template);
}

#[test]
fn generated_values_cross_in_every_scope() {
    let pair = Pair::new(KeySize::Rsa2048, "generated");
    let value = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        prop::collection::vec(any::<u8>(), 0..5000),
        "\\PC{0,200}".prop_map(String::into_bytes),
    ];
    let data = prop::collection::btree_map("[-._a-zA-Z0-9]{1,40}", value, 1..6);
    let config = ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..Default::default()
    };
    TestRunner::new(config)
        .run(&(data, prop::sample::select(&SCOPES)), |(data, scope)| {
            check_both_ways(&pair, &data, scope);
            Ok(())
        })
        .unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn sizes_up_to_a_mebibyte_cross_under_every_key_size() {
    for (size, name) in [
        (KeySize::Rsa2048, "2048"),
        (KeySize::Rsa3072, "3072"),
        (KeySize::Rsa4096, "4096"),
        (KeySize::Rsa8192, "8192"),
    ] {
        let pair = Pair::new(size, name);
        for length in [0, 1, 190, 1 << 20] {
            let value = (0..length).map(|at| (at % 251) as u8).collect();
            check_both_ways(&pair, &[("k".to_owned(), value)].into(), Scope::Strict);
        }
    }
}

#[test]
fn an_odd_key_size_crosses_too() {
    let [key, cert] = ["rsa2056-pkcs8.pem", "rsa2056.crt"].map(|name| {
        let path = ours::workspace().join("keys/testdata").join(name);
        fs::read_to_string(path).expect("the file is in the checkout")
    });
    let pair = Pair::of(&key, &cert, "odd");
    check_both_ways(
        &pair,
        &[("k".to_owned(), b"v".to_vec())].into(),
        Scope::Strict,
    );
}

/// Stored so that anyone can check the format without the original at hand; made anew with `UPDATE=1`.
#[test]
fn values_that_the_original_sealed_in_the_past_still_open() {
    let folder = ours::workspace().join("tests/vectors/sealed");
    let key_file = folder.join("sealing-key.pem");
    if std::env::var_os("UPDATE").is_some() {
        make_vectors(&folder);
    }
    let key = SealingKey::from_pem(&fs::read(key_file).expect("the key is stored")).expect("a key");
    let ring = KeyRing::new([(key, None)]);
    let mut seen = 0;
    for entry in fs::read_dir(&folder).expect("the vectors are stored") {
        let path = entry.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let vector: Value =
            serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
        let sealed: SealedSecret =
            serde_json::from_value(vector["sealed"].clone()).expect("an object");
        let opened = unseal(&sealed, &ring, &Default::default());
        match &vector["expect"] {
            Value::String(error) => {
                assert_eq!(&opened.expect_err("refused").to_string(), error, "{path:?}")
            }
            expected => {
                let opened = opened.unwrap_or_else(|e| panic!("{path:?}: {e}"));
                let written: Value = serde_json::from_slice(&opened.to_json(None)).expect("JSON");
                assert_eq!(&written["data"], expected, "{path:?}");
            }
        }
        seen += 1;
    }
    assert!(seen >= 9, "{seen} vectors");
}

fn make_vectors(folder: &std::path::Path) {
    fs::create_dir_all(folder).expect("the checkout can be written");
    let new = NewKey::generate(
        KeySize::Rsa2048,
        "",
        jiff::Timestamp::now(),
        jiff::SignedDuration::from_hours(876_000),
    )
    .expect("a key can be made");
    fs::write(folder.join("sealing-key.pem"), &*new.key_pem).expect("written");
    let pair = Pair::of(&new.key_pem, &new.cert_pem, "vectors");
    let data = [
        ("empty".to_owned(), Vec::new()),
        ("text".to_owned(), b"correct horse battery staple".to_vec()),
        ("binary".to_owned(), (0..=255).collect()),
    ];
    let manifest = manifest(&data.into());
    for scope in SCOPES {
        let sealed = serde_json::to_value(pair.their_sealed(&manifest, scope)).expect("an object");
        let write = |name: &str, sealed: &Value, expect: &Value| {
            let vector = json!({"made by": "kubeseal 0.40.0", "expect": expect, "sealed": sealed});
            let text = serde_json::to_string_pretty(&vector).expect("JSON") + "\n";
            fs::write(folder.join(format!("{scope}-{name}.json")), text).expect("written");
        };
        write("as-sealed", &sealed, &manifest["data"]);
        let refused = json!("no key could decrypt secret (binary, empty, text)");
        let mut renamed = sealed.clone();
        renamed["metadata"]["name"] = json!("other");
        let expect = if scope == Scope::Strict {
            &refused
        } else {
            &manifest["data"]
        };
        write("renamed", &renamed, expect);
        let mut moved = sealed;
        moved["metadata"]["namespace"] = json!("other");
        let expect = if scope == Scope::ClusterWide {
            &manifest["data"]
        } else {
            &refused
        };
        write("moved", &moved, expect);
    }
}
