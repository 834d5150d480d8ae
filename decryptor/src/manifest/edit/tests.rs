use serde_json::{Value, json};

use super::{EditError, Editor, Step};

fn path(dotted: &str) -> Vec<Step<'_>> {
    dotted
        .split('/')
        .map(|step| step.parse().map_or(Step::Key(step), Step::Index))
        .collect()
}

fn set(text: &str, edits: &[(&str, Value)]) -> Result<String, EditError> {
    let mut editor = Editor::new(text.as_bytes()).unwrap();
    for (at, value) in edits {
        editor.set(0, &path(at), value)?;
    }
    Ok(String::from_utf8(editor.finish()?).unwrap())
}

#[track_caller]
fn check(text: &str, edits: &[(&str, Value)], expected: &str) {
    let edited = set(text, edits).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!(edited, expected, "\n{edited}");
}

#[test]
fn values_are_replaced_in_their_style() {
    let cases = [
        ("a: old # why\nb: 1\n", "a: new # why\nb: 1\n"),
        ("a: 'old'  # é why\n", "a: 'new'  # é why\n"),
        (
            "é: ü\na: \"old\"\t# why\nb: 'x'\n",
            "é: ü\na: \"new\"\t# why\nb: 'x'\n",
        ),
        (
            "a: |\n  old\n  lines\n\n# after\nb: 1\n",
            "a: new\n\n# after\nb: 1\n",
        ),
        ("a: >- # why\n  b64\n  b64\nb: 1\n", "a: new # why\nb: 1\n"),
        ("a:\nb: 1\n", "a: new\nb: 1\n"),
        ("a: # none\nb: 1\n", "a: new # none\nb: 1\n"),
        ("a: ~\r\nb: 1\r\n", "a: new\r\nb: 1\r\n"),
        ("a: &x old\nb: 1", "a: &x new\nb: 1"),
        ("a: !!str 1\nb: 1", "a: new\nb: 1"),
        ("a:\n  old\n  lines\nb: 1\n", "a:\n  new\nb: 1\n"),
        ("{a: old, b: [1]}\n", "{a: new, b: [1]}\n"),
        ("{\"b\":1,\"a\":\"old\"}", "{\"b\":1,\"a\":\"new\"}"),
        ("---\n# head\na: old\n...\n", "---\n# head\na: new\n...\n"),
        ("--- # [:\n{\"a\":\"old\"}", "--- # [:\n{\"a\":\"new\"}"),
        (
            "--- # {a: old}\n{\"a\":\"old\"}",
            "--- # {a: old}\n{\"a\":\"new\"}",
        ),
    ];
    for (text, expected) in cases {
        check(text, &[("a", json!("new"))], expected);
    }
    check("a: x\n", &[("a", json!("yes"))], "a: \"yes\"\n");
    check("a: 'x'\n", &[("a", json!("it's"))], "a: 'it''s'\n");
    check(
        "a: 'x'\n",
        &[("a", json!("two\nlines"))],
        "a: \"two\\nlines\"\n",
    );
    check(
        "a: x\nb: 1\n",
        &[("a", json!("two\nlines\n"))],
        "a: |\n  two\n  lines\nb: 1\n",
    );
    check(
        "a: x # c\n",
        &[("a", json!("two\nlines\n"))],
        "a: \"two\\nlines\\n\" # c\n",
    );
    check("{a: x}\n", &[("a", json!("b, c"))], "{a: \"b, c\"}\n");
    check("a: x\n", &[("a", json!(true))], "a: true\n");
}

