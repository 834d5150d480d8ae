//! Writes YAML as sigs.k8s.io/yaml does: sorted keys, sequences not indented, text folded after 80 characters.

use serde_json::{Number, Value};

use super::go_float::{Bits, go_float};
use super::scalar::{Resolved, resolve};
use super::write_json::json_number;

mod key_order;
mod text;

pub(super) use self::text::{
    Style, double_quoted, fits_single_quotes, literal, single_quoted, style_of,
};

/// Writes a value as one YAML document, without a `---` line before it.
///
/// Line breaks that only YAML 1.1 knows are escaped, and so is what the original cannot write at all.
pub fn write_yaml(value: &Value) -> Vec<u8> {
    let mut writer = Writer {
        out: String::with_capacity(256),
    };
    match value {
        Value::Object(map) if !map.is_empty() => writer.mapping(value, 0),
        Value::Array(items) if !items.is_empty() => writer.sequence(items, 0),
        scalar => {
            writer.scalar(scalar, 2);
            writer.end_line();
        }
    }
    writer.out.into_bytes()
}

/// A key longer than this is written after a question mark, on a line of its own.
const MAX_SIMPLE_KEY: usize = 128;

/// So is a key with one of these, even where it is escaped.
const LINE_BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

struct Writer {
    out: String,
}

impl Writer {
    /// Writes the entries of a mapping. The first one begins where the line already is.
    fn mapping(&mut self, mapping: &Value, indent: usize) {
        let Value::Object(map) = mapping else {
            return;
        };
        for (at, (key, value)) in key_order::sorted(map).into_iter().enumerate() {
            if at > 0 {
                self.indent(indent);
            }
            if key.len() <= MAX_SIMPLE_KEY && !key.contains(LINE_BREAKS) {
                self.string(key, None);
                self.out.push(':');
                self.value_of_key(value, indent);
            } else {
                self.out.push_str("? ");
                self.string(key, Some(indent + 2));
                self.end_line();
                self.indent(indent);
                self.out.push_str(": ");
                self.value_in_line(value, indent + 2);
            }
        }
    }

    fn value_of_key(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                self.end_line();
                self.indent(indent + 2);
                self.mapping(value, indent + 2);
            }
            Value::Array(items) if !items.is_empty() => {
                self.end_line();
                self.indent(indent);
                self.sequence(items, indent);
            }
            scalar => {
                self.out.push(' ');
                self.scalar(scalar, indent + 2);
                self.end_line();
            }
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.indent(indent);
            }
            self.out.push_str("- ");
            self.value_in_line(item, indent + 2);
        }
    }

    /// Writes a value after `- `, `? ` or `: `: collections begin on the same line.
    fn value_in_line(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => self.mapping(value, indent),
            Value::Array(items) if !items.is_empty() => self.sequence(items, indent),
            scalar => {
                self.scalar(scalar, indent);
                self.end_line();
            }
        }
    }

    fn scalar(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(truth) => self.out.push_str(if *truth { "true" } else { "false" }),
            Value::Number(number) => self.out.push_str(&yaml_number(number)),
            Value::String(text) => self.string(text, Some(indent)),
            Value::Array(_) => self.out.push_str("[]"),
            Value::Object(_) => self.out.push_str("{}"),
        }
    }

    /// Writes a string; over several lines only if there is an indentation for them.
    fn string(&mut self, text: &str, indent: Option<usize>) {
        match (style_of(text), indent) {
            (Style::Plain, indent) => text::plain(&mut self.out, text, indent),
            (Style::SingleQuoted, indent) => single_quoted(&mut self.out, text, indent),
            (Style::Literal, Some(indent)) => literal(&mut self.out, text, indent, 2),
            (_, indent) => double_quoted(&mut self.out, text, indent),
        }
    }

    fn indent(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    /// Ends the line, unless a block scalar has.
    fn end_line(&mut self) {
        if !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }
}

/// The original writes JSON first and reads that as YAML: `1000000.0` comes out as an integer.
fn yaml_number(number: &Number) -> String {
    let json = json_number(number);
    match resolve(&json) {
        Resolved::Int(value) => value.to_string(),
        Resolved::Uint(value) => value.to_string(),
        Resolved::Float(value) => go_float(value, Bits::Double),
        _ => json,
    }
}
