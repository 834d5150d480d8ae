//! Documents in other formats, their parts, and values set and removed.

use super::*;

fn plain(text: &str, format: Format) -> Plain {
    Plain::parse(text.as_bytes(), format).expect(text)
}

#[test]
fn a_part_is_extracted_in_the_format_that_is_asked_for() {
    let document = plain(
        "a:\n    b: [x, {c: 1.5}]\n    t: 'two: words'\n",
        Format::Yaml,
    );
    for (path, format, expected) in [
        ("[\"a\"][\"t\"]", Format::Json, "two: words"),
        ("[\"a\"][\"b\"][1]", Format::Json, "{\n\t\"c\": 1.5\n}\n"),
        ("[\"a\"][\"b\"]", Format::Yaml, "- x\n- c: 1.5\n"),
        ("[\"a\"][\"b\"][1][\"c\"]", Format::Json, "1.5"),
        ("[\"a\"][\"b\"][1][\"c\"]", Format::Yaml, "1.5\n"),
        ("[\"a\"][\"b\"][1]", Format::Dotenv, "c=1.5\n"),
    ] {
        let path = path::Path::parse(path).expect("a path");
        let part = document.extract(&path, format).expect("a part");
        assert_eq!(String::from_utf8_lossy(part.expose_secret()), expected);
    }
    for path in [
        "[\"b\"]",
        "[\"a\"][0]",
        "[\"a\"][\"b\"][2]",
        "[\"a\"][\"t\"][\"u\"]",
    ] {
        let path = path::Path::parse(path).expect("a path");
        let refused = document.extract(&path, Format::Json).err();
        assert_eq!(refused.map(|error| error.fault()), Some(Fault::NotFound));
    }
}

#[test]
fn what_a_format_cannot_hold_is_refused() {
    for (text, to) in [
        ("a: {b: 1}\n", Format::Dotenv),
        ("a: .inf\n", Format::Json),
        ("a: 1\n", Format::Ini),
        ("a: {b: {c: 1}}\n", Format::Ini),
        ("\"a=b\": 1\n", Format::Dotenv),
        ("a: !!binary /w==\n", Format::Json),
        ("a: 1\n", Format::Binary),
    ] {
        let refused = plain(text, Format::Yaml).convert(to).err();
        assert_eq!(
            refused.map(|error| error.fault()),
            Some(Fault::Emission),
            "{text}"
        );
    }
    let comment = plain("# a\u{F}b\nc=d\n", Format::Dotenv);
    assert!(comment.convert(Format::Json).is_ok());
    let refused = comment.convert(Format::Yaml).err();
    assert_eq!(refused.map(|error| error.fault()), Some(Fault::Emission));
}

#[test]
fn a_value_is_set_in_place() {
    for (format, text, path, json, expected) in [
        (
            Format::Yaml,
            "a: 1 # one\nb: 'x'\n",
            "[\"a\"]",
            "2",
            "a: 2 # one\nb: 'x'\n",
        ),
        (
            Format::Yaml,
            "a: 1 # one\nb: 'x'\n",
            "[\"b\"]",
            "\"it's\"",
            "a: 1 # one\nb: 'it''s'\n",
        ),
        (
            Format::Yaml,
            "# c\na:\n- x\n- k: v\nb: 1\n",
            "[\"a\"][1][\"l\"]",
            "true",
            "# c\na:\n- x\n- k: v\n  l: true\nb: 1\n",
        ),
        (
            Format::Yaml,
            "a:\n  b: 1 # x\n\nc: 2",
            "[\"d\"][\"e\"]",
            "[1, {}]",
            "a:\n  b: 1 # x\n\nc: 2\nd:\n    e:\n        - 1\n        - {}",
        ),
        (Format::Yaml, "{}\n", "[\"a\"]", "null", "a: null\n"),
        (
            Format::Json,
            "{\n  \"a\": 1\n}\n",
            "[\"a\"]",
            "9007199254740993",
            "{\n  \"a\": 9007199254740993\n}\n",
        ),
        (
            Format::Json,
            "{\n  \"a\": 1\n}\n",
            "[\"b\"]",
            "\"x\"",
            "{\n  \"a\": 1,\n  \"b\": \"x\"\n}\n",
        ),
        (
            Format::Json,
            "{\"a\": 1}",
            "[\"b\"]",
            "2",
            "{\"a\": 1, \"b\": 2}",
        ),
        (
            Format::Dotenv,
            "# c\nA=1\n\nB=2\n",
            "[\"A\"]",
            "\"x\\ny\"",
            "# c\nA=x\\ny\n\nB=2\n",
        ),
        (Format::Dotenv, "A=1", "[\"C\"]", "3", "A=1\nC=3"),
        (
            Format::Ini,
            "[s]\na   = 'x' ; c\n\n[t]\nb = 1\n",
            "[\"s\"][\"a\"]",
            "\"y\"",
            "[s]\na   = 'y' ; c\n\n[t]\nb = 1\n",
        ),
        (
            Format::Ini,
            "[s]\na = x\n\n[t]\nb = 1\n",
            "[\"s\"][\"c\"]",
            "\"#\"",
            "[s]\na = x\nc = `#`\n\n[t]\nb = 1\n",
        ),
    ] {
        let path = path::Path::parse(path).expect("a path");
        let set = plain(text, format).set(&path, json).expect(text);
        assert_eq!(
            String::from_utf8_lossy(set.expose_secret()),
            expected,
            "{text}"
        );
    }
}

