//! Reads YAML into a tree that knows where everything stands, comments and aliases too.

mod collection;
mod cut;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::comments::{Comments, Found};
use super::lines;
use super::resolve::{self, Tagged};
use crate::format::ParseError;
use crate::manifest::yaml::{characters, colons::Colons};
use crate::tree::{Alias, Entry, Item, Leaf, Pair, Place, Scalar, Style, Tree, Value};
use crate::yaml_span::Offsets;
use cut::{Cut, line_mark};

pub(super) use collection::find_duplicates;

/// What was read.
#[derive(Default)]
pub(super) struct Read {
    pub(super) tree: Tree,
    /// One for each document.
    pub(super) frames: Vec<Frame>,
    /// How far lines are indented under their parents.
    pub(super) step: usize,
    /// Keys that stand twice in a mapping: the line, and the key.
    pub(super) duplicates: Vec<(usize, String)>,
    /// In the order of the text.
    pub(super) aliases: Vec<Alias>,
}

/// The outside of a document.
pub(super) struct Frame {
    /// Where its last line ends, before the next separator.
    pub(super) end: usize,
    /// The column of its keys.
    pub(super) column: usize,
    /// Where the braces end that hold it, if some do.
    pub(super) closing_brace: Option<usize>,
}

/// Reads a stream of documents.
pub(super) fn read(text: &str) -> Result<Read, ParseError> {
    characters::check(text).map_err(|error| ParseError::new(error.line, &error.reason))?;
    match lines::read(text) {
        Some(read) => Ok(read),
        None => read_events(text),
    }
}

/// Reads whatever is YAML.
pub(super) fn read_events(text: &str) -> Result<Read, ParseError> {
    let mut reader = Reader::new(text);
    let mut colons = Colons::new(text);
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| ParseError::new(error.marker().line(), error.info()))?;
        let line = span.start.line();
        colons
            .check(&event, span)
            .map_err(|reason| ParseError::new(line, &reason))?;
        reader
            .take(event, span)
            .map_err(|reason| ParseError::new(line, reason))?;
    }
    reader.finish();
    Ok(reader.read)
}

type Taken = Result<(), &'static str>;

struct Reader<'t> {
    text: &'t str,
    offsets: Offsets,
    comments: Comments<'t>,
    open: Vec<Open>,
    anchors: HashMap<usize, Value>,
    /// How many more nodes aliases may repeat.
    repeats: usize,
    /// Where the last token ended.
    last_end: usize,
    read: Read,
}

/// A collection that has begun and not ended.
struct Open {
    anchor: usize,
    /// The column of its keys or dashes. `None` until the first one, and in flow collections.
    column: Option<usize>,
    flow: bool,
    braces: bool,
    node: Node,
}

