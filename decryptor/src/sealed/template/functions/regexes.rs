//! Regular expressions, by Go's syntax and Go's rules for empty matches.

mod search;

use super::super::error::{Bound, Problem};
use super::super::print::grow;
use super::super::signature::{
    Arguments, Context,
    Type::{Int, String},
};
use super::super::unicode::{decode, is_digit, is_letter};
use super::super::value::{Element, List, Value};
use super::{Entry, Outcome, fixed};
use crate::go_pattern::{self, Pattern};
use search::{Groups, Subject, bounds};

pub(super) const TABLE: &[Entry] = &[
    fixed("mustRegexFind", &[String, String], find),
    fixed("mustRegexFindAll", &[String, String, Int], find_all),
    fixed("mustRegexMatch", &[String, String], is_match),
    fixed(
        "mustRegexReplaceAll",
        &[String, String, String],
        |context, arguments| replace(context, arguments, true),
    ),
    fixed(
        "mustRegexReplaceAllLiteral",
        &[String, String, String],
        |context, arguments| replace(context, arguments, false),
    ),
    fixed("mustRegexSplit", &[String, String, Int], split),
    fixed("regexFind", &[String, String], find),
    fixed("regexFindAll", &[String, String, Int], find_all),
    fixed(
        "regexMatch",
        &[String, String],
        |context, arguments| match is_match(context, arguments) {
            Err(Problem::Execution(_)) => Ok(Value::Bool(false)),
            result => result,
        },
    ),
    fixed("regexQuoteMeta", &[String], quote_meta),
    fixed(
        "regexReplaceAll",
        &[String, String, String],
        |context, arguments| replace(context, arguments, true),
    ),
    fixed(
        "regexReplaceAllLiteral",
        &[String, String, String],
        |context, arguments| replace(context, arguments, false),
    ),
    fixed("regexSplit", &[String, String, Int], split),
];

/// The pattern that is argument 0, paid for.
fn compiled(context: &mut Context<'_>, arguments: &Arguments) -> Result<Pattern, Problem> {
    let source = arguments.text(0);
    let translated =
        go_pattern::translate(source).ok_or(Problem::Execution("not a regular expression"))?;
    context
        .budget
        .steps(50 + source.len().saturating_mul(translated.weight) / 4)?;
    translated.compile().ok_or(Problem::Limit(Bound::Memory))
}

fn is_match(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let pattern = compiled(context, arguments)?;
    let subject = Subject::new(context, arguments.text(1))?;
    Ok(Value::Bool(subject.search(context, &pattern, 0)?.is_some()))
}

fn find(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let pattern = compiled(context, arguments)?;
    let subject = Subject::new(context, arguments.text(1))?;
    let found = subject.search(context, &pattern, 0)?;
    Ok(Value::text(
        subject.part(found.map_or((0, 0), |groups| bounds(&groups))),
    ))
}

fn find_all(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let pattern = compiled(context, arguments)?;
    let subject = Subject::new(context, arguments.text(1))?;
    let found = subject.all(context, &pattern, arguments.int(2))?;
    if found.is_empty() {
        return Ok(Value::List(List::nil(Element::String)));
    }
    context.budget.bytes(arguments.text(1).len())?;
    Ok(Value::List(List::strings(
        found.into_iter().map(|range| subject.part(range)),
    )))
}

fn split(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let pattern = compiled(context, arguments)?;
    let (text, most) = (arguments.text(1), arguments.int(2));
    if most == 0 {
        return Ok(Value::List(List::nil(Element::String)));
    }
    if text.is_empty() && !arguments.text(0).is_empty() {
        return Ok(Value::List(List::strings([""])));
    }
    context.budget.bytes(text.len())?;
    let subject = Subject::new(context, text)?;
    let (mut parts, mut begin, mut end) = (Vec::new(), 0, 0);
    for (start, after) in subject.all(context, &pattern, most)? {
        if usize::try_from(most).is_ok_and(|most| parts.len() + 1 == most) {
            break;
        }
        end = start;
        if after != 0 {
            parts.push(subject.part((begin, end)));
        }
        begin = after;
    }
    if end != subject.len() {
        parts.push(subject.part((begin, subject.len())));
    }
    Ok(Value::List(List::strings(parts)))
}

fn replace(context: &mut Context<'_>, arguments: &Arguments, expands: bool) -> Outcome {
    let pattern = compiled(context, arguments)?;
    let subject = Subject::new(context, arguments.text(1))?;
    let by = arguments.text(2);
    let mut out = Vec::new();
    let (mut last_end, mut at) = (0, 0);
    while at <= subject.len() {
        let Some(groups) = subject.search(context, &pattern, at)? else {
            break;
        };
        let (start, end) = bounds(&groups);
        put(context, &mut out, subject.part((last_end, start)))?;
        if end > last_end || start == 0 {
            if expands {
                expand(context, &pattern, &subject, &groups, by, &mut out)?;
            } else {
                put(context, &mut out, by)?;
            }
        }
        last_end = end;
        at = end.max(at + subject.width_at(at).max(1));
    }
    put(context, &mut out, subject.part((last_end, subject.len())))?;
    Ok(Value::text(out))
}

/// Appends what was paid for.
fn put(context: &mut Context<'_>, out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Problem> {
    context.budget.bytes(bytes.len())?;
    grow(out, bytes.len());
    out.extend_from_slice(bytes);
    Ok(())
}

/// Appends `template` with `$1`, `${1}`, `$name` and `${name}` replaced by what the groups matched.
fn expand(
    context: &mut Context<'_>,
    pattern: &Pattern,
    subject: &Subject<'_>,
    groups: &Groups,
    template: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Problem> {
    let mut rest = template;
    while let Some(at) = rest.iter().position(|&byte| byte == b'$') {
        context.budget.step()?;
        put(context, out, &rest[..at])?;
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(b"$") {
            put(context, out, b"$")?;
            rest = after;
            continue;
        }
        let Some((name, after)) = reference(rest) else {
            put(context, out, b"$")?;
            continue;
        };
        rest = after;
        let mut meant = pattern.groups(name).into_iter();
        if let Some(range) = meant.find_map(|index| groups.get(index).copied().flatten()) {
            put(context, out, subject.part(range))?;
        }
    }
    put(context, out, rest)
}

/// The name after a `$`, and what follows it. Returns `None` if there is none.
fn reference(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = text.strip_prefix(b"{");
    let name = inner.unwrap_or(text);
    let mut end = 0;
    while let Some((c, width)) = decode(&name[end..])
        && (c == '_' || is_letter(c) || is_digit(c))
    {
        end += width;
    }
    if end == 0 {
        return None;
    }
    let (name, after) = name.split_at(end);
    if inner.is_some() {
        Some((name, after.strip_prefix(b"}")?))
    } else {
        Some((name, after))
    }
}

fn quote_meta(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    context
        .budget
        .bytes(arguments.text(0).len().saturating_mul(2))?;
    let mut out = Vec::with_capacity(arguments.text(0).len());
    for &byte in arguments.text(0) {
        if b"\\.+*?()|[]{}^$".contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    Ok(Value::text(out))
}
