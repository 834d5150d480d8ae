use serde_json::{Value, json};

use crate::manifest::{Document, read};

fn values(text: &str) -> Vec<Value> {
    let documents = read(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    documents.into_iter().map(Document::into_value).collect()
}

fn refusal(text: &str) -> String {
    read(text.as_bytes())
        .err()
        .unwrap_or_else(|| panic!("{text:?} was read"))
        .to_string()
}

#[test]
fn yaml_means_what_it_means_to_kubernetes() {
    let cases = [
        ("a: yes", json!({"a": true})),
        ("a: 012", json!({"a": 10})),
        ("n: x", json!({"false": "x"})),
        ("1.50: x", json!({"1.5": "x"})),
        ("a: 'yes'", json!({"a": "yes"})),
        ("a: !!str yes", json!({"a": "yes"})),
        ("a: !!float 1", json!({"a": 1.0})),
        ("a: !!binary aGk=", json!({"a": "hi"})),
        ("a: 2001-12-14", json!({"a": "2001-12-14"})),
        ("a: &x {b: 1}\nc: *x", json!({"a": {"b": 1}, "c": {"b": 1}})),
        (
            "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  b: 3",
            json!({"a": {"b": 1, "c": 2}, "d": {"b": 3, "c": 2}}),
        ),
        ("d:\n  b: 3\n  <<: {b: 1}", json!({"d": {"b": 1}})),
        (
            "d:\n  <<: [{b: 1}, {b: 2, c: 2}]",
            json!({"d": {"b": 1, "c": 2}}),
        ),
        (
            "\u{feff}a: é\r\nb: |\r\n  x\r\n  y\r\n",
            json!({"a": "é", "b": "x\ny\n"}),
        ),
        ("{a: b}", json!({"a": "b"})),
        ("{\"a\": 1,}", json!({"a": 1})),
        ("{a: , \"b\":}", json!({"a": null, "b": null})),
        ("a: >+\n  x\n  ", json!({"a": "x\n\n"})),
        ("a: |\n  x", json!({"a": "x\n"})),
    ];
    for (text, expected) in cases {
        assert_eq!(values(text), [expected], "{text:?}");
    }
}

#[test]
fn streams_are_read_whole_or_refused() {
    assert_eq!(
        values("---\n---\na: 1\n---\n# nothing\n---\nb: 2\n"),
        [json!({"a": 1}), json!({"b": 2})]
    );
    assert_eq!(
        values("{\"a\": 1}{\"b\": 2}\n---\n{\"c\": 3}"),
        [json!({"a": 1}), json!({"b": 2}), json!({"c": 3})]
    );
    assert_eq!(
        values("{\"a\": 1}\n---\nb: 2"),
        [json!({"a": 1}), json!({"b": 2})]
    );
    assert!(values("").is_empty());
    assert!(values("---\n# only a comment\n").is_empty());

    let cases = [
        ("a: 1\n---\nb: [\n", "document 2 (line "),
        (
            "a: 1\n---\nb: 1\nb: 2\n",
            "document 2 (line 4): key \"b\" stands twice",
        ),
        (
            "{\"a\": 1, \"a\": 2}",
            "document 1 (line 1): key \"a\" stands twice",
        ),
        (
            "{\"a\": 1}\n{\"b\": x y: z}",
            "document 2 (line 2): expected value",
        ),
        ("a: .inf", "no infinity"),
        ("a: !!int x", "!!int"),
        ("? [a]\n: b", "a key is a mapping or a sequence"),
        ("~: b", "a key is null"),
        ("a: *x", "unknown anchor"),
        (
            "a: &x 1\n---\na: *x",
            "no anchor before it in this document",
        ),
        ("a: &x [*x]", "stands inside it"),
        ("a: \u{1}", "control characters"),
        ("a: \"x\u{2028}y\"", "Unicode line break"),
        ("<<: 1", "a merge key takes"),
        ("é: {d:}", "a colon needs a space"),
        ("[é:, b]", "a colon needs a space"),
    ];
    for (text, expected) in cases {
        let refusal = refusal(text);
        assert!(refusal.contains(expected), "{text:?}: {refusal}");
    }
}

#[test]
fn hostile_text_is_refused_without_harm() {
    let deep = "[".repeat(100_000);
    for text in [
        deep.clone(),
        format!("a: {deep}"),
        deep.replace('[', "{a: "),
    ] {
        let refusal = refusal(&text);
        assert!(
            refusal.contains("nested deeper") || refusal.contains("recursion limit"),
            "{refusal}"
        );
    }
    let blocks: String = (0..500)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    assert!(refusal(&blocks).contains("nested deeper"));

    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let inner = vec![format!("*a{}", level - 1); 8].join(", ");
        laughs.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    assert!(refusal(&laughs).contains("aliases repeat too much"));

    let mut chain = "a0: &a0 [[[[[[[[[[[x]]]]]]]]]]]\n".to_owned();
    for level in 1..20 {
        chain.push_str(&format!(
            "a{level}: &a{level} [[[[[[[[[[*a{}]]]]]]]]]]\n",
            level - 1
        ));
    }
    assert!(refusal(&chain).contains("nested deeper"));
}

#[test]
fn lists_give_their_items() {
    let text = "kind: List\nitems:\n- kind: Secret\n- kind: ConfigMap\n---\nkind: SecretList\napiVersion: v1\nitems:\n- metadata: {name: x}\n";
    let documents = read(text.as_bytes()).unwrap();
    let seen: Vec<_> = documents
        .iter()
        .map(|document| {
            (
                document.index,
                document.item,
                document.line,
                document.kind().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (0, Some(0), 1, "Secret"),
            (0, Some(1), 1, "ConfigMap"),
            (1, Some(0), 6, "Secret")
        ]
    );
    assert_eq!(documents[2].place(), "document 2, item 1 (line 6)");
    assert_eq!(documents[2].api_version(), Some("v1"));
}

#[test]
fn debug_and_errors_show_no_value() {
    let documents = read(b"kind: Secret\nmetadata: {name: n}\nstringData: {a: hunter2}").unwrap();
    let shown = format!("{documents:?}");
    assert!(
        shown.contains("Secret") && !shown.contains("hunter2"),
        "{shown}"
    );
    for text in [
        "a: !!int hunter2",
        "a: \"hunter2",
        "{\"a\": hunter2]",
        "a: !!binary hunter2=",
    ] {
        assert!(!refusal(text).contains("hunter2"), "{}", refusal(text));
    }
}
