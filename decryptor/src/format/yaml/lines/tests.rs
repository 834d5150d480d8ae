//! What is read line by line is what the whole reader reads, with all its places.

use proptest::prelude::*;

use super::super::read::{self, Read};
use super::{read, read_in_parts};
use crate::sops::value;
use crate::tree::{Comment, Entry, Item, Leaf, Value};

/// Lines that go together, and lines that change what others mean.
const LINES: &[&str] = &[
    "a: 1",
    "# comment",
    "# another",
    "s: x # behind",
    "b: some text",
    "c:",
    "d:",
    "sops:",
    "- x",
    "- e: 2",
    "- f:",
    "- - y",
    "- - g: 3",
    "- |",
    "h: |",
    "i: |-",
    "j: |+",
    "k: >",
    "text in a block: or not",
    "  more of it # there",
    "",
    "",
    "  ",
    "l: 'single'",
    "m: \"double\"",
    "n: \"a \\n b\"",
    "o: 'it''s'",
    "p: \"\"",
    "- \"quoted\"",
    "- 'q': 1",
    "q: ENC[AES256_GCM,data:c2VjcmV0,iv:aXY=,tag:dGFn,type:str]",
    "r: x: y",
    "r: x:",
    "r: x #y",
    "r: x#y",
    "r: http://host:80/#top",
    "true: 1",
    "Null: 1",
    "12: 1",
    "1a: 1",
    "s: null",
    "s: ~",
    "s: -1",
    "s: 1.50",
    "s: True",
    "s: 2024-01-02",
    "s: 99999999999999999999",
    "s: 18446744073709551615",
    "s: - x",
    "s: -x",
    "s: .5",
    "s: .inf",
    "s: ? x",
    "s: [a, b]",
    "s: {a: 1}",
    "s: &anchor v",
    "s: *anchor",
    "s: !!str 1",
    "s: é",
    "s: é\u{A0}",
    "s: \u{A0}é",
    "é: 1",
    "t : 1",
    "t:u",
    "t: ",
    "t: x ",
    "a-b.c/d: 1",
    "-a: 1",
    "--- ",
    "---",
    "...",
    "... ",
    "# third ",
    "s: 1  #behind",
    "s: # behind",
    "x",
    "-",
    "? u",
    ": v",
    "%YAML 1.1",
    "<<: 1",
    "a: 2",
];

fn document() -> impl Strategy<Value = String> {
    let line = (0_usize..5, proptest::sample::select(LINES));
    proptest::collection::vec(line, 1..9).prop_map(|lines| {
        let text: String = lines
            .iter()
            .map(|(depth, line)| format!("{}{line}\n", " ".repeat(depth * 2)))
            .collect();
        text.trim_start_matches([' ']).to_owned()
    })
}

/// Lines that more often follow from each other.
fn likely_document() -> impl Strategy<Value = String> {
    let step = (0_usize..3, 0_usize..22, 0_usize..22);
    proptest::collection::vec(step, 1..12).prop_map(|steps| {
        let mut text = "a: 1\n".to_owned();
        let mut depth = 0;
        for (back, line, next) in steps {
            depth = match next % 3 {
                0 => depth + 1,
                1 => depth,
                _ => depth - back.min(depth),
            };
            text.push_str(&format!("{}{}\n", " ".repeat(depth * 2), LINES[line]));
        }
        text
    })
}

/// Mappings with comments in any column, and empty lines.
fn commented_document() -> impl Strategy<Value = String> {
    let step = (0_usize..10, 0_usize..4);
    proptest::collection::vec(step, 1..14).prop_map(|steps| {
        let (mut text, mut depth, mut waits) = (String::new(), 0, false);
        for (kind, level) in steps.into_iter().chain([(9, 3)]) {
            if kind < 4 {
                let comment = ["# of what?", "#also", "# of it", ""][kind];
                text.push_str(&format!("{}{comment}\n", "  ".repeat(level)));
                continue;
            }
            let column = if waits { depth + 1 } else { level.min(depth) };
            let pad = "  ".repeat(column);
            (depth, waits) = (column, kind < 6);
            text.push_str(&match kind {
                4 | 5 => format!("{pad}a:\n"),
                6 => format!("{pad}b: x # behind\n"),
                7 => format!("{pad}c: |\n{pad}  # text\n"),
                8 => format!("{pad}d:\n{pad}- x\n"),
                _ => format!("{pad}e: 1\n"),
            });
        }
        text
    })
}

