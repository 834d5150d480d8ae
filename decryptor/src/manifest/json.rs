//! Reads a stream of JSON values. Duplicate keys are refused, where Go would keep the last.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::wipe::{Wiped, WipedMap};
use super::{MAX_DEPTH, Parsed, ReadError};

/// Returns whether the first thing in a stream is a JSON object or array.
pub(super) fn begins(text: &str) -> bool {
    skip_separators(text).starts_with(['{', '['])
}

/// Reads values that follow one another, with white space or `---` lines between them.
pub(super) fn read(text: &str) -> Result<Vec<Parsed>, ReadError> {
    read_with_starts(text).map(|(_, values)| values)
}

/// Reads values, and tells where the text of each begins. What stands before the first one belongs to it.
pub(super) fn read_with_starts(text: &str) -> Result<(Vec<usize>, Vec<Parsed>), ReadError> {
    let mut starts = Vec::new();
    let mut values = Vec::new();
    let mut line = 1;
    let mut counted = 0;
    loop {
        let rest = skip_separators(&text[counted..]);
        let start = text.len() - rest.len();
        line += line_breaks(&text[counted..start]);
        if rest.is_empty() {
            return Ok((starts, values));
        }
        starts.push(if starts.is_empty() { 0 } else { start });
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Checked>();
        match stream.next() {
            Some(Ok(Checked(value))) => values.push(Parsed { line, value }),
            Some(Err(error)) => return Err(read_error(&error, values.len() + 1, line)),
            None => return Ok((starts, values)),
        }
        counted = start + stream.byte_offset();
        line += line_breaks(&text[start..counted]);
    }
}

fn read_error(error: &serde_json::Error, document: usize, line: usize) -> ReadError {
    let text = error.to_string();
    let reason = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(reason, _)| reason);
    ReadError {
        document,
        line: line + error.line().saturating_sub(1),
        reason: reason.to_owned(),
    }
}

fn line_breaks(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// Skips white space and separator lines: three dashes, then at most a comment.
pub(super) fn skip_separators(text: &str) -> &str {
    let mut rest = text;
    loop {
        let blank = rest.len() - rest.trim_ascii_start().len();
        let at_line_start =
            rest[..blank].ends_with('\n') || (blank == 0 && rest.len() == text.len());
        rest = &rest[blank..];
        let Some(after) = rest.strip_prefix("---").filter(|_| at_line_start) else {
            return rest;
        };
        let (line, next) = after.split_once('\n').unwrap_or((after, ""));
        let comment = line.trim_ascii();
        let is_comment = comment.starts_with('#') && line.starts_with([' ', '\t']);
        if !(comment.is_empty() || is_comment) {
            return rest;
        }
        // Keep the line break: what follows it is at the start of a line.
        rest = &after[after.len() - next.len() - usize::from(after.len() > line.len())..];
    }
}

/// A JSON value without duplicate keys, no deeper than the limit.
struct Checked(Wiped);

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Depth(0).deserialize(deserializer).map(Self)
    }
}

#[derive(Clone, Copy)]
struct Depth(usize);

impl Depth {
    fn inner<E: Error>(self) -> Result<Self, E> {
        if self.0 >= MAX_DEPTH {
            return Err(E::custom(format_args!(
                "nested deeper than {MAX_DEPTH} levels"
            )));
        }
        Ok(Self(self.0 + 1))
    }
}

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = Wiped;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Wiped, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = Wiped;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Wiped, E> {
        Ok(Wiped(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Wiped, E> {
        Ok(Wiped(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Wiped, E> {
        Ok(Wiped(Value::Number(value.into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Wiped, E> {
        Ok(Wiped(Value::Number(value.into())))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Wiped, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("number out of range"))?;
        Ok(Wiped(Value::Number(number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Wiped, E> {
        Ok(Wiped(Value::String(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Wiped, A::Error> {
        let inner = self.inner()?;
        let mut items = Wiped(Value::Array(Vec::new()));
        while let Some(item) = access.next_element_seed(inner)? {
            if let Value::Array(items) = &mut items.0 {
                items.push(item.take());
            }
        }
        Ok(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Wiped, A::Error> {
        let inner = self.inner()?;
        let mut map = WipedMap(Map::new());
        while let Some(key) = access.next_key::<String>()? {
            if map.0.contains_key(&key) {
                return Err(A::Error::custom(format_args!(
                    "key {key:?} stands twice in one mapping"
                )));
            }
            let value = access.next_value_seed(inner)?;
            map.0.insert(key, value.take());
        }
        Ok(Wiped(Value::Object(map.take())))
    }
}
