//! Files of variables made at random: ours reads them as godotenv 1.5.1 does.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use serde_json::Value;

use super::*;
use crate::sops_crossings::runner;

/// What rules are about, between words.
const PIECES: [&str; 40] = [
    "A", "B", "C_1", "a.b", "é", "x y", "export ", "export", "exportA", "=", "=", "=", "=", ":",
    " = ", "\n", "\n", "\n", "\r\n", "\r", " ", "\t", "\u{A0}", "\u{85}", "#", " # said", "'", "'",
    "\"", "\"", "\\", "\\n", "\\\"", "$A", "${B}", "\\$A", "$(A)", "$", "{", "ü",
];

type Variables = BTreeMap<String, String>;

/// What godotenv makes of each text; `None` if it refuses it.
fn theirs(texts: &[String]) -> Vec<Option<Variables>> {
    let mut process = Command::new(peer::go("godotenv"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program that was built can be run");
    let mut questions = process.stdin.take().expect("it was piped");
    let mut answers = BufReader::new(process.stdout.take().expect("it was piped"));
    let answer = |text: &String| {
        writeln!(questions, "{}", Value::from(text.as_str())).expect("the program reads");
        let mut line = String::new();
        answers.read_line(&mut line).expect("the program answers");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    let all = texts.iter().map(answer).collect();
    drop(questions);
    let _ = process.wait();
    all
}

/// A line that is mostly one of variables, or anything.
fn line() -> impl Strategy<Value = String> {
    let soup = |length| vec(select(&PIECES[..]), length).prop_map(|pieces| pieces.concat());
    let name = select(vec![
        "A",
        "B",
        "C_1",
        "a.b",
        "export A",
        "\texport\tB",
        "É",
        " A ",
    ]);
    let value = prop_oneof![
        soup(0..6),
        soup(0..6).prop_map(|text| format!("'{text}'")),
        soup(0..6).prop_map(|text| format!("\"{text}\"")),
    ];
    let variable = (name, select(vec!["=", ":", " = "]), value)
        .prop_map(|(name, mark, value)| format!("{name}{mark}{value}\n"));
    prop_oneof![6 => variable, 1 => soup(0..8)]
}

fn settings(count: usize, name: impl Fn(usize) -> String) -> String {
    let secrets =
        (0..count).map(|at| format!("  - metadata: {{name: s{at}}}\n    envs: [{}]\n", name(at)));
    format!(
        "kind: ResourceList\nfunctionConfig:\n  kind: ksops\n  secretFrom:\n{}",
        secrets.collect::<String>()
    )
}

#[test]
fn variables_are_read_as_godotenv_reads_them() {
    let desk = Desk::new();
    let mut runner = runner(1);
    let strategy = vec(line(), 0..4).prop_map(|lines| lines.concat());
    let mut texts: Vec<String> = Vec::new();
    while texts.len() < 600 {
        let text = strategy.new_tree(&mut runner).expect("a text").current();
        // Nothing has no encrypted form.
        if !text.is_empty() {
            texts.push(text);
        }
    }
    let expected = theirs(&texts);
    // A Secret has no key without a name: ours refuses what godotenv takes for one.
    let good = |variables: &Option<Variables>| {
        variables
            .as_ref()
            .is_some_and(|found| !found.contains_key(""))
    };
    let (taken, refused): (Vec<_>, Vec<_>) = texts
        .iter()
        .zip(&expected)
        .partition(|(_, expected)| good(expected));
    assert!(
        taken.len() > 150 && refused.len() > 50,
        "{} and {}",
        taken.len(),
        refused.len()
    );
    desk.write(
        ".sops.yaml",
        format!(
            "creation_rules:\n- path_regex: ^app/\n  age: {}\n",
            desk.recipient
        ),
    );
    for (folder, cases) in [("taken", &taken), ("refused", &refused)] {
        for (at, (text, _)) in cases.iter().enumerate() {
            desk.write(&format!("app/{folder}/{at}.bin"), text);
        }
    }
    let encrypt = cli::run(ours::kubeseal()).folder(desk.folder.path());
    encrypt
        .args(["encrypt", "-i", "app/taken", "app/refused"])
        .ok();
    let list = desk
        .ksops(&[])
        .stdin(settings(taken.len(), |at| format!("taken/{at}.bin")))
        .ok();
    let made = decryptor::manifest::read(list.as_bytes()).expect("a list");
    let mut found = BTreeMap::new();
    for secret in &made {
        let variables = secret
            .value()
            .get("stringData")
            .cloned()
            .unwrap_or_else(|| serde_json::json!({}));
        found.insert(secret.name().expect("a name").to_owned(), variables);
    }
    assert_eq!(found.len(), taken.len());
    for (at, (text, expected)) in taken.iter().enumerate() {
        let expected = serde_json::json!(expected);
        assert_eq!(found[&format!("s{at}")], expected, "{text:?}");
    }
    for (at, (text, _)) in refused.iter().enumerate().take(40) {
        let output = desk
            .ksops(&[])
            .stdin(settings(1, |_| format!("refused/{at}.bin")))
            .output();
        assert_eq!(output.code(), 1, "{text:?}");
        assert_eq!(output.text(), "", "{text:?}");
        assert!(
            output.stderr.contains(": line "),
            "{text:?}: {}",
            output.stderr
        );
    }
}
