//! Documents made at random cross between both programs: what one closes the other opens, to the same bytes.

use std::fs;

use decryptor::format::Format;
use decryptor::sops::metadata::Metadata;
use decryptor::sops::rules::{Rules, Selection};
use decryptor::sops::{Closing, Encrypted, Plain};
use futures::executor::block_on;
use keys::backend::{age, pgp};
use keys::groups::{KeyGroup, KeyGroups};
use keys::{DataKey, DecryptionOrder};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::json;
use testkit::{cli, peer};

use crate::pgp::Keyring;

mod documents;
mod lossless;
mod yaml;

/// Who can open a document.
#[derive(Clone, Copy, Debug)]
enum Keys {
    Age,
    Pgp,
    /// Two groups, both of which it takes; the second has a key of either kind.
    Shamir,
}

/// A document and what it is closed with.
#[derive(Clone, Debug)]
struct Case {
    text: Vec<u8>,
    rule: Option<(&'static str, &'static str)>,
    keys: Keys,
    only_encrypted: bool,
}

/// The rules that documents are closed by; keys and comments made at random have some of these words.
const RULES: [Option<(&str, &str)>; 7] = [
    None,
    Some(("unencrypted_suffix", "_c")),
    Some(("encrypted_suffix", "_e")),
    Some(("unencrypted_regex", "^b|_c$")),
    Some(("encrypted_regex", "^(a|data)")),
    Some(("unencrypted_comment_regex", "open")),
    Some(("encrypted_comment_regex", "hide")),
];

