//! Which characters may stand in YAML text.

use super::ReadError;

/// Refuses control characters, as go-yaml does, and the Unicode line breaks.
///
/// U+0085, U+2028 and U+2029 end a line in YAML 1.1 and do not in YAML 1.2: the text would mean two things.
pub(crate) fn check(text: &str) -> Result<(), ReadError> {
    let mut start = 0;
    for chunk in text.as_bytes().chunks(64) {
        let suspect = chunk
            .iter()
            .fold(false, |found, byte| found | is_suspect(*byte));
        if suspect {
            check_chunk(text, start, chunk.len())?;
        }
        start += chunk.len();
    }
    Ok(())
}

/// Returns whether a byte is a control character, or may be the first one of a character to refuse.
fn is_suspect(byte: u8) -> bool {
    byte < 0x20 && byte != b'\n' || byte == 0x7F || byte == 0xC2 || byte == 0xE2 || byte == 0xEF
}

fn check_chunk(text: &str, start: usize, length: usize) -> Result<(), ReadError> {
    let begin = text.floor_char_boundary(start);
    let end = text.ceil_char_boundary(start + length);
    for (at, character) in text[begin..end].char_indices() {
        let reason = match character {
            '\t' | '\n' | '\r' => continue,
            '\0'..=' ' if character < ' ' => "control characters are not allowed",
            '\u{7F}'..='\u{9F}' if character != '\u{85}' => "control characters are not allowed",
            '\u{FFFE}' | '\u{FFFF}' => "control characters are not allowed",
            '\u{FEFF}' => "a byte order mark must not stand inside the text",
            '\u{85}' | '\u{2028}' | '\u{2029}' => {
                "a Unicode line break reads differently in YAML 1.1 and 1.2; write \\N, \\L or \\P in double quotes"
            }
            _ => continue,
        };
        return Err(refuse(&text[..begin + at], reason));
    }
    Ok(())
}

fn refuse(before: &str, reason: &str) -> ReadError {
    let separators = before
        .lines()
        .skip(1)
        .filter(|line| line.starts_with("---"))
        .count();
    ReadError {
        document: separators + 1,
        line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
        reason: reason.to_owned(),
    }
}
