//! Go's regular expression syntax, rewritten for the `regex` crate.
//!
//! Both are RE2 at heart. Go's classes and word boundaries are ASCII, its repetitions go to 1000 and do not nest, a
//! brace that counts nothing is a brace, and classes do not nest.

use regex::bytes::{Regex, RegexBuilder};

/// Compiled patterns are at most so large.
const SIZE: usize = 1 << 20;
/// Go's limit on repetition, nested repetitions multiplied.
const REPEAT: usize = 1000;
const DEPTH: usize = 100;

/// A compiled pattern.
#[derive(Clone)]
pub(crate) struct Pattern {
    pub(crate) regex: Regex,
    /// What matching a byte may cost.
    pub(crate) cost: usize,
    names: Vec<Option<String>>,
}

impl Pattern {
    /// The groups that a replacement may mean by `name`, in order.
    pub(crate) fn groups(&self, name: &[u8]) -> Vec<usize> {
        let Ok(name) = str::from_utf8(name) else {
            return Vec::new();
        };
        if name.bytes().all(|byte| byte.is_ascii_digit()) {
            let canonical = name.len() == 1 || !name.starts_with('0');
            return name
                .parse()
                .ok()
                .filter(|_| canonical)
                .into_iter()
                .collect();
        }
        let named = (1..)
            .zip(&self.names)
            .filter(|(_, group)| group.as_deref() == Some(name));
        named.map(|(index, _)| index).collect()
    }
}

/// A pattern in the other syntax.
pub(crate) struct Translated {
    source: String,
    length: usize,
    /// How often something in it may be repeated.
    pub(crate) weight: usize,
    names: Vec<Option<String>>,
}

impl Translated {
    /// Returns `None` if it is too large.
    pub(crate) fn compile(self) -> Option<Pattern> {
        let regex = RegexBuilder::new(&self.source)
            .size_limit(SIZE)
            .dfa_size_limit(SIZE)
            .build()
            .ok()?;
        Some(Pattern {
            regex,
            cost: self.length.saturating_mul(self.weight),
            names: self.names,
        })
    }
}

/// Rewrites a pattern. Returns `None` if Go would refuse it.
pub(crate) fn translate(source: &[u8]) -> Option<Translated> {
    let source = str::from_utf8(source).ok()?;
    let mut translator = Translator::of(source);
    translator.run()?;
    Some(Translated {
        source: translator.out,
        length: source.len(),
        weight: translator.max,
        names: translator.names,
    })
}

struct Translator<'s> {
    rest: &'s str,
    out: String,
    names: Vec<Option<String>>,
    /// The weight around each open group.
    groups: Vec<usize>,
    /// The weight of what a repetition would repeat, if there is something.
    atom: Option<usize>,
    /// The largest weight in this group so far.
    weight: usize,
    /// The largest weight anywhere.
    max: usize,
}

impl<'s> Translator<'s> {
    /// At the beginning of a pattern.
    fn of(rest: &'s str) -> Self {
        Self {
            rest,
            out: String::new(),
            names: Vec::new(),
            groups: Vec::new(),
            atom: None,
            weight: 1,
            max: 1,
        }
    }

