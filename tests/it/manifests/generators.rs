//! Generated manifests: scalars that look like something else, and text that is nearly YAML.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value};

/// Words that YAML 1.1 or Go may take for something else than text.
pub(crate) fn word() -> BoxedStrategy<String> {
    let known = select(vec![
        "y",
        "Y",
        "yes",
        "No",
        "on",
        "OFF",
        "true",
        "False",
        "TRUE",
        "null",
        "~",
        "Null",
        "nULL",
        ".inf",
        "-.Inf",
        ".nan",
        "<<",
        "=",
        "-",
        "--",
        "---",
        "...",
        "?",
        ":",
        "0",
        "-0",
        "+0",
        "0o7",
        "0O7",
        "0b",
        "0x",
        "0b1_0",
        "1_000",
        "_1",
        "1__2",
        "1_",
        "0_8",
        "08",
        "09.5",
        "1e3",
        "1E-7",
        "1e400",
        "1e-400",
        "+.5",
        ".5",
        "5.",
        ".",
        "-.5e3",
        "0x1p-2",
        "0xFFFFFFFFFFFFFFFF",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "+18446744073709551615",
        "9007199254740993",
        "3.14159265358979",
        "1000000.0",
        "16777217.0",
        "1e21",
        "123456789.0",
        "190:20:30",
        "1:2",
        "1:60",
        "-1:30.5",
        "2001-12-14",
        "2001-1-1",
        "2001-02-29",
        "2000-02-29",
        "2001-12-14T21:59:43.10-05:00",
        "2001-12-14t21:59:43Z",
        "2001-12-14 21:59:43.10",
        "2001-12-14  2:9:3",
        "2001-12-14T24:00:00Z",
        "2001-12-14T1:2:3,5Z",
        "2001-13-01",
        "2001-12-32",
        "Infinity",
        "nan",
        "inf",
        "0.0",
        "-0.0",
        "0e0",
        "1.10",
        "012",
        "-012",
        "0o",
        "00",
        "0x_1",
        "1,000",
        "1.e3",
        "1.5.2",
    ])
    .prop_map(str::to_owned);
    prop_oneof![
        known,
        "[-+]?[0-9_]{1,4}[.eExob:]{0,2}[-+]?[0-9_a-fA-F]{0,4}",
        "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}([.,][0-9]{1,3})?(Z|[+-][0-9]{2}:[0-9]{2})?)?",
        "[a-zA-Z~.]{1,5}",
    ]
    .boxed()
}

/// Text that YAML can hold and the original can write.
pub(crate) fn text() -> BoxedStrategy<String> {
    prop_oneof![
        word(),
        "[ -~]{0,12}",
        "[-#:?&*!|>%@`'\",\\[\\]{} a]{1,5}",
        "[ ab\n\t:#-]{0,10}",
        "[a é漢\u{1F600}\u{A0}\u{1}\u{7}\u{1b}\r\n\"\\\\]{0,8}",
        "[A-Za-z0-9+/]{60,200}={0,2}",
        "[a-z ]{100,160}",
    ]
    .prop_filter(
        "the original writes a merge key in place of this text",
        |text| text != "<<",
    )
    .boxed()
}

/// Any text at all.
pub(crate) fn any_text() -> BoxedStrategy<String> {
    let separators = "[a \n\u{7f}\u{80}\u{85}\u{2028}\u{2029}\u{FEFF}\u{FFFE}<>&\u{10FFFF}]{0,6}";
    prop_oneof![text(), separators, any::<String>()].boxed()
}

/// A value whose strings and keys are made by `text`.
pub(crate) fn value(text: BoxedStrategy<String>) -> BoxedStrategy<Value> {
    let scalar = prop_oneof![
        6 => text.clone().prop_map(Value::String),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => select(vec![0.5, 1e6, -1.5e-7, 1e21, 1.25e300, 123456.789, 5e-324, 100000.0]).prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let entries = move |inner: BoxedStrategy<Value>| {
        let keys = prop_oneof!["[a-c1-3.-]{1,4}", text.clone()]
            .prop_filter("go-yaml has no total order for these keys", |key| {
                is_ordered(key)
            });
        vec((keys, inner), 0..4)
            .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>()))
    };
    scalar
        .prop_recursive(4, 24, 4, move |inner| {
            prop_oneof![
                entries(inner.clone()),
                vec(inner, 0..4).prop_map(Value::Array)
            ]
        })
        .boxed()
}

/// Digits before letters, and leading zeros, make go-yaml's order of keys depend on chance.
fn is_ordered(key: &str) -> bool {
    let head = key.trim_end_matches(|c: char| c.is_ascii_digit());
    !key.contains('0') && !head.contains(|c: char| c.is_ascii_digit())
}

/// A mapping of words, in any style, some with a tag.
pub(crate) fn scalar_document() -> BoxedStrategy<String> {
    let tag = prop_oneof![
        6 => Just(""),
        1 => select(vec!["!!str ", "!!int ", "!!float ", "!!bool ", "!!null ", "!!binary ", "!!timestamp ", "! ", "!own "]),
    ];
    let styled = prop_oneof![
        4 => word(),
        1 => word().prop_map(|word| format!("'{word}'")),
        1 => word().prop_map(|word| format!("\"{word}\"")),
        1 => (select(vec!["|", ">", "|-", ">+", "|2"]), vec("[ a-z]{0,4}", 1..4)).prop_map(|(head, lines)| {
            lines.iter().fold(head.to_owned(), |text, line| format!("{text}\n    {line}"))
        }),
        1 => "[a-z]{1,3}(\n {2,3}[a-z]{1,3}){1,2}",
    ];
    let key = prop_oneof![2 => "[a-c]{1,2}", 1 => word().prop_filter("both zeros are one key", |word| !word.starts_with("-0"))];
    vec((key, tag, styled), 1..4)
        .prop_map(|entries| {
            entries
                .iter()
                .map(|(key, tag, value)| format!("{key}: {tag}{value}\n"))
                .collect()
        })
        .boxed()
}

/// Pieces of YAML in any order.
pub(crate) fn yaml_soup() -> BoxedStrategy<String> {
    let piece = select(vec![
        "a",
        "b",
        "c: ",
        "d:",
        "a: ",
        "- ",
        "-",
        "  ",
        " ",
        "    ",
        "\n",
        "\n",
        "\n  ",
        "\n    ",
        "\n- ",
        "---\n",
        "\n---\n",
        "{",
        "}",
        "[",
        "]",
        ", ",
        ",",
        ": ",
        ":",
        "#c",
        " # c",
        "'",
        "\"",
        "'x'",
        "\"y\"",
        "|\n",
        ">\n",
        "|-\n  ",
        ">+\n  ",
        "&x ",
        "*x",
        "!!str ",
        "<<: ",
        "? ",
        "?",
        "\t",
        "é",
        "1.0",
        "yes",
        "~",
        "\r\n",
        "\\n",
        "\\\n",
        "{a: b}",
        "[c, d]",
        "\u{feff}",
        "%",
        "@",
        "`",
        "!",
        "\"e\\\n  f\"",
        "g\n  h",
        "|2-\n",
        "''",
    ]);
    vec(piece, 1..14).prop_map(|pieces| pieces.concat()).boxed()
}
