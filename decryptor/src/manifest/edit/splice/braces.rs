//! Entries between braces: JSON objects, and YAML mappings that look like them.

use serde_json::{Map, Value};

use super::{Editing, Spot, column, is_first_in_line, look_of, sorted_place};
use crate::manifest::edit::EditError;
use crate::manifest::edit::part::Splice;
use crate::manifest::edit::render::{Layout, Look};
use crate::manifest::edit::tree::{Entry, Kind, Node};

impl Editing<'_> {
    /// Adds an entry between braces.
    pub(super) fn insert_in_braces(
        &self,
        node: &Node,
        entries: &[Entry],
        entry: (&str, &Value),
    ) -> Splice {
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

    pub(super) fn fill_in_braces(
        &self,
        spot: Spot<'_>,
        map: &Map<String, Value>,
        look: Look,
    ) -> Splice {
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

    pub(super) fn remove_in_braces(
        &self,
        entries: &[Entry],
        at: usize,
    ) -> Result<Vec<Splice>, EditError> {
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
