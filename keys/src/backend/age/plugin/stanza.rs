//! Stanzas as they are spoken between age and its plugins.

use std::io::{self, BufRead, Read};

use age_core::format::Stanza;
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use zeroize::Zeroizing;

/// Characters in a full line of a stanza's body.
const COLUMNS: usize = 64;
/// The longest line and the most lines of a stanza that are read.
const LONGEST_LINE: u64 = 1 << 16;
const MOST_LINES: usize = 1 << 10;

/// A stanza as age files have it: a line of words, then Base64 whose last line is not full.
pub(super) fn write(tag: &str, args: &[&str], body: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(format!("-> {tag}"));
    for arg in args {
        text.push(' ');
        text.push_str(arg);
    }
    text.push('\n');
    let body = Zeroizing::new(BASE64_STANDARD_NO_PAD.encode(body));
    for (i, c) in body.chars().enumerate() {
        if i > 0 && i.is_multiple_of(COLUMNS) {
            text.push('\n');
        }
        text.push(c);
    }
    text.push('\n');
    if !body.is_empty() && body.len().is_multiple_of(COLUMNS) {
        text.push('\n');
    }
    text
}

/// Reads a stanza, of bounded size.
pub(super) fn receive(reader: &mut impl BufRead) -> io::Result<Stanza> {
    let broken = || {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "it does not speak as plugins do",
        )
    };
    let first = line(reader)?;
    let mut words = first.strip_prefix("-> ").ok_or_else(broken)?.split(' ');
    let tag = words.next().ok_or_else(broken)?.to_owned();
    let args = words.map(str::to_owned).collect();
    let mut encoded = Zeroizing::new(String::new());
    for _ in 0..MOST_LINES {
        let line = line(reader)?;
        encoded.push_str(&line);
        if line.len() > COLUMNS {
            return Err(broken());
        }
        if line.len() < COLUMNS {
            let body = BASE64_STANDARD_NO_PAD
                .decode(encoded.as_bytes())
                .map_err(|_| broken())?;
            return Ok(Stanza { tag, args, body });
        }
    }
    Err(broken())
}

fn line(reader: &mut impl BufRead) -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    reader.take(LONGEST_LINE).read_line(&mut line)?;
    if line.pop() != Some('\n') {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "it ended in the middle",
        ));
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stanzas_come_back() {
        for length in [0, 1, 47, 48, 49, 96, 200] {
            let body = vec![7; length];
            let text = write("tag", &["a", "b"], &body);
            let stanza = receive(&mut text.as_bytes()).expect("it is whole");
            assert_eq!(
                (stanza.tag.as_str(), stanza.args, stanza.body),
                ("tag", vec!["a".to_owned(), "b".to_owned()], body),
                "{length}"
            );
        }
    }

    #[test]
    fn what_is_no_stanza_is_refused() {
        let long = format!("-> a\n{}\n", "A".repeat(65));
        let endless = format!(
            "-> a\n{}",
            format!("{}\n", "A".repeat(64)).repeat(MOST_LINES + 1)
        );
        for text in ["", "-> a", "-> a\n", "a\n\n", "-> a\n*\n", &long, &endless] {
            assert!(receive(&mut text.as_bytes()).is_err(), "{text:.20}");
        }
    }
}
