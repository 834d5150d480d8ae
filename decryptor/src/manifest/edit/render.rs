//! The text of new scalars and entries, in the style of their neighbours.

use saphyr_parser::ScalarStyle;
use serde_json::{Map, Value};

use crate::manifest::write_json::{json_number, write_string};
use crate::manifest::write_yaml::{
    Style, double_quoted, fits_single_quotes, literal, single_quoted, style_of,
};

/// How the text around an edit is laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Whether the text is JSON.
    pub(super) json: bool,
    /// By how many spaces the document indents.
    pub(super) step: usize,
}

/// How a mapping's entries are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) key: ScalarStyle,
    pub(super) value: ScalarStyle,
}

/// Where a scalar stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a line of a block mapping; further lines have this indentation.
    Block(usize),
    /// Between brackets.
    Flow,
}

impl Layout {
    /// The text of a scalar, in a style as near to `style` as it can be.
    pub(super) fn scalar(self, value: &Value, style: ScalarStyle, place: Place) -> String {
        match value {
            Value::String(text) if self.json => json_string(text),
            Value::String(text) => self.string(text, style, place),
            Value::Number(number) => json_number(number),
            other => other.to_string(),
        }
    }

    fn string(self, text: &str, style: ScalarStyle, place: Place) -> String {
        let mut out = String::with_capacity(text.len() + 2);
        let natural = style_of(text);
        match (style, place) {
            (ScalarStyle::SingleQuoted, _) if fits_single_quotes(text) => {
                single_quoted(&mut out, text, None)
            }
            (ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted, _) => {
                double_quoted(&mut out, text, None)
            }
            (_, Place::Flow) => match natural {
                Style::Plain if is_plain_in_flow(text) => out.push_str(text),
                Style::SingleQuoted => single_quoted(&mut out, text, None),
                _ => double_quoted(&mut out, text, None),
            },
            (_, Place::Block(indent)) => match natural {
                Style::Plain => out.push_str(text),
                Style::SingleQuoted => single_quoted(&mut out, text, None),
                Style::Literal if self.step < 10 && !keeps_blank_lines(text) => {
                    literal(&mut out, text, indent, self.step)
                }
                _ => double_quoted(&mut out, text, None),
            },
        }
        out
    }

    /// The lines of an entry in a block mapping, each with its line break.
    pub(super) fn block_entry(
        self,
        out: &mut String,
        (key, value): (&str, &Value),
        indent: usize,
        look: Look,
    ) {
        out.extend(std::iter::repeat_n(' ', indent));
        out.push_str(&self.string(key, look.key, Place::Flow));
        out.push(':');
        match value {
            Value::Object(map) if !map.is_empty() => {
                out.push('\n');
                for entry in map {
                    self.block_entry(out, (entry.0, entry.1), indent + self.step, look);
                }
            }
            Value::Object(_) | Value::Array(_) => {
                out.push(' ');
                out.push_str(&self.flow(value, look, None));
                out.push('\n');
            }
            scalar => {
                out.push(' ');
                let place = Place::Block(indent + self.step);
                out.push_str(&self.scalar(scalar, look.value, place));
                if !out.ends_with('\n') {
                    out.push('\n');
                }
            }
        }
    }

    /// An entry between braces. With an indentation, its own mappings stand on several lines.
    pub(super) fn flow_entry(
        self,
        (key, value): (&str, &Value),
        colon: &str,
        look: Look,
        indent: Option<usize>,
    ) -> String {
        let key = match self.json {
            true => json_string(key),
            false => self.string(key, look.key, Place::Flow),
        };
        format!("{key}{colon}{}", self.flow_with(value, colon, look, indent))
    }

    /// A value between brackets.
    pub(super) fn flow(self, value: &Value, look: Look, indent: Option<usize>) -> String {
        self.flow_with(value, ": ", look, indent)
    }

    fn flow_with(self, value: &Value, colon: &str, look: Look, indent: Option<usize>) -> String {
        match value {
            Value::Object(map) if !map.is_empty() => self.flow_mapping(map, colon, look, indent),
            Value::Array(_) | Value::Object(_) => value.to_string(),
            scalar => self.scalar(scalar, look.value, Place::Flow),
        }
    }

    fn flow_mapping(
        self,
        map: &Map<String, Value>,
        colon: &str,
        look: Look,
        indent: Option<usize>,
    ) -> String {
        let inner = indent.map(|indent| indent + self.step);
        let line = |indent: usize| format!("\n{:indent$}", "");
        let (open, separator, close) = match (indent, inner) {
            (Some(outer), Some(inner)) => (line(inner), format!(",{}", line(inner)), line(outer)),
            _ => {
                let space = if colon.ends_with(' ') { " " } else { "" };
                (String::new(), format!(",{space}"), String::new())
            }
        };
        let entries: Vec<_> = map
            .iter()
            .map(|entry| self.flow_entry((entry.0, entry.1), colon, look, inner))
            .collect();
        format!("{{{open}{}{close}}}", entries.join(&separator))
    }
}

fn json_string(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_string(&mut out, text);
    String::from_utf8_lossy(&out).into_owned()
}

/// Returns whether a text ends in blank lines, to which a block scalar would add those that follow it.
fn keeps_blank_lines(text: &str) -> bool {
    text == "\n" || text.ends_with("\n\n")
}

/// Returns whether a text that is plain in a block is so between brackets too, for any reader.
fn is_plain_in_flow(text: &str) -> bool {
    let harmless = |c: char| c.is_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '.' | '-');
    text.starts_with(char::is_alphanumeric) && text.chars().all(harmless)
}