enum Node {
    Map(Vec<Entry>, Option<(String, Range<usize>)>),
    List(Vec<Item>),
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            offsets: Offsets::new(text),
            comments: Comments::new(text),
            open: Vec::new(),
            anchors: HashMap::new(),
            repeats: text.len() + 1000,
            last_end: 0,
            read: Read::default(),
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Taken {
        let start = self.offsets.byte(self.text, span.start.index());
        let end = self.offsets.byte(self.text, span.end.index());
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, anchor, tag.as_deref(), start..end)
            }
            Event::Alias(anchor) => self.alias(anchor, start..end, span.start.line()),
            Event::MappingStart(anchor, tag) => {
                let node = Node::Map(Vec::new(), None);
                self.begin(anchor, node, start..end, anchor != 0 || tag.is_some(), '{')
            }
            Event::SequenceStart(anchor, tag) => {
                let node = Node::List(Vec::new());
                self.begin(anchor, node, start..end, anchor != 0 || tag.is_some(), '[')
            }
            // The span of a closing bracket may run on over a comment.
            Event::MappingEnd | Event::SequenceEnd => self.end(start),
            Event::DocumentStart(_) => {
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Comments behind the end of the last document are that document's.
    fn finish(&mut self) {
        self.comments.scan(self.text.len());
        let rest = self.comments.all();
        if let Some(entries) = self.read.tree.documents.last_mut() {
            entries.extend(rest.into_iter().map(|found| Entry::Comment(found.comment)));
        }
    }

    fn awaits_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                node: Node::Map(_, None),
                ..
            })
        )
    }

    /// Puts a value where it belongs.
    fn add(&mut self, value: Value, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, value.repeated(None));
        }
        match self.open.last_mut().map(|open| &mut open.node) {
            Some(Node::List(items)) => items.push(Item::Value(value)),
            Some(Node::Map(entries, key)) => {
                if let Some((key, at)) = key.take() {
                    entries.push(Entry::Pair(Pair {
                        key,
                        at,
                        end: self.last_end,
                        value,
                    }));
                }
            }
            None => {}
        }
    }

    /// Gives waiting comments to the collection in which the next token stands. `begins`: it begins a collection.
    fn comments_before_item(&mut self, begins: bool) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        let flow = open.flow;
        match &mut open.node {
            Node::List(items) => {
                let found = match begins {
                    true => self.comments.before_dash(),
                    false => self.comments.all(),
                };
                items.extend(found.into_iter().map(|found| found.in_list(flow)));
            }
            // The comments before a collection in a mapping are the collection's own, but for one behind its key.
            Node::Map(entries, _) if begins => {
                let found = self.comments.behind_key();
                entries.extend(found.into_iter().map(|found| Entry::Comment(found.comment)));
            }
            Node::Map(entries, _) => {
                let found = self.comments.all();
                entries.extend(found.into_iter().map(|found| Entry::Comment(found.comment)));
            }
        }
        if open.column.is_none() && !open.flow && matches!(open.node, Node::List(_)) {
            open.column = self.comments.dash().map(|dash| column(self.text, dash));
        }
    }

    fn alias(&mut self, anchor: usize, span: Range<usize>, line: usize) -> Taken {
        if self.awaits_key() {
            return Err("a key is an alias: write the key itself");
        }
        let value = self
            .anchors
            .get(&anchor)
            .ok_or("an alias stands inside of its own anchor")?;
        let size = value.size();
        self.repeats = self
            .repeats
            .checked_sub(size)
            .ok_or("aliases repeat too much")?;
        let number = u32::try_from(self.read.aliases.len() + 1).ok();
        let number = number.and_then(NonZeroU32::new);
        let value = value.repeated(Some(number.ok_or("aliases repeat too much")?));
        self.read.aliases.push(Alias {
            line,
            at: span.clone(),
            value: value.repeated(None),
        });
        self.comments.scan(span.start);
        self.comments_before_item(false);
        self.finish_token(span.end);
        self.add(value, 0);
        self.inline_comment();
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Range<usize>,
    ) -> Taken {
        let properties = anchor != 0 || tag.is_some();
        let mut place = self.place(span, style, properties, text)?;
        let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let text = match is_block && !self.text[place.end..].contains('\n') {
            // Where the file ends without a line break, go-yaml gives the block none.
            true => text.strip_suffix('\n').unwrap_or(text),
            false => text,
        };
        if place.place.style == Style::Double
            && has_slash_escape(&self.text[place.place.at.clone()])
        {
            return Err("found unknown escape character: \\/ is one in JSON only");
        }
        let (scalar, tagged) = resolve::value(text, style, tag)?;
        place.place.is_tagged_text = tagged == Some(Tagged::Text);
        place.place.typed_at = (tagged == Some(Tagged::Typed)).then_some(place.whole);
        // A comment may stand between a tag and its value.
        self.comments.scan(place.place.at.start.max(place.whole));
        self.comments_before_item(false);
        if self.open.is_empty() {
            return self.finish_empty_document(&scalar, &place.place);
        }
        if self.awaits_key() {
            return self.key(scalar, place);
        }
        place.place.flow = self.open.last().is_some_and(|open| open.flow);
        place.place.column = self.column_of_value();
        self.finish_token(place.end);
        let header = place.place.at.start;
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
            && let Some(found) = self.comments.in_header(header)
            && let Some(open) = self.open.last_mut()
        {
            match &mut open.node {
                Node::Map(entries, _) => entries.push(Entry::Comment(found.comment)),
                Node::List(items) => items.push(found.in_list(true)),
            }
        }
        self.add(
            Value::Leaf(Leaf {
                scalar,
                place: place.place,
            }),
            anchor,
        );
        self.inline_comment();
        Ok(())
    }

    fn finish_empty_document(&mut self, scalar: &Scalar, place: &Place) -> Taken {
        if !matches!(scalar, Scalar::Null) || !place.at.is_empty() {
            return Err("a document must be a mapping: wrap it in one, as in `data: …`");
        }
        self.comments.skip(place.at.end);
        self.finish_document(Value::Map(Vec::new()), None, None)
    }

    fn key(&mut self, scalar: Scalar, place: Cut) -> Taken {
        let Scalar::Text(key) = &scalar else {
            return Err("a key is no text: quote it");
        };
        let at = place.whole..place.end;
        let column = column(self.text, line_mark(self.text, at.start));
        self.finish_token(place.end);
        if let Some(open) = self.open.last_mut() {
            if !open.flow {
                open.column.get_or_insert(column);
            }
            if let Node::Map(_, awaited) = &mut open.node {
                *awaited = Some((key.as_str().to_owned(), at));
            }
        }
        Ok(())
    }

    /// The column of the key or the dash that a value belongs to.
    fn column_of_value(&self) -> usize {
        match self.open.last() {
            Some(Open {
                node: Node::Map(_, Some((_, at))),
                ..
            }) => column(self.text, at.start),
            Some(Open {
                column: Some(column),
                ..
            }) => *column,
            _ => 0,
        }
    }

    fn finish_token(&mut self, end: usize) {
        self.last_end = end;
        self.comments.skip(end);
    }

    /// A comment on the line of a value stands before it in the tree, as in SOPS.
    fn inline_comment(&mut self) {
        let is_flow = self.open.last().is_some_and(|open| open.flow);
        let Some(Found { comment, .. }) = self.comments.inline(is_flow) else {
            return;
        };
        match self.open.last_mut().map(|open| &mut open.node) {
            Some(Node::Map(entries, _)) => {
                entries.insert(entries.len().saturating_sub(1), Entry::Comment(comment));
            }
            Some(Node::List(items)) => {
                items.insert(items.len().saturating_sub(1), Item::Comment(comment));
            }
            None => {}
        }
    }
}

/// Whether `\/` stands in double quotes: YAML 1.2 has it, go-yaml v3 does not.
fn has_slash_escape(quoted: &str) -> bool {
    let mut escaped = false;
    quoted.bytes().any(|byte| {
        let is_slash = escaped && byte == b'/';
        escaped = byte == b'\\' && !escaped;
        is_slash
    })
}

/// How many bytes stand before a place on its line.
fn column(text: &str, at: usize) -> usize {
    at - text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}
