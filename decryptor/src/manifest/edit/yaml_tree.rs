//! Finds the nodes of a YAML text from parser events, whose places are cut to what people see as the node.

use std::collections::HashSet;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::tree::{Entry, Flow, Key, Kind, Node};
use crate::manifest::scalar::Resolved;
use crate::manifest::yaml::tags;
use crate::yaml_span::{
    Offsets, after_properties, block_header, double_quoted_end, single_quoted_end,
};

/// The nodes of one document, and which of its anchors have aliases.
pub(super) struct Found {
    pub(super) root: Node,
    pub(super) aliased: HashSet<usize>,
}

/// Finds the nodes of a text that holds one document. Returns `None` if it cannot.
pub(super) fn build(text: &str) -> Option<Found> {
    let mut builder = Builder {
        text,
        offsets: Offsets::new(text),
        open: Vec::new(),
        root: None,
        aliased: HashSet::new(),
        last_end: 0,
    };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.ok()?;
        builder.take(event, span)?;
    }
    Some(Found {
        root: builder.root?,
        aliased: builder.aliased,
    })
}

/// Where each document of a stream begins, in bytes: at its `---`, or at its first node.
pub(super) fn document_starts(text: &str) -> Option<Vec<usize>> {
    let offsets = Offsets::new(text);
    let mut starts = Vec::new();
    for event in Parser::new_from_str(text) {
        if let (Event::DocumentStart(_), span) = event.ok()? {
            let at = offsets.byte(text, span.start.index());
            let line = text[..at].rfind('\n').map_or(0, |at| at + 1);
            starts.push(if starts.is_empty() { 0 } else { line });
        }
    }
    Some(starts)
}

struct Builder<'a> {
    text: &'a str,
    offsets: Offsets,
    open: Vec<Open>,
    root: Option<Node>,
    aliased: HashSet<usize>,
    /// Where the last event ended.
    last_end: usize,
}

/// A collection that has begun and not ended.
struct Open {
    start: usize,
    anchor: usize,
    node: OpenNode,
}

