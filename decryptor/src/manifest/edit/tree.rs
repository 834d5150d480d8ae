//! Where the nodes of a document stand in its text.

use std::ops::Range;

use saphyr_parser::ScalarStyle;

/// One node and its place in the text, in bytes.
#[derive(Debug)]
pub(super) struct Node {
    /// The node with its anchor and tag, without what follows it.
    pub(super) whole: Range<usize>,
    /// Where the node itself begins, after anchor and tag.
    pub(super) start: usize,
    /// Where the blank lines end that may belong to a block scalar.
    pub(super) lines_end: usize,
    /// Which anchor it has; 0 is none.
    pub(super) anchor: usize,
    pub(super) kind: Kind,
}

/// What a node is, and how it is written.
#[derive(Debug)]
pub(super) enum Kind {
    Scalar(ScalarStyle),
    /// Nothing is written: an empty value after a colon or a dash.
    Missing,
    /// Nothing is written, and nothing can be.
    Unwritable,
    Alias,
    Mapping(Flow, Vec<Entry>),
    Sequence(Vec<Node>),
}

/// Whether a mapping stands in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// By indentation.
    Block,
    /// In braces.
    Braces,
    /// A single pair in a flow sequence, without braces.
    Pair,
}

/// One entry of a mapping.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: Key,
    /// The key as it is written.
    pub(super) written: Range<usize>,
    /// Where the colon ends. `None` if it is not right behind the key.
    pub(super) colon_end: Option<usize>,
    pub(super) value: Node,
}

/// What a key says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Key {
    Text(String),
    Merge,
    /// An alias: its text is elsewhere.
    Alias,
}

impl Node {
    pub(super) fn end(&self) -> usize {
        self.whole.end
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Mapping(_, entries) => entries
                .iter()
                .find(|entry| matches!(&entry.key, Key::Text(text) if text == key)),
            _ => None,
        }
    }
}

impl Entry {
    /// Where the entry ends, without a comment after it.
    pub(super) fn end(&self) -> usize {
        let colon = self.colon_end.unwrap_or(self.written.end);
        match self.value.kind {
            Kind::Missing | Kind::Unwritable => colon.max(self.value.end()),
            _ => self.value.end(),
        }
    }
}
