//! Semantic versions and constraints on them, as `Masterminds/semver` 3.4 reads them.

mod constraint;

use std::cmp::Ordering;
use std::rc::Rc;

use super::super::error::Problem;
use super::super::signature::{Arguments, Context, Type};
use super::super::value::Value;
use super::{Entry, Outcome, fixed};

pub(super) const TABLE: &[Entry] = &[
    fixed("semver", &[Type::String], |_, arguments| {
        Ok(Value::Version(Rc::new(
            Version::parse(arguments.text(0)).ok_or(INVALID)?,
        )))
    }),
    fixed("semverCompare", &[Type::String, Type::String], compare),
];

const INVALID: Problem = Problem::Execution("not a semantic version");

/// A version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Version {
    pub(in super::super) major: u64,
    pub(in super::super) minor: u64,
    pub(in super::super) patch: u64,
    pub(in super::super) pre: String,
    pub(in super::super) metadata: String,
    pub(in super::super) original: String,
}

fn compare(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    context.budget.steps(arguments.text(0).len() / 8)?;
    let constraint =
        constraint::parse(arguments.text(0)).ok_or(Problem::Execution("not a constraint"))?;
    let version = Version::parse(arguments.text(1)).ok_or(INVALID)?;
    Ok(Value::Bool(constraint.allows(&version)))
}

impl Version {
    /// Reads a version, which may lack parts and begin with `v`. Returns `None` if it is none.
    fn parse(text: &[u8]) -> Option<Self> {
        let original = str::from_utf8(text).ok()?;
        let rest = original.strip_prefix('v').unwrap_or(original);
        let (rest, metadata) = rest
            .split_once('+')
            .map_or((rest, None), |(rest, metadata)| (rest, Some(metadata)));
        let (numbers, pre) = rest
            .split_once('-')
            .map_or((rest, None), |(rest, pre)| (rest, Some(pre)));
        let mut parts = numbers.split('.');
        let number = |part: Option<&str>| -> Option<u64> {
            let digits = part?;
            let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            if all_digits {
                digits.parse().ok()
            } else {
                None
            }
        };
        let major = number(parts.next())?;
        let minor = parts.next().map_or(Some(0), |part| number(Some(part)))?;
        let patch = parts.next().map_or(Some(0), |part| number(Some(part)))?;
        if parts.next().is_some()
            || pre.is_some_and(|pre| !pre.split('.').all(is_pre_identifier))
            || metadata.is_some_and(|metadata| !metadata.split('.').all(is_identifier))
        {
            return None;
        }
        let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Some(Self {
            major,
            minor,
            patch,
            pre: owned(pre),
            metadata: owned(metadata),
            original: original.to_owned(),
        })
    }

    /// The normal form, with all three numbers.
    pub(in super::super) fn text(&self) -> String {
        let mut text = format!("{}.{}.{}", self.major, self.minor, self.patch);
        for (mark, part) in [('-', &self.pre), ('+', &self.metadata)] {
            if !part.is_empty() {
                text.push(mark);
                text.push_str(part);
            }
        }
        text
    }

    /// Precedence; metadata does not count.
    fn precedence(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        numbers(self).cmp(&numbers(other)).then_with(|| {
            match (self.pre.is_empty(), other.pre.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => pre_precedence(&self.pre, &other.pre),
            }
        })
    }
}

fn is_identifier(part: &str) -> bool {
    !part.is_empty()
        && part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// As [`is_identifier`], and numbers have no zeros before them.
fn is_pre_identifier(part: &str) -> bool {
    let padded =
        part.len() > 1 && part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit());
    is_identifier(part) && !padded
}

fn pre_precedence(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (a, b) => part_precedence(a.unwrap_or_default(), b.unwrap_or_default()),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn part_precedence(a: &str, b: &str) -> Ordering {
    match (a.parse::<u64>(), b.parse::<u64>()) {
        _ if a == b => Ordering::Equal,
        _ if a.is_empty() => Ordering::Less,
        _ if b.is_empty() => Ordering::Greater,
        (Ok(a), Ok(b)) => {
            if a > b {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}
