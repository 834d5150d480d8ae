//! Constraints: `>= 1.2, < 2 || ~3.1`.

use std::cmp::Ordering;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{Version, pre_precedence};

/// Alternatives, each a list of conditions that must all hold.
pub(super) struct Constraint(Vec<Vec<Condition>>);

/// An operator and the version it compares with.
struct Condition {
    operator: Operator,
    version: Version,
    /// Some part is a wildcard or missing; the first that is.
    wild: Option<Wild>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wild {
    Major,
    Minor,
    Patch,
}

#[derive(Clone, Copy)]
enum Operator {
    TildeOrEqual,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Tilde,
    Caret,
}

/// A version in a constraint: its parts may be wildcards.
const VERSION: &str = concat!(
    r"v?([0-9xX*|]+)(\.[0-9xX*|]+)?(\.[0-9xX*|]+)?",
    r"(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    r"(\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
);
/// The library's list of operators, in its order: an empty one comes second, so that `!=` is only found by need.
const OPERATORS: &str = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^";
const SPACE: &str = r"[\t\n\f\r ]";

struct Patterns {
    one: Regex,
    range: Regex,
    find: Regex,
    valid: Regex,
}

/// `None` only if a pattern above were broken, which the tests would show.
static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let (v, o, s) = (VERSION, OPERATORS, SPACE);
    Some(Patterns {
        one: Regex::new(&format!("^{s}*({o}){s}*({v}){s}*$")).ok()?,
        range: Regex::new(&format!("{s}*({v}){s}+-{s}+({v}){s}*")).ok()?,
        find: Regex::new(&format!("({o}){s}*({v})")).ok()?,
        valid: Regex::new(&format!(
            "^({s}*({o}){s}*({v}){s}*)((?:{s}+|,{s}*)({o}){s}*({v}){s}*)*$"
        ))
        .ok()?,
    })
});

/// Reads a constraint. Returns `None` if it is none.
pub(super) fn parse(text: &[u8]) -> Option<Constraint> {
    let patterns = PATTERNS.as_ref()?;
    let text = with_ranges(patterns, str::from_utf8(text).ok()?);
    let mut alternatives = Vec::new();
    for alternative in text.split("||") {
        if !patterns.valid.is_match(alternative) {
            return None;
        }
        let conditions = patterns
            .find
            .find_iter(alternative)
            .map(|found| condition(patterns, found.as_str()));
        alternatives.push(conditions.collect::<Option<Vec<_>>>()?);
    }
    Some(Constraint(alternatives))
}

/// `1 - 2` is `>= 1, <= 2`.
fn with_ranges(patterns: &Patterns, text: &str) -> String {
    let mut out = text.to_owned();
    for range in patterns.range.captures_iter(text) {
        let (low, high) = (group(&range, 1), group(&range, 7));
        out = out.replacen(group(&range, 0), &format!(">= {low}, <= {high} "), 1);
    }
    out
}

fn group<'t>(captures: &Captures<'t>, at: usize) -> &'t str {
    captures.get(at).map_or("", |found| found.as_str())
}

fn condition(patterns: &Patterns, text: &str) -> Option<Condition> {
    let captures = patterns.one.captures(text)?;
    let operator = match group(&captures, 1) {
        "" | "=" => Operator::TildeOrEqual,
        "!=" => Operator::NotEqual,
        ">" => Operator::Greater,
        "<" => Operator::Less,
        ">=" | "=>" => Operator::GreaterEqual,
        "<=" | "=<" => Operator::LessEqual,
        "~" | "~>" => Operator::Tilde,
        _ => Operator::Caret,
    };
    let (major, minor, patch, pre) = (
        group(&captures, 3),
        group(&captures, 4),
        group(&captures, 5),
        group(&captures, 6),
    );
    let is_wild = |part: &str| matches!(part.trim_start_matches('.'), "" | "x" | "X" | "*");
    let (version, wild) = if is_wild(major) {
        (format!("0.0.0{pre}"), Some(Wild::Major))
    } else if is_wild(minor) {
        (format!("{major}.0.0{pre}"), Some(Wild::Minor))
    } else if is_wild(patch) {
        (format!("{major}{minor}.0{pre}"), Some(Wild::Patch))
    } else {
        (group(&captures, 2).to_owned(), None)
    };
    Some(Condition {
        operator,
        version: Version::parse(version.as_bytes())?,
        wild,
    })
}

impl Constraint {
    /// Whether some alternative allows `version`. Prereleases only fit where a prerelease is named.
    pub(super) fn allows(&self, version: &Version) -> bool {
        self.0.iter().any(|conditions| {
            let with_pre = conditions
                .iter()
                .any(|condition| !condition.version.pre.is_empty());
            (version.pre.is_empty() || with_pre)
                && conditions.iter().all(|condition| condition.allows(version))
        })
    }
}

impl Condition {
    fn allows(&self, v: &Version) -> bool {
        let c = &self.version;
        let order = v.precedence(c);
        match self.operator {
            Operator::TildeOrEqual if self.wild.is_some() => self.tilde(v),
            Operator::TildeOrEqual => order == Ordering::Equal,
            Operator::NotEqual => self.differs(v),
            Operator::Greater => match self.wild {
                None => order == Ordering::Greater,
                _ if v.major != c.major => v.major > c.major,
                Some(Wild::Minor) => false,
                Some(Wild::Patch) => v.minor > c.minor,
                Some(Wild::Major) => order == Ordering::Greater,
            },
            Operator::Less => order == Ordering::Less,
            Operator::GreaterEqual => order != Ordering::Less,
            Operator::LessEqual => match self.wild {
                None => order != Ordering::Greater,
                wild => {
                    v.major < c.major
                        || v.major == c.major && (v.minor <= c.minor || wild == Some(Wild::Minor))
                }
            },
            Operator::Tilde => self.tilde(v),
            Operator::Caret => self.caret(v),
        }
    }

    fn differs(&self, v: &Version) -> bool {
        let c = &self.version;
        let Some(wild) = self.wild else {
            return v.precedence(c) != Ordering::Equal;
        };
        if c.major != v.major {
            return true;
        }
        if wild == Wild::Minor {
            return false;
        }
        if c.minor != v.minor {
            return true;
        }
        if wild == Wild::Patch {
            let any_pre = !v.pre.is_empty() || !c.pre.is_empty();
            return any_pre && pre_precedence(&v.pre, &c.pre) != Ordering::Equal;
        }
        c.patch != v.patch || v.precedence(c) != Ordering::Equal
    }

    fn tilde(&self, v: &Version) -> bool {
        let c = &self.version;
        if v.precedence(c) == Ordering::Less {
            return false;
        }
        let all_zero = (c.major, c.minor, c.patch) == (0, 0, 0);
        if all_zero && !matches!(self.wild, Some(Wild::Minor | Wild::Patch)) {
            return true;
        }
        v.major == c.major && (v.minor == c.minor || self.wild == Some(Wild::Minor))
    }

    fn caret(&self, v: &Version) -> bool {
        let c = &self.version;
        if v.precedence(c) == Ordering::Less {
            return false;
        }
        if c.major > 0 || self.wild == Some(Wild::Minor) {
            return v.major == c.major;
        }
        if v.major > 0 {
            return false;
        }
        if c.minor > 0 || self.wild == Some(Wild::Patch) {
            return v.minor == c.minor;
        }
        v.minor == 0 && c.patch == v.patch
    }
}
