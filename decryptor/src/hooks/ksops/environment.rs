//! Files of variables by the rules of godotenv 1.5.1, which KSOPS reads them with.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use zeroize::Zeroizing;

use crate::hooks::failure::Failure;

/// The most that all values of a file may hold: a value may repeat others, and those again others.
const MOST: usize = 16 << 20;

/// Variables by name. Where one stands twice, the later one counts.
pub(super) type Variables = BTreeMap<String, Zeroizing<String>>;

/// Reads a file of variables.
pub(super) fn read(text: &str) -> Result<Variables, Failure> {
    let text = Zeroizing::new(text.replace("\r\n", "\n"));
    let mut variables = Variables::new();
    let mut rest = text.as_str();
    let mut left = MOST;
    while let Some(statement) = begin(rest) {
        let at = |reason: &str| {
            let line = 1 + text[..text.len() - statement.len()].matches('\n').count();
            Failure::new(format!("line {line}: {reason}"))
        };
        let (name, behind) = name(statement).map_err(at)?;
        let (value, behind) = value(behind, &variables, left).map_err(at)?;
        left = left.saturating_sub(value.len());
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
    left: usize,
) -> Result<(Zeroizing<String>, &'t str), &'static str> {
    let Some(quote @ ('"' | '\'')) = text.chars().next() else {
        let (line, rest) = text.split_at(text.find(['\n', '\r']).unwrap_or(text.len()));
        let value = without_comment(line).trim_matches(is_space);
        return Ok((expand(value, variables, left)?, rest));
    };
    let bytes = text.as_bytes();
    let end = (1..bytes.len())
        .find(|at| char::from(bytes[*at]) == quote && bytes[at - 1] != b'\\')
        .ok_or("a quoted value does not end")?;
    let value = text[..end]
        .trim_end_matches(quote)
        .trim_start_matches(quote);
    let value = match quote {
        '"' => expand(&unescape(value), variables, left)?,
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

/// Replaces `$NAME` and `${NAME}` by variables above in the same file; one that is not there is empty. So many bytes at most.
fn expand(
    text: &str,
    variables: &Variables,
    left: usize,
) -> Result<Zeroizing<String>, &'static str> {
    static VARIABLE: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(\\)?(\$)(\()?\{?([A-Z0-9_]+)?\}?"));
    let mut expanded = Zeroizing::new(String::new());
    let mut add = |part: &str| match expanded.len() + part.len() > left {
        true => Err("the values of the file grow too large together"),
        false => {
            append(&mut expanded, part);
            Ok(())
        }
    };
    let mut done = 0;
    for found in VARIABLE.captures_iter(text) {
        let all = found.get_match();
        add(&text[done..all.start()])?;
        done = all.end();
        match (found.get(1), found.get(4)) {
            (Some(_), _) => add(&all.as_str()[1..])?,
            (None, Some(name)) => {
                let value = variables.get(name.as_str());
                add(value.map_or("", |value| value.as_str()))?;
            }
            (None, None) => add(all.as_str())?,
        }
    }
    add(&text[done..])?;
    Ok(expanded)
}

/// Adds to a text that may be secret: growing leaves no copy behind.
fn append(text: &mut Zeroizing<String>, part: &str) {
    if text.capacity() - text.len() < part.len() {
        let length = text.len() + part.len();
        let mut longer = Zeroizing::new(String::with_capacity(length.max(2 * text.capacity())));
        longer.push_str(text);
        *text = longer;
    }
    text.push_str(part);
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

    #[test]
    fn values_that_repeat_values_end_somewhere() {
        let mut text = format!("A={}\n", "x".repeat(32));
        for (before, name) in ('A'..='Z').zip('B'..='Z') {
            text += &format!("{name}={}\n", format!("${before}").repeat(10));
        }
        let error = read(&text).unwrap_err().to_string();
        assert_eq!(
            error,
            "error: line 7: the values of the file grow too large together\n"
        );
    }

    #[test]
    fn many_variables_are_read_in_one_sweep() {
        let text: String = (0..50_000).map(|at| format!("A{at}=\n")).collect();
        assert_eq!(read(&text).unwrap().len(), 50_000);
    }
}
