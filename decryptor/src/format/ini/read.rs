//! Reads INI as the library of SOPS does, into a tree that knows where everything stands.

use std::collections::HashSet;
use std::ops::Range;

use zeroize::Zeroizing;

use super::SECTION;
use super::value::{self, line_end};
use crate::format::ParseError;
use crate::tree::{Comment, Entry, Leaf, Pair, Place, Scalar, Value};

/// What was read.
pub(super) struct Read {
    pub(super) sections: Vec<Entry>,
    pub(super) metadata: Option<Found>,
    pub(super) duplicates: Vec<(usize, String)>,
    pub(super) behind: Vec<Behind>,
}

/// The section of metadata.
pub(super) struct Found {
    pub(super) fields: Vec<(String, String)>,
    pub(super) lines: Range<usize>,
    pub(super) mac: Option<Range<usize>>,
    pub(super) last_modified: Option<Range<usize>>,
}

/// A comment behind a value or a header that goes to the lines above once it is written anew.
pub(super) struct Behind {
    /// Where the comment above begins that it joins, or the line that it stands on.
    pub(super) start: usize,
    pub(super) at: Range<usize>,
    /// Whether there is no comment above.
    pub(super) is_alone: bool,
}

/// More keys that stand twice are not named.
const MAX_DUPLICATES: usize = 20;
/// Keys before the first header stand in this section.
const DEFAULT: &str = "DEFAULT";

/// Reads a text.
pub(super) fn read(text: &str) -> Result<Read, ParseError> {
    let mut reader = Reader {
        text,
        sections: vec![Section::new(DEFAULT, 0..0)],
        found: None,
        comments: Comments::default(),
        behind: Vec::new(),
        duplicates: Vec::new(),
    };
    let mut at = if text.starts_with('\u{FEFF}') { 3 } else { 0 };
    while at < text.len() {
        at = reader.line(at).map_err(|reason| {
            let line = 1 + text[..at].bytes().filter(|byte| *byte == b'\n').count();
            ParseError::new(line, reason)
        })?;
    }
    reader.end_section(text.len());
    let sections = reader
        .sections
        .into_iter()
        .map(Section::into_entry)
        .collect();
    Ok(Read {
        sections,
        metadata: reader.found,
        duplicates: reader.duplicates,
        behind: reader.behind,
    })
}

struct Reader<'t> {
    text: &'t str,
    sections: Vec<Section>,
    found: Option<Found>,
    comments: Comments,
    behind: Vec<Behind>,
    duplicates: Vec<(usize, String)>,
}

struct Section {
    name: String,
    at: Range<usize>,
    end: usize,
    entries: Vec<Entry>,
    keys: HashSet<String>,
    /// How many keys had no name but a dash.
    unnamed: usize,
}

impl Section {
    fn new(name: &str, at: Range<usize>) -> Self {
        Self {
            name: name.to_owned(),
            end: at.end,
            at,
            entries: Vec::new(),
            keys: HashSet::new(),
            unnamed: 0,
        }
    }

    fn into_entry(self) -> Entry {
        Entry::Pair(Pair {
            key: self.name,
            at: self.at,
            end: self.end,
            value: Value::Map(self.entries),
        })
    }
}

