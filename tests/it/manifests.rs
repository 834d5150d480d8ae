//! Manifests are read and written as the original reads and writes them.

use decryptor::manifest;
use proptest::prelude::*;
use serde_json::{Map, Value};

use self::original::Original;

mod edits;
mod generators;
mod original;
mod vectors;

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let sorted = entries
                .into_iter()
                .map(|(key, value)| (key.clone(), sorted(value)));
            Value::Object(sorted.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        scalar => scalar.clone(),
    }
}

/// What we read, each document as JSON with sorted keys.
fn ours(text: &str) -> Result<Vec<String>, manifest::ReadError> {
    let documents = manifest::read(text.as_bytes())?;
    Ok(texts(documents.iter().map(manifest::Document::value)))
}

fn texts<'a>(values: impl IntoIterator<Item = &'a Value>) -> Vec<String> {
    let json = |value| String::from_utf8(manifest::write_json(&sorted(value)));
    values
        .into_iter()
        .map(|value| json(value).expect("JSON is UTF-8"))
        .collect()
}

/// What the original reads, documents that are null left out. `None` where it meets an error.
fn theirs(text: &str) -> Option<Vec<String>> {
    let answer = Original::ask("generic", text);
    let documents = answer
        .results
        .into_iter()
        .filter(|document| document != "null\n");
    answer.errors.is_empty().then(|| documents.collect())
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

#[test]
fn scalars_of_every_style_read_as_in_the_original() {
    proptest!(config(1500), |(text in generators::scalar_document())| {
        if let Some(theirs) = theirs(&text) {
            match ours(&text) {
                Ok(ours) => prop_assert_eq!(ours, theirs),
                Err(error) => prop_assert!(may_be_refused(&error.reason), "{}", error),
            }
        }
    });
}

#[test]
fn whatever_both_can_read_they_read_alike() {
    proptest!(config(2000), |(text in generators::yaml_soup())| {
        if let (Ok(ours), Some(theirs)) = (ours(&text), theirs(&text))
            && ours.iter().all(|json| json.starts_with('{'))
        {
            prop_assert_eq!(ours, theirs, "{}", text);
        }
    });
}

/// What we refuse although the original reads it, because it means two things or is lost in JSON.
fn may_be_refused(reason: &str) -> bool {
    let known = [
        "stands twice",
        "no infinity",
        "Unicode line break",
        "not UTF-8",
    ];
    known.iter().any(|known| reason.contains(known))
}

#[test]
fn yaml_is_written_as_by_the_original() {
    proptest!(config(1500), |(value in generators::value(generators::text()))| {
        let theirs = Original::ask("write_yaml", &value.to_string());
        let ours = String::from_utf8(manifest::write_yaml(&value)).expect("YAML is UTF-8");
        prop_assert_eq!(&ours, &theirs.results[0], "{:?}", theirs.errors);
        let read = manifest::read(ours.as_bytes()).expect("what is written can be read");
        prop_assert_eq!(texts(read.iter().map(manifest::Document::value)), texts(not_null(&value)));
    });
}

#[test]
fn json_is_written_as_by_the_original() {
    proptest!(config(2000), |(value in generators::value(generators::any_text()))| {
        let theirs = Original::ask("write_json", &value.to_string());
        let ours = manifest::write_json(&sorted(&value));
        prop_assert_eq!(&String::from_utf8_lossy(&ours), &theirs.results[0]);
    });
}

#[test]
fn what_the_original_cannot_write_in_yaml_reads_back_here() {
    proptest!(config(1000), |(value in generators::value(generators::any_text()))| {
        let ours = manifest::write_yaml(&value);
        let read = manifest::read(&ours).map_err(|e| TestCaseError::fail(format!("{e}: {}", String::from_utf8_lossy(&ours))))?;
        prop_assert_eq!(texts(read.iter().map(manifest::Document::value)), texts(not_null(&value)));
    });
}

fn not_null(value: &Value) -> Option<&Value> {
    Some(value).filter(|value| !value.is_null())
}

/// The original goes on without a word where a document of the stream is broken, or is read in another way by YAML 1.2.
#[test]
fn streams_that_the_original_cuts_short_are_refused_or_read_whole() {
    let secret = |name: &str| format!("kind: Secret\nmetadata:\n  name: {name}\n");
    let first = secret("a");
    // What follows the first Secret; how many Secrets the original reads; how many we do, or why none.
    let cases = [
        ("---\nkind: [\n", 1, Err("document 2")),
        ("---\nkind: Secret\nkind: Secret\n", 2, Err("stands twice")),
        ("--- oops\nkind: Secret\n", 1, Err("document 2")),
        ("...\nkind: Secret\n", 1, Ok(2)),
        ("--- {kind: Secret}\n", 0, Ok(2)),
        (
            "---\nkind: Secret\nstringData: *x\n",
            1,
            Err("unknown anchor"),
        ),
        ("---\n---\n# nothing\n---\nkind: Secret\n", 2, Ok(2)),
    ];
    for (rest, theirs, ours) in cases {
        let text = format!("{first}{rest}");
        assert_eq!(
            Original::ask("secrets", &text).results.len(),
            theirs,
            "{text}"
        );
        match (manifest::read(text.as_bytes()), ours) {
            (Ok(read), Ok(count)) => assert_eq!(read.len(), count, "{text}"),
            (Err(error), Err(reason)) => assert!(error.to_string().contains(reason), "{error}"),
            (read, _) => panic!("{text}: {read:?}"),
        }
    }
}
