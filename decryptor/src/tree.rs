//! An ordered document, whatever its syntax, and where each part of it stands in its text.

use std::fmt;
use std::num::NonZeroU32;
use std::ops::Range;

use zeroize::Zeroizing;

/// Documents nest at most so deep.
pub const MAX_DEPTH: usize = 100;

/// All documents of a file. Only YAML has more than one.
#[derive(Debug, Default)]
pub struct Tree {
    /// The documents in order.
    pub documents: Vec<Vec<Entry>>,
}

/// One line of a mapping.
#[derive(Debug)]
pub enum Entry {
    /// A comment between the pairs.
    Comment(Comment),
    /// A key and its value.
    Pair(Pair),
}

/// A key and its value.
#[derive(Debug)]
pub struct Pair {
    /// The key, which is never encrypted.
    pub key: String,
    /// The key's place in the text.
    pub(crate) at: Range<usize>,
    /// Where its value ends.
    pub(crate) end: usize,
    /// What it holds.
    pub value: Value,
}

/// One item of a list.
#[derive(Debug)]
pub enum Item {
    /// A comment between the items.
    Comment(Comment),
    /// A value.
    Value(Value),
}

/// What a key or an item holds.
#[derive(Debug)]
pub enum Value {
    /// Keys and values.
    Map(Vec<Entry>),
    /// Items.
    List(Vec<Item>),
    /// A single value.
    Leaf(Leaf),
}

/// A single value and its place.
#[derive(Debug)]
pub struct Leaf {
    /// The value itself.
    pub scalar: Scalar,
    pub(crate) place: Place,
}

/// A comment, without its mark.
pub struct Comment {
    /// All that stands behind the mark.
    pub text: Zeroizing<String>,
    /// Its place in the text, with the mark.
    pub(crate) at: Range<usize>,
    /// Whether it could be an item by a dash: it stands alone on its line, in no brackets.
    pub(crate) can_be_item: bool,
}

/// A single value.
#[derive(Clone)]
pub enum Scalar {
    /// Nothing; never encrypted.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A point in time, by RFC 3339, without trailing zeros in the fraction.
    Time(String),
    /// A text.
    Text(Zeroizing<String>),
    /// Bytes that are no text.
    Bytes(Zeroizing<Vec<u8>>),
}

/// An alias in a text.
pub(crate) struct Alias {
    /// Its line, from 1.
    pub(crate) line: usize,
    /// The asterisk and the name.
    pub(crate) at: Range<usize>,
    /// What it repeats.
    pub(crate) value: Value,
}

/// Where a leaf stands, and how it is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// The value itself, without anchor and tag.
    pub(crate) at: Range<usize>,
    /// How it is written.
    pub(crate) style: Style,
    /// Whether it stands in brackets or braces.
    pub(crate) flow: bool,
    /// Where the tag begins that gives it its type, if one does.
    pub(crate) typed_at: Option<usize>,
    /// Whether a tag makes it a text.
    pub(crate) is_tagged_text: bool,
    /// The alias that repeats it here, by its number in the text and from 1: it has no text of its own.
    pub(crate) alias: Option<NonZeroU32>,
    /// The column of the key or dash it belongs to.
    pub(crate) column: usize,
}

/// How a leaf is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Style {
    #[default]
    Plain,
    Single,
    Double,
    Literal,
    Folded,
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool(_) => "bool(…)",
            Self::Int(_) => "int(…)",
            Self::Float(_) => "float(…)",
            Self::Time(_) => "time(…)",
            Self::Text(_) => "text(…)",
            Self::Bytes(_) => "bytes(…)",
        })
    }
}

impl fmt::Debug for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("comment(…)")
    }
}

impl Comment {
    /// Whether nothing stands before it on its line but the dashes of lists.
    pub(crate) fn is_behind_dashes(&self, text: &str) -> bool {
        let before = &text[..self.at.start];
        let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
        line.trim_matches([' ', '\t', '-']).is_empty()
    }
}

impl Scalar {
    /// A text of its own.
    pub fn text(text: &str) -> Self {
        Self::Text(Zeroizing::new(text.to_owned()))
    }

    /// Whether nothing of it is ever encrypted: null, and the empty text.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
            _ => false,
        }
    }
}

impl Value {
    /// How many nodes it has.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Leaf(_) => 1,
            Self::List(items) => items.iter().fold(1, |sum, item| match item {
                Item::Value(value) => sum + value.size(),
                Item::Comment(_) => sum,
            }),
            Self::Map(entries) => entries.iter().fold(1, |sum, entry| match entry {
                Entry::Pair(pair) => sum + pair.value.size(),
                Entry::Comment(_) => sum,
            }),
        }
    }

    /// A copy without comments, as an alias repeats it.
    pub(crate) fn repeated(&self, alias: Option<NonZeroU32>) -> Self {
        match self {
            Self::Leaf(leaf) => Self::Leaf(leaf.repeated(alias)),
            Self::List(items) => {
                let values = items.iter().filter_map(|item| match item {
                    Item::Value(value) => Some(Item::Value(value.repeated(alias))),
                    Item::Comment(_) => None,
                });
                Self::List(values.collect())
            }
            Self::Map(entries) => {
                let pairs = entries.iter().filter_map(|entry| match entry {
                    Entry::Pair(pair) => Some(Entry::Pair(Pair {
                        key: pair.key.clone(),
                        at: pair.at.clone(),
                        end: pair.end,
                        value: pair.value.repeated(alias),
                    })),
                    Entry::Comment(_) => None,
                });
                Self::Map(pairs.collect())
            }
        }
    }
}

impl Leaf {
    fn repeated(&self, alias: Option<NonZeroU32>) -> Self {
        let alias = alias.or(self.place.alias);
        Self {
            scalar: self.scalar.clone(),
            place: Place {
                alias,
                ..self.place.clone()
            },
        }
    }
}
