//! Finds comments between the tokens, and to which collection each belongs.

use zeroize::Zeroizing;

use crate::tree::{Comment, Item};

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
    belongs: Option<Belongs>,
}

/// To what a comment belongs that stands at the end of a block, as go-yaml v3 has it.
#[derive(Clone, Copy, PartialEq)]
enum Belongs {
    /// The block of the token before it.
    Innermost,
    /// The innermost mapping whose keys do not stand right of this column.
    MapAt(usize),
    /// What the next token stands in.
    Next,
}

impl Found {
    /// The comment, between the items of a list.
    pub(super) fn in_list(self, is_flow: bool) -> Item {
        let can_be_item = self.comment.can_be_item && !is_flow;
        Item::Comment(Comment {
            can_be_item,
            ..self.comment
        })
    }
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

    /// The comment on the rest of this line, if one is there. In brackets, a comma may stand before it.
    pub(super) fn inline(&mut self, is_flow: bool) -> Option<Found> {
        let whole = &self.text[self.scanned..];
        let lead = whole.trim_start_matches([' ', '\t']);
        let rest = lead.strip_prefix(',').filter(|_| is_flow).unwrap_or(whole);
        let comma = whole.len() - rest.len();
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if blank == 0 || !rest[blank..].starts_with('#') {
            return None;
        }
        self.push(self.scanned + comma + blank);
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

    /// Those behind the key on its line: they stand before the key, not inside of the collection that follows.
    pub(super) fn behind_key(&mut self) -> Vec<Found> {
        let text = self.text;
        let is_behind = |found: &Found| !found.alone && !found.comment.is_behind_dashes(text);
        let count = self
            .waiting
            .iter()
            .take_while(|found| is_behind(found))
            .count();
        self.waiting.drain(..count).collect()
    }

    /// Those that belong to a block whose lines stand at `column`, now that it ends.
    pub(super) fn of_ending_block(
        &mut self,
        column: usize,
        is_map: bool,
        root: usize,
    ) -> Vec<Found> {
        self.scan_trivia();
        let assigns = self.waiting.iter().any(|found| found.belongs.is_none());
        if assigns {
            self.assign(column, root);
        }
        let inside = |found: &Found| match found.belongs {
            Some(Belongs::Innermost) => true,
            Some(Belongs::MapAt(place)) => is_map && column <= place,
            Some(Belongs::Next) | None => false,
        };
        let count = self
            .waiting
            .iter()
            .take_while(|found| inside(found))
            .count();
        self.waiting.drain(..count).collect()
    }

    /// Says of each waiting comment where it belongs. The block of the last token has its lines at `innermost`.
    fn assign(&mut self, innermost: usize, root: usize) {
        // What follows the last line of a document is its metadata, in the column of its keys.
        let next = match self.scanned < self.text.len() {
            true => self.scanned - line_start(self.text, self.scanned),
            false => root,
        };
        // The comments that are not decided yet begin here, in this column.
        let (mut first, mut start) = (0, None);
        let mut is_marked = false;
        let mut at_content = self
            .waiting
            .first()
            .is_some_and(|found| !self.blank_before(found));
        let mut only_breaks = at_content;
        for at in 0..self.waiting.len() {
            let column = self.waiting[at].column;
            if let Some(begun) = start
                && column < innermost
                && column != begun
            {
                self.decide(first..at, begun, &mut is_marked);
                (first, start, at_content) = (at, None, false);
            }
            let begun = *start.get_or_insert(column);
            if self.blank_after(&self.waiting[at]) {
                if only_breaks && (at_content || begun < innermost) {
                    is_marked |= begun < innermost;
                    self.decide(first..at + 1, begun, &mut is_marked);
                    (first, start, at_content) = (at + 1, None, false);
                }
                only_breaks = false;
            }
        }
        let count = self.waiting.len();
        if let Some(begun) = start
            && next < innermost
            && next != begun
        {
            self.decide(first..count, begun, &mut is_marked);
            first = count;
        }
        self.waiting[first..]
            .iter_mut()
            .for_each(|found| found.belongs = Some(Belongs::Next));
    }

    fn decide(&mut self, comments: std::ops::Range<usize>, column: usize, is_marked: &mut bool) {
        let belongs = match *is_marked {
            true => Belongs::MapAt(column),
            false => Belongs::Innermost,
        };
        *is_marked = true;
        self.waiting[comments]
            .iter_mut()
            .for_each(|found| found.belongs = Some(belongs));
    }

    fn blank_before(&self, found: &Found) -> bool {
        let start = line_start(self.text, found.comment.at.start);
        let before = self.text[..start].strip_suffix('\n').unwrap_or("");
        before[line_start(before, before.len())..]
            .trim_ascii()
            .is_empty()
    }

    fn blank_after(&self, found: &Found) -> bool {
        let rest = &self.text[found.comment.at.end..];
        // To go-yaml, a comment that ends with CR LF has an empty line behind it.
        let first_line = self.text.split_inclusive('\n').next().unwrap_or("");
        // Behind the end of the text, metadata will follow on a line of its own.
        if rest.starts_with("\r\n") || rest.is_empty() && first_line.ends_with("\r\n") {
            return true;
        }
        let next = rest
            .split_once('\n')
            .and_then(|(_, rest)| rest.lines().next());
        next.is_some_and(|line| line.trim_ascii().is_empty())
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
        let alone = self.text[start..at].trim_ascii().is_empty();
        self.waiting.push(Found {
            comment: Comment {
                text: Zeroizing::new(line[1..].to_owned()),
                at: at..at + line.len(),
                can_be_item: alone,
            },
            column: at - start,
            alone,
            belongs: None,
        });
        self.scanned = at + line.len();
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}
