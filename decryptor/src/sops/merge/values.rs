//! What the values of a merged document are: each as the side has it that changed it.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};

use super::pieces::{Layout, Piece, three_way};
use crate::sops::path::Step;
use crate::sops::value::{self, Type};
use crate::tree::{Entry, Item, Pair, Scalar, Tree, Value};

/// A change in a document: the way to a value, and what it becomes. `None` removes it.
pub(super) type Change = (Vec<Step>, Option<Value>);

/// What a value is. The order of keys is no part of it, nor are comments.
pub(super) type Print = [u8; 32];

/// The merged values; keys that only they have stand last. Or the ways to those that both sides changed differently.
pub(super) fn merge(base: &Tree, ours: &Tree, theirs: &Tree) -> Result<Tree, Vec<String>> {
    let mut merge = Merge::default();
    let [base, ours, theirs] = [base, ours, theirs].map(|tree| {
        let documents = tree.documents.iter();
        documents
            .map(|document| Value::Map(copy(document)))
            .collect::<Vec<_>>()
    });
    let Some(documents) = merge.items(&refs(&base), &refs(&ours), &refs(&theirs)) else {
        return Err(vec!["which documents there are".to_owned()]);
    };
    if !merge.conflicts.is_empty() {
        return Err(merge.conflicts);
    }
    let documents = documents.into_iter().map(|document| match document {
        Value::Map(entries) => entries,
        _ => Vec::new(),
    });
    Ok(Tree {
        documents: documents.collect(),
    })
}

/// Whether two documents have the same values, in whichever order of keys.
pub(super) fn is_same(one: &Tree, other: &Tree) -> bool {
    let prints = |tree: &Tree| {
        let documents = tree.documents.iter();
        documents.map(|entries| of_map(entries)).collect::<Vec<_>>()
    };
    prints(one) == prints(other)
}

/// What makes the first document of one tree that of another. Returns `None` if the others differ.
pub(super) fn changes(from: &Tree, to: &Tree) -> Option<Vec<Change>> {
    let (first, rest) = from.documents.split_first()?;
    let (wanted, others) = to.documents.split_first()?;
    let prints = |documents: &[Vec<Entry>]| -> Vec<Print> {
        documents.iter().map(|entries| of_map(entries)).collect()
    };
    if prints(rest) != prints(others) {
        return None;
    }
    let mut changes = Vec::new();
    between_maps(first, wanted, &mut Vec::new(), &mut changes);
    Some(changes)
}

#[derive(Default)]
struct Merge {
    path: Vec<String>,
    conflicts: Vec<String>,
}

impl Merge {
    fn value(
        &mut self,
        base: Option<&Value>,
        ours: Option<&Value>,
        theirs: Option<&Value>,
    ) -> Option<Value> {
        let same = |one: Option<&Value>, other: Option<&Value>| one.map(print) == other.map(print);
        if same(ours, theirs) || same(base, theirs) {
            return ours.map(|value| value.repeated(None));
        }
        if same(base, ours) {
            return theirs.map(|value| value.repeated(None));
        }
        match (base, ours, theirs) {
            (base, Some(Value::Map(ours)), Some(Value::Map(theirs))) => {
                let base = match base {
                    Some(Value::Map(base)) => base.as_slice(),
                    _ => &[],
                };
                Some(Value::Map(self.map(base, ours, theirs)))
            }
            (Some(Value::List(base)), Some(Value::List(ours)), Some(Value::List(theirs))) => {
                let merged = self.items(&values(base), &values(ours), &values(theirs));
                let items = merged.or_else(|| self.conflict())?;
                Some(Value::List(items.into_iter().map(Item::Value).collect()))
            }
            _ => self.conflict(),
        }
    }

    fn conflict<T>(&mut self) -> Option<T> {
        self.conflicts.push(self.path.join("."));
        None
    }

    fn map(&mut self, base: &[Entry], ours: &[Entry], theirs: &[Entry]) -> Vec<Entry> {
        let [base, own, other] = [base, ours, theirs].map(by_key);
        let mut keys: Vec<&str> = pairs(ours).map(|pair| pair.key.as_str()).collect();
        let new = pairs(theirs).map(|pair| pair.key.as_str());
        keys.extend(new.filter(|key| !own.contains_key(key)));
        let mut merged = Vec::new();
        for key in keys {
            let [before, own, other] = [&base, &own, &other].map(|map| map.get(key).copied());
            self.path.push(key.to_owned());
            if let Some(value) = self.value(before, own, other) {
                merged.push(entry(key, value));
            }
            self.path.pop();
        }
        merged
    }

