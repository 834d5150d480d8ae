//! One document of a stream under edit: its text, its nodes, and what it must say in the end.

use std::collections::HashSet;

use serde_json::Value;

use super::render::Layout;
use super::tree::{Flow, Kind, Node};
use super::{EditError, Step, json_tree, splice, yaml_tree};
use crate::manifest::wipe::{Wiped, wipe};
use crate::manifest::{Parsed, ReadError, Syntax, json, yaml};

/// A document and the edits to it.
pub(super) struct Part {
    pub(super) text: String,
    syntax: Syntax,
    expected: Wiped,
    nodes: Option<Nodes>,
    pending: Vec<Splice>,
    /// What the pending edits changed: paths below these have moved.
    changed: Vec<Vec<OwnedStep>>,
}

/// The nodes of the text as it is without the pending edits.
pub(super) struct Nodes {
    pub(super) root: Node,
    pub(super) aliased: HashSet<usize>,
    pub(super) layout: Layout,
}

/// One replacement in a text.
#[derive(Debug)]
pub(super) struct Splice {
    pub(super) range: std::ops::Range<usize>,
    pub(super) text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum OwnedStep {
    Key(String),
    Index(usize),
}

impl Part {
    pub(super) fn new(text: &str, syntax: Syntax, value: Wiped) -> Self {
        let (nodes, pending, changed) = (None, Vec::new(), Vec::new());
        Self {
            text: text.to_owned(),
            syntax,
            expected: value,
            nodes,
            pending,
            changed,
        }
    }

    pub(super) fn value(&self) -> &Value {
        &self.expected.0
    }

