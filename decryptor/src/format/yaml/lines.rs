//! Reads the YAML that most files are, line by line: block mappings and lists of values on one line, or in literal blocks,
//! with comments above and behind the keys of mappings.
//!
//! What it reads, it reads as the whole reader would; everything else it leaves to that one.

#[cfg(test)]
mod tests;
mod value;

use std::ops::Range;

use zeroize::Zeroizing;

use super::read::{Frame, Read, find_duplicates};
use super::resolve;
use crate::parts::{self, WORTH_A_THREAD};
use crate::tree::{Comment, Entry, Item, Leaf, MAX_DEPTH, Pair, Scalar, Value};

/// Longer keys are no simple ones for the whole reader.
const MAX_KEY: usize = 1000;

/// Reads a document. Returns `None` if it is not of this kind, or not YAML at all.
pub(super) fn read(text: &str) -> Option<Read> {
    let parts = match text.len() / WORTH_A_THREAD {
        0 | 1 => 1,
        most => most.min(parts::cores()),
    };
    read_in_parts(text, parts)
}

/// As [`read`], in so many parts at the same time if the outermost mapping can be cut.
fn read_in_parts(text: &str, parts: usize) -> Option<Read> {
    // The end of the last line would have to be kept in mind.
    if !text.ends_with('\n') {
        return None;
    }
    let starts = cuts(text, parts);
    let ends = starts.iter().copied().skip(1).chain([text.len()]);
    let places = starts.iter().copied().zip(ends);
    // Line breaks of another kind would have to be kept in mind, too.
    let is_simple = |part: &str| !part.contains('\t') && !part.contains('\r');
    let part = |(start, end): (usize, usize)| {
        let simple = is_simple(&text[start..end]);
        simple.then(|| Lines::new(&text[..end], start).read())?
    };
    let parts = parts::each(places, part).into_iter();
    let whole = parts.reduce(|all, part| all.zip(part).map(joined));
    let (mut entries, mut read) = whole??;
    entries.shrink_to_fit();
    find_duplicates(text, &entries, &mut read.duplicates);
    read.tree.documents.push(entries);
    read.frames.push(Frame {
        end: text.len(),
        column: 0,
        closing_brace: None,
    });
    Some(read)
}

/// The entries of the outermost mapping in a part of the text, and what else was read there.
type Part = (Vec<Entry>, Read);

fn joined(((mut entries, mut read), (more, other)): (Part, Part)) -> Part {
    entries.extend(more);
    read.duplicates.extend(other.duplicates);
    if read.step == 0 {
        read.step = other.step;
    }
    (entries, read)
}

/// Where parts of about the same length begin: at the text's beginning, and at keys of the outermost mapping that no comment
/// stands above.
fn cuts(text: &str, parts: usize) -> Vec<usize> {
    let mut starts = vec![0];
    for part in 1..parts {
        let after = (text.len() / parts * part).max(starts[starts.len() - 1]);
        starts.extend(next_key(text, after));
    }
    starts
}

/// The first place behind another where such a key begins.
fn next_key(text: &str, after: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let breaks = (after..text.len()).filter(|at| bytes[*at] == b'\n');
    let mut starts = breaks.map(|at| at + 1);
    starts.find(|start| {
        let begins_key = bytes.get(*start).is_some_and(u8::is_ascii_alphanumeric);
        let above = text[..*start].trim_end_matches(['\n', ' ']);
        let line = above.rfind('\n').map_or(above, |at| &above[at + 1..]);
        begins_key && !above.is_empty() && !line.trim_start_matches(' ').starts_with('#')
    })
}

struct Lines<'t> {
    text: &'t str,
    /// Where the next line begins.
    at: usize,
    /// Where the last key or value ended.
    last_end: usize,
    open: Vec<Open>,
    /// Comments that wait for the key below them, with their columns.
    comments: Vec<(usize, Comment)>,
    /// Whether an empty line stands behind one of them.
    is_blank_behind: bool,
    /// What the outermost mapping holds, once it has ended.
    root: Option<Vec<Entry>>,
    read: Read,
}

/// A mapping or a list whose keys or dashes stand in one column.
struct Open {
    column: usize,
    node: Node,
}

enum Node {
    /// With a key that waits for its value.
    Map(Vec<Entry>, Option<(String, Range<usize>)>),
    List(Vec<Item>),
}