fn check(text: &str) -> Result<bool, TestCaseError> {
    let Some(fast) = read(text) else {
        prop_assert!(
            (2..4).all(|parts| read_in_parts(text, parts).is_none()),
            "{}",
            text
        );
        return Ok(false);
    };
    match read::read_events(text) {
        Ok(whole) => prop_assert_eq!(shown(&fast), shown(&whole), "{}", text),
        Err(error) => prop_assert!(false, "{error}: {text}"),
    }
    for parts in 2..4 {
        let parts = read_in_parts(text, parts);
        prop_assert_eq!(parts.as_ref().map(shown), Some(shown(&fast)), "{}", text);
    }
    Ok(true)
}

fn shown(read: &Read) -> String {
    let mut out = String::new();
    for document in &read.tree.documents {
        show_map(document, &mut out);
    }
    let frames = read
        .frames
        .iter()
        .map(|frame| (frame.end, frame.column, frame.closing_brace));
    let frames: Vec<_> = frames.collect();
    format!("{out}{frames:?} {} {:?}", read.step, read.duplicates)
}

fn show_map(entries: &[Entry], out: &mut String) {
    out.push('{');
    for entry in entries {
        match entry {
            Entry::Comment(comment) => show_comment(comment, out),
            Entry::Pair(pair) => {
                out.push_str(&format!("{} {:?} {}: ", pair.key, pair.at, pair.end));
                show(&pair.value, out);
            }
        }
    }
    out.push('}');
}

fn show_comment(comment: &Comment, out: &mut String) {
    let Comment {
        text,
        at,
        can_be_item,
    } = comment;
    out.push_str(&format!("#{} {at:?} {can_be_item} ", **text));
}

fn show(value: &Value, out: &mut String) {
    match value {
        Value::Map(entries) => show_map(entries, out),
        Value::List(items) => {
            out.push('[');
            for item in items {
                match item {
                    Item::Comment(comment) => show_comment(comment, out),
                    Item::Value(value) => show(value, out),
                }
            }
            out.push(']');
        }
        Value::Leaf(Leaf { scalar, place }) => {
            let bytes = value::canonical(scalar);
            let text = String::from_utf8_lossy(&bytes);
            out.push_str(&format!("{scalar:?} {text:?} {place:?}, "));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_lines_mean_the_same(text in document()) {
        check(&text)?;
    }

    #[test]
    fn comments_belong_to_the_same(text in commented_document()) {
        check(&text)?;
    }

    #[test]
    fn likely_lines_mean_the_same(text in likely_document()) {
        check(&text)?;
    }
}

#[test]
fn what_sops_writes_is_read_line_by_line() {
    for text in [
        "a: 1\n",
        "a:\n    b: text\n    c:\n        - x\n        - d: 1\n          e: 2.5\n        - - y\n          - z\nf: true\n",
        "a:\n- x\n- y: |\n    block\n\n    of text\n  z: 1\nb: |-\n  end\n\n\nc: ''\n\n",
        "a: ENC[AES256_GCM,data:c2VjcmV0,iv:aXY=,tag:dGFn,type:str]\nsops:\n    age:\n        - enc: |\n            -----BEGIN AGE ENCRYPTED FILE-----\n            YWdl\n            -----END AGE ENCRYPTED FILE-----\n          recipient: age1x\n    lastmodified: \"2024-01-02T03:04:05Z\"\n    version: 3.13.3\n",
        "a: 1\na: 2\n",
        "# of the file\n\n# of a\na: 1 # behind a\n\n# of b\nb:\n    # of c\n    c: x#y\n    # of d\n\n    d: 2\n# of e\ne: z\n",
        "a:\n- x\n# of b\nb: 1\n",
    ] {
        assert!(check(text).expect("the same"), "{text}");
    }
}

#[test]
fn everything_else_is_left_to_the_whole_reader() {
    for text in [
        "a: 1",
        "a: 1\r\n",
        "a:\n",
        "a:\n  b:\nc: 1\n",
        "a: x\n  y\n",
        "- a\n",
        "a: 1\n---\nb: 2\n",
        "a: [1]\n",
        "a: \"1\" # why\n",
        "a:\n  b: 1\n# of which?\n\nc: 1\n",
        "a:\n  b: 1\n  # of b\nc: 1\n",
        "a:\n- x\n# of x\n\nb: 1\n",
        "a:\n# of x\n- x\n",
        "a: 1\n# behind all\n",
        "? a\n",
        "a: \"\\n\"\n",
        "",
        "\n",
    ] {
        assert!(read(text).is_none(), "{text}");
    }
}
