//! Values set and removed by their path: in place where the text allows it, else the document is laid out anew.

mod exact;
mod in_place;

use std::sync::Mutex;

use zeroize::Zeroizing;

use super::convert::{ConvertError, written};
use super::path::{Path, Step};
use super::types::Types;
use super::value::{self, Type};
use super::{Fault, Plain};
use crate::format::{EmitError, Format, emit, json_value};
use crate::tree::{Entry, Item, Leaf, Pair, Scalar, Tree, Value};

/// A change that cannot be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// The value is not JSON.
    #[error("the value is not JSON: {0}")]
    Value(String),
    /// The name is reserved for metadata.
    #[error("{0} is reserved for metadata")]
    Reserved(String),
    /// A key on the way stands twice: nobody knows which one is meant.
    #[error("the document has keys that stand twice")]
    Twice,
    /// The path leads nowhere, or the format does not hold what comes out.
    #[error(transparent)]
    Convert(#[from] ConvertError),
}

impl SetError {
    /// Its kind.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Value(_) | Self::Twice => Fault::Malformed,
            Self::Reserved(_) => Fault::Reserved,
            Self::Convert(error) => error.fault(),
        }
    }
}

impl Plain {
    /// Gives the value at a path another content, written in JSON. What is missing on the way is made.
    pub fn set(&self, path: &Path, json: &str) -> Result<Self, SetError> {
        if exact::too_large(json) {
            // It is a secret itself, mostly.
            return Err(SetError::Value(
                "a whole number in it is too large to stay exact: write it as a text, in double quotes".to_owned(),
            ));
        }
        let mut new = json_value(json).map_err(|error| SetError::Value(error.reason))?;
        if let (Format::Dotenv | Format::Ini, Value::Leaf(leaf)) = (self.format, &mut new)
            && let Some(words) = value::in_words(&leaf.scalar)
        {
            leaf.scalar = Scalar::Text(words);
        }
        let mut wanted = self.changeable(path)?;
        let Some(document) = wanted.documents.first_mut() else {
            return Err(ConvertError::NotFound(written(path)).into());
        };
        set_in_map(document, path.steps(), new.repeated(None));
        let in_place = self
            .text()
            .ok()
            .and_then(|text| in_place::set(self.format, text, path.steps(), &new));
        self.changed(in_place, &wanted)
    }

    /// Removes the value at a path.
    pub fn unset(&self, path: &Path) -> Result<Self, SetError> {
        let mut wanted = self.changeable(path)?;
        let document = wanted.documents.first_mut();
        if !document.is_some_and(|document| unset_in_map(document, path.steps())) {
            return Err(ConvertError::NotFound(written(path)).into());
        }
        let in_place = self
            .text()
            .ok()
            .and_then(|text| in_place::unset(self.format, text, path.steps()));
        self.changed(in_place, &wanted)
    }

    /// Gives the value at a path another content, or removes it. Returns `None` if that is not the matter of one place.
    pub(super) fn changed_in_place(&self, path: &Path, new: Option<&Value>) -> Option<Self> {
        let text = self.text().ok()?;
        let mut text = match new {
            Some(new) => in_place::set(self.format, text, path.steps(), new)?,
            None => in_place::unset(self.format, text, path.steps())?,
        };
        Some(Self {
            format: self.format,
            text: Zeroizing::new(std::mem::take(&mut *text).into_bytes()),
            parsed: Mutex::default(),
            // Leaves may have other numbers.
            types: Types::default(),
            warnings: self.warnings.clone(),
        })
    }

    fn changeable(&self, path: &Path) -> Result<Tree, SetError> {
        if let Some(Step::Key(key)) = path.steps().first() {
            let is_reserved = match self.format {
                Format::Dotenv => key.starts_with("sops_"),
                _ => key == "sops",
            };
            if is_reserved {
                return Err(SetError::Reserved(written(path)));
            }
        }
        if self.format == Format::Binary {
            return Ok(self.any_tree().map_err(ConvertError::from)?);
        }
        let parsed = self.format.parse(self.text().map_err(ConvertError::from)?);
        let mut parsed = parsed.map_err(|error| ConvertError::Read(error.into()))?;
        self.types.restore(&mut parsed.tree);
        match parsed.duplicates.is_empty() {
            true => Ok(parsed.tree),
            false => Err(SetError::Twice),
        }
    }

    /// The text that was changed in place if it means what is wanted, else the tree written anew.
    fn changed(
        &self,
        in_place: Option<Zeroizing<String>>,
        wanted: &Tree,
    ) -> Result<Self, SetError> {
        let meaning_it = |text: &str| {
            let tree = self.format.parse(text).ok()?.tree;
            let types = Types::lost(wanted, &tree);
            let mut typed = tree;
            types.restore(&mut typed);
            is_same(&typed, wanted).then_some(types)
        };
        let with = |text, types| Self {
            format: self.format,
            text,
            parsed: Mutex::default(),
            types,
            warnings: self.warnings.clone(),
        };
        if self.format != Format::Binary
            && let Some(mut text) = in_place
            && let Some(types) = meaning_it(&text)
        {
            let text = Zeroizing::new(std::mem::take(&mut *text).into_bytes());
            return Ok(with(text, types));
        }
        let text = emit(wanted, self.format).map_err(ConvertError::from)?;
        if self.format == Format::Binary {
            return Ok(with(text, Types::default()));
        }
        let types = str::from_utf8(&text).ok().and_then(meaning_it);
        let lost = || EmitError::of(self.format, "the format cannot hold the value there");
        let types = types.ok_or_else(|| ConvertError::from(lost()))?;
        Ok(with(text, types))
    }
}

