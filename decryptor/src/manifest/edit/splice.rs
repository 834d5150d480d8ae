//! Turns one edit into replacements in the text.

use saphyr_parser::ScalarStyle;
use serde_json::{Map, Value};

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

    /// Returns whether nothing, not even a comment, follows a node in its line.
    fn ends_line(&self, node: &Node) -> bool {
        self.text[node.end()..]
            .lines()
            .next()
            .is_none_or(|rest| rest.trim().is_empty())
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

    fn fill_in_braces(&self, spot: Spot<'_>, map: &Map<String, Value>, look: Look) -> Splice {
        let line = spot
            .entry
            .map(|entry| entry.written.start)
            .filter(|at| is_first_in_line(self.text, *at));
        let indent = line
            .filter(|_| spot.in_flow)
            .map(|at| column(self.text, at));
        let compact = self.layout().json && indent.is_none() && !self.text.contains("\": ");
        let value = Value::Object(map.clone());
        let text = match compact {
            true => value_without_space(self.layout(), &value, look),
            false => self.layout().flow(&value, look, indent),
        };
        let lead = if matches!(spot.node.kind, Kind::Missing) {
            " "
        } else {
            ""
        };
        self.splice(spot.node.whole.clone(), format!("{lead}{text}"))
    }

    /// Adds an entry to a block mapping, on a line of its own.
    fn insert_line(&self, entries: &[Entry], entry: (&str, &Value)) -> Splice {
        let first = entries[0].written.start;
        let indent = column(self.text, first);
        let mut lines = String::new();
        self.layout()
            .block_entry(&mut lines, entry, indent, look_of(self.text, entries));
        let before = match sorted_place(entries, entry.0) {
            0 if is_first_in_line(self.text, first) && !self.follows_comment(first) => {
                let at = first - indent;
                return self.splice(at..at, lines);
            }
            0 => entries.len(),
            place => place,
        };
        let last = &entries[before - 1];
        let end = match self.keeps_blank_lines(&last.value) {
            true => return self.insert_at_line(last.value.lines_end, lines),
            false => last.end(),
        };
        self.insert_after_line(end, lines)
    }

    /// Adds an entry between braces.
    fn insert_in_braces(&self, node: &Node, entries: &[Entry], entry: (&str, &Value)) -> Splice {
        let (first, last) = (&entries[0], &entries[entries.len() - 1]);
        let colon = self.colon(first);
        let lead = &self.text[node.start + 1..first.written.start];
        let on_lines = is_first_in_line(self.text, first.written.start) && lead.trim().is_empty();
        let indent = on_lines.then(|| column(self.text, first.written.start));
        let text = self
            .layout()
            .flow_entry(entry, colon, look_of(self.text, entries), indent);
        let separator = match indent {
            Some(indent) => format!(",\n{:indent$}", ""),
            None if self.layout().json && colon == ":" => ",".to_owned(),
            None => ", ".to_owned(),
        };
        match sorted_place(entries, entry.0) {
            0 if indent.is_none() || !self.follows_comment(first.written.start) => {
                let at = first.written.start;
                self.splice(at..at, format!("{text}{separator}"))
            }
            0 => self.splice(last.end()..last.end(), format!("{separator}{text}")),
            place => {
                let end = entries[place - 1].end();
                self.splice(end..end, format!("{separator}{text}"))
            }
        }
    }

    /// What stands between a key and its value: a colon, with a space or without.
    fn colon(&self, entry: &Entry) -> &'static str {
        let spaced = entry
            .colon_end
            .is_none_or(|end| self.text[end..].starts_with(char::is_whitespace));
        let unquoted = !self.text[entry.written.clone()].starts_with(['"', '\'']);
        if spaced || unquoted { ": " } else { ":" }
    }

    fn remove_lines(
        &self,
        spot: Spot<'_>,
        entries: &[Entry],
        at: usize,
    ) -> Result<Vec<Splice>, EditError> {
        let entry = &entries[at];
        let name = || EditError::Layout(self.text[entry.written.clone()].to_owned());
        let start = entry.written.start;
        if !is_first_in_line(self.text, start) {
            // Behind `- `: the next entry moves up, if nothing but space is between.
            let next = entries.get(at + 1).filter(|_| at == 0).ok_or_else(name)?;
            let between = &self.text[entry.end()..next.written.start];
            let splice = self.splice(start..next.written.start, String::new());
            return if between.trim().is_empty() {
                Ok(vec![splice])
            } else {
                Err(name())
            };
        }
        let line_start = start - column_bytes(self.text, start);
        let lines = line_start..self.line_end(entry.value.lines_end.max(entry.end()));
        let removal = self.splice(self.trim_blank_lines(lines, entry), String::new());
        if entries.len() > 1 {
            return Ok(vec![removal]);
        }
        let colon_end = spot
            .entry
            .and_then(|entry| entry.colon_end)
            .ok_or_else(name)?;
        Ok(vec![
            self.splice(colon_end..colon_end, " {}".to_owned()),
            removal,
        ])
    }

    /// Leaves blank lines after an entry, unless they belong to its block scalar.
    fn trim_blank_lines(
        &self,
        lines: std::ops::Range<usize>,
        entry: &Entry,
    ) -> std::ops::Range<usize> {
        match self.keeps_blank_lines(&entry.value) {
            true => lines.start..entry.value.lines_end,
            false => lines.start..self.line_end(entry.end()),
        }
    }

    fn remove_in_braces(&self, entries: &[Entry], at: usize) -> Result<Vec<Splice>, EditError> {
        let entry = &entries[at];
        let (range, between) = match (entries.get(at + 1), at.checked_sub(1)) {
            (Some(next), _) => (
                entry.written.start..next.written.start,
                entry.end()..next.written.start,
            ),
            (None, Some(previous)) => {
                let end = entries[previous].end();
                (end..entry.end(), end..entry.written.start)
            }
            (None, None) => (entry.written.start..entry.end(), 0..0),
        };
        if self.text[between].contains('#') {
            return Err(EditError::Layout(
                self.text[entry.written.clone()].to_owned(),
            ));
        }
        Ok(vec![self.splice(range, String::new())])
    }

    /// Inserts lines after the line that holds a place.
    fn insert_after_line(&self, at: usize, lines: String) -> Splice {
        self.insert_at_line(self.line_end(at), lines)
    }

    fn insert_at_line(&self, at: usize, lines: String) -> Splice {
        if self.text[..at].ends_with('\n') {
            return self.splice(at..at, lines);
        }
        let lines = lines.strip_suffix('\n').unwrap_or(&lines);
        self.splice(at..at, format!("\n{lines}"))
    }

    fn line_end(&self, at: usize) -> usize {
        self.text[at..]
            .find('\n')
            .map_or(self.text.len(), |end| at + end + 1)
    }

    /// Returns whether the blank lines after a value are part of it: `|+` and `>+`.
    fn keeps_blank_lines(&self, value: &Node) -> bool {
        match &value.kind {
            Kind::Scalar(ScalarStyle::Literal | ScalarStyle::Folded) => {
                let header = self.text[value.start..].lines().next().unwrap_or_default();
                header.split('#').next().unwrap_or_default().contains('+')
            }
            Kind::Mapping(Flow::Block, entries) => entries
                .last()
                .is_some_and(|entry| self.keeps_blank_lines(&entry.value)),
            Kind::Sequence(items) => items
                .last()
                .is_some_and(|item| self.keeps_blank_lines(item)),
            _ => false,
        }
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

fn value_without_space(layout: Layout, value: &Value, look: Look) -> String {
    match value {
        Value::Object(map) => {
            let entries: Vec<_> = map
                .iter()
                .map(|entry| layout.flow_entry((entry.0, entry.1), ":", look, None))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        other => layout.flow(other, look, None),
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
