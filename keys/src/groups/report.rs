//! What to tell people when a data key could not be recovered, laid out as sops 3.13.3 does.

use std::fmt::{self, Write};

use crate::{master_key::KeyError, shamir::CombineError};

/// Where sops breaks the lines of a reason.
const REASON_WIDTH: usize = 60;
/// Where sops breaks the lines of the last paragraph.
const PARAGRAPH_WIDTH: usize = 75;

/// Why the data key was not recovered.
#[derive(Debug, PartialEq, Eq)]
pub enum RecoverError {
    /// Too few groups opened.
    NotEnough {
        /// The document's threshold; zero if it says none.
        threshold: usize,
        /// What came of each group that was tried.
        groups: Vec<GroupReport>,
    },
    /// What was opened is not 32 bytes.
    NotADataKey,
    /// The groups' shares do not fit together.
    Combine(CombineError),
}

/// What came of a group.
#[derive(Debug, PartialEq, Eq)]
pub enum GroupReport {
    /// One of its keys opened its share.
    Opened,
    /// None did.
    Failed(Vec<KeyFailure>),
}

/// A key, and why it did not help.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyFailure {
    /// The key, as people type it.
    pub key: String,
    /// Why.
    pub reason: KeyError,
}

impl std::error::Error for RecoverError {}

impl fmt::Display for RecoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (threshold, groups) = match self {
            Self::NotADataKey => {
                return f.write_str("what the key group holds is not a data key of 32 bytes");
            }
            Self::Combine(error) => {
                return write!(f, "could not get data key from shamir parts: {error}");
            }
            Self::NotEnough { threshold, groups } => (*threshold, groups),
        };
        f.write_str("Failed to get the data key required to decrypt the SOPS file.\n\n")?;
        for (number, group) in groups.iter().enumerate() {
            group.write(number, f)?;
        }
        let opened = groups.iter().filter(|g| **g == GroupReport::Opened).count();
        f.write_str(&wrap(&lesson(threshold, opened), PARAGRAPH_WIDTH))
    }
}

/// What would have been needed.
fn lesson(threshold: usize, opened: usize) -> String {
    if threshold == 0 {
        return "Recovery failed because no master key was able to decrypt the file. In order for SOPS to recover the \
                file, at least one key has to be successful, but none were."
            .to_owned();
    }
    format!(
        "Recovery failed because the file was encrypted with a Shamir threshold of {threshold}, but only {opened} \
         part(s) were successfully recovered, one for each successful key group. In order for SOPS to recover the \
         file, at least {threshold} groups have to be successful. In order for a group to be successful, decryption \
         has to succeed with any of the keys in that key group."
    )
}

impl GroupReport {
    fn write(&self, number: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failures = match self {
            Self::Opened => return write!(f, "Group {number}: SUCCESS\n\n"),
            Self::Failed(failures) => failures,
        };
        let mut text = String::new();
        for (i, KeyFailure { key, reason }) in failures.iter().enumerate() {
            if i > 0 {
                text.push_str("\n\n");
            }
            let _ = write!(text, "{}: FAILED", visible(key));
            for (line, reason) in wrap(&visible(&reason.to_string()), REASON_WIDTH)
                .split('\n')
                .enumerate()
            {
                let mark = if line == 0 { "- |" } else { "  |" };
                let _ = write!(text, "\n  {mark} {reason}");
            }
        }
        writeln!(f, "Group {number}: FAILED")?;
        for line in text.split('\n') {
            writeln!(f, "  {line}")?;
        }
        writeln!(f)
    }
}

/// Names of keys come from documents that strangers may write: they cannot drive a terminal.
fn visible(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}")
}

/// Breaks lines before the word that would go past `width`. Words are never cut.
fn wrap(text: &str, width: usize) -> String {
    let mut wrapped = String::new();
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            wrapped.push('\n');
        }
        let mut used = 0;
        for piece in line.split_inclusive(' ') {
            let word = piece.trim_end_matches(' ').chars().count();
            if used + word > width && used > 1 {
                wrapped.truncate(wrapped.trim_end_matches(' ').len());
                wrapped.push('\n');
                used = 0;
            }
            wrapped.push_str(piece);
            used += piece.chars().count();
        }
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_documents_cannot_drive_a_terminal() {
        let failure = KeyFailure {
            key: "age1\u{1b}[2J".to_owned(),
            reason: KeyError("no\r\u{9b}31m".to_owned()),
        };
        let error = RecoverError::NotEnough {
            threshold: 0,
            groups: vec![GroupReport::Failed(vec![failure])],
        };
        let text = error.to_string();
        assert!(
            text.contains("  age1\u{fffd}[2J: FAILED\n    - | no\u{fffd}\u{fffd}31m\n"),
            "{text}"
        );
    }

    #[test]
    fn lines_break_before_the_word_that_is_too_much() {
        for (text, expected) in [
            ("", ""),
            ("ab cd ef", "ab cd\nef"),
            ("ab cdefgh ij", "ab\ncdefgh\nij"),
            ("abcdefgh", "abcdefgh"),
            ("ab\ncd ef gh", "ab\ncd ef\ngh"),
        ] {
            assert_eq!(wrap(text, 5), expected, "{text:?}");
        }
    }
}
