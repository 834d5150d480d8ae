//! Metadata as names and texts, for formats that have no nesting: `age__list_0__map_recipient`.

use std::collections::BTreeMap;

use crate::sops::metadata::{Field, Fields};

const MAP: &str = "__map_";
const LIST: &str = "__list_";
/// Metadata nests at most so deep.
const MAX_STEPS: usize = 16;

/// Writes fields as names and texts. Line breaks become the two characters `\n`.
pub(super) fn flatten(fields: &Fields) -> Vec<(String, String)> {
    let mut flat = Vec::new();
    for (name, field) in fields {
        descend(name.clone(), field, &mut flat);
    }
    flat
}

fn descend(name: String, field: &Field, flat: &mut Vec<(String, String)>) {
    match field {
        Field::Null => flat.push((name, String::new())),
        Field::Bool(value) => flat.push((name, value.to_string())),
        Field::Int(value) => flat.push((name, value.to_string())),
        Field::Text(text) => flat.push((name, text.replace('\n', "\\n"))),
        Field::List(items) => {
            for (at, item) in items.iter().enumerate() {
                descend(format!("{name}{LIST}{at}"), item, flat);
            }
        }
        Field::Map(fields) => {
            for (inner, field) in fields {
                descend(format!("{name}{MAP}{inner}"), field, flat);
            }
        }
    }
}

/// Reads names and texts as fields.
pub(super) fn unflatten(flat: &[(String, String)]) -> Result<Fields, &'static str> {
    let mut root = Node::default();
    for (name, text) in flat {
        root.place(&steps(name)?, text.replace("\\n", "\n"))?;
    }
    match root.into_field()? {
        Field::Map(fields) => Ok(fields),
        _ => Ok(Fields::new()),
    }
}

enum Step<'n> {
    Key(&'n str),
    Index(usize),
}

#[derive(Default)]
struct Node<'n> {
    text: Option<String>,
    keys: BTreeMap<&'n str, Self>,
    items: BTreeMap<usize, Self>,
}

fn steps(name: &str) -> Result<Vec<Step<'_>>, &'static str> {
    let mut steps = Vec::new();
    let (mut rest, mut is_index) = (name, false);
    loop {
        let next = [(MAP, false), (LIST, true)]
            .into_iter()
            .filter_map(|(mark, index)| rest.find(mark).map(|at| (at, mark, index)))
            .min_by_key(|(at, ..)| *at);
        let part = next.map_or(rest, |(at, ..)| &rest[..at]);
        steps.push(match is_index {
            true => Step::Index(
                part.parse()
                    .map_err(|_| "a metadata list has no such place")?,
            ),
            false => Step::Key(part),
        });
        let Some((at, mark, index)) = next else {
            return Ok(steps);
        };
        if steps.len() == MAX_STEPS {
            return Err("metadata nests too deep");
        }
        rest = &rest[at + mark.len()..];
        is_index = index;
    }
}

impl<'n> Node<'n> {
    fn place(&mut self, steps: &[Step<'n>], text: String) -> Result<(), &'static str> {
        let mut node = self;
        for step in steps {
            node = match step {
                Step::Key(key) => node.keys.entry(key).or_default(),
                Step::Index(at) => node.items.entry(*at).or_default(),
            };
        }
        match node.text.replace(text) {
            None => Ok(()),
            Some(_) => Err("a metadata field stands twice"),
        }
    }

    fn into_field(self) -> Result<Field, &'static str> {
        match (self.text, self.keys.is_empty(), self.items.is_empty()) {
            (Some(text), true, true) => Ok(Field::Text(text)),
            (None, _, true) => {
                let fields = self
                    .keys
                    .into_iter()
                    .map(|(name, node)| node.into_field().map(|field| (name.to_owned(), field)));
                Ok(Field::Map(fields.collect::<Result<_, _>>()?))
            }
            (None, true, false) => {
                if self
                    .items
                    .keys()
                    .enumerate()
                    .any(|(at, index)| at != *index)
                {
                    return Err("a metadata list is incomplete");
                }
                let items = self.items.into_values().map(Self::into_field);
                Ok(Field::List(items.collect::<Result<_, _>>()?))
            }
            _ => Err("a metadata field is a text and more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn what_is_flat_nests_again() {
        let pairs = flat(&[
            ("age__list_0__map_enc", "a\\nb\\n"),
            ("age__list_0__map_recipient", "age1"),
            ("kms__list_0__map_context__map_k", "v"),
            ("version", "3.13.3"),
        ]);
        let fields = unflatten(&pairs).expect("metadata");
        assert_eq!(fields.len(), 3);
        assert_eq!(flatten(&fields), pairs);
    }

    #[test]
    fn what_does_not_nest_is_refused() {
        for pairs in [
            &[("a", "1"), ("a", "2")][..],
            &[("a__list_1", "1")],
            &[("a__list_x", "1")],
            &[("a", "1"), ("a__map_b", "2")],
            &[("a__list_0", "1"), ("a__map_b", "2")],
            &[("a__list_99999999999999999999999999", "1")],
        ] {
            assert!(unflatten(&flat(pairs)).is_err(), "{pairs:?}");
        }
        let deep = "a__map_".repeat(1000);
        assert!(unflatten(&flat(&[(&deep, "1")])).is_err());
    }
}
