//! Stored answers of the original, so that the reader and the writers can be checked without Go.

use std::fs;
use std::path::PathBuf;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use testkit::ours;

use super::generators;
use super::original::Original;

fn file(name: &str) -> PathBuf {
    ours::workspace().join("tests/vectors/manifests").join(name)
}

fn stored(name: &str) -> Vec<Value> {
    serde_json::from_str(&fs::read_to_string(file(name)).expect("the vectors are stored"))
        .expect("a list")
}

fn store(name: &str, vectors: Vec<Value>) {
    let lines: Vec<_> = vectors.iter().map(Value::to_string).collect();
    fs::create_dir_all(file("")).expect("the checkout can be written");
    fs::write(file(name), format!("[\n{}\n]\n", lines.join(",\n"))).expect("written");
}

/// The same values at every call.
fn generated<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    let mut next = || strategy.new_tree(&mut runner).expect("a value").current();
    (0..count).map(|_| next()).collect()
}

/// What the original reads, or null.
fn read(text: &str) -> Value {
    let answer = Original::ask("generic", text);
    match answer.errors.is_empty() {
        true => answer.results.iter().map(|json| json.trim_end()).collect(),
        false => Value::Null,
    }
}

fn written(value: &Value) -> (Value, Value) {
    let write = |operation| {
        Original::ask(operation, &value.to_string())
            .results
            .pop()
            .map_or(Value::Null, Value::String)
    };
    (write("write_yaml"), write("write_json"))
}

/// What a scalar becomes in a string field of a Secret, or null.
fn text_in_field(word: &str) -> Value {
    let text = format!("kind: Secret\nstringData:\n  k: {word}\n");
    let answer = Original::ask("secrets", &text);
    if !answer.errors.is_empty() {
        return Value::Null;
    }
    let secret: Value = answer.results.first().map_or(Value::Null, |secret| {
        serde_json::from_str(secret).expect("a Secret is JSON")
    });
    secret["stringData"]["k"].clone()
}

/// They are made anew with `UPDATE=1`.
#[test]
fn stored_answers_are_those_of_the_original() {
    if std::env::var_os("UPDATE").is_some() {
        let texts = generated(generators::scalar_document(), 400);
        let texts = texts
            .into_iter()
            .chain(generated(generators::yaml_soup(), 1500));
        let vectors = texts.map(|text| json!({"text": text, "documents": read(&text)}));
        store(
            "read.json",
            vectors
                .filter(|vector| !vector["documents"].is_null())
                .collect(),
        );
        let values = generated(generators::value(generators::text()), 300);
        let vectors = values.iter().map(|value| {
            let (yaml, json) = written(value);
            json!({"value": value, "yaml": yaml, "json": json})
        });
        store("write.json", vectors.collect());
        let words = generated(generators::word(), 400);
        let vectors = words
            .iter()
            .map(|word| json!({"word": word, "text": text_in_field(word)}));
        store("string-fields.json", vectors.collect());
    }
    for vector in stored("read.json") {
        let text = vector["text"].as_str().expect("a text");
        assert_eq!(read(text), vector["documents"], "{text:?}");
    }
    for vector in stored("write.json") {
        let (yaml, json) = written(&vector["value"]);
        assert_eq!((&yaml, &json), (&vector["yaml"], &vector["json"]));
    }
    for vector in stored("string-fields.json") {
        let word = vector["word"].as_str().expect("a word");
        assert_eq!(text_in_field(word), vector["text"], "{word:?}");
    }
}
