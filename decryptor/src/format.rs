//! The formats of documents: which one a file has, and how each is read and edited in place.

mod binary;
mod dotenv;
mod edits;
mod emit;
mod flat;
mod ini;
mod json;
mod yaml;

use std::path::Path;

use zeroize::Zeroizing;

use crate::sops::metadata::Fields;
use crate::sops::value::Opened;
use crate::tree::{Alias, Comment, Leaf, Tree};

pub use emit::EmitError;

pub(crate) use edits::Edits;
#[cfg(feature = "hooks")]
pub(crate) use emit::emit_kept;
pub(crate) use emit::{emit, emit_flow, emit_pair, emit_value};
pub(crate) use json::value as json_value;

pub(crate) use binary::{is_file, opened as opened_binary, wrapped as wrapped_binary};

/// The syntax of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One or several YAML documents.
    Yaml,
    /// One JSON object.
    Json,
    /// Lines of `KEY=value`.
    Dotenv,
    /// Sections of `key = value`.
    Ini,
    /// Anything: encrypted as one value.
    Binary,
}

/// A text that is not of its format.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there; no value is part of it.
    pub reason: String,
}

impl ParseError {
    pub(crate) fn new(line: usize, reason: &str) -> Self {
        Self {
            line: line.max(1),
            reason: reason.to_owned(),
        }
    }
}

impl Format {
    /// The format of a file, by the end of its name.
    pub fn of(path: &Path) -> Self {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy())
            .unwrap_or_default();
        let ends = |end: &str| name.ends_with(end);
        if ends(".yaml") || ends(".yml") {
            Self::Yaml
        } else if ends(".json") {
            Self::Json
        } else if ends(".env") {
            Self::Dotenv
        } else if ends(".ini") {
            Self::Ini
        } else {
            Self::Binary
        }
    }

    /// Its name, as people type it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
            Self::Dotenv => "dotenv",
            Self::Ini => "ini",
            Self::Binary => "binary",
        }
    }

    /// Reads a text, encrypted or not. Binary documents are JSON inside.
    pub(crate) fn parse(self, text: &str) -> Result<Parsed, ParseError> {
        match self {
            Self::Yaml => yaml::parse(text),
            Self::Json | Self::Binary => json::parse(text),
            Self::Dotenv => dotenv::parse(text),
            Self::Ini => ini::parse(text),
        }
    }
}

/// A text that was read.
pub(crate) struct Parsed {
    pub(crate) tree: Tree,
    /// The metadata of the first document, which is no part of the tree.
    pub(crate) metadata: Option<Result<Fields, &'static str>>,
    /// Keys that stand twice in one mapping, with their lines.
    pub(crate) duplicates: Vec<(usize, String)>,
    syntax: Syntax,
}

enum Syntax {
    Yaml(yaml::Outside),
    Json(json::Outside),
    Dotenv(dotenv::Outside),
    Ini(ini::Outside),
}

/// The metadata of another version of the same document, whose layout is kept.
pub(crate) struct Previous<'p> {
    pub(crate) text: &'p str,
    pub(crate) parsed: &'p Parsed,
    pub(crate) last_modified: &'p str,
    pub(crate) mac: &'p str,
}

impl Parsed {
    /// Whether a document behind the first has metadata: a source that is in clear must not.
    pub(crate) fn has_reserved_names(&self) -> bool {
        match &self.syntax {
            Syntax::Yaml(outside) => outside.has_metadata(),
            _ => self.metadata.is_some(),
        }
    }

    /// A leaf as it is written, with the tag that gives it its type. Returns `None` where nothing but the value counts.
    pub(crate) fn source_of(&self, text: &str, leaf: &Leaf) -> Option<Zeroizing<String>> {
        match &self.syntax {
            Syntax::Yaml(_) => yaml::source_of(text, leaf),
            Syntax::Json(_) => Some(Zeroizing::new(text[leaf.place.at.clone()].to_owned())),
            Syntax::Dotenv(_) | Syntax::Ini(_) => None,
        }
    }

    /// Puts what [`Parsed::source_of`] gave in a leaf's place.
    pub(crate) fn write_source(&self, leaf: &Leaf, source: &str, edits: &mut Edits) {
        match &self.syntax {
            Syntax::Yaml(_) => yaml::write_source(leaf, source, edits),
            _ => edits.push(leaf.place.at.clone(), source),
        }
    }