enum OpenNode {
    Mapping(Flow, Vec<Entry>, Option<(Key, Range<usize>)>),
    /// With a bracket or without.
    Sequence(bool, Vec<Node>),
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        let start = self.offsets.byte(self.text, span.start.index());
        let end = self.offsets.byte(self.text, span.end.index());
        match event {
            Event::Alias(anchor) => {
                self.aliased.insert(anchor);
                let node = self.leaf(start..end, start, 0, Kind::Alias);
                self.add(node, Some(Key::Alias))
            }
            Event::Scalar(value, style, anchor, tag) => {
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let start = match is_block && anchor == 0 && tag.is_none() {
                    true => block_header(self.text, self.last_end)?,
                    false => start,
                };
                let node = self.scalar(start..end, style, anchor, tag.is_some(), value.is_empty());
                let key = if self.awaits_key() {
                    Some(match tags::meaning(&value, style, tag.as_deref()).ok()? {
                        Resolved::Merge => Key::Merge,
                        meaning => Key::Text(tags::key(value.into_owned(), meaning).ok()?),
                    })
                } else {
                    None
                };
                self.add(node, key)
            }
            Event::MappingStart(anchor, tag) => {
                let (start, bracket) = self.bracket(start..end, anchor != 0 || tag.is_some(), '{');
                let flow = match bracket {
                    true => Flow::Braces,
                    false if self.in_flow() => Flow::Pair,
                    false => Flow::Block,
                };
                let node = OpenNode::Mapping(flow, Vec::new(), None);
                self.open.push(Open {
                    start,
                    anchor,
                    node,
                });
                Some(())
            }
            Event::SequenceStart(anchor, tag) => {
                let (start, bracket) = self.bracket(start..end, anchor != 0 || tag.is_some(), '[');
                let node = OpenNode::Sequence(bracket, Vec::new());
                self.open.push(Open {
                    start,
                    anchor,
                    node,
                });
                Some(())
            }
            // The span of a closing bracket may run on over a comment.
            Event::MappingEnd | Event::SequenceEnd => self.end(start + 1),
            _ => Some(()),
        }
    }

    /// Where a collection begins, after anchor and tag, and whether with this bracket.
    ///
    /// A sequence by dashes has an empty span, which may stand at the bracket of its first item.
    fn bracket(&self, span: Range<usize>, properties: bool, bracket: char) -> (usize, bool) {
        let start = match properties {
            true => after_properties(self.text, span.start),
            false => span.start,
        };
        match span.end > start && self.text[start..].starts_with(bracket) {
            true => (start, true),
            false => (span.start, false),
        }
    }

    fn in_flow(&self) -> bool {
        self.open.last().is_some_and(|open| match &open.node {
            OpenNode::Mapping(flow, ..) => *flow != Flow::Block,
            OpenNode::Sequence(brackets, _) => *brackets,
        })
    }

    fn awaits_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                node: OpenNode::Mapping(_, _, None),
                ..
            })
        )
    }

    fn end(&mut self, bracket_end: usize) -> Option<()> {
        let Open {
            start,
            anchor,
            node,
        } = self.open.pop()?;
        let node = match node {
            OpenNode::Mapping(Flow::Braces, entries, _) => self.leaf(
                start..bracket_end,
                start,
                anchor,
                Kind::Mapping(Flow::Braces, entries),
            ),
            OpenNode::Sequence(true, items) => {
                self.leaf(start..bracket_end, start, anchor, Kind::Sequence(items))
            }
            OpenNode::Mapping(flow, entries, _) => {
                let start = entries.first()?.written.start;
                let (end, lines_end) = (entries.last()?.end(), entries.last()?.value.lines_end);
                let kind = Kind::Mapping(flow, entries);
                Node {
                    whole: start..end,
                    start,
                    lines_end,
                    anchor,
                    kind,
                }
            }
            OpenNode::Sequence(false, items) => {
                let (end, lines_end) = (items.last()?.end(), items.last()?.lines_end);
                Node {
                    whole: start..end,
                    start,
                    lines_end,
                    anchor,
                    kind: Kind::Sequence(items),
                }
            }
        };
        self.add(node, None)
    }

    fn add(&mut self, node: Node, key: Option<Key>) -> Option<()> {
        self.last_end = node.lines_end.max(node.end());
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open {
                node: OpenNode::Sequence(_, items),
                ..
            }) => items.push(node),
            Some(Open {
                node: OpenNode::Mapping(_, entries, pending),
                ..
            }) => match pending.take() {
                None => *pending = Some((key?, node.whole)),
                Some((key, written)) => {
                    let after = &self.text[written.end..];
                    let colon = after.trim_start_matches(' ');
                    let colon_end = colon
                        .starts_with(':')
                        .then(|| self.text.len() - colon.len() + 1);
                    entries.push(Entry {
                        key,
                        written,
                        colon_end,
                        value: node,
                    });
                }
            },
        }
        Some(())
    }

    fn leaf(&self, whole: Range<usize>, start: usize, anchor: usize, kind: Kind) -> Node {
        Node {
            lines_end: whole.end,
            whole,
            start,
            anchor,
            kind,
        }
    }

    /// A scalar, cut to its last character.
    fn scalar(
        &self,
        span: Range<usize>,
        style: ScalarStyle,
        anchor: usize,
        tagged: bool,
        empty: bool,
    ) -> Node {
        let text = self.text;
        if empty && style == ScalarStyle::Plain && anchor == 0 && !tagged {
            return match text.as_bytes().get(span.start) {
                Some(b':' | b'-') => {
                    let at = span.start + 1;
                    self.leaf(at..at, at, 0, Kind::Missing)
                }
                _ => self.leaf(span.start..span.start, span.start, 0, Kind::Unwritable),
            };
        }
        let start = match anchor != 0 || tagged {
            true => after_properties(text, span.start),
            false => span.start,
        };
        let end = match style {
            ScalarStyle::SingleQuoted => single_quoted_end(text, start),
            ScalarStyle::DoubleQuoted => double_quoted_end(text, start),
            _ => span.start + text[span.start..span.end.max(span.start)].trim_end().len(),
        };
        let mut node = self.leaf(
            span.start..end.max(start),
            start,
            anchor,
            Kind::Scalar(style),
        );
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            let last_line = text[..span.end].rfind('\n').map_or(0, |at| at + 1);
            let at_end = text[span.end..].is_empty();
            node.lines_end = if at_end {
                text.len()
            } else {
                last_line.max(node.whole.end)
            };
        }
        node
    }
}
