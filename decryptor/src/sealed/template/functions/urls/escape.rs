//! Percent escapes, and what each part of a URL may hold without them.

/// A part of a URL.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Host,
    /// After `%25` in the address of a host.
    Zone,
    User,
    Path,
    Fragment,
    /// Where every escape is read and nothing is refused.
    Other,
}

/// Whether `byte` stands in `part` as it is.
fn is_plain(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return true;
    }
    match part {
        Part::Host | Part::Zone => b"!\"$&'()*+,:;<=>[]".contains(&byte),
        Part::User => b"$&+,;=".contains(&byte),
        Part::Path => b"$&+,/:;=@".contains(&byte),
        Part::Fragment => b"!$&()*+,/:;=?@".contains(&byte),
        Part::Other => false,
    }
}

pub(super) fn escape(text: &[u8], part: Part) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        if is_plain(byte, part) {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    out
}

/// Returns `None` if an escape is broken or `part` may not hold what is there.
pub(super) fn unescape(text: &[u8], part: Part) -> Option<Vec<u8>> {
    let strict = matches!(part, Part::Host | Part::Zone);
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if byte != b'%' {
            if strict && byte.is_ascii() && !is_plain(byte, part) {
                return None;
            }
            out.push(byte);
            at += 1;
            continue;
        }
        let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
        let value = u8::try_from(digit(at + 1)? << 4 | digit(at + 2)?).ok()?;
        let allowed = match part {
            Part::Host => value >= 0x80 || value == b'%',
            Part::Zone => value == b'%' || value == b' ' || is_plain(value, Part::Host),
            _ => true,
        };
        if !allowed {
            return None;
        }
        out.push(value);
        at += 3;
    }
    Some(out)
}
