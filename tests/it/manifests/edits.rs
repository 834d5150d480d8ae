//! Edits change what was asked for, and no other byte.

use decryptor::manifest::{
    self,
    edit::{Editor, Step},
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::{config, theirs};

/// A value in `spec.encryptedData`, and how it is written.
#[derive(Debug, Clone)]
struct Item {
    key: String,
    value: String,
    style: usize,
    comment: usize,
}

/// How the documents of a stream are laid out.
#[derive(Debug, Clone)]
struct Layout {
    items: Vec<Vec<Item>>,
    annotations: &'static str,
    step: usize,
    line: &'static str,
    head: &'static str,
    tail: &'static str,
    kind: usize,
}

fn layout() -> impl Strategy<Value = Layout> {
    let item = (
        "[a-z.]{1,3}",
        "[A-Za-z0-9+/é]{2,12}=?",
        0..8_usize,
        0..4_usize,
    )
        .prop_filter("no merge key, no boolean", |(key, ..)| {
            manifest::read(format!("{key}: 1").as_bytes())
                .is_ok_and(|read| read[0].value().get(key).is_some())
        })
        .prop_map(|(key, value, style, comment)| Item {
            key,
            value,
            style,
            comment,
        });
    let items = vec(item, 0..5).prop_map(|mut items| {
        let mut seen = std::collections::HashSet::new();
        items.retain(|item| seen.insert(item.key.clone()));
        items
    });
    (
        vec(items, 1..4),
        select(vec![
            "",
            "{}",
            "{} # none",
            "null",
            "{'a': 'é', z: \"1\"}",
            "BLOCK",
        ]),
        1..5_usize,
        select(vec!["\n", "\n", "\r\n"]),
        select(vec![
            "",
            "# héad\n",
            "---\n",
            "\u{feff}",
            "---\n# nothing\n---\n",
        ]),
        select(vec!["", "\n", "\n# tail é\n", "\n...\n"]),
        0..3_usize,
    )
        .prop_map(
            |(items, annotations, step, line, head, tail, kind)| Layout {
                items,
                annotations,
                step,
                line,
                head,
                tail,
                kind,
            },
        )
}

impl Item {
    /// The scalar as it is written, for a key at this indentation.
    fn written(&self, indent: usize) -> String {
        let value = &self.value;
        let deeper = " ".repeat(indent + 3);
        match self.style {
            0 => value.clone(),
            1 => format!("'{value}'"),
            2 => format!("\"{value}\""),
            3 => format!("|-\n{deeper}{value}"),
            4 => format!(">- # é\n{deeper}{value}"),
            5 => format!("\n{deeper}{value}"),
            6 => format!("|\n{deeper}{value}\n{deeper}{value}"),
            _ => format!("!!str {value}"),
        }
    }

    fn is_one_line(&self) -> bool {
        !self.written(0).contains('\n')
    }
}

impl Layout {
    fn text(&self) -> String {
        match self.kind {
            0 => self
                .items
                .iter()
                .map(|items| json_of(items).to_string())
                .collect::<Vec<_>>()
                .join("\n"),
            1 => self
                .items
                .iter()
                .map(|items| {
                    String::from_utf8(manifest::write_json(&json_of(items))).expect("JSON is UTF-8")
                })
                .collect(),
            _ => {
                let documents: Vec<_> = self.items.iter().map(|items| self.block(items)).collect();
                let text = format!("{}{}{}", self.head, documents.join("---\n"), self.tail);
                text.replace('\n', self.line)
            }
        }
    }

    fn block(&self, items: &[Item]) -> String {
        let (one, two) = (" ".repeat(self.step), " ".repeat(2 * self.step));
        let mut text = format!("kind: SealedSecret # é\nmetadata:\n{one}name: x\n");
        match self.annotations {
            "" => {}
            "BLOCK" => text.push_str(&format!(
                "{one}annotations:\n{two}# of a\n{two}a: 'é'\n\n{two}z: \"1\"\n"
            )),
            flow => text.push_str(&format!("{one}annotations: {flow}\n")),
        }
        text.push_str("spec:\n");
        text.push_str(&format!(
            "{one}encryptedData:{}\n",
            if items.is_empty() { " {}" } else { "" }
        ));
        for item in items {
            if item.comment == 1 {
                text.push_str(&format!("{two}# above é\n"));
            }
            let written = item.written(2 * self.step);
            let space = if written.starts_with('\n') { "" } else { " " };
            text.push_str(&format!("{two}{}:{space}{written}", item.key));
            text.push_str(match item.comment {
                2 if item.is_one_line() => " # beside é\n",
                3 => "\n\n",
                _ => "\n",
            });
        }
        text.push_str(&format!("{one}template: {{type: Opaque}}\n"));
        text
    }
}

fn json_of(items: &[Item]) -> Value {
    let data: serde_json::Map<_, _> = items
        .iter()
        .map(|item| (item.key.clone(), json!(item.value)))
        .collect();
    json!({"kind": "SealedSecret", "metadata": {"name": "x"}, "spec": {"encryptedData": data, "template": {}}})
}

/// What was cut out between the two texts' common beginning and end, and what came in.
fn difference<'a>(old: &'a str, new: &'a str) -> (&'a str, &'a str) {
    let start = old
        .char_indices()
        .zip(new.chars())
        .find(|((_, a), b)| a != b)
        .map_or(old.len().min(new.len()), |((at, _), _)| at);
    let (old, new) = (&old[start..], &new[start..]);
    let tail: usize = old
        .chars()
        .rev()
        .zip(new.chars().rev())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    (&old[..old.len() - tail], &new[..new.len() - tail])
}

