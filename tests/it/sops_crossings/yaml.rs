//! YAML at random: trees first, then one of the many ways to write each.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::documents::{any_text, apart, key};

/// Scalars without quotes, and with tags.
const PLAIN: &[&str] = &[
    "1",
    "-7",
    "+7",
    "0x1F",
    "0o17",
    "017",
    "0b11",
    "1_000",
    "1.50",
    "1e3",
    "1.0",
    "-1.5e-7",
    ".5",
    "5.",
    ".inf",
    "-.inf",
    "0644",
    "-0",
    "true",
    "True",
    "FALSE",
    "yes",
    "off",
    "~",
    "null",
    "",
    "2024-01-02",
    "2024-01-02T03:04:05.100Z",
    "2024-01-02 03:04:05",
    "2024-01-02t03:04:05+02:00",
    "2024-01-02 03:04:05 +02:00",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1:30",
    "0o8",
    "0x",
    "1e400",
    "12e03",
    "!!str 7",
    "!!int \"3\"",
    "!!binary aGk=",
    "!!float 1",
    "!custom x",
    "text",
    "two words",
    "it's",
    "a#b",
    "http://x:1",
    "$x",
    "x,y",
    "\u{e9}t\u{e9}",
    "\u{1F600}",
    "=",
    "''",
    "\"\"",
    "{}",
    "[]",
];

#[derive(Clone, Debug)]
enum Node {
    /// On one line.
    Line(String),
    /// A block: its header, and its lines.
    Block(&'static str, Vec<String>),
    Map(Vec<(String, Entry)>),
    List(Vec<Entry>),
}

#[derive(Clone, Debug)]
struct Entry {
    node: Node,
    /// Comments on lines of their own before it.
    above: Vec<&'static str>,
    behind: Option<&'static str>,
    blank: bool,
}

/// One document, or several.
pub(super) fn stream() -> impl Strategy<Value = Vec<u8>> {
    let document = (
        map(node().boxed(), 5),
        select(&[2_usize, 4][..]),
        any::<bool>(),
    );
    let foot = prop_oneof![3 => Just(""), 1 => Just("# foot\n"), 1 => Just("\n# hide foot\n")];
    let ends = select(&["\n", "\n", "\r\n"][..]);
    (vec((document, foot), 1..3), ends, any::<bool>()).prop_map(|(documents, newline, ended)| {
        let mut out = String::new();
        for (at, ((map, step, indented), foot)) in documents.into_iter().enumerate() {
            out.push_str(if at == 0 { "pin: pinned\n" } else { "---\n" });
            let layout = Layout { step, indented };
            layout.write(&map, 0, &mut out);
            out.push_str(foot);
        }
        if !ended && !out.ends_with("\n\n") {
            out.pop();
        }
        out.replace('\n', newline).into_bytes()
    })
}

/// The same with anchors, aliases and merge keys.
pub(super) fn repeating() -> impl Strategy<Value = Vec<u8>> {
    let ends = select(&["\n", "\n", "\r\n"][..]);
    let documents = vec(repeating_document(), 1..3);
    (documents, ends).prop_map(|(documents, newline)| {
        documents.join("---\n").replace('\n', newline).into_bytes()
    })
}

/// One document of which some values are repeated: values in clear by `encrypted_suffix`, and others.
pub(super) fn repeating_document() -> impl Strategy<Value = String> {
    let repeated = select(
        &[
            "anchor: &x text\nalias: *x\n",
            "anchor: &x text # why\nalias_e: *x\n",
            "anchor: &x\n  one: 1\n  two: 'zwei'\nmerged:\n  <<: *x\n  three: [3, *x]\n",
            "anchor: &x [a, b]\nlist:\n  # first\n  - *x\n  - {k: *x}\n",
            "anchor: &x {a: 1.50, b: yes}\nanchor2: &y\n  c: ~\nmerged:\n  <<: [*x, *y]\n",
            "anchor: &x |\n  a block\n\nalias: *x\n",
            "anchor_e: &x \"quoted\"\n",
        ][..],
    );
    let repeated = prop_oneof![2 => Just(""), 3 => repeated];
    let map = (
        map(node().boxed(), 5),
        select(&[2_usize, 4][..]),
        any::<bool>(),
    );
    (map, repeated).prop_map(|((map, step, indented), repeated)| {
        let mut out = format!("pin: pinned\n{repeated}");
        Layout { step, indented }.write(&map, 0, &mut out);
        out
    })
}

/// Unicode's own line breaks are refused: YAML 1.1 and 1.2 read them differently.
fn text() -> impl Strategy<Value = String> {
    any_text()
        .prop_map(|text| text.replace('\u{2028}', "_"))
        // Theirs writes texts with a line break that begin with white space so that it cannot read them in lists.
        .prop_map(|text| {
            if text.contains('\n') {
                text.trim_start().to_owned()
            } else {
                text
            }
        })
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        5 => select(PLAIN).prop_map(|text| Node::Line(text.to_owned())),
        2 => text().prop_map(|text| Node::Line(serde_json::to_string(&text).expect("JSON"))),
        2 => text().prop_map(|text| Node::Line(format!("'{}'", text.replace('\n', " ").replace('\'', "''")))),
        1 => flow(),
        2 => block(),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        let items = vec(entry(inner.clone()), 1..4);
        prop_oneof![map(inner, 4), items.prop_map(Node::List)]
    })
}