/// A line that is not empty, without its indentation.
struct Line {
    column: usize,
    start: usize,
    end: usize,
}

impl<'t> Lines<'t> {
    /// Reads from a key of the outermost mapping, or from the beginning.
    fn new(text: &'t str, start: usize) -> Self {
        Self {
            text,
            at: start,
            last_end: 0,
            open: Vec::new(),
            comments: Vec::new(),
            is_blank_behind: false,
            root: None,
            read: Read::default(),
        }
    }

    fn read(mut self) -> Option<Part> {
        while let Some(line) = self.next_line() {
            self.take(line)?;
        }
        // To which mapping they belong is not for certain.
        if !self.comments.is_empty() {
            return None;
        }
        while !self.open.is_empty() {
            self.end()?;
        }
        Some((self.root?, self.read))
    }

    fn next_line(&mut self) -> Option<Line> {
        loop {
            let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
            let length = rest.find('\n').unwrap_or(rest.len());
            let start = self.at;
            self.at += length + 1;
            let column = rest.bytes().take_while(|byte| *byte == b' ').count();
            if column < length {
                return Some(Line {
                    column,
                    start: start + column,
                    end: start + length,
                });
            }
            self.is_blank_behind |= !self.comments.is_empty();
        }
    }

    fn take(&mut self, line: Line) -> Option<()> {
        let body = &self.text[line.start..line.end];
        if body.starts_with("---") || body.starts_with("...") {
            return None;
        }
        if body.starts_with('#') {
            let comment = self.comment(line.start..line.end, true);
            self.comments.push((line.column, comment));
            return Some(());
        }
        let is_item = body.starts_with("- ");
        let goes_on = match self.waiting_column() {
            Some(key) => {
                self.begin_under(key, line.column, is_item)?;
                true
            }
            None => self.go_back_to(line.column, is_item)?,
        };
        if !self.comments.is_empty() {
            self.take_comments(line.column, goes_on)?;
        }
        self.body(line.start, line.end, line.column)
    }

    fn comment(&self, at: Range<usize>, is_alone: bool) -> Comment {
        Comment {
            text: Zeroizing::new(self.text[at.start + 1..at.end].to_owned()),
            at,
            can_be_item: is_alone,
        }
    }

    /// Gives the comments above a key to the mapping that it stands in. Behind the end of another mapping or list, only
    /// those are the key's own for certain that stand right above it, in its column.
    fn take_comments(&mut self, column: usize, goes_on: bool) -> Option<()> {
        let are_above = !self.is_blank_behind && self.comments.iter().all(|(at, _)| *at == column);
        let Node::Map(entries, _) = &mut self.open.last_mut()?.node else {
            return None;
        };
        let comments = self.comments.drain(..);
        entries.extend(comments.map(|(_, comment)| Entry::Comment(comment)));
        self.is_blank_behind = false;
        (goes_on || are_above).then_some(())
    }

    /// The column of the key that waits for its value, if one does.
    fn waiting_column(&self) -> Option<usize> {
        match self.open.last()? {
            Open {
                column,
                node: Node::Map(_, Some(_)),
            } => Some(*column),
            _ => None,
        }
    }

    /// Begins what a key without a value on its line holds. Nothing at all would be null, which stands nowhere.
    fn begin_under(&mut self, key: usize, column: usize, is_item: bool) -> Option<()> {
        if is_item && column >= key {
            return self.begin(column, Node::List(Vec::new()));
        }
        if is_item || column <= key {
            return None;
        }
        if self.read.step == 0 {
            self.read.step = column - key;
        }
        self.begin(column, Node::Map(Vec::new(), None))
    }

    /// Ends all that stands right of a line, which must go on with what is left. Gives back whether nothing ended.
    fn go_back_to(&mut self, column: usize, is_item: bool) -> Option<bool> {
        if self.open.is_empty() && self.last_end == 0 {
            let begins = column == 0 && !is_item;
            begins.then(|| self.begin(0, Node::Map(Vec::new(), None)))??;
            return Some(true);
        }
        let before = self.open.len();
        while let Some(open) = self.open.last() {
            let is_list = matches!(open.node, Node::List(_));
            if open.column == column && is_list == is_item {
                return Some(self.open.len() == before);
            }
            // A list may stand in the column of its key.
            if open.column < column || open.column == column && !is_list {
                return None;
            }
            self.end()?;
        }
        None
    }

