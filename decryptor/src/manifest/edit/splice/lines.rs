//! Entries of block mappings: whole lines of the text.

use std::ops::Range;

use saphyr_parser::ScalarStyle;
use serde_json::Value;

use super::{Editing, Spot, column, column_bytes, is_first_in_line, look_of, sorted_place};
use crate::manifest::edit::EditError;
use crate::manifest::edit::part::Splice;
use crate::manifest::edit::tree::{Entry, Flow, Kind, Node};

impl Editing<'_> {
    /// Adds an entry to a block mapping, on a line of its own.
    pub(super) fn insert_line(&self, entries: &[Entry], entry: (&str, &Value)) -> Splice {
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

    pub(super) fn remove_lines(
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
    fn trim_blank_lines(&self, lines: Range<usize>, entry: &Entry) -> Range<usize> {
        match self.keeps_blank_lines(&entry.value) {
            true => lines.start..entry.value.lines_end,
            false => lines.start..self.line_end(entry.end()),
        }
    }

    /// Inserts lines after the line that holds a place.
    pub(super) fn insert_after_line(&self, at: usize, lines: String) -> Splice {
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
}
