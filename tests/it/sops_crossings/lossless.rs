//! YAML at random comes back byte for byte, the original reads the same values of it, and one change is one ciphertext.

use std::cell::Cell;

use decryptor::sops::Warning;
use decryptor::sops::path::Path;

use super::*;

/// Documents that are read at once: starting a program costs more than reading one of them.
const BATCH: usize = 40;

const RULE: &str = "encrypted_suffix";

fn closing(rules: Rules) -> Closing<'static> {
    Closing {
        metadata: Metadata::new(rules, KeyGroups::one([])),
        now: "2024-01-02T03:04:05Z",
        previous: None,
    }
}

fn rules(in_part: bool) -> Rules {
    match in_part {
        true => Rules::new(Selection::of(RULE, "_e").expect("a rule")),
        false => Rules::default(),
    }
}

/// A folded block becomes a literal one where a comment stands behind its header.
fn is_kept(text: &str) -> bool {
    let folds = |line: &str| {
        let header = line.split_once(" #").map(|(before, _)| before);
        header.is_some_and(|before| [">", ">-", ">+"].iter().any(|mark| before.ends_with(mark)))
    };
    !text.lines().any(folds)
}

#[test]
fn yaml_comes_back_as_it_was_whatever_its_style() {
    let case = (yaml::repeating(), any::<bool>());
    let compared = Cell::new(0);
    let came_back = runner(800).run(&case, |(text, in_part)| {
        let key = DataKey::generate();
        let plain =
            Plain::parse(&text, Format::Yaml).unwrap_or_else(|e| panic!("{e}\n{}", lossy(&text)));
        let closed = plain.close(&key, closing(rules(in_part)));
        let closed = closed.unwrap_or_else(|e| panic!("{e}\n{}", lossy(&text)));
        let is_written_out = |warning: &Warning| matches!(warning, Warning::AliasWrittenOut(_));
        let opened = closed.open(&key).expect("ours");
        prop_assert_eq!(opened.warnings(), []);
        if is_kept(&lossy(&text)) && !closed.warnings().iter().any(is_written_out) {
            prop_assert_eq!(lossy(opened.expose_secret()), lossy(&text));
            compared.set(compared.get() + 1);
        }
        Ok(())
    });
    came_back.unwrap_or_else(|error| panic!("{error}"));
    assert!(compared.get() > 400, "{}", compared.get());
}

#[test]
fn the_original_reads_the_same_values_of_it() {
    let desk = Desk::new(Format::Yaml);
    let cases = (
        proptest::collection::vec(yaml::repeating_document(), BATCH),
        any::<bool>(),
    );
    let read = runner(4).run(&cases, |(documents, in_part)| {
        let case = Case {
            text: documents.join("---\n").into_bytes(),
            rule: in_part.then_some((RULE, "_e")),
            keys: Keys::Age,
            only_encrypted: false,
        };
        let theirs = desk.their_document(&case).expect("theirs takes it");
        let reference = desk.sops(&["-d"], &theirs);
        prop_assert_eq!(reference.code(), 0, "{}\n{}", reference.stderr, case);
        let key = DataKey::generate();
        let ours = desk.close(&case, &case.text, desk.metadata(&case, &key), &key);
        desk.check_opened_by_theirs(&case, &ours, Some(&reference.stdout));
        Ok(())
    });
    read.unwrap_or_else(|error| panic!("{error}"));
}

/// The ciphertexts of a document without those of its metadata.
fn values(document: &Encrypted) -> Vec<String> {
    let text = lossy(document.as_bytes());
    let body = text.split("\nsops:").next().expect("the first part");
    sealed(body.as_bytes())
}

#[test]
fn one_changed_leaf_is_one_changed_ciphertext() {
    let places = vec![r#"["pin"]"#, r#"["last"]"#];
    let case = (yaml::repeating_document(), select(places), "[a-z]{9}");
    let changed = runner(200).run(&case, |(text, place, new)| {
        let key = DataKey::generate();
        let text = format!("{text}last: one\n");
        let plain = Plain::parse(text.as_bytes(), Format::Yaml).expect("YAML");
        let before = plain.close(&key, closing(Rules::default())).expect("ours");
        let path = Path::parse(place).expect("a path");
        let opened = before.open(&key).expect("ours");
        let set = opened.set(&path, &format!("{new:?}")).expect("it is there");
        let metadata = before.metadata().copy().expect("the same");
        let closing = Closing {
            metadata,
            now: "2024-01-02T03:04:06Z",
            previous: Some(&before),
        };
        let after = set.close(&key, closing).expect("ours");
        let (one, other) = (values(&before), values(&after));
        prop_assert_eq!(one.len(), other.len(), "{}", text);
        let differ = one.iter().zip(&other).filter(|(one, other)| one != other);
        prop_assert_eq!(differ.count(), 1, "{}", text);
        Ok(())
    });
    changed.unwrap_or_else(|error| panic!("{error}"));
}
