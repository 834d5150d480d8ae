//! Finds comments between the tokens, and to which collection each belongs.

use zeroize::Zeroizing;

use crate::tree::Comment;

/// Comments that are found and wait for their collection.
pub(super) struct Comments<'t> {
    text: &'t str,
    /// Up to where the text was looked through.
    scanned: usize,
    waiting: Vec<Found>,
    /// The last dash that was passed.
    dash: Option<usize>,
}

/// A comment and where it stands.
pub(super) struct Found {
    pub(super) comment: Comment,
    column: usize,
    /// Whether nothing else stands on its line.
    alone: bool,
    /// Whether the line before it has something.
    adjacent: bool,
}

impl<'t> Comments<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            scanned: 0,
            waiting: Vec::new(),
            dash: None,
        }
    }

    /// Looks through the text up to a token.
    pub(super) fn scan(&mut self, to: usize) {
        let bytes = self.text.as_bytes();
        while self.scanned < to {
            let at = self.scanned;
            match bytes[at] {
                b'#' if self.begins_comment(at) => self.push(at),
                b'-' if matches!(bytes.get(at + 1), None | Some(b' ' | b'\t' | b'\r' | b'\n')) => {
                    self.dash = Some(at);
                    self.scanned += 1;
                }
                _ => self.scanned += 1,
            }
        }
    }

    /// Looks through white space and comments only; gives back the beginning of the line of what follows.
    pub(super) fn scan_trivia(&mut self) -> usize {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.scanned) {
            match byte {
                b'#' if self.begins_comment(self.scanned) => self.push(self.scanned),
                b' ' | b'\t' | b'\r' | b'\n' => self.scanned += 1,
                _ => return line_start(self.text, self.scanned),
            }
        }
        self.text.len()
    }

    /// Goes on behind a token.
    pub(super) fn skip(&mut self, to: usize) {
        self.scanned = self.scanned.max(to);
    }

    /// The comment on the rest of this line, if one is there.
    pub(super) fn inline(&mut self) -> Option<Found> {
        let rest = &self.text[self.scanned..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if blank == 0 || !rest[blank..].starts_with('#') {
            return None;
        }
        self.push(self.scanned + blank);
        self.waiting.pop()
    }

    /// The comment behind the header of a block.
    pub(super) fn in_header(&mut self, header: usize) -> Option<Found> {
        let line = self.text[header..].lines().next().unwrap_or("");
        let at = line.find([' ', '\t'])?;
        let blank = line[at..].len() - line[at..].trim_start_matches([' ', '\t']).len();
        if !line[at + blank..].starts_with('#') {
            return None;
        }
        let scanned = self.scanned;
        self.push(header + at + blank);
        self.scanned = scanned;
        self.waiting.pop()
    }

    /// All that wait.
    pub(super) fn all(&mut self) -> Vec<Found> {
        std::mem::take(&mut self.waiting)
    }

    /// Those that stand before the last dash.
    pub(super) fn before_dash(&mut self) -> Vec<Found> {
        let dash = self.dash.unwrap_or(0);
        let count = self
            .waiting
            .iter()
            .take_while(|found| found.comment.at.start < dash)
            .count();
        self.waiting.drain(..count).collect()
    }

    /// Where the last dash stands.
    pub(super) fn dash(&self) -> Option<usize> {
        self.dash
    }

    /// Those that belong to a block whose lines stand at `column`, now that it ends.
    pub(super) fn of_ending_block(&mut self, column: usize) -> Vec<Found> {
        if self
            .text
            .as_bytes()
            .get(self.scanned)
            .is_none_or(|byte| b" \t\r\n#".contains(byte))
        {
            self.scan_trivia();
        }
        if self.waiting.is_empty() {
            return Vec::new();
        }
        let ends_text = self.scanned >= self.text.len();
        let next = self.scanned - line_start(self.text, self.scanned);
        let belongs = match ends_text {
            true => self.waiting.first().is_some_and(|found| found.adjacent),
            false => next < column,
        };
        let inside = |found: &&Found| belongs && (found.column >= column || !found.alone);
        let count = self.waiting.iter().take_while(inside).count();
        self.waiting.drain(..count).collect()
    }

    fn begins_comment(&self, at: usize) -> bool {
        let before = self.text[..at].bytes().next_back();
        before.is_none_or(|byte| byte.is_ascii_whitespace() || byte == 0xBF)
    }

    fn push(&mut self, at: usize) {
        let rest = &self.text[at..];
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let line = line.strip_suffix('\r').unwrap_or(line);
        let start = line_start(self.text, at);
        let before = self.text[..start].trim_end_matches(['\r', ' ', '\t']);
        let line_before = before
            .strip_suffix('\n')
            .map(|text| text.trim_end_matches(['\r', ' ', '\t']));
        self.waiting.push(Found {
            comment: Comment {
                text: Zeroizing::new(line[1..].to_owned()),
                at: at..at + line.len(),
            },
            column: at - start,
            alone: self.text[start..at].trim_ascii().is_empty(),
            adjacent: line_before.is_some_and(|text| !text.is_empty() && !text.ends_with('\n')),
        });
        self.scanned = at + line.len();
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}