/// The same cases each time, unless `PROPTEST_CASES` asks for more: then those, and others behind them.
pub(crate) fn runner(cases: u32) -> TestRunner {
    let asked = std::env::var("PROPTEST_CASES").ok();
    let asked = asked.and_then(|text| text.parse().ok()).unwrap_or(0);
    let config = ProptestConfig {
        cases: cases.max(asked),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let algorithm = config.rng_algorithm;
    let rng = proptest::test_runner::TestRng::deterministic_rng(algorithm);
    TestRunner::new_with_rng(config, rng)
}

/// Documents of a format, as they are compared with sops.
pub(crate) fn documents_of(format: Format) -> BoxedStrategy<Vec<u8>> {
    match format {
        Format::Yaml => yaml::stream().boxed(),
        Format::Json => documents::json().boxed(),
        Format::Dotenv => documents::dotenv().boxed(),
        Format::Ini => documents::ini().boxed(),
        Format::Binary => documents::binary().boxed(),
    }
}

fn cross_all(format: Format, cases: u32, text: impl Strategy<Value = Vec<u8>>) {
    let desk = Desk::new(format);
    let keys = prop_oneof![6 => Just(Keys::Age), 1 => Just(Keys::Pgp), 3 => Just(Keys::Shamir)];
    let case = (text, select(&RULES[..]), keys, any::<bool>());
    let case = case.prop_map(|(text, rule, keys, only_encrypted)| Case {
        text,
        rule,
        keys,
        only_encrypted,
    });
    let crossed = runner(cases).run(&case, |case| {
        desk.cross(&case);
        Ok(())
    });
    crossed.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn yaml_crosses_over() {
    cross_all(Format::Yaml, 70, yaml::stream());
}

#[test]
fn json_crosses_over() {
    cross_all(Format::Json, 30, documents::json());
}

#[test]
fn dotenv_crosses_over() {
    cross_all(Format::Dotenv, 30, documents::dotenv());
}

#[test]
fn ini_crosses_over() {
    cross_all(Format::Ini, 30, documents::ini());
}

#[test]
fn binary_crosses_over() {
    cross_all(Format::Binary, 12, documents::binary());
}

/// Keys of each kind, and a folder with both programs' view of them.
struct Desk {
    ring: Keyring,
    format: Format,
    recipients: [String; 2],
    fingerprint: String,
}

impl Desk {
    fn new(format: Format) -> Self {
        let mut ring = Keyring::new();
        let identities = [(); 2].map(|()| cli::run(peer::AGE_KEYGEN.path()).ok());
        let recipients = identities.each_ref().map(|text| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("# public key: "));
            line.expect("age-keygen names the recipient").to_owned()
        });
        let file = ring.0.write("key.txt", &identities.concat());
        ring.0
            .variables
            .insert("SOPS_AGE_KEY_FILE".to_owned(), file.display().to_string());
        let fingerprint = ring.key("Ann <ann@example.org>", "future-default", "");
        Self {
            ring,
            format,
            recipients,
            fingerprint,
        }
    }

    fn cross(&self, case: &Case) {
        let Some(theirs) = self.their_document(case) else {
            return;
        };
        let reference = self.sops(&["-d"], &theirs);
        // A panic, as over an empty comment in INI.
        if reference.code() == 2 {
            return;
        }
        // It writes documents that it cannot read again, such as -0.0 in clear.
        let reference = (reference.code() == 0).then_some(reference.stdout);

        let key = DataKey::generate();
        let ours = self.close(case, &case.text, self.metadata(case, &key), &key);
        self.check_opened_by_theirs(case, &ours, reference.as_deref());
        self.check_their_edit(case, &ours);

        let Some(reference) = reference else { return };
        let encrypted = self.parse(case, &theirs);
        let groups = &encrypted.metadata().key_groups;
        let order = DecryptionOrder::default();
        let key = block_on(groups.recover(&self.ring.0.env(), &order)).expect("we have the keys");
        let opened = encrypted.open(&key);
        let opened = opened.unwrap_or_else(|e| panic!("{case}: {e}\n{}", lossy(&theirs)));
        // Theirs moves comments when it lays a document out, and then takes them for clear ones itself.
        let warned = self.sops(&["-d"], &theirs).stderr;
        assert!(
            opened.warnings().is_empty() || warned.contains("unencrypted comment"),
            "{case}: {:?}",
            opened.warnings()
        );
        let again = self.close(
            case,
            opened.expose_secret(),
            self.metadata(case, &key),
            &key,
        );
        self.check_opened_by_theirs(case, &again, Some(&reference));
        // A comment that should be encrypted and is not will be.
        if opened.warnings().is_empty() {
            self.check_our_edit(case, &encrypted, &opened, &key);
        }
        self.check_converted(case, &opened, &theirs);
    }

    /// What the original makes of a text. Returns `None` if it refuses it.
    fn their_document(&self, case: &Case) -> Option<Vec<u8>> {
        let rule = case.rule.filter(|_| self.format != Format::Binary);
        let mut entry = json!({"mac_only_encrypted": case.only_encrypted});
        if let Some((name, text)) = rule {
            entry[name] = json!(text);
        }
        let [one, two] = &self.recipients;
        let keys = match case.keys {
            Keys::Age => ("age", json!(one)),
            Keys::Pgp => ("pgp", json!(self.fingerprint)),
            Keys::Shamir => {
                entry["shamir_threshold"] = json!(2);
                let second = json!({"age": [two], "pgp": [self.fingerprint]});
                ("key_groups", json!([{"age": [one]}, second]))
            }
        };
        entry[keys.0] = keys.1;
        let config = json!({"creation_rules": [entry]});
        self.ring.0.write(".sops.yaml", &config.to_string());
        let closed = self.sops(&["-e"], &case.text);
        (closed.code() == 0).then_some(closed.stdout)
    }

    fn metadata(&self, case: &Case, key: &DataKey) -> Metadata {
        let mut rules = match case.rule {
            Some((name, text)) => Rules::new(Selection::of(name, text).expect("a rule")),
            None => Rules::default(),
        };
        rules.mac_only_encrypted = case.only_encrypted;
        let [one, two] = &self.recipients;
        let age = |text| age::BACKEND.parse_list(text).expect("a recipient");
        let pgp = || {
            pgp::BACKEND
                .parse_list(&self.fingerprint)
                .expect("a fingerprint")
        };
        let mut groups = match case.keys {
            Keys::Age => KeyGroups::one(age(one)),
            Keys::Pgp => KeyGroups::one(pgp()),
            Keys::Shamir => KeyGroups {
                groups: vec![
                    KeyGroup::new(age(one)),
                    KeyGroup::new(age(two).into_iter().chain(pgp())),
                ],
                threshold: 2,
            },
        };
        block_on(groups.wrap(key, &self.ring.0.env())).expect("it wraps");
        Metadata::new(rules, groups)
    }

    fn close(&self, case: &Case, text: &[u8], metadata: Metadata, key: &DataKey) -> Encrypted {
        let closing = Closing {
            metadata,
            now: "2024-01-02T03:04:05Z",
            previous: None,
        };
        let plain = Plain::parse(text, self.format)
            .unwrap_or_else(|e| panic!("{case}: {e}\n{}", lossy(text)));
        let closed = plain.close(key, closing);
        closed.unwrap_or_else(|e| panic!("{case}: {e}\n{}", lossy(text)))
    }

    fn parse(&self, case: &Case, text: &[u8]) -> Encrypted {
        let read = Encrypted::parse(text, self.format);
        read.unwrap_or_else(|e| panic!("{case}: {e}\n{}", lossy(text)))
    }

    /// The original opens it, and prints what it prints of its own document.
    fn check_opened_by_theirs(&self, case: &Case, ours: &Encrypted, reference: Option<&[u8]>) {
        let opened = self.sops(&["-d"], ours.as_bytes());
        let whole = lossy(ours.as_bytes());
        assert_eq!(opened.code(), 0, "{case}: {}\n{whole}", opened.stderr);
        if let Some(reference) = reference {
            let same = self.values(&opened.stdout) == self.values(reference);
            let printed = lossy(&opened.stdout);
            assert!(same, "{case}: {printed}\n{}\n{whole}", lossy(reference));
        }
        // Comments that theirs cannot open in its own document, because it moved them, stay as they are in ours.
        let has_sealed = |text: &[u8]| lossy(text).contains("ENC[AES256_GCM");
        assert!(
            !has_sealed(&opened.stdout) || reference.is_some_and(has_sealed),
            "{case}: {}\n{whole}",
            lossy(&opened.stdout)
        );
    }

    /// Comments of YAML may stand elsewhere: ours stay comments in lists, theirs are items there. Those of INI may have
    /// another mark.
    fn values(&self, text: &[u8]) -> String {
        let text = lossy(text);
        let lines = text.lines();
        match self.format {
            Format::Yaml => lines
                .filter(|line| !line.trim_start().starts_with('#'))
                .map(|line| line.split_once(" #").map_or(line, |(value, _)| value))
                .collect::<Vec<_>>()
                .join("\n"),
            Format::Ini => lines
                .map(|line| match line.strip_prefix(['#', ';']) {
                    Some(comment) => comment.trim_start_matches(['#', ';', ' ']),
                    None => line,
                })
                .collect::<Vec<_>>()
                .join("\n"),
            _ => text,
        }
    }

    /// An edit of theirs by ours that changes no value changes the MAC and its time only.
    fn check_our_edit(&self, case: &Case, theirs: &Encrypted, opened: &Plain, key: &DataKey) {
        let closing = Closing {
            metadata: theirs.metadata().copy().expect("the same"),
            now: "2024-01-02T03:04:05Z",
            previous: Some(theirs),
        };
        let plain = Plain::parse(opened.expose_secret(), self.format).expect("ours");
        let again = plain.close(key, closing);
        let again = again.unwrap_or_else(|e| panic!("{case}: {e}"));
        let (before, after) = (lossy(theirs.as_bytes()), lossy(again.as_bytes()));
        assert_eq!(
            before.lines().count(),
            after.lines().count(),
            "{case}: {before}\n{after}"
        );
        for (before_line, after_line) in before.lines().zip(after.lines()) {
            let is_expected = before_line.contains("mac") || before_line.contains("lastmodified");
            // Theirs may move a comment behind the name of its metadata.
            let is_expected = is_expected || before_line.starts_with("sops:");
            let is_same = before_line == after_line;
            assert!(is_same || is_expected, "{case}: {before}\n{after}");
        }
    }

    /// An edit of ours by theirs that changes no value keeps all ciphertexts but the MAC. Theirs gives several places of
    /// equal values one nonce: never with another text.
    fn check_their_edit(&self, case: &Case, ours: &Encrypted) {
        let path = match self.format {
            Format::Binary => return,
            Format::Ini => "[\"pin\"][\"pin\"]",
            _ => "[\"pin\"]",
        };
        let file = self.file(ours.as_bytes());
        let run = self.ring.0.run(&peer::SOPS);
        let output = run
            .args(["set"])
            .arg(file.clone())
            .args([path, "\"pinned\""])
            .output();
        assert_eq!(output.code(), 0, "{case}: {}", output.stderr);
        let edited = fs::read(file).expect("it was written");
        let (before, after) = (sealed(ours.as_bytes()), sealed(&edited));
        assert!(!after.is_empty(), "{case}");
        let is_value = |value: &&String| !value.ends_with("type:comment]");
        for value in after.iter().filter(is_value) {
            // The MAC is under another time.
            let is_mac = lossy(&edited).contains(&format!("mac: {value}"))
                || lossy(&edited).contains(&format!("\"mac\": \"{value}\""))
                || lossy(&edited).contains(&format!("mac={value}"))
                || lossy(&edited)
                    .lines()
                    .any(|line| line.starts_with("mac ") && line.contains(value.as_str()));
            assert!(
                is_mac || before.contains(value),
                "{case}: {value}\n{}\n{}",
                lossy(ours.as_bytes()),
                lossy(&edited)
            );
        }
        self.parse(case, &edited);
    }

    /// In another format, it is byte for byte what the original writes.
    fn check_converted(&self, case: &Case, opened: &Plain, theirs: &[u8]) {
        let target = match self.format {
            Format::Binary => return,
            Format::Yaml if lossy(theirs).contains("\n---\n") => return,
            Format::Json => Format::Yaml,
            _ => Format::Json,
        };
        let converted = self.sops(&["-d", "--output-type", target.name()], theirs);
        match opened.convert(target) {
            Err(_) => assert_ne!(converted.code(), 0, "{case}"),
            // Line breaks at the beginning, and characters past U+FFFF or like line breaks, are written in another way.
            Ok(_)
                if converted.text().contains('\u{2028}')
                    || converted.text().contains("\\U")
                    || converted.text().contains("|4") => {}
            Ok(ours) => assert_eq!(lossy(ours.expose_secret()), converted.text(), "{case}"),
        }
    }

    fn file(&self, text: &[u8]) -> std::path::PathBuf {
        let ending = match self.format {
            Format::Dotenv => "env",
            Format::Binary => "bin",
            format => format.name(),
        };
        let file = self.ring.0.path(&format!("a.{ending}"));
        fs::write(&file, text).expect("the folder is ours");
        file
    }

    fn sops(&self, args: &[&str], text: &[u8]) -> cli::Output {
        let file = self.file(text);
        let run = self.ring.0.run(&peer::SOPS);
        run.args(args.iter().copied()).arg(file).output()
    }
}

/// All encrypted values in a text.
fn sealed(text: &[u8]) -> Vec<String> {
    let text = lossy(text);
    let values = text.split("ENC[").skip(1);
    let whole = values.map(|rest| format!("ENC[{}]", rest.split(']').next().unwrap_or("")));
    whole.collect()
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            text,
            rule,
            keys,
            only_encrypted,
        } = self;
        write!(
            f,
            "{rule:?} {keys:?} {only_encrypted}\n{}\n---------",
            lossy(text)
        )
    }
}