fn map(
    inner: impl Strategy<Value = Node> + Clone + 'static,
    most: usize,
) -> impl Strategy<Value = Node> {
    let quoted = prop_oneof![4 => Just(""), 1 => Just("\""), 1 => Just("'")];
    let pairs = vec((key(), (entry(inner), quoted)), 1..most);
    pairs.prop_map(|pairs| {
        let pairs = apart(pairs).into_iter();
        Node::Map(
            pairs
                .map(|(key, (entry, quote))| (format!("{quote}{key}{quote}"), entry))
                .collect(),
        )
    })
}

fn entry(inner: impl Strategy<Value = Node> + 'static) -> impl Strategy<Value = Entry> {
    // Theirs makes an item of an empty comment in a list.
    let comment = || select(&[" open", " hide it", " a note", " it's: \u{e9}", "!"][..]);
    let above = prop_oneof![5 => Just(Vec::new()), 1 => vec(comment(), 1..3)];
    let behind = prop_oneof![5 => Just(None), 1 => comment().prop_map(Some)];
    let blank = prop_oneof![5 => Just(false), 1 => Just(true)];
    (inner, above, behind, blank).prop_map(|(node, above, behind, blank)| {
        // Theirs puts a comment into empty brackets.
        let is_empty = matches!(&node, Node::Line(text) if text == "{}" || text == "[]");
        Entry {
            behind: behind.filter(|_| !is_empty),
            node,
            above,
            blank,
        }
    })
}

fn flow() -> impl Strategy<Value = Node> {
    let leaf = select(
        &[
            "1",
            "x",
            "'y'",
            "\"z\"",
            "1.50",
            "true",
            "~",
            "two words",
            "0x10",
        ][..],
    );
    let leaf = leaf.prop_map(str::to_owned);
    let value = leaf.prop_recursive(2, 8, 3, |inner| {
        let pairs = vec((key(), inner.clone()), 0..3).prop_map(|pairs| {
            let pairs = apart(pairs)
                .into_iter()
                .map(|(key, value)| format!("{key}: {value}"));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        });
        prop_oneof![
            pairs,
            vec(inner, 0..3).prop_map(|items| format!("[{}]", items.join(", ")))
        ]
    });
    value.prop_map(Node::Line)
}

fn block() -> impl Strategy<Value = Node> {
    let header = select(&["|", "|-", "|+", ">", ">-", ">+"][..]);
    let line = prop_oneof![
        5 => "[a-z][a-z:#'\" -]{0,8}[a-z]",
        1 => "  [a-z]{1,4}",
        1 => Just(String::new()),
        1 => "[a-z]{1,3}\t ?",
        1 => Just("\u{1F600} # x".to_owned()),
    ];
    (header, "[a-z]{1,5}", vec(line, 0..4))
        .prop_map(|(header, first, lines)| Node::Block(header, [vec![first], lines].concat()))
}

struct Layout {
    step: usize,
    /// Whether the dashes of a list stand right of its key.
    indented: bool,
}

impl Layout {
    /// Writes the lines of a mapping or list at a column.
    fn write(&self, node: &Node, column: usize, out: &mut String) {
        let pad = " ".repeat(column);
        match node {
            Node::Map(pairs) => {
                for (key, entry) in pairs {
                    self.above(entry, &pad, out);
                    out.push_str(&format!("{pad}{key}:"));
                    let inner = match (&entry.node, self.indented) {
                        (Node::List(_), false) => column,
                        _ => column + self.step,
                    };
                    self.value(entry, column, inner, out);
                }
            }
            Node::List(items) => {
                for entry in items {
                    self.above(entry, &pad, out);
                    out.push_str(&format!("{pad}-"));
                    match &entry.node {
                        Node::Map(_) | Node::List(_) if entry.behind.is_none() => {
                            let start = out.len();
                            self.write(&entry.node, column + 2, out);
                            let first = &out[start..];
                            // Comments and blank lines come first: then the collection begins on the next line.
                            match first.trim_start_matches(' ').starts_with(['#', '\n']) {
                                true => out.insert(start, '\n'),
                                false => out.replace_range(start..start + column + 2, " "),
                            }
                        }
                        _ => self.value(entry, column, column + 2, out),
                    }
                }
            }
            Node::Line(_) | Node::Block(..) => {}
        }
    }

    fn above(&self, entry: &Entry, pad: &str, out: &mut String) {
        if entry.blank {
            out.push('\n');
        }
        for comment in &entry.above {
            out.push_str(&format!("{pad}#{comment}\n"));
        }
    }

    fn value(&self, entry: &Entry, column: usize, inner: usize, out: &mut String) {
        let behind = entry
            .behind
            .map_or(String::new(), |text| format!(" #{text}"));
        match &entry.node {
            Node::Line(text) => out.push_str(&format!(" {text}{behind}\n")),
            Node::Block(header, lines) => {
                out.push_str(&format!(" {header}{behind}\n"));
                let pad = " ".repeat(column + self.step);
                for line in lines {
                    match line.is_empty() {
                        true => out.push('\n'),
                        false => out.push_str(&format!("{pad}{line}\n")),
                    }
                }
            }
            node => {
                out.push_str(&format!("{behind}\n"));
                self.write(node, inner, out);
            }
        }
    }
}