#[test]
fn new_entries_look_like_their_neighbours() {
    let cases = [
        (
            "s:\n    a: 1\n    c: 3 # three\n# end\nt: 1\n",
            "s:\n    a: 1\n    b: new\n    c: 3 # three\n# end\nt: 1\n",
        ),
        (
            "s:\n  c: 1\n  a: 3 # last\n\n# end\nt: 1\n",
            "s:\n  c: 1\n  a: 3 # last\n  b: new\n\n# end\nt: 1\n",
        ),
        (
            "s:\n  'a': '1'\nt: 1\n",
            "s:\n  'a': '1'\n  'b': 'new'\nt: 1\n",
        ),
        ("s:\n  a: 1", "s:\n  a: 1\n  b: new"),
        ("s:\r\n  a: 1\r\n", "s:\r\n  a: 1\r\n  b: new\r\n"),
        ("s:\n  c: 1\n", "s:\n  b: new\n  c: 1\n"),
        ("s:\n  # of c\n  c: 1\n", "s:\n  # of c\n  c: 1\n  b: new\n"),
        (
            "s:\n  a: |\n    x\n\nt: 1\n",
            "s:\n  a: |\n    x\n  b: new\n\nt: 1\n",
        ),
        (
            "s:\n  a: |+\n    x\n\nt: 1\n",
            "s:\n  a: |+\n    x\n\n  b: new\nt: 1\n",
        ),
        ("s: {}\nt: 1\n", "s:\n  b: new\nt: 1\n"),
        (
            "s: {} # none\nt: {u: 1}\n",
            "s: # none\n  b: new\nt: {u: 1}\n",
        ),
        ("s:\nt:\n    u: 1\n", "s:\n    b: new\nt:\n    u: 1\n"),
        ("s: null\n", "s:\n  b: new\n"),
        ("t: 1\n", "s:\n  b: new\nt: 1\n"),
        ("# head\nt: 1\n", "# head\nt: 1\ns:\n  b: new\n"),
        ("s: { a: 1 } # c\n", "s: { a: 1, b: new } # c\n"),
        (
            "s: { # [{\n  a: 1 # {\n}\nt:\n- [x]\n",
            "s: { # [{\n  a: 1, b: new # {\n}\nt:\n- [x]\n",
        ),
        (
            "s: &x\n  a: 1\nt:\n- # {[",
            "s: &x\n  a: 1\n  b: new\nt:\n- # {[",
        ),
        ("s: {a: 1, c: 2}\n", "s: {a: 1, b: new, c: 2}\n"),
        (
            "{\"s\":{\"a\":\"1\"}}",
            "{\"s\":{\"a\":\"1\",\"b\":\"new\"}}",
        ),
        ("{\"s\":{}}", "{\"s\":{\"b\":\"new\"}}"),
        (
            "{\n  \"s\": {\n    \"a\": \"1\"\n  }\n}\n",
            "{\n  \"s\": {\n    \"a\": \"1\",\n    \"b\": \"new\"\n  }\n}\n",
        ),
        (
            "{\n    \"s\": {}\n}\n",
            "{\n    \"s\": {\n        \"b\": \"new\"\n    }\n}\n",
        ),
        (
            "{\n  \"t\": {\n    \"u\": 1\n  }\n}\n",
            "{\n  \"s\": {\n    \"b\": \"new\"\n  },\n  \"t\": {\n    \"u\": 1\n  }\n}\n",
        ),
        ("s:\n- 1\n", ""),
        ("s: text\n", ""),
    ];
    for (text, expected) in cases {
        if expected.is_empty() {
            let refused = set(text, &[("s/b", json!("new"))]);
            assert_eq!(refused, Err(EditError::NotAMapping("b".into())), "{text:?}");
        } else {
            check(text, &[("s/b", json!("new"))], expected);
        }
    }
    check(
        "kind: List\nitems:\n- s:\n    a: 1\n- spec: {}\n",
        &[
            ("items/0/s/b", json!("x")),
            ("items/1/spec/b/c", json!("w")),
            ("items/0/s/d", json!("z")),
        ],
        "kind: List\nitems:\n- s:\n    a: 1\n    b: x\n    d: z\n- spec:\n    b:\n      c: w\n",
    );
}

#[test]
fn entries_are_removed_with_their_lines() {
    let cases = [
        (
            "s:\n  a: 1\n  b: |\n    x\n    y\n\n# c\n  c: 3\n",
            "s:\n  a: 1\n\n# c\n  c: 3\n",
        ),
        ("s:\n  b: 1\nt: 1\n", "s: {}\nt: 1\n"),
        ("s: {a: 1, b: 2}\n", "s: {a: 1}\n"),
        ("s: {b: 2, a: 1}\n", "s: {a: 1}\n"),
        ("{\"s\":{\"b\":2}}", "{\"s\":{}}"),
        ("s:\n  b: 1 # one\n  a: 2", "s:\n  a: 2"),
    ];
    for (text, expected) in cases {
        let mut editor = Editor::new(text.as_bytes()).unwrap();
        editor.remove(0, &path("s/b")).unwrap();
        assert_eq!(
            String::from_utf8(editor.finish().unwrap()).unwrap(),
            expected
        );
    }
}

#[test]
fn only_the_document_that_was_meant_changes() {
    let text = "\u{feff}# head\n---\n# nothing\n---\na: 1 # é\n---\na: 1\n...\n# tail\n";
    let mut editor = Editor::new(text.as_bytes()).unwrap();
    assert_eq!(editor.documents(), 2);
    editor.set(1, &path("a"), &json!("x")).unwrap();
    assert_eq!(editor.value(1), &json!({"a": "x"}));
    assert_eq!(
        editor.set(2, &path("a"), &json!("x")),
        Err(EditError::NoSuchDocument(2))
    );
    let edited = String::from_utf8(editor.finish().unwrap()).unwrap();
    assert_eq!(edited, text.replace("a: 1\n", "a: x\n"));

    let mut editor = Editor::new(b"{\"a\": 1}\n\n{\"a\": 2} {\"a\": 3}\n").unwrap();
    editor.set(1, &path("a"), &json!("x")).unwrap();
    assert_eq!(
        editor.finish().unwrap(),
        b"{\"a\": 1}\n\n{\"a\": \"x\"} {\"a\": 3}\n"
    );
}

#[test]
fn what_is_shared_is_not_edited() {
    let shared = "a: &x {k: 1}\nb: *x\nc:\n  <<: *x\n  l: 2\n";
    for at in ["a/k", "a/new", "b/k", "c/k", "c/new"] {
        assert!(
            matches!(set(shared, &[(at, json!("v"))]), Err(EditError::Shared(_))),
            "{at}"
        );
    }
    check(
        shared,
        &[("c/l", json!("v"))],
        "a: &x {k: 1}\nb: *x\nc:\n  <<: *x\n  l: v\n",
    );
}
