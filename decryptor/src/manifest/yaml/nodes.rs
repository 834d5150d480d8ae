//! Builds one document from its events: keys, merge keys, aliases.

use std::borrow::Cow;
use std::collections::HashSet;

use saphyr_parser::{ScalarStyle, Tag};
use serde_json::{Map, Value};

use super::Refusal;
use super::anchors::Anchors;
use super::tags;
use crate::manifest::MAX_DEPTH;
use crate::manifest::scalar::Resolved;
use crate::manifest::wipe::{Wiped, WipedMap};

/// The nodes of a document that have begun and not ended.
#[derive(Default)]
pub(super) struct Nodes {
    open: Vec<Open>,
    anchors: Anchors,
    root: Wiped,
}

struct Open {
    anchor: usize,
    node: Node,
}

enum Node {
    Sequence(Wiped),
    Mapping(Mapping),
}

/// Where a value was written: merge keys take mappings only, and no alias of anything else.
#[derive(Clone, Copy, PartialEq)]
enum Origin {
    Here,
    Alias,
}

struct Mapping {
    entries: WipedMap,
    /// Keys that came by a merge: an entry of their own may still replace them.
    merged: HashSet<String>,
    awaiting: Awaiting,
}

enum Awaiting {
    Key,
    Value(String),
    Merge,
}

impl Nodes {
    pub(super) fn take_root(&mut self) -> Wiped {
        std::mem::take(&mut self.root)
    }

    pub(super) fn begin_sequence(&mut self, anchor: usize) -> Result<(), Refusal> {
        self.begin(anchor, Node::Sequence(Wiped(Value::Array(Vec::new()))))
    }

    pub(super) fn begin_mapping(&mut self, anchor: usize) -> Result<(), Refusal> {
        let mapping = Mapping {
            entries: WipedMap(Map::new()),
            merged: HashSet::new(),
            awaiting: Awaiting::Key,
        };
        self.begin(anchor, Node::Mapping(mapping))
    }

    fn begin(&mut self, anchor: usize, node: Node) -> Result<(), Refusal> {
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        if self.awaits_key() {
            return Err("a key is a mapping or a sequence".to_owned());
        }
        self.open.push(Open { anchor, node });
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<(), Refusal> {
        let Some(Open { anchor, node }) = self.open.pop() else {
            return Ok(());
        };
        let value = match node {
            Node::Sequence(items) => items,
            Node::Mapping(mapping) => Wiped(Value::Object(mapping.entries.take())),
        };
        self.anchors.keep(anchor, &value.0)?;
        self.add(value, Origin::Here)
    }

    pub(super) fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), Refusal> {
        let (text, meaning) = match tags::binary(&text, tag) {
            Some(decoded) => (decoded?, Resolved::Text),
            None => {
                let meaning = tags::meaning(&text, style, tag)?;
                (text.into_owned(), meaning)
            }
        };
        if !self.awaits_key() {
            let value = Wiped(tags::value(text, meaning)?);
            self.anchors.keep(anchor, &value.0)?;
            return self.add(value, Origin::Here);
        }
        if anchor != 0 {
            self.anchors
                .keep(anchor, &tags::value(text.clone(), meaning)?)?;
        }
        let awaiting = match meaning {
            Resolved::Merge => Awaiting::Merge,
            _ => Awaiting::Value(tags::key(text, meaning)?),
        };
        self.await_next(awaiting);
        Ok(())
    }

    pub(super) fn alias(&mut self, anchor: usize) -> Result<(), Refusal> {
        let value = self.anchors.copy(anchor, self.open.len())?;
        if self.awaits_key() {
            self.await_next(Awaiting::Value(tags::key_of_value(&value.0)?));
            return Ok(());
        }
        self.add(value, Origin::Alias)
    }

    fn awaits_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                node: Node::Mapping(Mapping {
                    awaiting: Awaiting::Key,
                    ..
                }),
                ..
            })
        )
    }

    fn await_next(&mut self, next: Awaiting) {
        if let Some(Open {
            node: Node::Mapping(mapping),
            ..
        }) = self.open.last_mut()
        {
            mapping.awaiting = next;
        }
    }

    /// Puts a complete value where it belongs.
    fn add(&mut self, value: Wiped, origin: Origin) -> Result<(), Refusal> {
        match self.open.last_mut() {
            None => self.root = value,
            Some(Open {
                node: Node::Sequence(items),
                ..
            }) => {
                if let Value::Array(items) = &mut items.0 {
                    items.push(value.take());
                }
            }
            Some(Open {
                node: Node::Mapping(mapping),
                ..
            }) => mapping.add(value, origin)?,
        }
        Ok(())
    }
}

impl Mapping {
    fn add(&mut self, value: Wiped, origin: Origin) -> Result<(), Refusal> {
        match std::mem::replace(&mut self.awaiting, Awaiting::Key) {
            Awaiting::Key => Ok(()),
            Awaiting::Merge => self.merge_all(value, origin),
            Awaiting::Value(key) => {
                if self.entries.0.contains_key(&key) && !self.merged.remove(&key) {
                    return Err(format!("key {key:?} stands twice in one mapping"));
                }
                self.entries.0.insert(key, value.take());
                Ok(())
            }
        }
    }

    /// Merges a mapping, or several of which the first wins.
    fn merge_all(&mut self, mut value: Wiped, origin: Origin) -> Result<(), Refusal> {
        match &mut value.0 {
            Value::Object(_) => self.merge(&mut value.0),
            Value::Array(sources) if origin == Origin::Here => sources
                .iter_mut()
                .rev()
                .try_for_each(|source| self.merge(source)),
            _ => Err(NOT_MERGEABLE.to_owned()),
        }
    }

    /// As in go-yaml v2, merged entries replace those that stand before the merge key.
    fn merge(&mut self, source: &mut Value) -> Result<(), Refusal> {
        let Value::Object(source) = source else {
            return Err(NOT_MERGEABLE.to_owned());
        };
        for (key, value) in std::mem::take(source) {
            if !self.entries.0.contains_key(&key) {
                self.merged.insert(key.clone());
            }
            if let Some(mut replaced) = self.entries.0.insert(key, value) {
                crate::manifest::wipe::wipe(&mut replaced);
            }
        }
        Ok(())
    }
}

const NOT_MERGEABLE: &str = "a merge key takes a mapping, or a sequence of mappings";
