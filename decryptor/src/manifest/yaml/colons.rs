//! Refuses `{a:}` and `[a:, b]`: YAML 1.1 reads the text `a:` there, YAML 1.2 the key `a`.

use saphyr_parser::{Event, ScalarStyle, Span};

use super::Refusal;

/// Looks at what follows the colon of keys that have no value.
pub(crate) struct Colons<'a> {
    rest: &'a str,
    /// How many characters stand before the rest.
    index: usize,
    /// Where the last event ended, if it was a scalar without quotes.
    plain_end: Option<usize>,
}

impl<'a> Colons<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            index: 0,
            plain_end: None,
        }
    }

    pub(crate) fn check(&mut self, event: &Event<'_>, span: Span) -> Result<(), Refusal> {
        let Event::Scalar(text, ScalarStyle::Plain, ..) = event else {
            self.plain_end = None;
            return Ok(());
        };
        let colon = span.start.index();
        let key_end = self.plain_end.replace(span.end.index());
        if text.is_empty()
            && key_end == Some(colon)
            && matches!(self.character(colon + 1), Some(',' | '[' | ']' | '{' | '}'))
        {
            return Err("a colon needs a space after it here".to_owned());
        }
        Ok(())
    }

    /// The character at an index. The indexes asked for grow.
    fn character(&mut self, index: usize) -> Option<char> {
        let ahead = index.checked_sub(self.index)?;
        let (bytes, character) = self.rest.char_indices().nth(ahead)?;
        self.rest = &self.rest[bytes..];
        self.index = index;
        Some(character)
    }
}
