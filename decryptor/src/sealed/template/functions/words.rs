//! Words: case, initials, wrapping.

use super::super::signature::{
    Arguments, Context,
    Type::{Int, String},
};
use super::super::unicode::{
    characters, decode, is_digit, is_letter, is_lower, is_number, is_punctuation, is_space,
    is_title, is_upper, map, push, to_lower, to_title, to_upper,
};
use super::super::value::Value;
use super::{Entry, Outcome, fixed};

pub(super) const TABLE: &[Entry] = &[
    fixed("camelcase", &[String], |_, arguments| {
        Ok(Value::text(pascal_case(arguments.text(0))))
    }),
    fixed("initials", &[String], |_, arguments| {
        Ok(Value::text(initials(arguments.text(0))))
    }),
    fixed("kebabcase", &[String], |_, arguments| {
        Ok(Value::text(lower_words(arguments.text(0), '-')))
    }),
    fixed("lower", &[String], |_, arguments| {
        Ok(Value::text(mapped(arguments.text(0), to_lower)))
    }),
    fixed("nospace", &[String], |_, arguments| {
        Ok(Value::text(without_space(arguments.text(0))))
    }),
    fixed("snakecase", &[String], |_, arguments| {
        Ok(Value::text(lower_words(arguments.text(0), '_')))
    }),
    fixed("swapcase", &[String], |_, arguments| {
        Ok(Value::text(swap_case(arguments.text(0))))
    }),
    fixed("title", &[String], |_, arguments| {
        Ok(Value::text(title(arguments.text(0))))
    }),
    fixed("untitle", &[String], |_, arguments| {
        Ok(Value::text(untitle(arguments.text(0))))
    }),
    fixed("upper", &[String], |_, arguments| {
        Ok(Value::text(mapped(arguments.text(0), to_upper)))
    }),
    fixed("wrap", &[Int, String], |context, arguments| {
        wrap(context, arguments.text(1), arguments.int(0), b"\n", false)
    }),
    fixed("wrapWith", &[Int, String, String], wrap_with),
];

fn mapped(text: &[u8], f: fn(char) -> char) -> Vec<u8> {
    map(text, f)
}

/// Upper-cases the first character of each word, by Go's idea of what ends one.
fn title(text: &[u8]) -> Vec<u8> {
    let mut before = ' ';
    map(text, |c| {
        let starts = is_separator(before);
        before = c;
        if starts { to_title(c) } else { c }
    })
}

fn is_separator(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_alphanumeric() && c != '_';
    }
    !is_letter(c) && !is_digit(c) && is_space(c)
}

fn untitle(text: &[u8]) -> Vec<u8> {
    let mut starts = true;
    map(text, |c| {
        if is_space(c) {
            starts = true;
            return c;
        }
        if std::mem::take(&mut starts) {
            to_lower(c)
        } else {
            c
        }
    })
}

fn swap_case(text: &[u8]) -> Vec<u8> {
    let mut after_space = true;
    map(text, |c| {
        if is_upper(c) || is_title(c) {
            after_space = false;
            to_lower(c)
        } else if is_lower(c) {
            if std::mem::take(&mut after_space) {
                to_title(c)
            } else {
                to_upper(c)
            }
        } else {
            after_space = is_space(c);
            c
        }
    })
}

/// The library behind this looks at bytes and takes them for characters, and writes them as such.
fn without_space(text: &[u8]) -> Vec<u8> {
    let kept: Vec<char> = text
        .iter()
        .map(|&byte| char::from(byte))
        .filter(|&c| !is_space(c))
        .collect();
    if kept.len() == text.len() {
        return text.to_vec();
    }
    kept.into_iter()
        .collect::<std::string::String>()
        .into_bytes()
}

/// Byte by byte too.
fn initials(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut starts = true;
    for c in text.iter().map(|&byte| char::from(byte)) {
        if is_space(c) {
            starts = true;
        } else if std::mem::take(&mut starts) {
            push(&mut out, c);
        }
    }
    out
}

