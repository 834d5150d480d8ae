//! Answers of the original, stored: what it reads, and what it writes.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use super::{read, text_of_scalar, write_json, write_yaml};

fn stored(name: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/manifests");
    serde_json::from_str(&fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map
                .iter()
                .map(|(key, value)| (key.clone(), sorted(value)))
                .collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        scalar => scalar.clone(),
    }
}

fn json(value: &Value) -> String {
    String::from_utf8(write_json(&sorted(value))).unwrap()
}

#[test]
fn objects_read_as_the_original_read_them() {
    let mut seen = 0;
    for vector in stored("read.json") {
        let text = vector["text"].as_str().unwrap();
        // What is refused here although the original reads it is listed with the generators.
        let Ok(documents) = read(text.as_bytes()) else {
            continue;
        };
        if !documents
            .iter()
            .all(|document| document.value().is_object())
        {
            continue;
        }
        let ours: Vec<_> = documents
            .iter()
            .map(|document| json(document.value()))
            .collect();
        let theirs = vector["documents"].as_array().unwrap().iter();
        let theirs: Vec<_> = theirs
            .filter_map(Value::as_str)
            .filter(|document| *document != "null")
            .map(|document| format!("{document}\n"))
            .collect();
        assert_eq!(ours, theirs, "{text:?}");
        seen += 1;
    }
    assert!(seen > 400, "only {seen} vectors");
}

#[test]
fn values_are_written_as_the_original_wrote_them() {
    let vectors = stored("write.json");
    assert!(vectors.len() >= 300);
    for vector in vectors {
        let value = &vector["value"];
        assert_eq!(json(value), vector["json"].as_str().unwrap());
        assert_eq!(
            String::from_utf8(write_yaml(value)).unwrap(),
            vector["yaml"].as_str().unwrap()
        );
    }
}

#[test]
fn scalars_become_the_text_that_the_original_made_of_them() {
    for vector in stored("string-fields.json") {
        let word = vector["word"].as_str().unwrap();
        let text = format!("k: {word}\n");
        let (Ok(read), Some(theirs)) = (read(text.as_bytes()), vector["text"].as_str()) else {
            // A password `.inf` that becomes "+Inf" is an accident: refused here.
            let refused_here = ["+Inf", "-Inf", "NaN"].map(Value::from);
            assert!(
                vector["text"].is_null() || refused_here.contains(&vector["text"]),
                "{word:?}"
            );
            continue;
        };
        assert_eq!(
            text_of_scalar(&read[0].value()["k"]).as_deref(),
            Some(theirs),
            "{word:?}"
        );
    }
}