fn read(text: &[u8]) -> Vec<Value> {
    let read = manifest::read(text)
        .unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(text)));
    read.into_iter()
        .map(manifest::Document::into_value)
        .collect()
}

fn edited(text: &str, edit: impl FnOnce(&mut Editor<'_>)) -> String {
    let mut editor = Editor::new(text.as_bytes()).expect("the text can be read");
    edit(&mut editor);
    let after = editor
        .finish()
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    String::from_utf8(after).expect("the text was UTF-8")
}

const DATA: [Step<'_>; 2] = [Step::Key("spec"), Step::Key("encryptedData")];

#[test]
fn a_value_is_replaced_and_nothing_else() {
    proptest!(config(800), |(layout in layout(), at in any::<Index>(), which in any::<Index>(), new in super::generators::text())| {
        let text = layout.text();
        let document = at.index(layout.items.len());
        let items = &layout.items[document];
        prop_assume!(!items.is_empty());
        let item = &items[which.index(items.len())];
        let path = [DATA[0], DATA[1], Step::Key(&item.key)];
        let after = edited(&text, |editor| editor.set(document, &path, &json!(new)).unwrap_or_else(|error| panic!("{error}\n{text}")));

        let mut expected = read(text.as_bytes());
        expected[document]["spec"]["encryptedData"][&item.key] = json!(new);
        prop_assert_eq!(&read(after.as_bytes()), &expected);
        let (removed, _) = difference(&text, &after);
        let written = if layout.kind < 2 { json!(item.value).to_string() } else { item.written(2 * layout.step) };
        prop_assert!(written.replace('\n', layout.line).contains(removed), "{:?} is not in {:?}", removed, written);
    });
}

#[test]
fn an_entry_is_added_and_nothing_else() {
    let places: Vec<&[&str]> = vec![
        &["spec", "encryptedData"],
        &["metadata", "annotations"],
        &["spec", "template", "metadata", "labels"],
    ];
    proptest!(config(800), |(layout in layout(), at in any::<Index>(), place in select(places), key in "[a-z]{4,6}", new in super::generators::text())| {
        let text = layout.text();
        let document = at.index(layout.items.len());
        let path: Vec<_> = place.iter().copied().chain([&key[..]]).map(Step::Key).collect();
        let after = edited(&text, |editor| editor.set(document, &path, &json!(new)).unwrap_or_else(|error| panic!("{error}\n{text}")));

        let mut expected = read(text.as_bytes());
        let target = place.iter().fold(&mut expected[document], |value, key| &mut value[*key]);
        target[&key] = json!(new);
        prop_assert_eq!(&read(after.as_bytes()), &expected);
        let (removed, _) = difference(&text, &after);
        let emptiness = [" {} # none", " null", "{", "}"].iter().any(|empty| empty.contains(removed));
        prop_assert!(emptiness, "{:?} was removed\n{}", removed, after);
        if layout.kind == 2 && !new.contains("<<") && layout.head != "\u{feff}" {
            prop_assert!(theirs(&after).is_some(), "the original cannot read\n{}", after);
        }
    });
}

#[test]
fn what_is_added_and_removed_again_leaves_no_trace() {
    proptest!(config(400), |(layout in layout(), at in any::<Index>(), key in "[a-z]{4,6}")| {
        let text = layout.text();
        let document = at.index(layout.items.len());
        prop_assume!(!layout.items[document].is_empty());
        let path = [DATA[0], DATA[1], Step::Key(&key)];
        let after = edited(&text, |editor| {
            editor.set(document, &path, &json!("new")).expect("it can be added");
            editor.remove(document, &path).expect("it can be removed");
        });
        prop_assert_eq!(after, text);
    });
}
