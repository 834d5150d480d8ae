//! One value of an INI file: what stands between the delimiter and the end of its lines.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::tree::Style;

/// A value that was read.
pub(super) struct Read {
    pub(super) text: Zeroizing<String>,
    /// Its place, without quotes.
    pub(super) at: Range<usize>,
    pub(super) style: Style,
    /// The comment behind it, from its mark.
    pub(super) comment: Option<Range<usize>>,
    /// Where its last line ends, behind the line break.
    pub(super) end: usize,
}

const TRIPLE: &str = "\"\"\"";

/// What may stand around a value.
pub(super) const QUOTES: [&str; 5] = ["", "\"", "'", "`", TRIPLE];

/// The quotes of a style.
pub(super) fn quote_of(style: Style) -> &'static str {
    match style {
        Style::Plain => "",
        Style::Single => "'",
        Style::Double => "\"",
        Style::Literal => "`",
        Style::Folded => TRIPLE,
    }
}

/// Where the line ends that a place stands in: behind its line break.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

/// Reads the value that begins behind a delimiter.
pub(super) fn read(text: &str, start: usize) -> Result<Read, &'static str> {
    let end = line_end(text, start);
    let line = text[start..end].trim_start();
    let start = end - line.len();
    if line.is_empty() {
        let at = text[..end].trim_end_matches(['\r', '\n']).len();
        return Ok(Read {
            text: Zeroizing::default(),
            at: at..at,
            style: Style::Plain,
            comment: None,
            end,
        });
    }
    for (quote, style) in [(TRIPLE, Style::Folded), ("`", Style::Literal)] {
        let long_enough = style == Style::Literal || line.len() > 3;
        if long_enough && line.starts_with(quote) {
            return quoted(text, start + quote.len(), quote, style);
        }
    }
    let line = line.trim_end();
    if line.ends_with('\\') {
        return Ok(continued(text, start, start + line.len(), end));
    }
    let (line, comment) = match line.find(['#', ';']) {
        Some(at) => (line[..at].trim_end(), Some(start + at..start + line.len())),
        None => (line, None),
    };
    let style = match line.as_bytes() {
        [b'\'', inner @ .., b'\''] if !inner.contains(&b'\'') => Style::Single,
        [b'"', inner @ .., b'"'] if !inner.contains(&b'"') => Style::Double,
        _ => Style::Plain,
    };
    let width = quote_of(style).len();
    let at = start + width..start + line.len() - width;
    Ok(Read {
        text: Zeroizing::new(text[at.clone()].to_owned()),
        at,
        style,
        comment,
        end,
    })
}

/// A value in quotes that may go on over lines: up to the last quote of the first line that has one.
fn quoted(text: &str, start: usize, quote: &str, style: Style) -> Result<Read, &'static str> {
    let mut line = start;
    while line < text.len() {
        let end = line_end(text, line);
        if let Some(at) = text[line..end].rfind(quote) {
            let close = line + at;
            if !text[close + quote.len()..end].trim().is_empty() {
                return Err("something stands behind the closing quote of a value");
            }
            return Ok(Read {
                text: Zeroizing::new(text[start..close].to_owned()),
                at: start..close,
                style,
                comment: None,
                end,
            });
        }
        line = end;
    }
    Err("a value has no closing quote")
}

/// A value that goes on: each line but the last ends with a backslash.
fn continued(text: &str, start: usize, stop: usize, end: usize) -> Read {
    let mut joined = Zeroizing::new(text[start..stop - 1].to_owned());
    let (mut stop, mut end) = (stop, end);
    while end < text.len() {
        let next_end = line_end(text, end);
        let next = text[end..next_end].trim();
        if next.is_empty() {
            end = next_end;
            break;
        }
        stop = text[..next_end].trim_end().len();
        end = next_end;
        joined.push_str(next);
        if !joined.ends_with('\\') {
            break;
        }
        joined.pop();
    }
    Read {
        text: joined,
        at: start..stop,
        style: Style::Plain,
        comment: None,
        end,
    }
}

/// A value as SOPS writes it, or in other quotes if it would not come back so. Returns `None` if nothing holds it.
pub(in crate::format) fn written(text: &str) -> Option<String> {
    let quotes: &[&str] = if text.contains(['\n', '`']) {
        &[TRIPLE, "`"]
    } else if text.contains(['#', ';']) {
        &["`", TRIPLE]
    } else if text.trim().len() != text.len() {
        &["\"", "`", TRIPLE]
    } else {
        &["", "\"", "`", TRIPLE]
    };
    quotes.iter().find_map(|quote| in_quotes(text, quote, ""))
}

/// A value in these quotes, before a comment if there is one. Returns `None` if it would not be read as that value.
pub(super) fn in_quotes(text: &str, quote: &str, comment: &str) -> Option<String> {
    let candidate = format!("{quote}{text}{quote}");
    let line = Zeroizing::new(format!(" {candidate}{comment}\n"));
    let found = read(&line, 0).ok()?;
    let behind = found.comment.map_or("", |at| &line[at]);
    (*found.text == text
        && behind == comment.trim()
        && found.end == line.len()
        && quote_of(found.style) == quote)
        .then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_the_library_reads_them() {
        for (text, value, comment) in [
            (" plain \n", "plain", None),
            ("", "", None),
            (" 'it' \n", "it", None),
            (" \"a\"b\"\n", "\"a\"b\"", None),
            (" a # note\n", "a", Some("# note")),
            (" \"quoted # val\"\n", "\"quoted", Some("# val\"")),
            (" `a#b`\n", "a#b", None),
            (" \"\"\"one\n two\"\"\"\nnext", "one\n two", None),
            (" one \\\n  two\n", "one two", None),
            (" one\\\n\n", "one", None),
            (" ; note\n", "", Some("; note")),
        ] {
            let read = read(text, 0).expect(text);
            assert_eq!(*read.text, value, "{text}");
            assert_eq!(read.comment.map(|at| &text[at]), comment, "{text}");
        }
        assert!(read(" `open\n", 0).is_err());
        assert!(read(" `a` ; lost\n", 0).is_err());
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "",
            "a",
            " a ",
            "'a'",
            "\"a\"",
            "a#b",
            "a`b",
            "a\nb",
            "a\\",
            "`",
            "\"\"\"",
            "a\r",
            "it's",
            "\"\"\"\"`",
        ] {
            let written = written(text).expect(text);
            assert_eq!(*read(&written, 0).expect(text).text, text);
        }
        assert_eq!(written("`\"\"\"\n"), None);
    }
}
