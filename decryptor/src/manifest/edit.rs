//! Edits manifests in place: every byte that is not part of an edit stays.

use serde_json::Value;

use super::{BYTE_ORDER_MARK, ReadError, Syntax, json, parse, utf8};

mod json_tree;
mod part;
mod render;
mod splice;
mod tree;
mod yaml_tree;

use self::part::Part;

/// One step on the way to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// To the entry of a mapping.
    Key(&'a str),
    /// To an item of a sequence, from 0.
    Index(usize),
}

/// Why an edit cannot be made. Nothing is changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The stream has fewer documents.
    #[error("the stream has no document {}", .0 + 1)]
    NoSuchDocument(usize),
    /// A sequence on the path has fewer items.
    #[error("a list on the way has no item {}", .0 + 1)]
    NoSuchItem(usize),
    /// There is no such entry to remove.
    #[error("there is no entry {0:?}")]
    NoSuchEntry(String),
    /// The path does not end at the entry of a mapping.
    #[error("the path does not end at the entry of a mapping")]
    NotAnEntry,
    /// Something on the path has no entries.
    #[error("what should hold {0:?} is no mapping")]
    NotAMapping(String),
    /// The value is written elsewhere, or elsewhere too.
    #[error(
        "{0:?} is shared by an anchor and aliases, or comes from a merge key: write it out first"
    )]
    Shared(String),
    /// The layout at this place is beyond what can be edited.
    #[error(
        "the layout around {0:?} cannot be edited: write it as a plain block or JSON mapping first"
    )]
    Layout(String),
    /// The edited text does not read back as the old one with the edit.
    #[error("the edited text would not read back as asked")]
    NotAsAsked,
}

/// A manifest's text under edit: YAML or JSON, possibly several documents.
pub struct Editor<'a> {
    text: &'a [u8],
    parts: Vec<Part>,
    /// Which parts hold documents, by the document's index.
    filled: Vec<usize>,
}

impl<'a> Editor<'a> {
    /// Reads a manifest. Documents have the indexes that [`super::read`] gives them; lists stay whole.
    pub fn new(text: &'a [u8]) -> Result<Self, ReadError> {
        let inner = utf8(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text))?;
        let (syntax, starts, documents) = match json::read_with_starts(inner) {
            Ok((starts, documents)) if json::begins(inner) => (Syntax::Json, starts, documents),
            _ => {
                let starts = yaml_tree::document_starts(inner).unwrap_or_default();
                (Syntax::Yaml, starts, parse(text)?)
            }
        };
        if starts.len() != documents.len() {
            let reason = "the documents of the stream cannot be told apart".to_owned();
            return Err(ReadError {
                document: 1,
                line: 1,
                reason,
            });
        }
        let ends = starts.iter().skip(1).copied().chain([inner.len()]);
        let mut parts = Vec::with_capacity(documents.len());
        let mut filled = Vec::new();
        for ((start, end), document) in starts.iter().zip(ends).zip(documents) {
            if !document.value.0.is_null() {
                filled.push(parts.len());
            }
            parts.push(Part::new(&inner[*start..end], syntax, document.value));
        }
        Ok(Self {
            text,
            parts,
            filled,
        })
    }

    /// How many documents there are, without the empty ones.
    pub fn documents(&self) -> usize {
        self.filled.len()
    }

    /// A document as the edits so far leave it. Null if there is no such document.
    pub fn value(&self, document: usize) -> &Value {
        const NOTHING: &Value = &Value::Null;
        self.filled
            .get(document)
            .map_or(NOTHING, |part| self.parts[*part].value())
    }

    /// Sets the value at a path, making the mappings that are missing on the way.
    ///
    /// A value that is there is replaced in its style; a new entry takes the style of its neighbours.
    pub fn set(
        &mut self,
        document: usize,
        path: &[Step<'_>],
        value: &Value,
    ) -> Result<(), EditError> {
        self.part(document)?.set(path, value)
    }

    /// Removes the entry at a path.
    pub fn remove(&mut self, document: usize, path: &[Step<'_>]) -> Result<(), EditError> {
        self.part(document)?.remove(path)
    }

    fn part(&mut self, document: usize) -> Result<&mut Part, EditError> {
        let part = self
            .filled
            .get(document)
            .ok_or(EditError::NoSuchDocument(document))?;
        Ok(&mut self.parts[*part])
    }

    /// The edited text. It has been read again, and says what the edits asked for and all else as before.
    pub fn finish(mut self) -> Result<Vec<u8>, EditError> {
        let mut edited = Vec::with_capacity(self.text.len() + 1024);
        if self.text.starts_with(BYTE_ORDER_MARK) {
            edited.extend_from_slice(BYTE_ORDER_MARK);
        }
        for part in &mut self.parts {
            part.flush()?;
            edited.extend_from_slice(part.text.as_bytes());
        }
        let read = parse(&edited).map_err(|_| EditError::NotAsAsked)?;
        let values = read
            .iter()
            .map(|parsed| &parsed.value.0)
            .filter(|value| !value.is_null());
        let expected = self.filled.iter().map(|part| self.parts[*part].value());
        if self.parts.is_empty() {
            return Ok(self.text.to_vec());
        }
        if !values.eq(expected) {
            return Err(EditError::NotAsAsked);
        }
        Ok(edited)
    }
}

#[cfg(test)]
mod tests;
