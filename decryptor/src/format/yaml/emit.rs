//! Writes YAML as SOPS does: block style, four columns a step, lists indented. Or as functions of kustomize do: two columns a
//! step, lists not indented, and each value as it stands in its source.

use std::borrow::Cow;

use super::block::next_column;
use super::leaf::plain_form;
use super::write::{Around, default, double, literal, single};
use crate::format::emit::{EmitError, Out};
use crate::tree::{Comment, Entry, Item, Leaf, Scalar, Style, Tree, Value};

/// How lines are laid out.
#[derive(Clone, Copy)]
struct Layout<'t> {
    /// How many columns a step has.
    step: usize,
    /// Whether lists stand a step right of their key.
    indents_lists: bool,
    /// The text that the values come from, if they are to keep their form.
    source: Option<&'t str>,
}

const SOPS: Layout<'static> = Layout {
    step: 4,
    indents_lists: true,
    source: None,
};

/// Writes all documents.
pub(in crate::format) fn emit_documents(tree: &Tree, out: &mut Out) -> Result<(), EmitError> {
    for (at, document) in tree.documents.iter().enumerate() {
        if at > 0 {
            out.push_str("---\n");
        }
        emit_map(document, 0, out)?;
    }
    Ok(())
}

/// Writes a value as a document of its own.
pub(in crate::format) fn emit_value(value: &Value, out: &mut Out) -> Result<(), EmitError> {
    let mut writer = Writer {
        out,
        base: 0,
        layout: SOPS,
    };
    match value {
        Value::Map(entries) => emit_map(entries, 0, writer.out),
        Value::List(items) if has_values(items) => writer.list(items, 0, false),
        value => writer.leaf_of(value, 0, SOPS.step),
    }
}

/// Writes the lines of a mapping at a column.
pub(in crate::format) fn emit_map(
    entries: &[Entry],
    column: usize,
    out: &mut Out,
) -> Result<(), EmitError> {
    let mut writer = Writer {
        out,
        base: column,
        layout: SOPS,
    };
    writer.document(entries, column, false)
}

/// Writes a mapping at a column as functions of kustomize do: its values keep the form that they have in `source`. An item of a
/// list begins behind its dash.
#[cfg(feature = "hooks")]
pub(in crate::format) fn emit_kept(
    entries: &[Entry],
    source: &str,
    column: usize,
    is_item: bool,
    out: &mut Out,
) -> Result<(), EmitError> {
    let mut writer = Writer {
        out,
        base: column,
        layout: Layout {
            step: 2,
            indents_lists: false,
            source: Some(source),
        },
    };
    writer.document(entries, column, is_item)
}

struct Writer<'o> {
    out: &'o mut Out,
    base: usize,
    layout: Layout<'o>,
}

fn has_pairs(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| matches!(entry, Entry::Pair(_)))
}

fn has_values(items: &[Item]) -> bool {
    items.iter().any(|item| matches!(item, Item::Value(_)))
}

/// The comments that stand before the first value of a mapping or of a list, however deep that is.
fn leading(value: &Value) -> Vec<&Comment> {
    match value {
        Value::Map(entries) if has_pairs(entries) => {
            let begin = entries.iter().map_while(|entry| match entry {
                Entry::Comment(comment) => Some(comment),
                Entry::Pair(_) => None,
            });
            begin.collect()
        }
        Value::List(items) if has_values(items) => {
            let mut begin = Vec::new();
            for item in items {
                match item {
                    Item::Comment(comment) => begin.push(comment),
                    Item::Value(first) => {
                        begin.extend(leading(first));
                        break;
                    }
                }
            }
            begin
        }
        _ => Vec::new(),
    }
}

fn without_leading(entries: &[Entry]) -> &[Entry] {
    let first = entries
        .iter()
        .position(|entry| matches!(entry, Entry::Pair(_)));
    &entries[first.unwrap_or_default()..]
}

fn behind_leading(items: &[Item]) -> &[Item] {
    let first = items.iter().position(|item| matches!(item, Item::Value(_)));
    &items[first.unwrap_or_default()..]
}

