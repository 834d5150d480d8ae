//! Reads YAML documents into values, meaning what go-yaml v2 under sigs.k8s.io/yaml gives them.

use saphyr_parser::{Event, Parser, ScanError, Span};
use zeroize::Zeroizing;

mod anchors;
pub(crate) mod characters;
pub(crate) mod colons;
mod nodes;
pub(super) mod tags;

use self::colons::Colons;
use self::nodes::Nodes;
use super::{Parsed, ReadError};

/// Why one node is refused; where it stands is added by the reader.
type Refusal = String;

/// Reads all documents of a stream, empty ones as null.
pub(super) fn read(text: &str) -> Result<Vec<Parsed>, ReadError> {
    characters::check(text)?;
    let mut whole = Zeroizing::default();
    let mut documents = Documents::default();
    let mut colons = Colons::new(text);
    for event in Parser::new_from_str(with_line_end(text, &mut whole)) {
        let (event, span) = event.map_err(|error| documents.syntax_error(&error))?;
        let taken = colons
            .check(&event, span)
            .and_then(|()| documents.take(event, span));
        taken.map_err(|reason| documents.refuse(span, reason))?;
    }
    Ok(documents.read)
}

/// The text with its last line ended, as the readers of Kubernetes end it: a block scalar there has a line break.
fn with_line_end<'a>(text: &'a str, whole: &'a mut Zeroizing<String>) -> &'a str {
    if text.is_empty() || text.ends_with('\n') {
        return text;
    }
    whole.reserve_exact(text.len() + 1);
    whole.push_str(text);
    whole.push('\n');
    whole
}

#[derive(Default)]
struct Documents {
    read: Vec<Parsed>,
    /// How many of them are not empty.
    filled: usize,
    line: usize,
    nodes: Nodes,
}

impl Documents {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Refusal> {
        match event {
            Event::DocumentStart(_) => {
                self.nodes = Nodes::default();
                self.line = 0;
                return Ok(());
            }
            Event::DocumentEnd => {
                self.finish();
                return Ok(());
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd => return Ok(()),
            _ => {}
        }
        if self.line == 0 {
            self.line = span.start.line();
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.nodes.scalar(text, style, anchor, tag.as_deref())
            }
            Event::SequenceStart(anchor, _) => self.nodes.begin_sequence(anchor),
            Event::MappingStart(anchor, _) => self.nodes.begin_mapping(anchor),
            Event::SequenceEnd | Event::MappingEnd => self.nodes.end(),
            Event::Alias(anchor) => self.nodes.alias(anchor),
            _ => Ok(()),
        }
    }

    fn finish(&mut self) {
        let value = self.nodes.take_root();
        self.filled += usize::from(!value.0.is_null());
        self.read.push(Parsed {
            line: self.line,
            value,
        });
    }

    fn syntax_error(&self, error: &ScanError) -> ReadError {
        ReadError {
            document: self.filled + 1,
            line: error.marker().line(),
            reason: error.info().to_owned(),
        }
    }

    fn refuse(&self, span: Span, reason: Refusal) -> ReadError {
        ReadError {
            document: self.filled + 1,
            line: span.start.line(),
            reason,
        }
    }
}

#[cfg(test)]
mod tests;