fn wrap_with(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let newline = if arguments.text(1).is_empty() {
        b"\n"
    } else {
        arguments.text(1)
    };
    wrap(context, arguments.text(2), arguments.int(0), newline, true)
}

/// Breaks at spaces so that lines have at most `width` bytes; longer words only if `breaks`.
fn wrap(
    context: &mut Context<'_>,
    text: &[u8],
    width: i64,
    newline: &[u8],
    breaks: bool,
) -> Outcome {
    let width = usize::try_from(width.max(1)).unwrap_or(1);
    context.budget.bytes(
        newline
            .len()
            .saturating_mul(text.len() / width + text.len())
            .saturating_add(text.len()),
    )?;
    let space = |part: &[u8]| part.iter().position(|&byte| byte == b' ');
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while rest.len() > width {
        if rest[0] == b' ' {
            rest = &rest[1..];
            continue;
        }
        let last = rest[..=width].iter().rposition(|&byte| byte == b' ');
        let (end, next) = match last {
            Some(at) => (at, at + 1),
            None if breaks => (width, width),
            None => match space(&rest[width..]) {
                Some(at) => (width + at, width + at + 1),
                None => {
                    out.extend_from_slice(rest);
                    return Ok(Value::text(out));
                }
            },
        };
        out.extend_from_slice(&rest[..end]);
        out.extend_from_slice(newline);
        rest = &rest[next..];
    }
    out.extend_from_slice(rest);
    Ok(Value::text(out))
}

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || is_space(c)
}

/// Pascal case as `xstrings` makes it: connectors go, what follows them is upper case, leading ones stay.
fn pascal_case(text: &[u8]) -> Vec<u8> {
    let all: Vec<char> = characters(text).map(|(_, c, _)| c).collect();
    let mut out = Vec::with_capacity(text.len());
    let leading = all.iter().take_while(|&&c| is_connector(c)).count();
    for &c in &all[..leading] {
        push(&mut out, c);
    }
    let Some((&first, rest)) = all[leading..].split_first() else {
        // The last of a text of connectors comes out twice.
        if let Some(&last) = all.last() {
            push(&mut out, last);
        }
        return out;
    };
    let mut upper_run = is_upper(first);
    let mut current = to_upper(first);
    for &next in rest {
        let before = current;
        current = next;
        if is_connector(current) && is_connector(before) {
            push(&mut out, before);
            continue;
        }
        if is_connector(before) {
            upper_run = is_upper(current);
            current = to_upper(current);
        } else {
            if upper_run {
                if is_upper(current) {
                    current = to_lower(current);
                } else {
                    upper_run = false;
                }
            }
            push(&mut out, before);
        }
    }
    push(&mut out, current);
    out
}

/// What a run of characters is, to the splitter of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    None,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

/// The next run of characters of one sort; invalid bytes belong to the run before them.
fn next_word(text: &[u8]) -> (Word, &[u8], &[u8]) {
    let Some((first, mut end)) = valid(text, None) else {
        return (Word::None, text, b"");
    };
    let take = |mut end: usize, mut last: char, more: &dyn Fn(char) -> bool| {
        while end < text.len() {
            let (c, width) = valid(&text[end..], Some(last)).unwrap_or((last, text.len() - end));
            if !more(c) {
                break;
            }
            (last, end) = (c, end + width);
        }
        end
    };
    let lower_letter = |c: char| is_alphabet(c) && !is_upper(c);
    let word = if is_connector(first) {
        end = take(end, first, &is_connector);
        Word::Connector
    } else if is_punctuation(first) {
        end = take(end, first, &is_punctuation);
        Word::Punctuation
    } else if is_upper(first) {
        end = upper_word(text, first, end, &take, &lower_letter);
        Word::Upper
    } else if is_alphabet(first) {
        end = take(end, first, &lower_letter);
        Word::Alphabet
    } else if is_number(first) {
        end = take(end, first, &is_number);
        Word::Number
    } else {
        let other =
            |c: char| !is_connector(c) && !is_alphabet(c) && !is_number(c) && !is_punctuation(c);
        end = take(end, first, &other);
        Word::Other
    };
    (word, &text[..end], &text[end..])
}