    pub(super) fn set(&mut self, path: &[Step<'_>], value: &Value) -> Result<(), EditError> {
        if self.is_changed(path) {
            self.flush()?;
        }
        if path.is_empty() || self.replaces_collection(path, value) {
            self.remove(path)?;
            self.flush()?;
        }
        let edit = splice::set(
            &self.text,
            nodes(&mut self.nodes, &self.text, self.syntax)?,
            path,
            value,
        )?;
        set_value(&mut self.expected.0, path, value.clone())?;
        self.changed.push(owned(&path[..edit.depth]));
        self.pending.extend(edit.splices);
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &[Step<'_>]) -> Result<(), EditError> {
        self.flush()?;
        let Some((Step::Key(key), parent)) = path.split_last() else {
            return Err(EditError::NotAnEntry);
        };
        let splices = splice::remove(
            &self.text,
            nodes(&mut self.nodes, &self.text, self.syntax)?,
            parent,
            key,
        )?;
        if let Some(Value::Object(map)) = find_value(&mut self.expected.0, parent)
            && let Some(mut removed) = map.shift_remove(*key)
        {
            wipe(&mut removed);
        }
        self.pending.extend(splices);
        self.changed.push(owned(parent));
        Ok(())
    }

    /// Makes the pending edits, and checks that the text then says what it must.
    pub(super) fn flush(&mut self) -> Result<(), EditError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut splices = std::mem::take(&mut self.pending);
        splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
        let mut edited = String::with_capacity(self.text.len() + 256);
        let mut at = 0;
        for splice in splices {
            let kept = self
                .text
                .get(at..splice.range.start)
                .ok_or(EditError::NotAsAsked)?;
            edited.push_str(kept);
            edited.push_str(&splice.text);
            at = splice.range.end;
        }
        edited.push_str(self.text.get(at..).ok_or(EditError::NotAsAsked)?);
        let read = read(self.syntax, &edited).map_err(|_| EditError::NotAsAsked)?;
        if !matches!(&read[..], [document] if document.value.0 == self.expected.0) {
            return Err(EditError::NotAsAsked);
        }
        self.text = edited;
        self.nodes = None;
        self.changed.clear();
        Ok(())
    }

    fn is_changed(&self, path: &[Step<'_>]) -> bool {
        let path = owned(path);
        self.changed.iter().any(|changed| path.starts_with(changed))
    }

    /// Returns whether something with entries would be replaced, or a scalar by something with entries.
    fn replaces_collection(&mut self, path: &[Step<'_>], value: &Value) -> bool {
        let has_entries = |value: &Value| match value {
            Value::Object(map) => !map.is_empty(),
            Value::Array(_) => true,
            _ => false,
        };
        match find_value(&mut self.expected.0, path) {
            None => false,
            Some(old) if has_entries(old) => true,
            Some(Value::Object(_) | Value::Null) => !has_entries(value) && value.is_object(),
            Some(_) => value.is_object() || value.is_array(),
        }
    }
}

/// The nodes of a text, found when first asked for.
fn nodes<'a>(
    nodes: &'a mut Option<Nodes>,
    text: &str,
    syntax: Syntax,
) -> Result<&'a Nodes, EditError> {
    if nodes.is_none() {
        let found = match syntax {
            Syntax::Yaml => yaml_tree::build(text).map(|found| (found.root, found.aliased)),
            Syntax::Json => json_tree::build(text).map(|root| (root, HashSet::new())),
        };
        let (root, aliased) = found.ok_or(EditError::NotAsAsked)?;
        let layout = Layout {
            json: syntax == Syntax::Json,
            step: step(text, &root).unwrap_or(2),
        };
        *nodes = Some(Nodes {
            root,
            aliased,
            layout,
        });
    }
    nodes.as_ref().ok_or(EditError::NotAsAsked)
}

/// Reads a part's documents, without those that are empty.
pub(super) fn read(syntax: Syntax, text: &str) -> Result<Vec<Parsed>, ReadError> {
    let mut read = match syntax {
        Syntax::Json => json::read(text),
        Syntax::Yaml => yaml::read(text),
    }?;
    read.retain(|parsed| !parsed.value.0.is_null());
    Ok(read)
}

/// By how much the first mapping that is nested, or stands in braces on several lines, is indented.
fn step(text: &str, node: &Node) -> Option<usize> {
    let Kind::Mapping(flow, entries) = &node.kind else {
        return None;
    };
    let first = entries.first()?.written.start;
    let line = text[..node.start].rsplit('\n').next().unwrap_or_default();
    let outer = line.len() - line.trim_start_matches(' ').len();
    let own = splice::column(text, first);
    if *flow == Flow::Braces && splice::is_first_in_line(text, first) && own > outer {
        return Some(own - outer);
    }
    entries.iter().find_map(|entry| match &entry.value.kind {
        Kind::Mapping(Flow::Block, inner) => {
            let inner = splice::column(text, inner.first()?.written.start);
            inner.checked_sub(own).filter(|step| *step > 0)
        }
        _ => step(text, &entry.value),
    })
}

fn owned(path: &[Step<'_>]) -> Vec<OwnedStep> {
    path.iter()
        .map(|step| match step {
            Step::Key(key) => OwnedStep::Key((*key).to_owned()),
            Step::Index(index) => OwnedStep::Index(*index),
        })
        .collect()
}

fn find_value<'a>(value: &'a mut Value, path: &[Step<'_>]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get_mut(*key),
        Step::Index(index) => value.get_mut(*index),
    })
}

/// Sets a value, making the mappings on the way.
fn set_value(mut at: &mut Value, path: &[Step<'_>], value: Value) -> Result<(), EditError> {
    for step in path {
        at = match step {
            Step::Index(index) => at.get_mut(*index).ok_or(EditError::NoSuchItem(*index))?,
            Step::Key(key) => {
                if at.is_null() {
                    *at = Value::Object(serde_json::Map::new());
                }
                let map = at
                    .as_object_mut()
                    .ok_or(EditError::NotAMapping((*key).to_owned()))?;
                map.entry((*key).to_owned()).or_insert(Value::Null)
            }
        };
    }
    wipe(at);
    *at = value;
    Ok(())
}
