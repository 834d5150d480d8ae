//! Merges: the values are those of a merge value by value, and text that nobody changed stays.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn plain(text: &str, format: Format) -> Plain {
    Plain::parse(text.as_bytes(), format).expect(text)
}

fn merged(format: Format, base: &str, ours: &str, theirs: &str) -> Result<String, MergeError> {
    let [base, ours, theirs] = [base, ours, theirs].map(|text| plain(text, format));
    let merged = ours.merge(Some(&base), &theirs)?;
    Ok(String::from_utf8(merged.expose_secret().to_vec()).expect("text"))
}

#[test]
fn changes_of_both_sides_are_in_the_result() {
    for (format, base, ours, theirs, result) in [
        (
            Format::Yaml,
            "# head\na: 1 # one\n\nb: 'x'\nc: 3\n",
            "# head\na: 2 # one\n\nb: 'x'\nc: 3\n",
            "# head\na: 1 # one\n\nb: 'y'\nc: 3\nd: 4\n",
            "# head\na: 2 # one\n\nb: 'y'\nc: 3\nd: 4\n",
        ),
        // Lines next to each other, and keys added in one place.
        (
            Format::Yaml,
            "a: 1\nb: 2\n",
            "a: 3\nb: 2\nc: 5\n",
            "a: 1\nb: 4\nd: 6\n",
            "a: 3\nb: 4\nd: 6\nc: 5\n",
        ),
        // One line, two values.
        (
            Format::Yaml,
            "a: {b: 1, c: 2}\n",
            "a: {b: 3, c: 2}\n",
            "a: {b: 1, c: 4}\n",
            "a: {b: 3, c: 4}\n",
        ),
        (
            Format::Yaml,
            "a: 1\nb: 2\n",
            "a: 1\n",
            "a: 1\nb: 2\nc: 3\n",
            "a: 1\nc: 3\n",
        ),
        (
            Format::Yaml,
            "a: 1\n# old\n",
            "# ours\na: 1\n# old\n",
            "a: 1\n",
            "# ours\na: 1\n",
        ),
        (
            Format::Yaml,
            "a:\n- 1\n- 2\n- 3\n",
            "a:\n- 9\n- 2\n- 3\n",
            "a:\n- 1\n- 2\n- 3\n- 4\n",
            "a:\n- 9\n- 2\n- 3\n- 4\n",
        ),
        (
            Format::Yaml,
            "a: 1\n---\nb: 1\n",
            "a: 2\n---\nb: 1\n",
            "a: 1\n---\nb: 2\n",
            "a: 2\n---\nb: 2\n",
        ),
        // Both did the same.
        (
            Format::Yaml,
            "a: 1\nb: 1\n",
            "a: 2\nb: 1\n",
            "a: 2\nb: 3\n",
            "a: 2\nb: 3\n",
        ),
        (
            Format::Yaml,
            "a: 1\n",
            "b: 2\na: 1\n",
            "b: 2\na: 1\nc: 3\n",
            "b: 2\na: 1\nc: 3\n",
        ),
        (
            Format::Json,
            "{\"a\": 1, \"b\": 2}",
            "{\"a\": 3, \"b\": 2}",
            "{\"a\": 1, \"b\": 4}",
            "{\"a\": 3, \"b\": 4}",
        ),
        (
            Format::Json,
            "{\n  \"a\": 1\n}\n",
            "{\n  \"a\": 1,\n  \"b\": 2\n}\n",
            "{\n  \"a\": 1,\n  \"c\": 3\n}\n",
            "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}\n",
        ),
        (
            Format::Dotenv,
            "A=1\nB=2\n",
            "A=3\nB=2\n",
            "# new\nA=1\nB=4\n",
            "# new\nA=3\nB=4\n",
        ),
        (
            Format::Ini,
            "[s]\na = 1\n[t]\nb = 2\n",
            "[s]\na = 3\n[t]\nb = 2\n",
            "[s]\na = 1\n[t]\nb = 2\nc = 5\n",
            "[s]\na = 3\n[t]\nb = 2\nc = 5\n",
        ),
    ] {
        assert_eq!(
            merged(format, base, ours, theirs).as_deref(),
            Ok(result),
            "{base}"
        );
    }
}

#[test]
fn what_both_changed_is_said_by_name() {
    let values = |names: &[&str]| {
        Err(MergeError::Values(
            names.iter().map(|name| (*name).to_owned()).collect(),
        ))
    };
    for (base, ours, theirs, names) in [
        ("a: 1\n", "a: 2\n", "a: 3\n", &["a"][..]),
        (
            "a: {b: 1}\nc: 1\n",
            "a: {b: 2}\nc: 2\n",
            "a: {b: 3}\nc: 3\n",
            &["a.b", "c"],
        ),
        ("a: 1\n", "{}\n", "a: 2\n", &["a"]),
        ("a: 1\n", "a: 1\nb: 2\n", "a: 1\nb: 3\n", &["b"]),
        ("a: [1]\n", "a: [1, 2]\n", "a: [1, 3]\n", &["a"]),
        ("a: 1\n", "a: \"1\"\n", "a: true\n", &["a"]),
    ] {
        assert_eq!(
            merged(Format::Yaml, base, ours, theirs),
            values(names),
            "{base}"
        );
    }
    // The order of comments is not known, so the lines are left to people.
    let comments = merged(Format::Yaml, "a: 1 # x\n", "a: 2 # x\n", "a: 1 # y\n");
    assert!(
        comments.is_err() || comments == Ok("a: 2 # y\n".to_owned()),
        "{comments:?}"
    );
    assert_eq!(
        merged(Format::Yaml, "a: 1\na: 2\n", "a: 1\n", "a: 3\n"),
        Err(MergeError::Twice)
    );
}