#[test]
fn a_value_is_unset_in_place() {
    for (format, text, path, expected) in [
        (
            Format::Yaml,
            "a: 1 # one\nb: |\n  x\n  y\n\nc: 2\n",
            "[\"b\"]",
            "a: 1 # one\n\nc: 2\n",
        ),
        (
            Format::Yaml,
            "a:\n  - x\n  - z\n",
            "[\"a\"][0]",
            "a:\n    - z\n",
        ),
        (
            Format::Yaml,
            "a: {b: 1, c: 2}\n",
            "[\"a\"][\"b\"]",
            "a:\n    c: 2\n",
        ),
        (
            Format::Json,
            "{\"a\": 1, \"b\": 2}",
            "[\"a\"]",
            "{\"b\": 2}",
        ),
        (
            Format::Json,
            "{\n  \"a\": 1,\n  \"b\": 2\n}\n",
            "[\"b\"]",
            "{\n  \"a\": 1\n}\n",
        ),
        (Format::Dotenv, "A=1\nB=2\n", "[\"A\"]", "B=2\n"),
        (
            Format::Ini,
            "[s]\na = 1\nb = 2\n",
            "[\"s\"][\"a\"]",
            "[s]\nb = 2\n",
        ),
    ] {
        let path = path::Path::parse(path).expect("a path");
        let unset = plain(text, format).unset(&path).expect(text);
        assert_eq!(
            String::from_utf8_lossy(unset.expose_secret()),
            expected,
            "{text}"
        );
        let again = unset.unset(&path).err().map(|error| error.fault());
        assert!(
            again == Some(Fault::NotFound) || text.contains("- x"),
            "{text}"
        );
    }
}

#[test]
fn what_cannot_be_set_is_refused() {
    let document = plain("a: 1\n", Format::Yaml);
    let path = |text| path::Path::parse(text).expect("a path");
    for json in ["", "x", "1 2", "1, \"b\": 2", "{\"a\": }"] {
        assert!(
            matches!(
                document.set(&path("[\"a\"]"), json),
                Err(SetError::Value(_))
            ),
            "{json}"
        );
    }
    let reserved = document.set(&path("[\"sops\"][\"mac\"]"), "1");
    assert!(matches!(reserved, Err(SetError::Reserved(_))));
    let flat = plain("A=1\n", Format::Dotenv);
    assert!(flat.set(&path("[\"A\"][\"b\"]"), "1").is_err());
    assert!(flat.set(&path("[\"sops_mac\"]"), "1").is_err());
    let twice = plain("a: 1\na: 2\n", Format::Yaml);
    assert!(matches!(
        twice.set(&path("[\"a\"]"), "1"),
        Err(SetError::Twice)
    ));
}

#[test]
fn of_equal_values_only_those_that_change_get_another_ciphertext() {
    let key = DataKey::generate();
    for (before, after, count) in [
        ("a: [x, x, x]\n", "a: [y, x, x]\n", 1),
        ("a: [x, x, x]\n", "a: [x, y, x]\n", 1),
        ("a:\n- x\n- x\n", "a:\n- y\n- x\n- x\n", 1),
        ("a:\n- x\n- x\n- x\n", "a:\n- x\n- x\n", 0),
        (
            "a: x\n---\na: x\n---\na: x\n",
            "a: y\n---\na: x\n---\na: x\n",
            1,
        ),
        ("# c\na: 1\n# c\nb: 1\n", "a: 1\n# c\nb: 1\n", 0),
    ] {
        let first = closed(before, Format::Yaml, Rules::default(), &key);
        let closing = Closing {
            metadata: first.metadata().copy().expect("the same"),
            now: "2024-02-02T03:04:05Z",
            previous: Some(&first),
        };
        let second = plain(after, Format::Yaml)
            .close(&key, closing)
            .expect(after);
        let values = |document: &Encrypted| -> Vec<String> {
            let text = String::from_utf8_lossy(document.as_bytes()).into_owned();
            let values = text.split("ENC[").skip(1);
            let values = values.map(|rest| rest.split(']').next().unwrap_or("").to_owned());
            values.filter(|value| !value.contains("mac")).collect()
        };
        let (old, new) = (values(&first), values(&second));
        let texts = new.iter().filter(|value| value.len() < 200);
        let fresh = texts.filter(|value| !old.contains(value)).count();
        assert_eq!(fresh, count, "{after}");
        // In place, too: what both have at the end stands there in the same order.
        if count == 1 && old.len() == new.len() {
            let moved = old
                .iter()
                .zip(&new)
                .filter(|(a, b)| a != b && b.len() < 200);
            assert_eq!(moved.count(), 1, "{after}");
        }
    }
}