    /// The aliases in its text, in order.
    pub(crate) fn aliases(&self) -> &[Alias] {
        match &self.syntax {
            Syntax::Yaml(outside) => &outside.aliases,
            Syntax::Json(_) | Syntax::Dotenv(_) | Syntax::Ini(_) => &[],
        }
    }

    /// Puts an encrypted value in a leaf's place.
    pub(crate) fn write_encrypted(
        &self,
        text: &str,
        leaf: &Leaf,
        sealed: &str,
        keeps: bool,
        edits: &mut Edits,
    ) {
        match &self.syntax {
            Syntax::Yaml(outside) => outside.write_encrypted(text, leaf, sealed, keeps, edits),
            Syntax::Json(_) => edits.push(leaf.place.at.clone(), format!("\"{sealed}\"")),
            Syntax::Dotenv(_) => edits.push(leaf.place.at.clone(), sealed),
            Syntax::Ini(_) => ini::write_encrypted(text, leaf, sealed, keeps, edits),
        }
    }

    /// Puts a decrypted value in a leaf's place.
    pub(crate) fn write_opened(
        &self,
        text: &str,
        leaf: &Leaf,
        opened: &Opened,
        keeps: bool,
        edits: &mut Edits,
    ) -> Result<(), &'static str> {
        match &self.syntax {
            Syntax::Yaml(outside) => outside.write_opened(text, leaf, opened, keeps, edits),
            Syntax::Json(_) => json::write_opened(leaf, opened, keeps, edits),
            Syntax::Dotenv(_) => dotenv::write_opened(leaf, opened, edits),
            Syntax::Ini(outside) => outside.write_opened(text, leaf, opened, edits),
        }
    }

    /// Whether a value that was opened claims another type than it had: the bytes are not those of the type, or the style that
    /// stands there is not the one of the source.
    pub(crate) fn doubts_type(&self, leaf: &Leaf, opened: &Opened, keeps: bool) -> bool {
        !opened.is_canonical()
            || keeps && matches!(self.syntax, Syntax::Yaml(_)) && yaml::doubts_type(leaf, opened)
    }

    /// Puts another text in a comment's place.
    pub(crate) fn write_comment(&self, comment: &Comment, text: &str, edits: &mut Edits) {
        match &self.syntax {
            Syntax::Dotenv(_) => return dotenv::write_comment(comment, text, edits),
            Syntax::Ini(outside) => return outside.write_comment(comment, text, edits),
            Syntax::Yaml(_) | Syntax::Json(_) => {}
        }
        // A line break would end the comment, and what follows would be read.
        let lines = text.replace('\r', "").replace('\n', "\n#");
        edits.push(comment.at.clone(), format!("#{lines}"));
    }

    /// Puts an encrypted comment in its place as an item of the list, where SOPS has it.
    pub(crate) fn write_comment_as_item(&self, comment: &Comment, sealed: &str, edits: &mut Edits) {
        edits.push(comment.at.clone(), format!("- {sealed}"));
    }

    /// Takes the metadata out.
    pub(crate) fn remove_metadata(&self, text: &str, edits: &mut Edits) {
        match &self.syntax {
            Syntax::Yaml(outside) => outside.remove_metadata(text, edits),
            Syntax::Json(outside) => outside.remove_metadata(text, edits),
            Syntax::Dotenv(outside) => outside.remove_metadata(text, edits),
            Syntax::Ini(outside) => outside.remove_metadata(text, edits),
        }
    }

    /// Puts metadata in, in the layout of the previous version if one is given.
    pub(crate) fn write_metadata(
        &self,
        text: &str,
        fields: &Fields,
        previous: Option<&Previous<'_>>,
        edits: &mut Edits,
    ) {
        let kept = previous.and_then(|previous| {
            let syntax = &previous.parsed.syntax;
            match (&self.syntax, syntax) {
                (Syntax::Yaml(_), Syntax::Yaml(outside)) => outside.updated_block(previous),
                (Syntax::Json(_), Syntax::Json(outside)) => outside.updated_value(previous),
                (Syntax::Dotenv(_), Syntax::Dotenv(outside)) => outside.updated_lines(previous),
                (Syntax::Ini(_), Syntax::Ini(outside)) => outside.updated_lines(previous),
                _ => None,
            }
        });
        match &self.syntax {
            Syntax::Yaml(outside) => outside.write_metadata(text, fields, kept, edits),
            Syntax::Json(outside) => outside.write_metadata(text, fields, kept, edits),
            Syntax::Dotenv(_) => dotenv::write_metadata(text, fields, kept, edits),
            Syntax::Ini(outside) => outside.write_metadata(text, fields, kept, edits),
        }
    }
}
