//! Values as JSON.

use super::super::super::budget::Budget;
use super::super::super::error::{Bound, Problem};
use super::super::super::print::{NESTING, format_float};
use super::super::super::time::{Time, format};
use super::super::super::unicode::characters;
use super::super::super::value::{Str, Value};
use super::Style;

/// `json.Marshal`, `json.MarshalIndent` by two spaces, or an encoder that leaves HTML alone.
pub(super) fn write(budget: &mut Budget, value: &Value, style: Style) -> Result<Vec<u8>, Problem> {
    let mut writer = Writer {
        out: Vec::new(),
        budget,
        style,
    };
    writer.value(value, 0)?;
    Ok(writer.out)
}

struct Writer<'b> {
    out: Vec<u8>,
    budget: &'b mut Budget,
    style: Style,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.budget.bytes(bytes.len())?;
        super::super::super::print::grow(&mut self.out, bytes.len());
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Problem> {
        self.budget.step()?;
        if depth > NESTING {
            return Err(Problem::Limit(Bound::Depth));
        }
        match value {
            Value::Missing | Value::Nil => self.put(b"null"),
            Value::Bool(truth) => self.put(if *truth { b"true" } else { b"false" }),
            Value::Int(int) | Value::Int64(int) | Value::Duration(int) => {
                self.put(int.to_string().as_bytes())
            }
            Value::Byte(int) | Value::Month(int) | Value::Weekday(int) => {
                self.put(int.to_string().as_bytes())
            }
            Value::Uint64(int) => self.put(int.to_string().as_bytes()),
            Value::Float(float) => self.float(*float),
            Value::Str(text) => self.string(text.bytes()),
            Value::List(list) if list.nil => self.put(b"null"),
            Value::List(list) => {
                let items = list.to_vec();
                self.sequence(b"[", b"]", items.len(), depth, |writer, at| {
                    writer.value(&items[at], depth + 1)
                })
            }
            Value::Dict(dict) if dict.0.is_none() => self.put(b"null"),
            Value::Dict(dict) => self.map(dict.entries().into_iter().collect(), depth),
            Value::Strings(map) => {
                let entries = map
                    .iter()
                    .map(|(key, text)| (key.clone(), Value::Str(text.clone())));
                self.map(entries.collect(), depth)
            }
            Value::Time(time) => self.time(time),
            Value::Version(version) => self.string(version.text().as_bytes()),
        }
    }

    fn map(&mut self, entries: Vec<(Str, Value)>, depth: usize) -> Result<(), Problem> {
        self.sequence(b"{", b"}", entries.len(), depth, |writer, at| {
            writer.string(entries[at].0.bytes())?;
            writer.put(if writer.style.indented { b": " } else { b":" })?;
            writer.value(&entries[at].1, depth + 1)
        })
    }

    fn sequence(
        &mut self,
        open: &[u8],
        close: &[u8],
        count: usize,
        depth: usize,
        mut element: impl FnMut(&mut Self, usize) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        self.put(open)?;
        for at in 0..count {
            if at > 0 {
                self.put(b",")?;
            }
            self.line(depth + 1)?;
            element(self, at)?;
        }
        if count > 0 {
            self.line(depth)?;
        }
        self.put(close)
    }

    fn line(&mut self, depth: usize) -> Result<(), Problem> {
        if !self.style.indented {
            return Ok(());
        }
        self.put(b"\n")?;
        self.put("  ".repeat(depth).as_bytes())
    }

    fn float(&mut self, float: f64) -> Result<(), Problem> {
        if !float.is_finite() {
            return Err(Problem::Execution("infinity and NaN are not JSON"));
        }
        let magnitude = float.abs();
        if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
            // An exponent of one digit has no zero before it.
            let text = format_float(float, 'e', None).replace("e-0", "e-");
            return self.put(text.as_bytes());
        }
        self.put(format_float(float, 'f', None).as_bytes())
    }

    /// Years beyond four digits have no RFC 3339.
    fn time(&mut self, time: &Time) -> Result<(), Problem> {
        if !(0..=9999).contains(&time.civil().year) || time.offset().1.abs() >= 86_400 {
            return Err(Problem::Execution("the time has no RFC 3339 form"));
        }
        self.put(b"\"")?;
        self.put(&format(time, b"2006-01-02T15:04:05.999999999Z07:00"))?;
        self.put(b"\"")
    }

    fn string(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.budget.bytes(bytes.len())?;
        let mut text = Vec::with_capacity(bytes.len() + bytes.len() / 8 + 2);
        text.push(b'"');
        for (at, c, width) in characters(bytes) {
            let simple = match c {
                '"' | '\\' => Some(c as u8),
                '\u{8}' => Some(b'b'),
                '\u{c}' => Some(b'f'),
                '\n' => Some(b'n'),
                '\r' => Some(b'r'),
                '\t' => Some(b't'),
                _ => None,
            };
            if let Some(simple) = simple {
                text.extend_from_slice(&[b'\\', simple]);
                continue;
            }
            let invalid = c == char::REPLACEMENT_CHARACTER && width == 1;
            let html = self.style.html && matches!(c, '<' | '>' | '&');
            if c < ' ' || invalid || html || matches!(c, '\u{2028}' | '\u{2029}') {
                text.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes());
            } else {
                text.extend_from_slice(&bytes[at..at + width]);
            }
        }
        text.push(b'"');
        self.put(&text)
    }
}
