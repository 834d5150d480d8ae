//! Where YAML nodes stand in their text: the parser's marks, in bytes, cut to what people see as the node.

/// Bytes for the characters that the parser counts.
pub(crate) struct Offsets {
    /// The byte of every 64th character; empty if all characters are single bytes.
    marks: Vec<usize>,
}

const STRIDE: usize = 64;

impl Offsets {
    pub(crate) fn new(text: &str) -> Self {
        let marks = match text.is_ascii() {
            true => Vec::new(),
            false => text
                .char_indices()
                .step_by(STRIDE)
                .map(|(at, _)| at)
                .collect(),
        };
        Self { marks }
    }

    pub(crate) fn byte(&self, text: &str, index: usize) -> usize {
        if self.marks.is_empty() {
            return index.min(text.len());
        }
        let Some(mark) = self.marks.get(index / STRIDE) else {
            return text.len();
        };
        let mut rest = text[*mark..].char_indices();
        rest.nth(index % STRIDE)
            .map_or(text.len(), |(at, _)| mark + at)
    }
}

/// Skips anchor, tag, and the space and comments after them.
pub(crate) fn after_properties(text: &str, start: usize) -> usize {
    let mut rest = &text[start..];
    loop {
        rest = rest.trim_ascii_start();
        rest = match rest.as_bytes().first() {
            Some(b'&' | b'!') => rest.trim_start_matches(|c: char| {
                !c.is_ascii_whitespace() && !matches!(c, ',' | ']' | '}')
            }),
            Some(b'#') => rest.trim_start_matches(|c: char| c != '\n'),
            _ => return text.len() - rest.len(),
        };
    }
}

/// Where the header of a block scalar stands: the parser tells where its first line begins.
pub(crate) fn block_header(text: &str, from: usize) -> Option<usize> {
    let mut rest = &text[from..];
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n', ':', '-', '?', ',', '\u{FEFF}']);
        match rest.as_bytes().first()? {
            b'|' | b'>' => return Some(text.len() - rest.len()),
            b'#' => rest = rest.trim_start_matches(|c: char| c != '\n'),
            _ => return None,
        }
    }
}

/// Where a single-quoted scalar ends.
pub(crate) fn single_quoted_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = start + 1;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'\'', Some(b'\'')) => at += 2,
            (b'\'', _) => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// Where a double-quoted scalar ends.
pub(crate) fn double_quoted_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}
