//! Cuts what the API server sends into objects as the bytes come, so that no list is ever whole in memory.

use serde::Deserialize;
use zeroize::Zeroizing;

/// No object is larger: the store takes 1.5 MiB unless it is told otherwise.
const LARGEST: usize = 16 << 20;

/// What the API server sent is no list of objects.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    /// An object, or what stands around the objects, is larger than any that can be stored.
    #[error("an object of more than {LARGEST} bytes")]
    TooLarge,
    /// The list ended early, or is none.
    #[error("a list that is not whole")]
    Cut,
}

/// What a list says about itself.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ListMetadata {
    /// The version of the collection that the list shows.
    pub(crate) resource_version: String,
    /// The token for the next page; empty on the last one.
    #[serde(rename = "continue")]
    pub(crate) next: String,
}

/// Takes the items out of the JSON of a list.
#[derive(Default)]
pub(crate) struct Items {
    /// The item being read.
    item: Zeroizing<Vec<u8>>,
    /// Everything that is not inside an item.
    outer: Vec<u8>,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// Where the last string at depth 1 began in `outer`.
    string_start: usize,
    /// Whether that string is `items`: what follows at depth 2 are the items.
    key_is_items: bool,
    in_items: bool,
}

impl Items {
    /// Takes the next bytes and hands on each item that is whole.
    pub(crate) fn feed(
        &mut self,
        mut bytes: &[u8],
        mut item: impl FnMut(&[u8]),
    ) -> Result<(), Malformed> {
        while !bytes.is_empty() {
            let (run, rest) = bytes.split_at(self.run(bytes));
            self.keep(run)?;
            let Some((&byte, rest)) = rest.split_first() else {
                return Ok(());
            };
            bytes = rest;
            if self.step(byte)? {
                item(&self.item);
                self.item.clear();
            }
        }
        Ok(())
    }

    /// How many bytes at the beginning change nothing.
    fn run(&self, bytes: &[u8]) -> usize {
        let plain = |byte: &u8| match (self.escaped, self.in_string) {
            (true, _) => false,
            (false, true) => !matches!(byte, b'"' | b'\\'),
            (false, false) => !matches!(byte, b'"' | b'{' | b'}' | b'[' | b']' | b','),
        };
        bytes
            .iter()
            .position(|byte| !plain(byte))
            .unwrap_or(bytes.len())
    }

