//! Files of variables by the rules of godotenv 1.5.1, which KSOPS reads them with.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use zeroize::Zeroizing;

use crate::hooks::failure::Failure;

/// Variables by name. Where one stands twice, the later one counts.
pub(super) type Variables = BTreeMap<String, Zeroizing<String>>;

/// Reads a file of variables.
pub(super) fn read(text: &str) -> Result<Variables, Failure> {
    let text = Zeroizing::new(text.replace("\r\n", "\n"));
    let mut variables = Variables::new();
    let mut rest = text.as_str();
    while let Some(statement) = begin(rest) {
        let line = 1 + text[..text.len() - statement.len()].matches('\n').count();
        let at = |reason: &str| Failure::new(format!("line {line}: {reason}"));
        let (name, behind) = name(statement).map_err(at)?;
        let (value, behind) = value(behind, &variables).map_err(at)?;
        variables.insert(name.to_owned(), value);
        rest = behind;
    }
    Ok(variables)
}

/// The text from the next variable on.
fn begin(mut text: &str) -> Option<&str> {
    loop {
        text = text.trim_start();
        if !text.starts_with('#') {
            return (!text.is_empty()).then_some(text);
        }
        text = &text[text.find('\n')?..];
    }
}

/// Splits a name off, with its `=` or `:`.
fn name(text: &str) -> Result<(&str, &str), &'static str> {
    let text = match text.strip_prefix("export") {
        Some(behind) if behind.starts_with(is_space) => behind.trim_start_matches(is_space),
        _ => text,
    };
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'=' | b':' => {
                let name = text[..at].trim_end();
                let behind = text[at + 1..].trim_start_matches(is_space);
                return match name.is_empty() {
                    true => Err("a value has no name"),
                    false => Ok((name, behind)),
                };
            }
            b'_' | b'.' => {}
            // Bytes are looked at as if they were characters, here as there.
            byte => {
                let character = char::from(byte);
                let fits =
                    is_space(character) || character.is_alphabetic() || character.is_numeric();
                if !fits {
                    return Err("a name has a character that names cannot have");
                }
            }
        }
    }
    Err("a name has no value")
}

/// Splits a value off.
fn value<'t>(
    text: &'t str,
    variables: &Variables,
) -> Result<(Zeroizing<String>, &'t str), &'static str> {
    let Some(quote @ ('"' | '\'')) = text.chars().next() else {
        let (line, rest) = text.split_at(text.find(['\n', '\r']).unwrap_or(text.len()));
        let value = without_comment(line).trim_matches(is_space);
        return Ok((expand(value, variables), rest));
    };
    let bytes = text.as_bytes();
    let end = (1..bytes.len())
        .find(|at| char::from(bytes[*at]) == quote && bytes[at - 1] != b'\\')
        .ok_or("a quoted value does not end")?;
    let value = text[..end]
        .trim_end_matches(quote)
        .trim_start_matches(quote);
    let value = match quote {
        '"' => expand(&unescape(value), variables),
        _ => Zeroizing::new(value.to_owned()),
    };
    Ok((value, &text[end + 1..]))
}

/// A line up to its last `#` behind a space.
fn without_comment(line: &str) -> &str {
    let hashes = line.rmatch_indices('#');
    let mut before = hashes.map(|(at, _)| &line[..at]);
    before
        .find(|before| before.ends_with(is_space))
        .unwrap_or(line)
}

/// Replaces what is escaped in double quotes. An escaped `$` waits for [`expand`].
fn unescape(text: &str) -> Zeroizing<String> {
    static ESCAPED: LazyLock<Regex> = LazyLock::new(|| pattern(r"\\."));
    static REST: LazyLock<Regex> = LazyLock::new(|| pattern(r"\\([^$])"));
    let breaks = ESCAPED.replace_all(text, |found: &Captures<'_>| match &found[0] {
        r"\n" => "\n".to_owned(),
        r"\r" => "\r".to_owned(),
        other => other.to_owned(),
    });
    let breaks = Zeroizing::new(breaks.into_owned());
    Zeroizing::new(REST.replace_all(&breaks, "$1").into_owned())
}

/// Replaces `$NAME` and `${NAME}` by variables above in the same file; one that is not there is empty.
fn expand(text: &str, variables: &Variables) -> Zeroizing<String> {
    static VARIABLE: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(\\)?(\$)(\()?\{?([A-Z0-9_]+)?\}?"));
    let expanded = VARIABLE.replace_all(text, |found: &Captures<'_>| {
        match (found.get(1), found.get(4)) {
            (Some(_), _) => found[0][1..].to_owned(),
            (None, Some(name)) => variables
                .get(name.as_str())
                .map_or_else(String::new, |value| value.to_string()),
            (None, None) => found[0].to_owned(),
        }
    });
    Zeroizing::new(expanded.into_owned())
}

fn pattern(text: &'static str) -> Regex {
    Regex::new(text).expect("it is written above")
}

/// A space that ends no line.
fn is_space(character: char) -> bool {
    matches!(
        character,
        '\t' | '\u{B}' | '\u{C}' | '\r' | ' ' | '\u{85}' | '\u{A0}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_name_the_line_and_no_value() {
        for (text, expected) in [
            (
                "A=1\nB='hunter2\n",
                "error: line 2: a quoted value does not end\n",
            ),
            (
                "A=1\n\n# c\nno-name=x",
                "error: line 4: a name has a character that names cannot have\n",
            ),
            ("=hunter2", "error: line 1: a value has no name\n"),
            ("hunter2", "error: line 1: a name has no value\n"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), expected);
        }
    }
}
