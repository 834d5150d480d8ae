//! Types that a text does not show: all in dotenv and INI, times in JSON, floats without a point. SOPS keeps them in `type:…`, and
//! so does whatever a document becomes: the same again after a change, or another format.

use std::collections::HashMap;

use super::value::{self, Type};
use super::walk::leaves;
use crate::format::Format;
use crate::tree::{Entry, Item, Leaf, Scalar, Tree, Value};

/// Values that read as another type in their text, by the number of their leaf in it, in order.
#[derive(Clone, Default)]
pub(super) struct Types(Vec<(usize, Scalar)>);

/// The same by their places in the text.
pub(super) struct Places(HashMap<usize, Scalar>);

impl Types {
    /// Those that are lost where one tree was written and the other read of it.
    pub(super) fn lost(written: &Tree, read: &Tree) -> Self {
        let (written, read) = (leaves(written), leaves(read));
        if written.len() != read.len() {
            return Self::default();
        }
        let pairs = written.into_iter().zip(read).enumerate();
        let lost = pairs.filter(|(_, (written, read))| {
            Type::of(&written.scalar) != Type::of(&read.scalar)
                && reads_as(&written.scalar, &read.scalar)
        });
        Self(
            lost.map(|(at, (written, _))| (at, written.scalar.clone()))
                .collect(),
        )
    }

    /// Takes the value of a leaf in, if the text of the format may not show its type.
    pub(super) fn note(&mut self, at: usize, scalar: &Scalar, format: Format) {
        let is_hidden = match (format, scalar) {
            (_, Scalar::Null | Scalar::Text(_) | Scalar::Bytes(_)) => false,
            (Format::Dotenv | Format::Ini, _) | (Format::Json, Scalar::Time(_)) => true,
            (_, Scalar::Float(value)) => value.fract() == 0.0,
            _ => false,
        };
        if is_hidden {
            self.0.push((at, scalar.clone()));
        }
    }

    /// Takes those of the next part in, before which so many leaves stand.
    pub(super) fn append(&mut self, part: Self, leaves: usize) {
        let part = part.0.into_iter();
        self.0
            .extend(part.map(|(at, scalar)| (at + leaves, scalar)));
    }

    /// Gives the leaves of a tree their types.
    pub(super) fn restore(&self, tree: &mut Tree) {
        if self.0.is_empty() {
            return;
        }
        let mut restoring = Restoring {
            types: self.0.iter().peekable(),
            at: 0,
        };
        for document in &mut tree.documents {
            restoring.map(document);
        }
    }

    /// Where they stand in the text of a tree.
    pub(super) fn places(&self, tree: &Tree) -> Places {
        if self.0.is_empty() {
            return Places(HashMap::new());
        }
        let leaves = leaves(tree);
        let places = self.0.iter().filter_map(|(at, scalar)| {
            let leaf = leaves.get(*at)?;
            reads_as(scalar, &leaf.scalar).then(|| (leaf.place.at.start, scalar.clone()))
        });
        Places(places.collect())
    }
}

impl Places {
    /// The value of a leaf, with the type that it had.
    pub(super) fn value<'l>(&'l self, leaf: &'l Leaf) -> &'l Scalar {
        match self.0.is_empty() {
            true => &leaf.scalar,
            false => self.0.get(&leaf.place.at.start).unwrap_or(&leaf.scalar),
        }
    }
}

/// Whether a text may show a value as another one.
pub(super) fn reads_as(scalar: &Scalar, read: &Scalar) -> bool {
    match (scalar, read) {
        (Scalar::Int(_) | Scalar::Float(_), Scalar::Int(_) | Scalar::Float(_)) => {
            *value::canonical(scalar) == *value::canonical(read)
        }
        (Scalar::Null | Scalar::Text(_) | Scalar::Bytes(_), _) => false,
        (Scalar::Time(time), Scalar::Text(text)) if time == text.as_str() => true,
        (scalar, Scalar::Text(text)) => value::in_words(scalar).as_ref() == Some(text),
        _ => false,
    }
}

/// Goes through the leaves of a tree in the order of [`leaves`].
struct Restoring<'t> {
    types: std::iter::Peekable<std::slice::Iter<'t, (usize, Scalar)>>,
    at: usize,
}

impl Restoring<'_> {
    fn map(&mut self, entries: &mut [Entry]) {
        for entry in entries {
            if let Entry::Pair(pair) = entry {
                self.value(&mut pair.value);
            }
        }
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::Map(entries) => self.map(entries),
            Value::List(items) => {
                for item in items {
                    if let Item::Value(value) = item {
                        self.value(value);
                    }
                }
            }
            Value::Leaf(leaf) => {
                let at = self.at;
                self.at += 1;
                if let Some((_, scalar)) = self.types.next_if(|(number, _)| *number == at)
                    && reads_as(scalar, &leaf.scalar)
                {
                    leaf.scalar = scalar.clone();
                }
            }
        }
    }
}