impl Reader<'_> {
    /// Reads a line, or several if a value goes on; gives back where the next one begins.
    fn line(&mut self, start: usize) -> Result<usize, &'static str> {
        let end = line_end(self.text, start);
        let line = self.text[start..end].trim_start();
        let start = end - line.len();
        match line.as_bytes().first() {
            None => Ok(end),
            Some(b'#' | b';') => {
                self.comments.push(self.text, start..end, false);
                Ok(end)
            }
            Some(b'[') => self.header(start, end),
            Some(_) => self.key(start, end),
        }
    }

    fn header(&mut self, start: usize, end: usize) -> Result<usize, &'static str> {
        let line = &self.text[start..end];
        let close = line
            .rfind(']')
            .ok_or("a section's header has no closing bracket")?;
        let (name, behind) = (&line[1..close], &line[close + 1..]);
        if name.is_empty() {
            return Err("a section has no name");
        }
        let mark = behind.find(['#', ';']);
        // It would stay in clear, and SOPS would lose it.
        if !behind[..mark.unwrap_or(behind.len())].trim().is_empty() {
            return Err("something stands behind a section's header");
        }
        let at = start + 1..start + close;
        if name == SECTION {
            if self.found.is_some() {
                return Err("the document has two sops sections");
            }
            self.end_section(start);
            self.found = Some(Found {
                fields: Vec::new(),
                lines: start..self.text.len(),
                mac: None,
                last_modified: None,
            });
            // The section after it is not yet there: what is read now is metadata.
            self.sections.push(Section::new(SECTION, at));
            return Ok(end);
        }
        self.end_metadata(start);
        if let Some(mark) = mark {
            self.comments
                .push(self.text, start + close + 1 + mark..end, true);
        }
        let comment = self.comments.take(self.text, Some(start), &mut self.behind);
        let mut section = Section::new(name, at);
        section.end = end;
        section.entries.extend(comment.map(Entry::Comment));
        self.sections.push(section);
        Ok(end)
    }

    /// Comments that nothing follows belong to the section before them.
    fn end_section(&mut self, at: usize) {
        if self.end_metadata(at) {
            return;
        }
        let comment = self.comments.take(self.text, None, &mut self.behind);
        if let Some(section) = self.sections.last_mut() {
            section.entries.extend(comment.map(Entry::Comment));
        }
    }

    /// Whether metadata ended here.
    fn end_metadata(&mut self, at: usize) -> bool {
        let Some(found) = self
            .found
            .as_mut()
            .filter(|_| self.sections.last().is_some_and(|s| s.name == SECTION))
        else {
            return false;
        };
        // Comments before the next section are that section's.
        found.lines.end = self.comments.start().unwrap_or(at);
        self.sections.pop();
        true
    }

    fn key(&mut self, start: usize, end: usize) -> Result<usize, &'static str> {
        let line = &self.text[start..end];
        let (name, offset) = key_name(line)?;
        let value = value::read(self.text, start + offset)?;
        let section = self.sections.last_mut().ok_or("a key without a section")?;
        let mut name = name.to_owned();
        if name == "-" {
            section.unnamed += 1;
            name = format!("#{}", section.unnamed);
        }
        if name.is_empty() {
            return Err("a key has no name");
        }
        if let Some(comment) = &value.comment {
            self.comments.push(self.text, comment.clone(), true);
        }
        if section.name == SECTION && self.found.is_some() {
            let field = self.found.as_mut().ok_or("a key without a section")?;
            self.comments = Comments::default();
            match name.as_str() {
                "mac" => field.mac = Some(value.at.clone()),
                "lastmodified" => field.last_modified = Some(value.at.clone()),
                _ => {}
            }
            field.fields.push((name, value.text.to_string()));
            return Ok(value.end);
        }
        if !section.keys.insert(name.clone()) && self.duplicates.len() < MAX_DUPLICATES {
            let line = 1 + self.text[..start]
                .bytes()
                .filter(|byte| *byte == b'\n')
                .count();
            self.duplicates.push((line, name.clone()));
        }
        let place = Place {
            at: value.at,
            style: value.style,
            ..Place::default()
        };
        section.end = value.end;
        section.entries.push(Entry::Pair(Pair {
            key: name,
            at: start..start + offset,
            end: value.end,
            value: Value::Leaf(Leaf {
                scalar: Scalar::Text(value.text),
                place,
            }),
        }));
        // A key's comment stands behind the key in SOPS's tree.
        let comment = self.comments.take(self.text, None, &mut self.behind);
        section.entries.extend(comment.map(Entry::Comment));
        Ok(value.end)
    }
}

/// The name of a key, and where its value begins.
pub(super) fn key_name(line: &str) -> Result<(&str, usize), &'static str> {
    const NO_DELIMITER: &str = "neither a section nor a comment nor a key with its value";
    let quote = match line.as_bytes()[0] {
        b'"' if line.len() > 6 && line.starts_with("\"\"\"") => "\"\"\"",
        b'"' => "\"",
        b'`' => "`",
        _ => {
            let at = line.find(['=', ':']).ok_or(NO_DELIMITER)?;
            return Ok((line[..at].trim(), at + 1));
        }
    };
    let inner = &line[quote.len()..];
    let close = inner.find(quote).ok_or("a key has no closing quote")?;
    let behind = quote.len() * 2 + close;
    let at = line.get(behind..).and_then(|rest| rest.find(['=', ':']));
    let at = at.ok_or(NO_DELIMITER)?;
    Ok((inner[..close].trim(), behind + at + 1))
}

/// Comments that wait for the key or section that they belong to.
#[derive(Default)]
struct Comments {
    /// All of them, as the library joins them.
    joined: Zeroizing<String>,
    /// Whole lines, and the one behind a value or header.
    lines: Vec<Range<usize>>,
    inline: Option<Range<usize>>,
}

impl Comments {
    fn push(&mut self, text: &str, at: Range<usize>, is_inline: bool) {
        self.joined.push_str(&text[at.clone()]);
        let at = at.start..at.start + text[at].trim_end().len();
        match is_inline {
            true => self.inline = Some(at),
            false => self.lines.push(at),
        }
    }

    fn start(&self) -> Option<usize> {
        self.lines.first().map(|line| line.start)
    }

    /// All that wait, as one comment. A header holds no encrypted comment: its brackets would end it.
    fn take(
        &mut self,
        text: &str,
        header: Option<usize>,
        behind: &mut Vec<Behind>,
    ) -> Option<Comment> {
        let Self {
            joined,
            lines,
            inline,
        } = std::mem::take(self);
        let first = lines.first().or(inline.as_ref())?;
        let end = lines.last().or(inline.as_ref())?.end;
        let trimmed = joined.trim();
        let mark = trimmed.chars().next().unwrap_or(';');
        let stripped = trimmed.trim_start_matches([mark, ' ']);
        let start = first.start + (trimmed.len() - stripped.len()).min(first.len());
        let mut at = start..end.max(start);
        let header = header.filter(|_| lines.is_empty());
        if let (Some(inline), true) = (inline, header.is_some() || !lines.is_empty()) {
            if let Some(header) = header {
                at = header..header;
            }
            let blank = text[..inline.start].trim_end_matches([' ', '\t']).len();
            behind.push(Behind {
                start: at.start,
                at: blank..inline.end,
                is_alone: header.is_some(),
            });
        }
        Some(Comment {
            text: Zeroizing::new(stripped.to_owned()),
            at,
            can_be_item: false,
        })
    }
}