    fn take(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    fn skip(&mut self, prefix: &str) -> bool {
        let stripped = self.rest.strip_prefix(prefix);
        self.rest = stripped.unwrap_or(self.rest);
        stripped.is_some()
    }

    fn literal(&mut self, c: char) {
        self.out
            .push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
        self.atom = Some(1);
    }

    fn run(&mut self) -> Option<()> {
        while let Some(c) = self.take() {
            match c {
                '(' => self.open()?,
                ')' => {
                    let around = self.groups.pop()?;
                    self.out.push(')');
                    self.atom = Some(self.weight);
                    self.weight = self.weight.max(around);
                }
                '|' => {
                    self.out.push('|');
                    self.atom = None;
                }
                '*' | '+' | '?' => self.repeat(&c.to_string(), 1)?,
                '{' => match self.counted() {
                    Some((text, count)) => self.repeat(&text, count?)?,
                    None => self.literal('{'),
                },
                '^' | '$' | '.' => {
                    self.out.push(c);
                    self.atom = Some(1);
                }
                '[' => {
                    let class = self.class()?;
                    self.out.push_str(&class);
                    self.atom = Some(1);
                }
                '\\' => self.escape()?,
                c => self.literal(c),
            }
        }
        self.groups.is_empty().then_some(())
    }

    /// A repetition of what stands before it, perhaps lazy; another one may not follow.
    fn repeat(&mut self, operator: &str, count: usize) -> Option<()> {
        let weight = self.atom.take()?;
        let product = weight.saturating_mul(count.max(1));
        if count > 0 && operator.starts_with('{') && product > REPEAT {
            return None;
        }
        self.weight = self.weight.max(product);
        self.max = self.max.max(product);
        self.out.push_str(operator);
        if self.skip("?") {
            self.out.push('?');
        }
        let again = match self.rest.chars().next() {
            Some('*' | '+' | '?') => true,
            Some('{') => {
                let mut ahead = Translator::of(&self.rest[1..]);
                ahead.counted().is_some()
            }
            _ => false,
        };
        // What was repeated can not be repeated again, but it is a weight like any other within a group.
        self.atom = Some(product);
        (!again).then_some(())
    }

    /// `{n}`, `{n,}` or `{n,m}` after the brace. The count is `None` if it is too large.
    fn counted(&mut self) -> Option<(String, Option<usize>)> {
        let end = self.rest.find('}')?;
        let inner = &self.rest[..end];
        let number = |text: &str| {
            let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let canonical = text.len() == 1 || !text.starts_with('0');
            if fits && canonical {
                Some(text.parse::<usize>().unwrap_or(usize::MAX))
            } else {
                None
            }
        };
        let (least, most) = match inner.split_once(',') {
            None => (number(inner)?, Some(number(inner)?)),
            Some((least, "")) => (number(least)?, None),
            Some((least, most)) => (number(least)?, Some(number(most)?)),
        };
        self.rest = &self.rest[end + 1..];
        let too_large = least > REPEAT || most.is_some_and(|most| most > REPEAT || most < least);
        let count = if too_large {
            None
        } else {
            Some(most.unwrap_or(least))
        };
        Some((format!("{{{inner}}}"), count))
    }

    /// A group, or flags.
    fn open(&mut self) -> Option<()> {
        if self.groups.len() >= DEPTH {
            return None;
        }
        if !self.skip("?") {
            self.begin("(", Some(None));
            return Some(());
        }
        if self.skip("P<") || self.skip("<") {
            let (name, rest) = self.rest.split_once('>')?;
            let valid = !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !valid {
                return None;
            }
            self.rest = rest;
            self.begin("(", Some(Some(name.to_owned())));
            return Some(());
        }
        let end = self.rest.find([':', ')'])?;
        let flags = &self.rest[..end];
        let (set, unset) = flags
            .split_once('-')
            .map_or((flags, None), |(set, unset)| (set, Some(unset)));
        let valid = |flags: &str| flags.chars().all(|flag| "imsU".contains(flag));
        if !valid(set) || unset.is_some_and(|unset| unset.is_empty() || !valid(unset)) {
            return None;
        }
        let flags =
            distinct(set) + &unset.map_or(String::new(), |unset| format!("-{}", distinct(unset)));
        let opens = self.rest[end..].starts_with(':');
        self.rest = &self.rest[end + 1..];
        if opens {
            self.begin(&format!("(?{flags}:"), None);
        } else if !flags.is_empty() {
            self.out.push_str(&format!("(?{flags})"));
        }
        Some(())
    }

    fn begin(&mut self, open: &str, capture: Option<Option<String>>) {
        self.out.push_str(open);
        self.names.extend(capture);
        self.groups.push(self.weight);
        self.weight = 1;
        self.atom = None;
    }

    /// An escape outside of a class.
    fn escape(&mut self) -> Option<()> {
        let text = match self.rest.chars().next()? {
            'A' => r"\A",
            'z' => r"\z",
            'b' => r"(?-u:\b)",
            'B' => r"(?-u:\B)",
            'Q' => {
                self.rest = &self.rest[1..];
                let (quoted, rest) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
                self.rest = rest;
                for c in quoted.chars() {
                    self.literal(c);
                }
                return Some(());
            }
            _ => {
                if let Some(class) = self.perl_or_unicode_class()? {
                    self.out.push_str(&format!("[{class}]"));
                    self.atom = Some(1);
                } else {
                    let c = self.escaped_char()?;
                    self.literal(c);
                }
                return Some(());
            }
        };
        self.rest = &self.rest[1..];
        self.out.push_str(text);
        self.atom = Some(1);
        Some(())
    }

    /// `\d` and its like or `\p{…}`, as the inside of a class. The inner `None` means that it is neither.
    fn perl_or_unicode_class(&mut self) -> Option<Option<String>> {
        let class = match self.rest.chars().next()? {
            'd' => "0-9",
            'D' => "[^0-9]",
            's' => r"\t\n\x0C\r ",
            'S' => r"[^\t\n\x0C\r ]",
            'w' => "0-9A-Za-z_",
            'W' => "[^0-9A-Za-z_]",
            p @ ('p' | 'P') => {
                self.rest = &self.rest[1..];
                return self.unicode_class(p == 'P').map(Some);
            }
            _ => return Some(None),
        };
        self.rest = &self.rest[1..];
        Some(Some(class.to_owned()))
    }

    fn unicode_class(&mut self, mut negated: bool) -> Option<String> {
        let name = if self.skip("{") {
            let (name, rest) = self.rest.split_once('}')?;
            self.rest = rest;
            name
        } else {
            let length = self.rest.chars().next()?.len_utf8();
            let (name, rest) = self.rest.split_at(length);
            self.rest = rest;
            name
        };
        let plain = name.strip_prefix('^');
        negated ^= plain.is_some();
        let name = plain.unwrap_or(name);
        let valid = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let class = format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' });
        (valid && Regex::new(&class).is_ok()).then_some(class)
    }

    /// The character that the rest of an escape stands for.
    fn escaped_char(&mut self) -> Option<char> {
        let c = self.take()?;
        Some(match c {
            'a' => '\u{7}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => return self.hexadecimal(),
            '1'..='7' if !self.rest.starts_with(|c| ('0'..='7').contains(&c)) => return None,
            '0'..='7' => {
                let mut value = c.to_digit(8)?;
                for _ in 0..2 {
                    let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8)) else {
                        break;
                    };
                    value = value * 8 + digit;
                    self.rest = &self.rest[1..];
                }
                char::from_u32(value)?
            }
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
            _ => return None,
        })
    }

    fn hexadecimal(&mut self) -> Option<char> {
        let digits = if self.skip("{") {
            let (digits, rest) = self.rest.split_once('}')?;
            self.rest = rest;
            digits
        } else {
            let digits = self.rest.get(..2)?;
            self.rest = &self.rest[2..];
            digits
        };
        if digits.is_empty()
            || digits.len() > 8
            || !digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            return None;
        }
        char::from_u32(u32::from_str_radix(digits, 16).ok()?)
    }

    /// A class after its `[`.
    fn class(&mut self) -> Option<String> {
        let mut class = String::from(if self.skip("^") { "[^" } else { "[" });
        let mut first = true;
        loop {
            if !first && self.skip("]") {
                class.push(']');
                return Some(class);
            }
            first = false;
            if self.rest.starts_with("[:") && self.rest[2..].contains(":]") {
                let (name, rest) = self.rest[2..].split_once(":]")?;
                let plain = name.strip_prefix('^').unwrap_or(name);
                const NAMES: [&str; 14] = [
                    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower",
                    "print", "punct", "space", "upper", "word", "xdigit",
                ];
                if !NAMES.contains(&plain) {
                    return None;
                }
                class.push_str(&format!("[:{name}:]"));
                self.rest = rest;
                continue;
            }
            if self.rest.starts_with('\\') {
                let before = self.rest;
                self.rest = &self.rest[1..];
                if let Some(inner) = self.perl_or_unicode_class()? {
                    class.push_str(&inner);
                    continue;
                }
                self.rest = before;
            }
            let low = self.class_char()?;
            class.push_str(&code(low));
            if self.rest.len() > 1 && self.rest.starts_with('-') && !self.rest[1..].starts_with(']')
            {
                self.rest = &self.rest[1..];
                let high = self.class_char()?;
                if high < low {
                    return None;
                }
                class.push('-');
                class.push_str(&code(high));
            }
        }
    }

    fn class_char(&mut self) -> Option<char> {
        match self.take()? {
            '\\' => self.escaped_char(),
            c => Some(c),
        }
    }
}

/// Each flag once.
fn distinct(flags: &str) -> String {
    let mut out = String::new();
    for flag in flags.chars() {
        if !out.contains(flag) {
            out.push(flag);
        }
    }
    out
}

fn code(c: char) -> String {
    format!("\\x{{{:X}}}", u32::from(c))
}