impl Writer<'_> {
    fn document(
        &mut self,
        entries: &[Entry],
        column: usize,
        is_begun: bool,
    ) -> Result<(), EmitError> {
        self.map(entries, column, is_begun)?;
        if !has_pairs(entries) {
            if !is_begun || !entries.is_empty() {
                self.pad(column);
            }
            self.out.push_str("{}\n");
        }
        Ok(())
    }

    fn map(
        &mut self,
        entries: &[Entry],
        column: usize,
        mut is_begun: bool,
    ) -> Result<(), EmitError> {
        for entry in entries {
            if !std::mem::take(&mut is_begun) {
                self.pad(column);
            }
            match entry {
                Entry::Comment(comment) => self.comment(comment, column),
                Entry::Pair(pair) => {
                    let key = match pair.key.is_empty() || pair.key.contains('\n') {
                        true => escaped(&pair.key),
                        false => written(&pair.key, self.around(column)),
                    };
                    self.out.push_str(&key);
                    self.out.push(':');
                    self.value(&pair.value, column).map_err(|error| {
                        match error.key.is_empty() {
                            true => EmitError::new(&pair.key, error.reason),
                            false => error,
                        }
                    })?;
                }
            }
        }
        Ok(())
    }

    fn value(&mut self, value: &Value, column: usize) -> Result<(), EmitError> {
        match value {
            Value::Map(entries) if has_pairs(entries) => {
                self.out.push('\n');
                self.map(entries, self.next(column), false)
            }
            Value::List(items) if has_values(items) => {
                self.out.push('\n');
                let column = match self.layout.indents_lists {
                    true => self.next(column),
                    false => column,
                };
                self.list(items, column, false)
            }
            value => {
                self.out.push(' ');
                self.leaf_of(value, column, self.next(column))
            }
        }
    }

    fn list(&mut self, items: &[Item], column: usize, mut is_begun: bool) -> Result<(), EmitError> {
        for item in items {
            match item {
                Item::Comment(comment) => {
                    if !std::mem::take(&mut is_begun) {
                        self.pad(column);
                    }
                    self.comment(comment, column);
                }
                Item::Value(value) => {
                    // Comments that a mapping or a list begins with stand before its dash.
                    let is_first = std::mem::take(&mut is_begun);
                    for comment in leading(value) {
                        if !is_first {
                            self.pad(column);
                            self.comment(comment, column);
                        }
                    }
                    if !is_first {
                        self.pad(column);
                    }
                    self.out.push_str("- ");
                    match value {
                        Value::Map(entries) if has_pairs(entries) => {
                            self.map(without_leading(entries), column + 2, true)?
                        }
                        Value::List(items) if has_values(items) => {
                            self.list(behind_leading(items), column + 2, true)?
                        }
                        // The lines of a block stand right of the dash, in any step.
                        value => self.leaf_of(value, column, column + 2)?,
                    }
                }
            }
        }
        Ok(())
    }

    /// `indent`: where the lines of a block would stand.
    fn leaf_of(&mut self, value: &Value, column: usize, indent: usize) -> Result<(), EmitError> {
        match value {
            Value::Map(_) => self.out.push_str("{}"),
            Value::List(_) => self.out.push_str("[]"),
            Value::Leaf(leaf) => {
                let text = self
                    .scalar(leaf, column, indent)
                    .map_err(|reason| EmitError::new("", reason))?;
                self.out.push_str(&text);
            }
        }
        self.out.push('\n');
        Ok(())
    }

    fn scalar(&self, leaf: &Leaf, column: usize, indent: usize) -> Result<String, &'static str> {
        let around = Around {
            indent,
            ..self.around(column)
        };
        if let Some(kept) = self.kept(leaf, around) {
            return Ok(kept);
        }
        match &leaf.scalar {
            Scalar::Null => Ok("null".to_owned()),
            Scalar::Text(text) if text.is_empty() => Ok(escaped(text)),
            Scalar::Text(text) => Ok(written(text, around)),
            other => plain_form(other, b"").map(Cow::into_owned),
        }
    }

    /// A value in the form that it has in the source. Returns `None` if that form does not serve here, or none is kept.
    fn kept(&self, leaf: &Leaf, around: Around<'_>) -> Option<String> {
        let place = &leaf.place;
        // A form that a tag goes with means something else without it.
        let is_tagged = place.typed_at.is_some() || place.is_tagged_text;
        let source = self.layout.source.filter(|_| !is_tagged)?;
        match (place.style, &leaf.scalar) {
            (Style::Plain, _) => {
                let text = source.get(place.at.clone())?;
                (!text.is_empty() && !text.contains('\n')).then(|| text.to_owned())
            }
            (Style::Single, Scalar::Text(text)) => single(text),
            (Style::Double, Scalar::Text(text)) => Some(escaped(text)),
            (Style::Literal, Scalar::Text(text)) => literal(text, None, around),
            _ => None,
        }
    }

    fn comment(&mut self, comment: &Comment, column: usize) {
        for (at, line) in comment.text.replace('\r', "").split('\n').enumerate() {
            if at > 0 {
                self.pad(column);
            }
            self.out.push('#');
            self.out.push_str(line);
            self.out.push('\n');
        }
    }

    fn around(&self, column: usize) -> Around<'static> {
        Around {
            flow: false,
            column,
            indent: self.next(column),
            newline: "\n",
            blank_follows: false,
        }
    }

    fn next(&self, column: usize) -> usize {
        self.base + next_column(column - self.base, self.layout.step)
    }

    fn pad(&mut self, column: usize) {
        self.out.extend(std::iter::repeat_n(' ', column));
    }
}

/// A text as SOPS writes it. It takes characters past the first 65536 for such that cannot be printed, and keeps tabs at the ends
/// of lines in blocks.
fn written(text: &str, around: Around<'_>) -> String {
    let ends = |mark: char| text.contains('\n') && text.lines().any(|line| line.ends_with(mark));
    if text.chars().any(is_far) {
        return escaped(text);
    }
    let block = (ends('\t') && !ends(' ')).then(|| literal(text, None, around));
    block.flatten().unwrap_or_else(|| default(text, around))
}

/// A text in double quotes as SOPS writes it.
fn escaped(text: &str) -> String {
    let quoted = double(text);
    if !quoted.chars().any(is_far) {
        return quoted;
    }
    let mut out = String::with_capacity(quoted.len() * 2);
    for character in quoted.chars() {
        match is_far(character) {
            true => out.push_str(&format!("\\U{:08X}", u32::from(character))),
            false => out.push(character),
        }
    }
    out
}

fn is_far(character: char) -> bool {
    character >= '\u{10000}'
}