    /// Whether the next byte is inside an item.
    fn inside(&self) -> bool {
        self.in_items && self.depth > 2
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let buffer = if self.inside() {
            &mut *self.item
        } else {
            &mut self.outer
        };
        if buffer.len() + bytes.len() > LARGEST {
            return Err(Malformed::TooLarge);
        }
        buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Takes a byte that means something; true if it ends an item.
    fn step(&mut self, byte: u8) -> Result<bool, Malformed> {
        if self.in_string {
            match (self.escaped, byte) {
                (true, _) => self.escaped = false,
                (false, b'\\') => self.escaped = true,
                (false, _) => self.end_string(),
            }
            return self.keep(&[byte]).map(|()| false);
        }
        match byte {
            b'"' => {
                self.in_string = true;
                self.string_start = self.outer.len();
                self.keep(b"\"")?;
            }
            b'{' | b'[' => {
                if byte == b'[' && self.depth == 1 && self.key_is_items {
                    self.in_items = true;
                }
                let outer_bracket = self.depth < 2 || !self.in_items;
                self.depth += 1;
                if outer_bracket {
                    self.outer.push(byte)
                } else {
                    self.keep(&[byte])?
                };
            }
            b'}' | b']' => return self.close(byte),
            // Between items; kept everywhere else.
            b',' if self.in_items && self.depth == 2 => {}
            _ => self.keep(&[byte])?,
        }
        Ok(false)
    }

    fn end_string(&mut self) {
        self.in_string = false;
        if self.depth == 1 {
            self.key_is_items = self.outer.get(self.string_start..) == Some(b"\"items");
        }
    }

    fn close(&mut self, byte: u8) -> Result<bool, Malformed> {
        self.keep(&[byte])?;
        let was_inside = self.inside();
        self.depth = self.depth.checked_sub(1).ok_or(Malformed::Cut)?;
        if self.in_items && self.depth == 1 {
            self.in_items = false;
            self.key_is_items = false;
        }
        Ok(was_inside && self.depth == 2)
    }

    /// What the list says about itself, once all of it was fed.
    pub(crate) fn finish(self) -> Result<ListMetadata, Malformed> {
        #[derive(Deserialize)]
        struct Outer {
            metadata: ListMetadata,
        }
        if self.depth != 0 {
            return Err(Malformed::Cut);
        }
        serde_json::from_slice(&self.outer)
            .map(|outer: Outer| outer.metadata)
            .map_err(|_| Malformed::Cut)
    }
}

/// Takes lines, one event each, out of the bytes of a watch.
#[derive(Default)]
pub(crate) struct Lines(Zeroizing<Vec<u8>>);

impl Lines {
    /// Takes the next bytes and hands on each line that is whole.
    pub(crate) fn feed(
        &mut self,
        mut bytes: &[u8],
        mut line: impl FnMut(&[u8]),
    ) -> Result<(), Malformed> {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (head, rest) = bytes.split_at(end);
            bytes = rest.get(1..).unwrap_or_default();
            if self.0.is_empty() {
                line(head);
            } else {
                self.0.extend_from_slice(head);
                line(&self.0);
                self.0.clear();
            }
        }
        if self.0.len() + bytes.len() > LARGEST {
            return Err(Malformed::TooLarge);
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(json: &str, chunk: usize) -> (Vec<String>, Result<ListMetadata, Malformed>) {
        let (mut items, mut seen) = (Items::default(), Vec::new());
        for bytes in json.as_bytes().chunks(chunk) {
            let fed = items.feed(bytes, |item| {
                seen.push(String::from_utf8_lossy(item).into_owned());
            });
            if let Err(error) = fed {
                return (seen, Err(error));
            }
        }
        (seen, items.finish())
    }

    #[test]
    fn items_come_out_whole_wherever_the_bytes_are_cut() {
        let json = r#"{"kind":"List","metadata":{"resourceVersion":"7","continue":"x","items":[{"no":1}]},
            "items":[{"a":"}\"],{","b":[1,{"c":[]}]} , {"items":[{"d":"\\"}]}],"tail":[{"e":1}]}"#;
        let expected = [
            r#"{"a":"}\"],{","b":[1,{"c":[]}]}"#,
            r#"{"items":[{"d":"\\"}]}"#,
        ];
        for chunk in 1..json.len() {
            let (seen, metadata) = items(json, chunk);
            assert_eq!(seen, expected, "in pieces of {chunk}");
            let metadata = metadata.expect("it is whole");
            assert_eq!(
                (metadata.resource_version.as_str(), metadata.next.as_str()),
                ("7", "x")
            );
        }
    }

    #[test]
    fn a_list_without_items_is_empty_and_a_cut_one_is_an_error() {
        for json in [
            r#"{"metadata":{},"items":[]}"#,
            r#"{"metadata":{},"items":null}"#,
            r#"{"metadata":{}}"#,
        ] {
            assert_eq!(items(json, 5), (vec![], Ok(ListMetadata::default())));
        }
        for json in [r#"{"metadata":{},"items":[{}"#, "]", "", r#"{"items":[]}"#] {
            assert_eq!(items(json, 5).1, Err(Malformed::Cut), "{json}");
        }
    }

    #[test]
    fn lines_come_out_whole_wherever_the_bytes_are_cut() {
        for chunk in 1..9 {
            let (mut lines, mut seen) = (Lines::default(), Vec::new());
            for bytes in b"one\n\nthree\nrest".chunks(chunk) {
                lines
                    .feed(bytes, |line| seen.push(line.to_vec()))
                    .expect("short");
            }
            assert_eq!(seen, [b"one".to_vec(), b"".to_vec(), b"three".to_vec()]);
        }
    }
}
