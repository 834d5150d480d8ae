//! JSON as values: numbers are floats, objects are dicts, the last of equal keys wins.

use std::collections::BTreeMap;

use super::super::super::budget::Budget;
use super::super::super::error::Problem;
use super::super::super::number::parse_float;
use super::super::super::print::NESTING;
use super::super::super::unicode::{decode, push};
use super::super::super::value::{Dict, Str, Value};

const INVALID: Problem = Problem::Execution("not JSON");

/// `json.Unmarshal` into an `interface {}`.
pub(super) fn parse(budget: &mut Budget, text: &[u8]) -> Result<Value, Problem> {
    budget.bytes(text.len())?;
    let mut reader = Reader {
        text,
        at: 0,
        budget,
    };
    let value = reader.value(0)?;
    reader.space();
    if reader.at < text.len() {
        Err(INVALID)
    } else {
        Ok(value)
    }
}

struct Reader<'t, 'b> {
    text: &'t [u8],
    at: usize,
    budget: &'b mut Budget,
}

impl Reader<'_, '_> {
    fn space(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &[u8], value: Value) -> Result<Value, Problem> {
        if !self.text[self.at..].starts_with(word) {
            return Err(INVALID);
        }
        self.at += word.len();
        Ok(value)
    }

    fn value(&mut self, depth: usize) -> Result<Value, Problem> {
        self.budget.elements(1)?;
        if depth > NESTING {
            return Err(Problem::Limit(super::super::super::error::Bound::Depth));
        }
        self.space();
        match self.text.get(self.at) {
            Some(b'n') => self.word(b"null", Value::Nil),
            Some(b't') => self.word(b"true", Value::Bool(true)),
            Some(b'f') => self.word(b"false", Value::Bool(false)),
            Some(b'"') => self.string().map(Value::Str),
            Some(b'[') => self.array(depth),
            Some(b'{') => self.object(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(INVALID),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, Problem> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.take(b']') {
            return Ok(Value::anys(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.take(b']') {
                return Ok(Value::anys(items));
            }
            if !self.take(b',') {
                return Err(INVALID);
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Problem> {
        self.at += 1;
        let mut entries = BTreeMap::new();
        self.space();
        if self.take(b'}') {
            return Ok(Value::Dict(Dict::new(entries)));
        }
        loop {
            self.space();
            if self.text.get(self.at) != Some(&b'"') {
                return Err(INVALID);
            }
            let key = self.string()?;
            self.space();
            if !self.take(b':') {
                return Err(INVALID);
            }
            let value = self.value(depth + 1)?;
            entries.insert(key, value);
            self.space();
            if self.take(b'}') {
                return Ok(Value::Dict(Dict::new(entries)));
            }
            if !self.take(b',') {
                return Err(INVALID);
            }
        }
    }

    fn digits(&mut self) -> Result<(), Problem> {
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start {
            Err(INVALID)
        } else {
            Ok(())
        }
    }

    fn number(&mut self) -> Result<Value, Problem> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let float = parse_float(&self.text[start..self.at]);
        Ok(Value::Float(float.map_err(|_| {
            Problem::Execution("a number is out of range")
        })?))
    }

    fn string(&mut self) -> Result<Str, Problem> {
        self.at += 1;
        let mut out = Vec::new();
        loop {
            let (c, width) = decode(&self.text[self.at..]).ok_or(INVALID)?;
            self.at += width;
            match c {
                '"' => return Ok(Str::from(out)),
                '\\' => {
                    let c = self.escape()?;
                    push(&mut out, c);
                }
                '\0'..' ' => return Err(INVALID),
                c => push(&mut out, c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Problem> {
        let byte = *self.text.get(self.at).ok_or(INVALID)?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex().ok_or(INVALID)?;
                self.at += 4;
                self.surrogate(first)
            }
            _ => return Err(INVALID),
        })
    }

    /// Four hexadecimal digits from here, which stay unread.
    fn hex(&self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
    }

    /// The character of an escape; half a pair alone is U+FFFD.
    fn surrogate(&mut self, first: u32) -> char {
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with(b"\\u") {
            self.at += 2;
            if let Some(second @ 0xdc00..0xe000) = self.hex() {
                self.at += 4;
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            }
            self.at -= 2;
        }
        char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}
