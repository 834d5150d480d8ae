//! JSON, dotenv, INI and binary documents at random. Each has an entry `pin`, for edits.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Keys, some of which the rules name. A number is put behind each: keys stand once.
pub(super) const KEYS: &[&str] = &[
    "a", "b", "data", "key_c", "key_e", "x_c", "y_e", "long.key", "A-B",
];

/// Texts that are easily taken for something else.
const ODD: &[&str] = &[
    "true",
    "null",
    "1",
    "1.0",
    "2024-01-02",
    "~",
    "yes",
    "ENC[x]",
    "# no comment",
    "; no comment",
    " edges ",
    "it's",
    "\"quoted\"",
    "a: b",
    "- a",
    "<&>",
    "\u{2028}",
    "%(a)s",
    "$x",
    "\u{1F600}",
    "\u{e9}",
    "a\\nb",
    "back`tick",
    "[x]",
    "=",
    "a = b",
];

pub(super) fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z0-9 ]{1,12}",
        3 => select(ODD).prop_map(str::to_owned),
        2 => "[ -~]{0,14}",
        1 => "[a-z \n]{1,12}",
        1 => "[ -~\u{a0}-\u{ff}\u{1F600}\t]{0,8}",
    ]
}

pub(super) fn key() -> impl Strategy<Value = String> {
    select(KEYS).prop_map(str::to_owned)
}

/// Gives each key a number, so that none stands twice in one place.
pub(super) fn apart<T>(pairs: Vec<(String, T)>) -> Vec<(String, T)> {
    let numbered = pairs.into_iter().enumerate();
    let rename = |(at, (key, value)): (usize, (String, T))| match key.split_once('_') {
        Some((start, end)) => (format!("{start}{at}_{end}"), value),
        None => (format!("{key}{at}"), value),
    };
    numbered.map(rename).collect()
}

pub(super) fn json() -> impl Strategy<Value = Vec<u8>> {
    let numbers = select(
        &[
            "0",
            "-7",
            "9007199254740993",
            "9223372036854775807",
            "1.50",
            "1e30",
            "-1.5E-7",
            "1E2",
            "0.1",
            "9223372036854775808",
            "1e21",
            "123456.7e-3",
        ][..],
    );
    let leaf = prop_oneof![
        5 => any_text().prop_map(|text| serde_json::to_string(&text).expect("JSON")),
        1 => "[a-z\u{e9}]{1,3}".prop_map(|text| text.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect::<String>()).prop_map(|text| format!("\"{text}\\/\"")),
        3 => numbers.prop_map(str::to_owned),
        1 => select(&["true", "false", "null", "{}", "[]", "\"\""][..]).prop_map(str::to_owned),
    ];
    let value = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec((key(), inner.clone()), 0..4).prop_map(|pairs| object(apart(pairs), ", ", "")),
            vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
        ]
    });
    let space = select(&["\n  ", " ", "", "\r\n\t"][..]);
    (vec((key(), value), 0..6), space).prop_map(|(pairs, space)| {
        let mut pairs = apart(pairs);
        pairs.push(("pin".to_owned(), "\"pinned\"".to_owned()));
        object(pairs, ",", space).into_bytes()
    })
}

fn object(pairs: Vec<(String, String)>, comma: &str, space: &str) -> String {
    let pairs = pairs
        .iter()
        .map(|(key, value)| format!("{space}\"{key}\": {value}"));
    let pairs: Vec<String> = pairs.collect();
    format!("{{{}}}", pairs.join(comma))
}

fn comment() -> impl Strategy<Value = String> {
    select(&[" open", " hide it", "", " a note", "#two", " it's: \u{e9}"][..])
        .prop_map(str::to_owned)
}

pub(super) fn dotenv() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        6 => (key(), any_text()).prop_map(|(key, text)| format!("{key}={}", text.replace('\n', "\\n"))),
        1 => (key(), any_text()).prop_map(|(key, text)| format!("export {key} = {}", text.replace('\n', "\\n"))),
        2 => comment().prop_map(|text| format!("#{text}")),
        1 => Just(String::new()),
    ];
    let end = select(&["\n", "", "\r\n"][..]);
    (vec(line, 0..12), end).prop_map(|(lines, end)| {
        let newline = if end.is_empty() { "\n" } else { end };
        format!(
            "pin=pinned\n{}{}",
            lines.join(newline),
            if lines.is_empty() { "" } else { end }
        )
        .into_bytes()
    })
}

pub(super) fn ini() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        4 => "[a-zA-Z0-9 .:/]{0,12}",
        1 => "[a-z #;]{1,6}".prop_map(|text| format!("`{text}`")),
        1 => "[a-z]{1,4}\n[a-z]{1,4}".prop_map(|text| format!("\"\"\"{text}\"\"\"")),
        1 => "[a-z ]{0,6}".prop_map(|text| format!("'{text}'")),
        1 => "[a-z ]{0,6}".prop_map(|text| format!("\"{text}\"")),
        1 => any_text().prop_map(|text| text.replace(['\n', '`', '"', '\\'], " ").trim().to_owned()),
    ];
    let sign = select(&[" = ", "=", ": ", "   =  "][..]);
    let behind =
        prop_oneof![4 => Just(String::new()), 1 => comment().prop_map(|text| format!(" ;{text}"))];
    let line = prop_oneof![
        6 => (key(), sign, value, behind).prop_map(|(key, sign, value, behind)| {
            // Theirs drops what stands behind such quotes: ours refuses it.
            let behind = if value.starts_with(['`', '"']) { String::new() } else { behind };
            (key, format!("{sign}{value}{behind}"))
        }),
        2 => (select(&[";", "#"][..]), comment()).prop_map(|(mark, text)| (String::new(), format!("{mark}{text}"))),
        1 => Just((String::new(), String::new())),
    ];
    let section = (key(), vec(line, 0..6));
    vec(section, 0..4).prop_map(|sections| {
        let mut out = String::from("[pin]\npin = pinned\n");
        for (name, lines) in apart(sections) {
            out.push_str(&format!("[{name}]\n"));
            for (at, (key, rest)) in lines.into_iter().enumerate() {
                match key.is_empty() {
                    true => out.push_str(&rest),
                    false => {
                        let (key, rest) = apart(vec![(key, rest)]).into_iter().next().expect("one");
                        out.push_str(&format!("k{at}{key}{rest}"));
                    }
                }
                out.push('\n');
            }
        }
        out.into_bytes()
    })
}

pub(super) fn binary() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 1..300),
        json(),
        Just(b"a: 1\n".to_vec()),
        "[a-z\n]{1,99}".prop_map(String::into_bytes),
    ]
}
