//! Turns one edit into replacements in the text.

use saphyr_parser::ScalarStyle;
use serde_json::{Map, Value};

mod braces;
mod lines;

use super::part::{Nodes, Splice};
use super::render::{Layout, Look, Place};
use super::tree::{Entry, Flow, Key, Kind, Node};
use super::{EditError, Step};

/// The replacements for one edit.
pub(super) struct Edit {
    pub(super) splices: Vec<Splice>,
    /// How many steps of the path lead to what changed.
    pub(super) depth: usize,
}

/// A node on the path, and what is around it.
#[derive(Clone, Copy)]
struct Spot<'a> {
    node: &'a Node,
    /// The entry whose value it is; `None` for the root and for items.
    entry: Option<&'a Entry>,
    /// Whether it stands between brackets.
    in_flow: bool,
}

struct Editing<'a> {
    text: &'a str,
    nodes: &'a Nodes,
}

/// Sets a value that is no replacement of a collection.
pub(super) fn set(
    text: &str,
    nodes: &Nodes,
    path: &[Step<'_>],
    value: &Value,
) -> Result<Edit, EditError> {
    let editing = Editing { text, nodes };
    let (spot, depth) = editing.descend(path)?;
    let Some((next, rest)) = path[depth..].split_first() else {
        let name = name(path);
        let splices = match value {
            Value::Object(map) if !map.is_empty() => editing.fill(spot, map, &name)?,
            _ => vec![editing.replace(spot, value, &name)?],
        };
        return Ok(Edit { splices, depth });
    };
    let key = match next {
        Step::Key(key) => *key,
        Step::Index(index) => return Err(EditError::NoSuchItem(*index)),
    };
    let value = nest(rest, value)?;
    let splices = match &spot.node.kind {
        Kind::Mapping(flow, entries) if !entries.is_empty() => {
            if entries
                .iter()
                .any(|entry| entry.key != Key::Merge && !matches!(entry.key, Key::Text(_)))
            {
                return Err(EditError::Shared(key.to_owned()));
            }
            vec![match flow {
                Flow::Block => editing.insert_line(entries, (key, &value)),
                Flow::Braces => editing.insert_in_braces(spot.node, entries, (key, &value)),
                Flow::Pair => return Err(EditError::Layout(key.to_owned())),
            }]
        }
        Kind::Sequence(_) => return Err(EditError::NotAMapping(key.to_owned())),
        _ => editing.fill(spot, &Map::from_iter([(key.to_owned(), value)]), key)?,
    };
    Ok(Edit { splices, depth })
}

/// Removes an entry of the mapping at a path.
pub(super) fn remove(
    text: &str,
    nodes: &Nodes,
    parent: &[Step<'_>],
    key: &str,
) -> Result<Vec<Splice>, EditError> {
    let editing = Editing { text, nodes };
    let (spot, depth) = editing.descend(parent)?;
    let missing = || EditError::NoSuchEntry(key.to_owned());
    let Kind::Mapping(flow, entries) = &spot.node.kind else {
        return Err(missing());
    };
    if depth < parent.len() {
        return Err(missing());
    }
    let is_it = |entry: &Entry| matches!(&entry.key, Key::Text(text) if text == key);
    let at = entries.iter().position(is_it).ok_or_else(missing)?;
    match flow {
        Flow::Block => editing.remove_lines(spot, entries, at),
        Flow::Braces => editing.remove_in_braces(entries, at),
        Flow::Pair => Err(EditError::Layout(key.to_owned())),
    }
}

fn name(path: &[Step<'_>]) -> String {
    match path.last() {
        Some(Step::Key(key)) => (*key).to_owned(),
        Some(Step::Index(index)) => format!("item {}", index + 1),
        None => "the document".to_owned(),
    }
}

fn nest(path: &[Step<'_>], value: &Value) -> Result<Value, EditError> {
    path.iter()
        .rev()
        .try_fold(value.clone(), |value, step| match step {
            Step::Key(key) => Ok(Value::Object(Map::from_iter([((*key).to_owned(), value)]))),
            Step::Index(index) => Err(EditError::NoSuchItem(*index)),
        })
}

impl<'a> Editing<'a> {
    /// Follows a path as far as it is written; tells how many steps that was.
    fn descend(&self, path: &[Step<'_>]) -> Result<(Spot<'a>, usize), EditError> {
        let mut spot = Spot {
            node: &self.nodes.root,
            entry: None,
            in_flow: self.nodes.layout.json,
        };
        for (depth, step) in path.iter().enumerate() {
            let name = name(&path[..depth + 1]);
            self.refuse_shared(spot.node, &name)?;
            let in_flow = spot.in_flow || self.text[spot.node.start..].starts_with(['{', '[']);
            spot = match (step, &spot.node.kind) {
                (Step::Key(key), Kind::Mapping(_, entries)) => match spot.node.entry(key) {
                    Some(entry) => Spot {
                        node: &entry.value,
                        entry: Some(entry),
                        in_flow,
                    },
                    None if entries.iter().any(|entry| entry.key == Key::Merge) => {
                        return Err(EditError::Shared(name));
                    }
                    None => return Ok((spot, depth)),
                },
                (Step::Index(index), Kind::Sequence(items)) => {
                    let node = items.get(*index).ok_or(EditError::NoSuchItem(*index))?;
                    Spot {
                        node,
                        entry: None,
                        in_flow,
                    }
                }
                (Step::Index(index), _) => return Err(EditError::NoSuchItem(*index)),
                (Step::Key(_), _) => return Ok((spot, depth)),
            };
        }
        if !matches!(spot.node.kind, Kind::Alias) {
            self.refuse_shared(spot.node, &name(path))?;
        }
        Ok((spot, path.len()))
    }

    fn refuse_shared(&self, node: &Node, name: &str) -> Result<(), EditError> {
        match node.kind {
            Kind::Alias => Err(EditError::Shared(name.to_owned())),
            _ if self.nodes.aliased.contains(&node.anchor) => {
                Err(EditError::Shared(name.to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn layout(&self) -> Layout {
        self.nodes.layout
    }

    /// Replaces a scalar, or an empty collection, by a scalar or an empty collection.
    fn replace(&self, spot: Spot<'_>, value: &Value, name: &str) -> Result<Splice, EditError> {
        let node = spot.node;
        let place = match spot.entry {
            Some(entry) if !spot.in_flow && self.ends_line(node) => {
                Place::Block(self.indent(entry) + self.layout().step)
            }
            _ => Place::Flow,
        };
        let style = match node.kind {
            Kind::Scalar(style) => style,
            _ => ScalarStyle::Plain,
        };
        let text = self.layout().scalar(value, style, place);
        let text = text
            .strip_suffix('\n')
            .map_or_else(|| text.clone(), str::to_owned);
        match node.kind {
            Kind::Missing => Ok(self.splice(node.start..node.start, format!(" {text}"))),
            Kind::Unwritable => Err(EditError::Layout(name.to_owned())),
            Kind::Scalar(ScalarStyle::Literal | ScalarStyle::Folded) => {
                let comment = header_comment(&self.text[node.start..node.end()]);
                Ok(self.splice(node.start..node.end(), format!("{text}{comment}")))
            }
            // A tag would change what the new value means, an anchor without aliases does nothing.
            _ if node.anchor == 0 => Ok(self.splice(node.whole.clone(), text)),
            _ => Ok(self.splice(node.start..node.end(), text)),
        }
    }

    /// Returns whether no comment goes with a scalar: lines would not end where it stands.
    fn ends_line(&self, node: &Node) -> bool {
        let after = self.text[node.end()..].lines().next().unwrap_or_default();
        after.trim().is_empty() && header_comment(&self.text[node.start..node.end()]).is_empty()
    }

    /// Turns `{}`, null or nothing into a mapping.
    fn fill(
        &self,
        spot: Spot<'_>,
        map: &Map<String, Value>,
        name: &str,
    ) -> Result<Vec<Splice>, EditError> {
        let node = spot.node;
        let look = self.look_around(spot);
        if node.anchor != 0 || matches!(node.kind, Kind::Unwritable) {
            return Err(EditError::Layout(name.to_owned()));
        }
        self.refuse_shared(node, name)?;
        let is_empty = match &node.kind {
            Kind::Mapping(_, entries) => entries.is_empty(),
            Kind::Scalar(style) => *style == ScalarStyle::Plain,
            kind => matches!(kind, Kind::Missing),
        };
        if !is_empty {
            return Err(EditError::NotAMapping(name.to_owned()));
        }
        let block = spot
            .entry
            .filter(|_| !spot.in_flow)
            .and_then(|entry| Some((entry, entry.colon_end?)));
        let Some((entry, colon_end)) = block else {
            return Ok(vec![self.fill_in_braces(spot, map, look)]);
        };
        let indent = self.indent(entry) + self.layout().step;
        let mut lines = String::new();
        for entry in map {
            self.layout()
                .block_entry(&mut lines, (entry.0, entry.1), indent, look);
        }
        let mut splices = Vec::new();
        if node.end() > colon_end {
            splices.push(self.splice(colon_end..node.end(), String::new()));
        }
        splices.push(self.insert_after_line(colon_end.max(node.end()), lines));
        Ok(splices)
    }

    fn follows_comment(&self, at: usize) -> bool {
        let line = self.text[..at]
            .rfind('\n')
            .map_or("", |end| &self.text[..end]);
        line.rsplit('\n')
            .next()
            .unwrap_or_default()
            .trim_start()
            .starts_with('#')
    }

    fn indent(&self, entry: &Entry) -> usize {
        column(self.text, entry.written.start)
    }

    /// How the entries of a mapping look that has none yet: as those of the document.
    fn look_around(&self, spot: Spot<'_>) -> Look {
        let quoted = spot.in_flow
            && spot
                .entry
                .is_some_and(|entry| self.text[entry.written.clone()].starts_with('"'));
        match quoted {
            true => Look {
                key: ScalarStyle::DoubleQuoted,
                value: ScalarStyle::DoubleQuoted,
            },
            false => Look {
                key: ScalarStyle::Plain,
                value: ScalarStyle::Plain,
            },
        }
    }

    /// A replacement with the line ends of the text.
    fn splice(&self, range: std::ops::Range<usize>, text: String) -> Splice {
        let windows = self
            .text
            .split_once('\n')
            .is_some_and(|(line, _)| line.ends_with('\r'));
        let text = if windows {
            text.replace('\n', "\r\n")
        } else {
            text
        };
        Splice { range, text }
    }
}

/// Where a key belongs if the entries are sorted; after the last one if they are not.
fn sorted_place(entries: &[Entry], key: &str) -> usize {
    let text = |entry: &Entry| match &entry.key {
        Key::Text(text) => Some(text.clone()),
        _ => None,
    };
    let keys: Option<Vec<_>> = entries.iter().map(text).collect();
    match keys {
        Some(keys) if keys.is_sorted() => keys.partition_point(|other| other.as_str() < key),
        _ => entries.len(),
    }
}

/// The style of the last entry, so far as a line can have it.
fn look_of(text: &str, entries: &[Entry]) -> Look {
    let style = |at: usize| match text.as_bytes().get(at) {
        Some(b'"') => ScalarStyle::DoubleQuoted,
        Some(b'\'') => ScalarStyle::SingleQuoted,
        _ => ScalarStyle::Plain,
    };
    let Some(last) = entries.last() else {
        return Look {
            key: ScalarStyle::Plain,
            value: ScalarStyle::Plain,
        };
    };
    Look {
        key: style(last.written.start),
        value: style(last.value.start),
    }
}

/// The comment in the header of a block scalar, with the space before it.
fn header_comment(scalar: &str) -> &str {
    let header = scalar.lines().next().unwrap_or_default();
    header.find(" #").map_or("", |at| &header[at..])
}

/// How many characters stand before a place in its line.
pub(super) fn column(text: &str, at: usize) -> usize {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    text[line..at].chars().count()
}

fn column_bytes(text: &str, at: usize) -> usize {
    at - text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// Returns whether only spaces stand before a place in its line.
pub(super) fn is_first_in_line(text: &str, at: usize) -> bool {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    text[line..at].bytes().all(|byte| byte == b' ')
}
