//! Places in lists: comments are items of them, to `set`, `unset` and `--extract`.

use super::*;

const LISTS: [&str; 4] = [
    "l:\n  # one\n  - a\n  # two\n  - b # three\n  - c\n",
    "l:\n  - # zero\n    - a\n    # two\n    - b\n  # x\n  - k:\n      # q\n      - 1\n",
    "l: [a, # c\n  b]\n",
    "l:\n  - a\n  - b\n  # foot\nz: 1\n",
];

const PLACES: [&str; 6] = [
    r#"["l"][0]"#,
    r#"["l"][1]"#,
    r#"["l"][2]"#,
    r#"["l"][4]"#,
    r#"["l"][0][1]"#,
    r#"["l"][2]["k"][1]"#,
];

/// Comments encrypted and in clear, in documents of either program.
#[test]
fn comments_count_as_items_of_lists() {
    let desk = Desk::new();
    for text in LISTS {
        for (closed_by, rule) in [
            (Whose::Theirs, &[][..]),
            (Whose::Ours, &[]),
            (Whose::Ours, &["--unencrypted-regex", "."]),
        ] {
            desk.write("closed.yaml", text);
            let args = ["encrypt", "-i", "--age", &desk.recipient];
            let run = desk.sops(closed_by, &args).args(rule.iter().copied());
            run.arg("closed.yaml").ok();
            for place in PLACES {
                let what = format!("{closed_by:?} {rule:?} {place}\n{text}");
                check_place(&desk, place, &what);
            }
        }
    }
}

fn check_place(desk: &Desk, place: &str, what: &str) {
    let extract = ["decrypt", "--extract", place, "closed.yaml"];
    let [theirs, ours] = BOTH.map(|whose| desk.sops(whose, &extract).output());
    // Theirs shows how it holds a comment, and panics on the way through what is no list.
    match theirs.text().starts_with("value: '") || theirs.code() == 2 {
        true => assert_eq!((ours.code(), ours.text()), (1, String::new()), "{what}"),
        false => assert_eq!(
            (ours.code(), ours.text()),
            (theirs.code(), theirs.text()),
            "{what}"
        ),
    }
    let closed = desk.read("closed.yaml");
    for command in [
        &["set", "f.yaml", place, "\"new\""][..],
        &["unset", "f.yaml", place],
    ] {
        let [theirs, ours] = BOTH.map(|whose| {
            desk.write("f.yaml", &closed);
            let code = desk.sops(whose, command).output().code();
            (
                code,
                values(&desk.sops(Whose::Theirs, &["decrypt", "f.yaml"]).ok()),
            )
        });
        match theirs.0 {
            2 => assert_eq!(ours.0, 1, "{command:?} {what}"),
            _ => assert_eq!(ours, theirs, "{command:?} {what}"),
        }
    }
}

/// Lines without comments: those may stand elsewhere in what ours lays out anew.
fn values(text: &str) -> String {
    let lines = text.lines();
    let lines = lines.filter(|line| !line.trim_start().starts_with('#') && !line.is_empty());
    let lines = lines.map(|line| line.split_once(" #").map_or(line, |(value, _)| value));
    lines.collect::<Vec<_>>().join("\n")
}
