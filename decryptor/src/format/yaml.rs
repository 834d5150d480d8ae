//! YAML, edited in place: comments, blank lines, quotes, indentation, anchors and line endings stay.

mod block;
mod comments;
mod emit;
mod flow;
mod leaf;
mod lines;
mod metadata;
mod read;
mod resolve;
mod write;

use super::{ParseError, Parsed, Syntax};
use crate::tree::{Alias, Entry};
use metadata::{Block, take_metadata};

#[cfg(feature = "hooks")]
pub(super) use emit::emit_kept;
pub(super) use emit::{emit_documents, emit_map, emit_value};
pub(super) use flow::emit_flow;
pub(super) use leaf::{doubts_type, source_of, write_source};
pub(super) use metadata::{fields_of, place_of};

/// What a YAML text has besides its tree.
pub(crate) struct Outside {
    documents: Vec<Document>,
    newline: &'static str,
    step: usize,
    pub(super) aliases: Vec<Alias>,
}

struct Document {
    frame: read::Frame,
    /// Whether it has no keys at all.
    is_empty: bool,
    metadata: Option<Block>,
}

/// Reads one or several documents.
pub(super) fn parse(text: &str) -> Result<Parsed, ParseError> {
    let read::Read {
        mut tree,
        frames,
        step,
        duplicates,
        aliases,
    } = read::read(text)?;
    if frames.is_empty() {
        return Err(ParseError::new(1, "no document: a file needs at least one"));
    }
    let mut metadata = None;
    let mut documents = Vec::new();
    for (entries, frame) in tree.documents.iter_mut().zip(frames) {
        let found = take_metadata(entries)?;
        let block = found.as_ref().map(|(at, pair)| Block::of(pair, *at == 0));
        if documents.is_empty() {
            metadata = found.map(|(_, pair)| fields_of(&pair.value));
        }
        let is_empty = !entries.iter().any(|entry| matches!(entry, Entry::Pair(_)));
        documents.push(Document {
            frame,
            is_empty,
            metadata: block,
        });
    }
    let newline = match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    };
    let step = if step == 0 { 4 } else { step };
    let syntax = Syntax::Yaml(Outside {
        documents,
        newline,
        step,
        aliases,
    });
    Ok(Parsed {
        tree,
        metadata,
        duplicates,
        syntax,
    })
}

impl Outside {
    pub(super) fn has_metadata(&self) -> bool {
        self.documents
            .iter()
            .any(|document| document.metadata.is_some())
    }
}
