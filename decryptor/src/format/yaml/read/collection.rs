//! Where mappings, lists and documents begin and end, and what their ends say of them.

use std::collections::HashSet;
use std::ops::Range;

use super::{Frame, Node, Open, Reader, Taken, column};
use crate::tree::{Entry, MAX_DEPTH, Value};
use crate::yaml_span::after_properties;

/// More keys that stand twice are not named.
const MAX_DUPLICATES: usize = 20;

impl Reader<'_> {
    pub(super) fn begin(
        &mut self,
        anchor: usize,
        node: Node,
        span: Range<usize>,
        properties: bool,
        bracket: char,
    ) -> Taken {
        if self.open.len() >= MAX_DEPTH {
            return Err("nested too deep");
        }
        if self.awaits_key() {
            return Err("a key is a mapping or a list: only texts can be keys");
        }
        let start = match properties {
            true => after_properties(self.text, span.start),
            false => span.start,
        };
        let has_bracket = span.end > start && self.text[start..].starts_with(bracket);
        let in_flow = self.open.last().is_some_and(|open| open.flow);
        self.comments.scan(span.start.max(self.last_end));
        self.comments_before_item(true);
        if has_bracket {
            self.last_end = start + 1;
            self.comments.skip(start + 1);
        } else if !properties {
            let column = column(self.text, start);
            if let (
                Node::Map(..),
                Some(Open {
                    column: Some(outer),
                    node: Node::Map(..),
                    ..
                }),
            ) = (&node, self.open.last())
                && self.read.step == 0
                && column > *outer
            {
                self.read.step = column - outer;
            }
        }
        let flow = has_bracket || in_flow;
        let braces = has_bracket && bracket == '{';
        self.open.push(Open {
            anchor,
            column: None,
            flow,
            braces,
            node,
        });
        Ok(())
    }

    pub(super) fn end(&mut self, start: usize) -> Taken {
        let Some(open) = self.open.last() else {
            return Err("an end without a beginning");
        };
        let has_bracket = open.flow
            && self.text[start..].starts_with(if matches!(open.node, Node::Map(..)) {
                '}'
            } else {
                ']'
            })
            && (open.braces || matches!(open.node, Node::List(_)));
        let mut own = Vec::new();
        if has_bracket {
            self.comments.scan(start);
            own = self.comments.all();
            self.last_end = start + 1;
            self.comments.skip(start + 1);
        } else if let (false, Some(column)) = (open.flow, open.column) {
            let is_map = matches!(open.node, Node::Map(..));
            let root = self.open.first().and_then(|open| open.column).unwrap_or(0);
            own = self.comments.of_ending_block(column, is_map, root);
        }
        let outer_is_block = !self
            .open
            .iter()
            .rev()
            .nth(1)
            .is_some_and(|outer| outer.flow);
        let mut inline = (has_bracket && outer_is_block)
            .then(|| self.comments.inline(false))
            .flatten();
        let Some(open) = self.open.pop() else {
            return Err("an end without a beginning");
        };
        // Behind an item of a list, a comment is about the item; behind a value, it stands inside of it.
        if let Some(Node::List(items)) = self.open.last_mut().map(|outer| &mut outer.node) {
            items.extend(inline.take().map(|found| found.in_list(true)));
        }
        let value = match open.node {
            Node::Map(mut entries, _) => {
                entries.splice(0..0, inline.map(|found| Entry::Comment(found.comment)));
                entries.extend(own.into_iter().map(|found| Entry::Comment(found.comment)));
                find_duplicates(self.text, &entries, &mut self.read.duplicates);
                Value::Map(entries)
            }
            Node::List(mut items) => {
                items.splice(0..0, inline.map(|found| found.in_list(open.flow)));
                items.extend(own.into_iter().map(|found| found.in_list(open.flow)));
                Value::List(items)
            }
        };
        if self.open.is_empty() {
            return self.finish_document(value, open.column, has_bracket.then_some(start));
        }
        self.add(value, open.anchor);
        Ok(())
    }

    pub(super) fn finish_document(
        &mut self,
        root: Value,
        column: Option<usize>,
        closing_brace: Option<usize>,
    ) -> Taken {
        let Value::Map(mut entries) = root else {
            return Err("a document must be a mapping: wrap it in one, as in `data: …`");
        };
        let end = self.comments.scan_trivia();
        let rest = self.comments.all();
        entries.extend(rest.into_iter().map(|found| Entry::Comment(found.comment)));
        self.read.tree.documents.push(entries);
        let column = column.unwrap_or(0);
        self.read.frames.push(Frame {
            end,
            column,
            closing_brace,
        });
        Ok(())
    }
}

/// Notes the keys that stand twice in a mapping.
pub(in crate::format::yaml) fn find_duplicates(
    text: &str,
    entries: &[Entry],
    found: &mut Vec<(usize, String)>,
) {
    let mut seen = HashSet::with_capacity(entries.len());
    for entry in entries {
        if let Entry::Pair(pair) = entry
            && found.len() < MAX_DUPLICATES
            && !seen.insert(pair.key.as_str())
        {
            let before = text[..pair.at.start].bytes();
            let line = 1 + before.filter(|byte| *byte == b'\n').count();
            found.push((line, pair.key.clone()));
        }
    }
}
