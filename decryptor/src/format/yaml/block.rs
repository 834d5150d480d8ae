//! Writes metadata as SOPS does: block style, lists indented, texts of several lines as literal blocks.

use super::write::{Around, default, double};
use crate::sops::metadata::{Field, Fields};

/// Writes `sops:` and the fields under it as lines at `column`; each ends with `newline`.
pub(super) fn write(fields: &Fields, column: usize, step: usize, newline: &str) -> String {
    let mut writer = Writer {
        out: String::new(),
        base: column,
        step,
        newline,
    };
    let metadata = vec![("sops".to_owned(), Field::Map(fields.clone()))];
    writer.lines(&metadata, column, false);
    writer.out
}

/// Writes the fields in braces, on one line, as JSON.
pub(super) fn write_flow(fields: &Fields) -> String {
    let mut out = String::new();
    flow(&Field::Map(fields.clone()), &mut out);
    out
}

/// Where lines under a column begin: SOPS aligns them to whole steps.
pub(super) fn next_column(column: usize, step: usize) -> usize {
    step * (column / step + 1)
}

struct Writer<'t> {
    out: String,
    /// The column of the document's own keys.
    base: usize,
    step: usize,
    newline: &'t str,
}

impl Writer<'_> {
    fn lines(&mut self, fields: &Fields, column: usize, mut first_is_begun: bool) {
        for (name, field) in fields {
            if !std::mem::take(&mut first_is_begun) {
                self.pad(column);
            }
            self.out.push_str(&self.text(name, column));
            self.out.push(':');
            match field {
                Field::Map(inner) if !inner.is_empty() => {
                    self.end_line();
                    self.lines(inner, self.next(column), false);
                }
                Field::List(items) if !items.is_empty() => {
                    self.end_line();
                    for item in items {
                        self.item(item, self.next(column));
                    }
                }
                other => {
                    self.out.push(' ');
                    self.leaf(other, column);
                }
            }
        }
    }

    fn item(&mut self, item: &Field, column: usize) {
        self.pad(column);
        self.out.push_str("- ");
        match item {
            Field::Map(fields) if !fields.is_empty() => self.lines(fields, column + 2, true),
            other => self.leaf(other, column),
        }
    }

    fn leaf(&mut self, field: &Field, column: usize) {
        match field {
            Field::Null => self.out.push_str("null"),
            Field::Bool(value) => self.out.push_str(&value.to_string()),
            Field::Int(value) => self.out.push_str(&value.to_string()),
            Field::Text(text) => self.out.push_str(&self.text(text, column)),
            Field::List(_) => self.out.push_str("[]"),
            Field::Map(_) => self.out.push_str("{}"),
        }
        self.end_line();
    }

    fn text(&self, text: &str, column: usize) -> String {
        let around = Around {
            flow: false,
            column,
            indent: self.next(column),
            newline: self.newline,
            blank_follows: false,
        };
        match text.is_empty() {
            true => double(text),
            false => default(text, around),
        }
    }

    fn next(&self, column: usize) -> usize {
        self.base + next_column(column - self.base, self.step)
    }

    fn pad(&mut self, column: usize) {
        self.out.extend(std::iter::repeat_n(' ', column));
    }

    fn end_line(&mut self) {
        self.out.push_str(self.newline);
    }
}

fn flow(field: &Field, out: &mut String) {
    match field {
        Field::Null => out.push_str("null"),
        Field::Bool(value) => out.push_str(&value.to_string()),
        Field::Int(value) => out.push_str(&value.to_string()),
        Field::Text(text) => out.push_str(&double(text)),
        Field::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                flow(item, out);
            }
            out.push(']');
        }
        Field::Map(fields) => {
            out.push('{');
            for (at, (name, field)) in fields.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                out.push_str(&double(name));
                out.push_str(": ");
                flow(field, out);
            }
            out.push('}');
        }
    }
}
