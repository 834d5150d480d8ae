//! Finds the nodes of a JSON text. It has been read before: what is skipped here is known to be right.

use saphyr_parser::ScalarStyle;

use super::tree::{Entry, Flow, Key, Kind, Node};
use crate::manifest::{MAX_DEPTH, json};

/// The first value of a JSON text. Returns `None` if there is none.
pub(super) fn build(text: &str) -> Option<Node> {
    let at = text.len() - json::skip_separators(text).len();
    Scanner { text, at }.value(0)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn value(&mut self, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.space();
        let start = self.at;
        let kind = match self.byte()? {
            b'{' => self.object(depth)?,
            b'[' => self.array(depth)?,
            b'"' => {
                self.string()?;
                Kind::Scalar(ScalarStyle::DoubleQuoted)
            }
            _ => {
                let word =
                    |c: char| !matches!(c, ',' | ']' | '}' | ':') && !c.is_ascii_whitespace();
                let rest = &self.text[start..];
                self.at += rest.len() - rest.trim_start_matches(word).len();
                if self.at == start {
                    return None;
                }
                Kind::Scalar(ScalarStyle::Plain)
            }
        };
        Some(Node {
            whole: start..self.at,
            start,
            lines_end: self.at,
            anchor: 0,
            kind,
        })
    }

    fn object(&mut self, depth: usize) -> Option<Kind> {
        let mut entries = Vec::new();
        self.at += 1;
        while !self.closes(b'}')? {
            let start = self.at;
            let key = self.string()?;
            let written = start..self.at;
            self.space();
            self.at += 1;
            let colon_end = Some(self.at);
            entries.push(Entry {
                key: Key::Text(key),
                written,
                colon_end,
                value: self.value(depth + 1)?,
            });
        }
        Some(Kind::Mapping(Flow::Braces, entries))
    }

    fn array(&mut self, depth: usize) -> Option<Kind> {
        let mut items = Vec::new();
        self.at += 1;
        while !self.closes(b']')? {
            items.push(self.value(depth + 1)?);
        }
        Some(Kind::Sequence(items))
    }

    /// Skips space and a comma; takes the closing bracket if it is next.
    fn closes(&mut self, bracket: u8) -> Option<bool> {
        self.space();
        if self.byte()? == b',' {
            self.at += 1;
            self.space();
        }
        let closes = self.byte()? == bracket;
        self.at += usize::from(closes);
        Some(closes)
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.byte()? {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_str(self.text.get(start..self.at)?).ok()
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_ascii_start().len();
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}