#[test]
fn ciphertext_of_both_sides_stays() {
    let key = DataKey::generate();
    let base = closed(
        "a: one\nb: two\nc: three\n",
        Format::Yaml,
        Rules::default(),
        &key,
    );
    let changed = |text: &str| {
        let closing = Closing {
            previous: Some(&base),
            ..closing(Rules::default())
        };
        plain(text, Format::Yaml).close(&key, closing).expect(text)
    };
    let ours = changed("a: ours\nb: two\nc: three\n");
    let theirs = changed("a: one\nb: two\nc: theirs\n");
    let [base_plain, own, other] =
        [&base, &ours, &theirs].map(|document| document.open(&key).expect("ours"));
    let merged = own.merge(Some(&base_plain), &other).expect("no conflict");
    let closing = Closing {
        previous: Some(&ours),
        ..closing(Rules::default())
    };
    let closed = merged
        .close_over(&key, closing, &[&theirs])
        .expect("closes");
    let line = |document: &Encrypted, at| document.text.lines().nth(at).map(str::to_owned);
    assert_eq!(line(&closed, 0), line(&ours, 0));
    assert_eq!(line(&closed, 1), line(&base, 1));
    assert_eq!(line(&closed, 2), line(&theirs, 2));
}

/// A document as a person thinks of it: values under one or two keys.
type Model = BTreeMap<(u8, u8), u8>;

fn model() -> impl Strategy<Value = Model> {
    prop::collection::btree_map((0..4_u8, 0..4_u8), 0..3_u8, 0..10)
}

/// A few values set or removed.
fn edits() -> impl Strategy<Value = Vec<((u8, u8), Option<u8>)>> {
    prop::collection::vec(((0..4_u8, 0..4_u8), prop::option::of(0..6_u8)), 0..5)
}

fn edited(model: &Model, edits: &[((u8, u8), Option<u8>)]) -> Model {
    let mut model = model.clone();
    for (at, value) in edits {
        match value {
            Some(value) => drop(model.insert(*at, *value)),
            None => drop(model.remove(at)),
        }
    }
    model
}

/// The values as YAML; on request with a comment above each group and behind each value, and a blank line below.
fn yaml(model: &Model, comments: bool) -> String {
    let mut text = String::new();
    for group in 0..4 {
        let values: Vec<_> = model.iter().filter(|((of, _), _)| *of == group).collect();
        if values.is_empty() {
            continue;
        }
        if comments {
            text += &format!("# of {group}\n");
        }
        text += &format!("g{group}:\n");
        for ((_, name), value) in values {
            text += &format!("  v{name}: 's{value}'");
            text += &if comments {
                format!(" # {group}.{name}\n")
            } else {
                "\n".to_owned()
            };
        }
        if comments {
            text.push('\n');
        }
    }
    if text.is_empty() {
        "{}\n".to_owned()
    } else {
        text
    }
}

/// `None` where both sides changed a value differently.
fn three_way(base: &Model, ours: &Model, theirs: &Model) -> Option<Model> {
    let mut merged = Model::new();
    let places = base.keys().chain(ours.keys()).chain(theirs.keys());
    for at in places {
        let (b, o, t) = (base.get(at), ours.get(at), theirs.get(at));
        let value = match (b == o, b == t) {
            (true, _) => t,
            (_, true) => o,
            _ if o == t => o,
            _ => return None,
        };
        merged.extend(value.map(|value| (*at, *value)));
    }
    Some(merged)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_merge_is_that_of_its_values(base in model(), one in edits(), other in edits(), comments in any::<bool>()) {
        let (ours, theirs) = (edited(&base, &one), edited(&base, &other));
        let wanted = three_way(&base, &ours, &theirs);
        let [b, o, t] = [&base, &ours, &theirs].map(|model| yaml(model, comments));
        match (wanted, merged(Format::Yaml, &b, &o, &t)) {
            (Some(wanted), Ok(text)) => {
                prop_assert_eq!(values(&text), values(&yaml(&wanted, comments)), "{}", text);
            }
            (None, Err(MergeError::Values(names))) => prop_assert!(!names.is_empty()),
            // Removing a group on one side and changing it on the other: the model knows no groups.
            (Some(_), Err(MergeError::Values(names))) => {
                prop_assert!(names.iter().all(|name| !name.contains('.')), "{names:?}");
            }
            // Comments in a group that both sides made are left to people, as are groups that both emptied in part.
            (wanted, Err(MergeError::Layout)) => {
                let groups = |model: &Model| model.keys().map(|(group, _)| *group).collect::<BTreeSet<_>>();
                let left: BTreeSet<_> = groups(&ours).intersection(&groups(&theirs)).copied().collect();
                let is_emptied = wanted.is_none_or(|wanted| {
                    wanted.is_empty() || !left.is_subset(&groups(&wanted))
                });
                let is_new = !left.is_subset(&groups(&base));
                let has_none = [&base, &ours, &theirs].iter().any(|model| model.is_empty());
                prop_assert!(comments && is_new || is_emptied || has_none);
            }
            (wanted, found) => prop_assert!(false, "{wanted:?} {found:?}"),
        }
    }
}

/// The values of a text, without groups that are empty and in one order.
fn values(text: &str) -> serde_json::Value {
    let documents = crate::manifest::read(text.as_bytes()).expect(text);
    let document = documents.into_iter().next().expect("one");
    let mut value = document.into_value();
    if let Some(groups) = value.as_object_mut() {
        groups.retain(|_, group| group.as_object().is_some_and(|group| !group.is_empty()));
    }
    value.sort_all_objects();
    value
}
