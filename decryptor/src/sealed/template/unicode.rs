//! Characters as Go's `unicode` package sorts and maps them: general categories and simple case mappings.

use std::sync::LazyLock;

use regex::Regex;

/// A set of characters by general category, with its ASCII part at hand.
struct Category {
    ascii: fn(char) -> bool,
    rest: LazyLock<Option<Regex>>,
}

impl Category {
    fn has(&self, c: char) -> bool {
        if c.is_ascii() {
            return (self.ascii)(c);
        }
        let mut buffer = [0; 4];
        self.rest
            .as_ref()
            .is_some_and(|regex| regex.is_match(c.encode_utf8(&mut buffer)))
    }
}

macro_rules! category {
    ($name:ident, $doc:literal, $pattern:literal, $ascii:expr) => {
        #[doc = $doc]
        pub(super) fn $name(c: char) -> bool {
            static CATEGORY: Category = Category {
                ascii: $ascii,
                rest: LazyLock::new(|| Regex::new($pattern).ok()),
            };
            CATEGORY.has(c)
        }
    };
}

category!(is_letter, "Category L.", r"\p{L}", |c| c
    .is_ascii_alphabetic());
category!(is_digit, "Category Nd.", r"\p{Nd}", |c| c.is_ascii_digit());
category!(is_number, "Category N.", r"\p{N}", |c| c.is_ascii_digit());
category!(is_upper, "Category Lu.", r"\p{Lu}", |c| c
    .is_ascii_uppercase());
category!(is_lower, "Category Ll.", r"\p{Ll}", |c| c
    .is_ascii_lowercase());
category!(is_title, "Category Lt.", r"\p{Lt}", |_| false);
category!(is_punctuation, "Category P.", r"\p{P}", |c| c
    .is_ascii_punctuation()
    && !"$+<=>^`|~".contains(c));
category!(
    is_print,
    "What Go prints as it is.",
    r"[\p{L}\p{M}\p{N}\p{P}\p{S}]",
    |c| c == ' ' || c.is_ascii_graphic()
);

/// What Go takes for white space.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace()
}

/// The simple upper case of a character; full mappings to several characters do not count.
pub(super) fn to_upper(c: char) -> char {
    match c {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => shift(c, 8),
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => shift(c, 9),
        _ => only(c.to_uppercase(), c),
    }
}

/// The simple lower case of a character.
pub(super) fn to_lower(c: char) -> char {
    match c {
        '\u{130}' => 'i',
        _ => only(c.to_lowercase(), c),
    }
}

/// The simple title case of a character.
pub(super) fn to_title(c: char) -> char {
    match c {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        '\u{10d0}'..='\u{10fa}' | '\u{10fd}'..='\u{10ff}' => c,
        _ => to_upper(c),
    }
}

fn shift(c: char, by: u32) -> char {
    char::from_u32(u32::from(c) + by).unwrap_or(c)
}

fn only(mut mapped: impl Iterator<Item = char>, c: char) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(mapped), None) => mapped,
        _ => c,
    }
}

/// The first character of `bytes` and its width; what is not UTF-8 is U+FFFD of width 1, as Go decodes it.
/// Returns `None` if `bytes` is empty.
pub(super) fn decode(bytes: &[u8]) -> Option<(char, usize)> {
    let first = *bytes.first()?;
    if first.is_ascii() {
        return Some((char::from(first), 1));
    }
    let width = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Some((char::REPLACEMENT_CHARACTER, 1)),
    };
    let decoded = bytes
        .get(..width)
        .and_then(|bytes| str::from_utf8(bytes).ok())
        .and_then(|text| text.chars().next());
    Some(decoded.map_or((char::REPLACEMENT_CHARACTER, 1), |c| (c, width)))
}

/// The last character of `bytes` and its width, as [`decode`] does from the front.
pub(super) fn decode_last(bytes: &[u8]) -> Option<(char, usize)> {
    let end = bytes.len();
    for width in (1..=end.min(4)).rev() {
        if let Some((c, found)) = decode(&bytes[end - width..])
            && found == width
            && (width > 1 || c.is_ascii())
        {
            return Some((c, width));
        }
    }
    (end > 0).then_some((char::REPLACEMENT_CHARACTER, 1))
}

/// All characters of `bytes` with the offsets where they begin.
pub(super) fn characters(bytes: &[u8]) -> impl Iterator<Item = (usize, char, usize)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (c, width) = decode(&bytes[at..])?;
        at += width;
        Some((at - width, c, width))
    })
}

/// Appends a character in UTF-8.
pub(super) fn push(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Maps every character as `strings.Map` does: what is not UTF-8 becomes U+FFFD in UTF-8 if given to `map`.
pub(super) fn map(bytes: &[u8], mut f: impl FnMut(char) -> char) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 8);
    for (_, c, _) in characters(bytes) {
        push(&mut out, f(c));
    }
    out
}