fn pair(key: &str, value: Value) -> Entry {
    Entry::Pair(Pair {
        key: key.to_owned(),
        at: 0..0,
        end: 0,
        value,
    })
}

fn set_in_map(entries: &mut Vec<Entry>, steps: &[Step], new: Value) {
    let Some((Step::Key(key), rest)) = steps.split_first() else {
        return;
    };
    let found = entries.iter_mut().find_map(|entry| match entry {
        Entry::Pair(pair) if pair.key == *key => Some(&mut pair.value),
        _ => None,
    });
    match found {
        Some(value) => set_in_value(value, rest, new),
        None => entries.push(pair(key, made(rest, new))),
    }
}

fn set_in_value(value: &mut Value, steps: &[Step], new: Value) {
    match (value, steps.split_first()) {
        (Value::Map(entries), Some((Step::Key(_), _))) => set_in_map(entries, steps, new),
        (Value::List(items), Some((Step::Index(at), rest))) => match items.get_mut(*at) {
            Some(Item::Value(value)) => set_in_value(value, rest, new),
            Some(comment) => *comment = Item::Value(made(rest, new)),
            None => items.push(Item::Value(made(rest, new))),
        },
        (value, _) => *value = made(steps, new),
    }
}

/// A value at the end of mappings and lists that are not there yet.
fn made(steps: &[Step], new: Value) -> Value {
    steps.iter().rev().fold(new, |inner, step| match step {
        Step::Key(key) => Value::Map(vec![pair(key, inner)]),
        Step::Index(_) => Value::List(vec![Item::Value(inner)]),
    })
}

fn unset_in_map(entries: &mut Vec<Entry>, steps: &[Step]) -> bool {
    let Some((Step::Key(key), rest)) = steps.split_first() else {
        return false;
    };
    let at = entries
        .iter()
        .position(|entry| matches!(entry, Entry::Pair(pair) if pair.key == *key));
    match (at, rest.is_empty()) {
        (Some(at), true) => {
            entries.remove(at);
            true
        }
        (Some(at), false) => match &mut entries[at] {
            Entry::Pair(pair) => unset_in_value(&mut pair.value, rest),
            Entry::Comment(_) => false,
        },
        (None, _) => false,
    }
}

fn unset_in_value(value: &mut Value, steps: &[Step]) -> bool {
    match (value, steps.split_first()) {
        (Value::Map(entries), Some(_)) => unset_in_map(entries, steps),
        (Value::List(items), Some((Step::Index(at), rest))) => {
            match (items.get_mut(*at), rest.is_empty()) {
                (Some(_), true) => {
                    items.remove(*at);
                    true
                }
                (Some(Item::Value(value)), false) => unset_in_value(value, rest),
                (Some(Item::Comment(_)), false) | (None, _) => false,
            }
        }
        _ => false,
    }
}

/// Whether two trees have the same keys and values. Comments do not count.
pub(super) fn is_same(one: &Tree, other: &Tree) -> bool {
    one.documents.len() == other.documents.len()
        && one
            .documents
            .iter()
            .zip(&other.documents)
            .all(|(one, other)| is_same_map(one, other))
}

fn is_same_map(one: &[Entry], other: &[Entry]) -> bool {
    let mut one = one.iter().filter_map(as_pair);
    let mut other = other.iter().filter_map(as_pair);
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(one), Some(other))
                if one.key == other.key && is_same_value(&one.value, &other.value) => {}
            _ => return false,
        }
    }
}

fn as_pair(entry: &Entry) -> Option<&Pair> {
    match entry {
        Entry::Pair(pair) => Some(pair),
        Entry::Comment(_) => None,
    }
}

fn as_value(item: &Item) -> Option<&Value> {
    match item {
        Item::Value(value) => Some(value),
        Item::Comment(_) => None,
    }
}

fn is_same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Map(one), Value::Map(other)) => is_same_map(one, other),
        (Value::List(one), Value::List(other)) => {
            let mut one = one.iter().filter_map(as_value);
            let mut other = other.iter().filter_map(as_value);
            loop {
                match (one.next(), other.next()) {
                    (None, None) => return true,
                    (Some(one), Some(other)) if is_same_value(one, other) => {}
                    _ => return false,
                }
            }
        }
        (Value::Leaf(one), Value::Leaf(other)) => is_same_leaf(one, other),
        _ => false,
    }
}

/// A float without a point is read as a whole number.
fn is_same_leaf(one: &Leaf, other: &Leaf) -> bool {
    let is_number = |leaf: &Leaf| matches!(leaf.scalar, Scalar::Int(_) | Scalar::Float(_));
    let is_null = |leaf: &Leaf| matches!(leaf.scalar, Scalar::Null);
    let same_type =
        Type::of(&one.scalar) == Type::of(&other.scalar) || is_number(one) && is_number(other);
    same_type
        && is_null(one) == is_null(other)
        && *value::canonical(&one.scalar) == *value::canonical(&other.scalar)
}