type Take<'t> = dyn Fn(usize, char, &dyn Fn(char) -> bool) -> usize + 't;

/// A word that begins in upper case: `Status`, or of `HTTPStatus` the part `HTTP`.
fn upper_word(
    text: &[u8],
    first: char,
    end: usize,
    take: &Take<'_>,
    lower_letter: &dyn Fn(char) -> bool,
) -> usize {
    let Some((second, _)) = text.get(end..).and_then(|rest| valid(rest, Some(first))) else {
        return end;
    };
    if is_upper(second) {
        let upper_end = take(end, first, &is_upper);
        let follows = text
            .get(upper_end..)
            .and_then(|rest| valid(rest, None))
            .map(|(c, _)| c);
        if follows.is_some_and(is_alphabet) {
            let last = characters(&text[..upper_end])
                .filter(|&(_, c, _)| is_upper(c))
                .last();
            return last.map_or(upper_end, |(at, ..)| at);
        }
        return upper_end;
    }
    if is_alphabet(second) {
        take(end, first, lower_letter)
    } else {
        end
    }
}

/// A letter that is not one of the common CJK ideographs.
fn is_alphabet(c: char) -> bool {
    is_letter(c)
        && !matches!(c, '\u{4e00}'..='\u{9fcc}' | '\u{3400}'..='\u{4d85}' | '\u{20000}'..='\u{2b81d}')
}

/// The next character that is valid, and the bytes up to its end. If there is none: `before` with all that is left.
fn valid(text: &[u8], before: Option<char>) -> Option<(char, usize)> {
    for (at, c, width) in characters(text) {
        if c != char::REPLACEMENT_CHARACTER {
            return Some((c, at + width));
        }
    }
    before
        .filter(|_| !text.is_empty())
        .map(|before| (before, text.len()))
}

/// Snake and kebab case as `xstrings` makes them.
fn lower_words(text: &[u8], connector: char) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 4);
    let (mut sort, mut word, mut rest) = next_word(text);
    let joins = |sort: Word| !matches!(sort, Word::Connector | Word::Punctuation);
    while !rest.is_empty() {
        if sort != Word::Connector {
            lowered(&mut out, sort, word, connector);
        }
        let (before, last) = (sort, word);
        (sort, word, rest) = next_word(rest);
        match before {
            Word::Number => {
                while matches!(sort, Word::Alphabet | Word::Number) {
                    lowered(&mut out, sort, word, connector);
                    (sort, word, rest) = next_word(rest);
                }
                if sort != Word::None && joins(sort) {
                    push(&mut out, connector);
                }
            }
            Word::Connector => lowered(&mut out, before, last, connector),
            Word::Punctuation => {}
            _ if sort != Word::Number => {
                if joins(sort) {
                    push(&mut out, connector);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let number = word;
                (sort, word, rest) = next_word(rest);
                if sort != Word::Alphabet {
                    lowered(&mut out, Word::Number, number, connector);
                    if joins(sort) {
                        push(&mut out, connector);
                    }
                    continue;
                }
                push(&mut out, connector);
                lowered(&mut out, Word::Number, number, connector);
                while matches!(sort, Word::Alphabet | Word::Number) {
                    lowered(&mut out, sort, word, connector);
                    (sort, word, rest) = next_word(rest);
                }
                if sort != Word::None && joins(sort) {
                    push(&mut out, connector);
                }
            }
        }
    }
    lowered(&mut out, sort, word, connector);
    out
}

fn lowered(out: &mut Vec<u8>, sort: Word, word: &[u8], connector: char) {
    if !matches!(sort, Word::Upper | Word::Connector) {
        return out.extend_from_slice(word);
    }
    let mut rest = word;
    while let Some((c, width)) = decode(rest) {
        rest = &rest[width..];
        let c = if is_connector(c) {
            connector
        } else if is_upper(c) {
            to_lower(c)
        } else {
            c
        };
        push(out, c);
    }
}
