//! Reads YAML documents into values, meaning what go-yaml v2 under sigs.k8s.io/yaml gives them.

use saphyr_parser::{Event, Parser, ScanError, Span};

mod anchors;
mod characters;
mod nodes;
mod tags;

use self::nodes::Nodes;
use super::{Parsed, ReadError};

/// Why one node is refused; where it stands is added by the reader.
type Refusal = String;

/// Reads all documents of a stream, empty ones as null.
pub(super) fn read(text: &str) -> Result<Vec<Parsed>, ReadError> {
    characters::check(text)?;
    let mut documents = Documents::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| documents.syntax_error(&error))?;
        documents
            .take(event, span)
            .map_err(|reason| documents.refuse(span, reason))?;
    }
    Ok(documents.read)
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
