//! What may be shown of what was sent and of what came back.

use reqwest::{Url, header::HeaderValue};

use crate::master_key::KeyError;

/// How much of a refusal is shown.
const LONGEST_REASON: usize = 300;
/// A run of as many characters that is also in a secret is no word of a sentence.
const SHORTEST_SECRET: usize = 8;

/// A URL without what may be secret in it.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

/// What a service says, made safe to show: one line, not long, no control characters, and no secret that was sent to it.
pub(crate) fn reason(text: &str, sent: &[&str]) -> String {
    let hidden = text
        .split_inclusive(|c: char| !is_of_secrets(c))
        .map(|run| hide(run, sent));
    let hidden: String = hidden.collect();
    let printable = hidden.chars().map(|c| if c.is_control() { ' ' } else { c });
    let words: String = printable.take(LONGEST_REASON).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A run with the character that ends it, or the mark in its place.
fn hide<'a>(run: &'a str, sent: &[&str]) -> &'a str {
    let word = run.trim_end_matches(|c| !is_of_secrets(c));
    let is_secret = |secret: &&str| {
        let part = word.len() >= SHORTEST_SECRET && secret.contains(word);
        part || (!secret.is_empty() && word.contains(*secret))
    };
    match sent.iter().any(is_secret) {
        true => "… ",
        false => run,
    }
}

/// Characters of tokens and of base64.
fn is_of_secrets(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/=_-.".contains(c)
}

/// A header whose value no log shows.
pub(crate) fn secret_header(value: &str) -> Result<HeaderValue, KeyError> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| KeyError("the token holds characters that no header takes".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The innermost reason: the others repeat the URL.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    reason(&innermost.to_string(), &[])
}

/// An error and what is behind it, outermost first; what the one before says already is left out.
pub(crate) fn chain(error: &dyn std::error::Error, sent: &[&str]) -> String {
    let mut text = error.to_string();
    let mut inner = error.source();
    while let Some(error) = inner {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        inner = error.source();
    }
    reason(&text, sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_says_is_one_line_without_what_was_sent() {
        let sent = ["hvs.CAESIJr7secret", "cGxhaW50ZXh0IGtleQ=="];
        for (text, expected) in [
            ("permission denied", "permission denied"),
            (
                " 1 error\n\t* invalid \u{1b}[31mtoken",
                "1 error * invalid [31mtoken",
            ),
            ("token hvs.CAESIJr7secret is bad", "token … is bad"),
            ("got:\"cGxhaW50ZXh0IGtleQ==\"!", "got:\"… !"),
            ("half of it: ZXh0IGtleQ==", "half of it: …"),
            ("no key", "no key"),
        ] {
            assert_eq!(reason(text, &sent), expected);
        }
        assert_eq!(reason(&"x".repeat(1000), &sent).len(), LONGEST_REASON);
    }

    #[test]
    fn urls_are_shown_without_secrets() {
        let url = Url::parse("https://me:pw@v.example/v1/a?token=t#f").expect("a URL");
        assert_eq!(shown(&url), "https://v.example/v1/a");
    }
}