    /// Items that both sides changed are merged one by one where their number is the same. Else there is no answer.
    fn items(&mut self, base: &[&Value], ours: &[&Value], theirs: &[&Value]) -> Option<Vec<Value>> {
        let prints =
            |items: &[&Value]| -> Vec<Print> { items.iter().map(|item| print(item)).collect() };
        let mut merged = Vec::new();
        for piece in three_way(
            &prints(base),
            &prints(ours),
            &prints(theirs),
            Layout::default(),
        ) {
            let (side, at) = match piece {
                Piece::Base(at) => (base, at),
                Piece::Ours(at) => (ours, at),
                Piece::Theirs(at) => (theirs, at),
                Piece::Both(before, own, other) => {
                    if before.len() != own.len() || before.len() != other.len() {
                        return None;
                    }
                    for ((before, own), other) in before.zip(own).zip(other) {
                        let item = (base[before], ours[own], theirs[other]);
                        merged.extend(self.value(Some(item.0), Some(item.1), Some(item.2)));
                    }
                    continue;
                }
            };
            merged.extend(side[at].iter().map(|value| value.repeated(None)));
        }
        Some(merged)
    }
}

fn between_maps(from: &[Entry], to: &[Entry], path: &mut Vec<Step>, changes: &mut Vec<Change>) {
    let (own, wanted) = (by_key(from), by_key(to));
    for pair in pairs(from).filter(|pair| !wanted.contains_key(pair.key.as_str())) {
        let mut path = path.clone();
        path.push(Step::Key(pair.key.clone()));
        changes.push((path, None));
    }
    for pair in pairs(to) {
        path.push(Step::Key(pair.key.clone()));
        match own.get(pair.key.as_str()) {
            Some(value) => between(value, &pair.value, path, changes),
            None => changes.push((path.clone(), Some(pair.value.repeated(None)))),
        }
        path.pop();
    }
}

fn between(from: &Value, to: &Value, path: &mut Vec<Step>, changes: &mut Vec<Change>) {
    if print(from) == print(to) {
        return;
    }
    match (from, to) {
        (Value::Map(from), Value::Map(to)) => between_maps(from, to, path, changes),
        (Value::List(from), Value::List(to)) if values(from).len() == values(to).len() => {
            let places = from.iter().enumerate().filter_map(|(at, item)| match item {
                Item::Value(value) => Some((at, value)),
                Item::Comment(_) => None,
            });
            for ((at, from), to) in places.zip(values(to)) {
                path.push(Step::Index(at));
                between(from, to, path, changes);
                path.pop();
            }
        }
        (_, to) => changes.push((path.clone(), Some(to.repeated(None)))),
    }
}

fn print(value: &Value) -> Print {
    let mut context = Context::new(&SHA256);
    match value {
        Value::Map(entries) => return of_map(entries),
        Value::List(items) => {
            context.update(b"list");
            for item in values(items) {
                context.update(&print(item));
            }
        }
        Value::Leaf(leaf) => {
            context.update(match &leaf.scalar {
                Scalar::Null => b"null",
                // A float without a point is read as a whole number.
                Scalar::Int(_) | Scalar::Float(_) => b"numb",
                Scalar::Text(_) | Scalar::Bytes(_) => b"text",
                other => match Type::of(other) {
                    Type::Bool => b"bool",
                    _ => b"time",
                },
            });
            context.update(&value::canonical(&leaf.scalar));
        }
    }
    finished(context)
}

fn of_map(entries: &[Entry]) -> Print {
    let mut context = Context::new(&SHA256);
    context.update(b"map.");
    for (key, value) in by_key(entries) {
        context.update(&(key.len() as u64).to_be_bytes());
        context.update(key.as_bytes());
        context.update(&print(value));
    }
    finished(context)
}

/// A digest of a text that is no value.
pub(super) fn of_text(text: &str) -> Print {
    let mut context = Context::new(&SHA256);
    context.update(text.as_bytes());
    finished(context)
}

fn finished(context: Context) -> Print {
    let mut print = [0; 32];
    print.copy_from_slice(context.finish().as_ref());
    print
}

fn pairs(entries: &[Entry]) -> impl Iterator<Item = &Pair> {
    entries.iter().filter_map(|entry| match entry {
        Entry::Pair(pair) => Some(pair),
        Entry::Comment(_) => None,
    })
}

fn by_key(entries: &[Entry]) -> BTreeMap<&str, &Value> {
    pairs(entries)
        .map(|pair| (pair.key.as_str(), &pair.value))
        .collect()
}

fn values(items: &[Item]) -> Vec<&Value> {
    let values = items.iter().filter_map(|item| match item {
        Item::Value(value) => Some(value),
        Item::Comment(_) => None,
    });
    values.collect()
}

fn refs(values: &[Value]) -> Vec<&Value> {
    values.iter().collect()
}

fn copy(entries: &[Entry]) -> Vec<Entry> {
    pairs(entries)
        .map(|pair| entry(&pair.key, pair.value.repeated(None)))
        .collect()
}

fn entry(key: &str, value: Value) -> Entry {
    Entry::Pair(Pair {
        key: key.to_owned(),
        at: 0..0,
        end: 0,
        value,
    })
}