    fn begin(&mut self, column: usize, node: Node) -> Option<()> {
        (self.open.len() < MAX_DEPTH).then(|| self.open.push(Open { column, node }))
    }

    /// Ends the innermost mapping or list.
    fn end(&mut self) -> Option<()> {
        let value = match self.open.pop()?.node {
            Node::List(mut items) => {
                items.shrink_to_fit();
                Value::List(items)
            }
            Node::Map(_, Some(_)) => return None,
            Node::Map(entries, None) if self.open.is_empty() => {
                self.root = Some(entries);
                return Some(());
            }
            Node::Map(mut entries, None) => {
                entries.shrink_to_fit();
                find_duplicates(self.text, &entries, &mut self.read.duplicates);
                Value::Map(entries)
            }
        };
        self.add(value)
    }

    fn add(&mut self, value: Value) -> Option<()> {
        match &mut self.open.last_mut()?.node {
            Node::List(items) => items.push(Item::Value(value)),
            Node::Map(entries, key) => {
                let (key, at) = key.take()?;
                let end = self.last_end;
                entries.push(Entry::Pair(Pair {
                    key,
                    at,
                    end,
                    value,
                }));
            }
        }
        Some(())
    }

    /// Takes a key, an item, or what stands behind a dash.
    fn body(&mut self, mut start: usize, end: usize, mut column: usize) -> Option<()> {
        while self.text[start..end].starts_with("- ") {
            start += 2;
            column += 2;
            let rest = &self.text[start..end];
            if rest.starts_with("- ") {
                self.begin(column, Node::List(Vec::new()))?;
            } else if key(rest).is_some() {
                self.begin(column, Node::Map(Vec::new(), None))?;
            } else {
                return self.leaf(start, end);
            }
        }
        let body = &self.text[start..end];
        let key = key(body)?;
        let at = start..start + key.len();
        self.last_end = at.end;
        let Node::Map(_, waiting) = &mut self.open.last_mut()?.node else {
            return None;
        };
        *waiting = Some((key.to_owned(), at.clone()));
        match at.end + 1 == end {
            true => Some(()),
            false => self.leaf(at.end + 2, end),
        }
    }

    fn leaf(&mut self, start: usize, end: usize) -> Option<()> {
        let written = &self.text[start..end];
        let is_plain = !written.starts_with(['"', '\'', '|']);
        let mut marks = written.match_indices('#').map(|(at, _)| at);
        let mark = marks.find(|at| is_plain && written[..*at].ends_with(' '));
        let value_end = mark.map_or(end, |mark| {
            start + written[..mark].trim_end_matches(' ').len()
        });
        let (scalar, mut place) = self.scalar(start, value_end)?;
        place.column = self.open.last()?.column;
        self.last_end = place.at.end;
        self.add(Value::Leaf(Leaf { scalar, place }))?;
        let Some(mark) = mark else {
            return Some(());
        };
        // A comment on the line of a value stands before it in the tree.
        let comment = self.comment(start + mark..end, false);
        let Node::Map(entries, _) = &mut self.open.last_mut()?.node else {
            return None;
        };
        entries.insert(entries.len().checked_sub(1)?, Entry::Comment(comment));
        Some(())
    }
}

/// The key that a text begins with, if a colon stands behind it that ends the line, or a space and a value.
fn key(text: &str) -> Option<&str> {
    let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./-".contains(byte);
    let length = text.bytes().take_while(|byte| is_key(byte)).count();
    let (key, rest) = text.split_at(length);
    let begins = key.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let ends = rest == ":" || rest.starts_with(": ") && rest.len() > 2;
    let fits = begins && ends && length <= MAX_KEY;
    (fits && is_text(key)).then_some(key)
}

/// Whether a key is a text: only these letters and digits begin anything else.
fn is_text(key: &str) -> bool {
    let may_be_word = key.starts_with(['t', 'T', 'f', 'F', 'n', 'N']) && key.len() <= 5;
    let may_be_other = may_be_word || key.starts_with(|c: char| c.is_ascii_digit());
    !may_be_other || matches!(resolve::plain(key), Ok(Scalar::Text(_)))
}
