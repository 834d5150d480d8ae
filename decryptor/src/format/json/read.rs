//! Reads JSON into a tree that knows where everything stands. Go's numbers: whole ones have 64 bits.

use std::collections::HashSet;

use zeroize::Zeroizing;

use crate::format::ParseError;
use crate::tree::{Entry, Item, Leaf, MAX_DEPTH, Pair, Place, Scalar, Style, Value};

/// One object.
pub(super) struct Read {
    pub(super) entries: Vec<Entry>,
    /// Where its opening brace ends.
    pub(super) opening: usize,
    pub(super) duplicates: Vec<(usize, String)>,
}

/// Reads a text that holds one object and nothing else.
pub(super) fn read(text: &str) -> Result<Read, ParseError> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
        duplicates: Vec::new(),
    };
    match reader.document() {
        Ok((entries, opening)) => Ok(Read {
            entries,
            opening,
            duplicates: reader.duplicates,
        }),
        Err(reason) => Err(ParseError::new(reader.line(reader.at), reason)),
    }
}

/// The value of a number. Returns `None` if it is none, or too large.
pub(super) fn number(text: &str) -> Option<Scalar> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, part) = match mantissa.split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (mantissa, None),
    };
    let is_json = digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && part.is_none_or(digits)
        && exponent
            .is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    if !is_json {
        return None;
    }
    if let Ok(value) = text.parse() {
        return Some(Scalar::Int(value));
    }
    text.parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
        .map(Scalar::Float)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    duplicates: Vec<(usize, String)>,
}

type Outcome<T> = Result<T, &'static str>;

impl<'t> Reader<'t> {
    fn document(&mut self) -> Outcome<(Vec<Entry>, usize)> {
        self.blank();
        if self.peek().is_none() {
            return Err("there is nothing in it");
        }
        if self.peek() != Some(b'{') {
            return Err("a document must be an object: wrap it in one, as in {\"data\": …}");
        }
        let opening = self.at + 1;
        let entries = self.object()?;
        self.blank();
        match self.at == self.text.len() {
            true => Ok((entries, opening)),
            false => Err("something stands after the object"),
        }
    }

    fn object(&mut self) -> Outcome<Vec<Entry>> {
        self.enter()?;
        let mut entries = Vec::new();
        let mut seen = HashSet::new();
        self.blank();
        if self.skip(b'}') {
            self.depth -= 1;
            return Ok(entries);
        }
        loop {
            self.blank();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err("a key must be a text in double quotes");
            }
            let key = std::mem::take(&mut *self.string()?);
            let at = start..self.at;
            self.blank();
            self.expect(b':', "a colon must follow the key")?;
            self.blank();
            let value = self.value()?;
            if !seen.insert(key.clone()) && self.duplicates.len() < 20 {
                self.duplicates.push((self.line(start), key.clone()));
            }
            entries.push(Entry::Pair(Pair {
                key,
                at,
                end: self.at,
                value,
            }));
            self.blank();
            if self.skip(b'}') {
                self.depth -= 1;
                return Ok(entries);
            }
            self.expect(b',', "a comma or a brace must follow the value")?;
        }
    }

    fn list(&mut self) -> Outcome<Vec<Item>> {
        self.enter()?;
        let mut items = Vec::new();
        self.blank();
        if self.skip(b']') {
            self.depth -= 1;
            return Ok(items);
        }
        loop {
            self.blank();
            items.push(Item::Value(self.value()?));
            self.blank();
            if self.skip(b']') {
                self.depth -= 1;
                return Ok(items);
            }
            self.expect(b',', "a comma or a bracket must follow the value")?;
        }
    }

    /// Begins an object or a list.
    fn enter(&mut self) -> Outcome<()> {
        self.at += 1;
        self.depth += 1;
        match self.depth > MAX_DEPTH {
            true => Err("nested too deep"),
            false => Ok(()),
        }
    }

    fn value(&mut self) -> Outcome<Value> {
        let start = self.at;
        let (scalar, style) = match self.peek() {
            Some(b'{') => return self.object().map(Value::Map),
            Some(b'[') => return self.list().map(Value::List),
            Some(b'"') => (Scalar::Text(self.string()?), Style::Double),
            _ => (self.word()?, Style::Plain),
        };
        let place = Place {
            at: start..self.at,
            style,
            ..Place::default()
        };
        Ok(Value::Leaf(Leaf { scalar, place }))
    }

    fn word(&mut self) -> Outcome<Scalar> {
        let rest = &self.text[self.at..];
        let length = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
            .count();
        let word = &rest[..length];
        let scalar = match word {
            "true" => Scalar::Bool(true),
            "false" => Scalar::Bool(false),
            "null" => Scalar::Null,
            _ => number(word).ok_or(
                "a value must be a text, a number, true, false, null, an object or a list",
            )?,
        };
        self.at += length;
        Ok(scalar)
    }

    fn string(&mut self) -> Outcome<Zeroizing<String>> {
        self.at += 1;
        let mut out = Zeroizing::new(String::new());
        loop {
            let rest = &self.text[self.at..];
            let length = rest
                .bytes()
                .position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20);
            let length = length.ok_or("a text does not end")?;
            if out.is_empty() {
                out.reserve_exact(length);
            }
            out.push_str(&rest[..length]);
            self.at += length + 1;
            match rest.as_bytes()[length] {
                b'"' => return Ok(out),
                b'\\' => out.push(self.escape()?),
                _ => return Err("a control character in a text must be escaped"),
            }
        }
    }

    fn escape(&mut self) -> Outcome<char> {
        let letter = self.peek().ok_or("a text does not end")?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{C}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => return Err("an escape that JSON does not have"),
        })
    }

    fn code_point(&mut self) -> Outcome<char> {
        let half = "half of a surrogate pair stands alone";
        let first = self.hex()?;
        if !(0xD800..0xE000).contains(&first) {
            return char::from_u32(first).ok_or(half);
        }
        if first >= 0xDC00 || !self.text[self.at..].starts_with("\\u") {
            return Err(half);
        }
        self.at += 2;
        let second = self
            .hex()?
            .checked_sub(0xDC00)
            .filter(|low| *low < 0x400)
            .ok_or(half)?;
        char::from_u32(0x10000 + ((first - 0xD800) << 10) + second).ok_or(half)
    }

    fn hex(&mut self) -> Outcome<u32> {
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let digits = digits.ok_or("\\u needs four hexadecimal digits")?;
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| "\\u needs four hexadecimal digits")
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8, reason: &'static str) -> Outcome<()> {
        self.skip(byte).then_some(()).ok_or(reason)
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn line(&self, at: usize) -> usize {
        1 + self.text[..at.min(self.text.len())]
            .bytes()
            .filter(|byte| *byte == b'\n')
            .count()
    }
}
