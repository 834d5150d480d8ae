//! Strings: cutting, searching, replacing, quoting, padding.

use super::super::error::Problem;
use super::super::print::display;
use super::super::quote::quote;
use super::super::signature::{
    Arguments, Context,
    Type::{Any, Int, String},
};
use super::super::unicode::{characters, decode, decode_last, is_space};
use super::super::value::{List, Str, Value};
use super::cast::to_text;
use super::{Entry, Outcome, fixed, variadic};

pub(super) const TABLE: &[Entry] = &[
    fixed("abbrev", &[Int, String], |_, arguments| {
        Ok(Value::text(if arguments.int(0) < 4 {
            arguments.text(1).to_vec()
        } else {
            abbreviate(arguments.text(1), 0, arguments.int(0))
        }))
    }),
    fixed("abbrevboth", &[Int, Int, String], abbreviate_both),
    variadic("cat", &[], Any, cat),
    fixed("contains", &[String, String], |_, arguments| {
        Ok(Value::Bool(
            find(arguments.text(1), arguments.text(0)).is_some(),
        ))
    }),
    fixed("hasPrefix", &[String, String], |_, arguments| {
        Ok(Value::Bool(
            arguments.text(1).starts_with(arguments.text(0)),
        ))
    }),
    fixed("hasSuffix", &[String, String], |_, arguments| {
        Ok(Value::Bool(arguments.text(1).ends_with(arguments.text(0))))
    }),
    fixed("indent", &[Int, String], |context, arguments| {
        Ok(Value::text(indented(context, arguments)?))
    }),
    fixed("nindent", &[Int, String], |context, arguments| {
        let mut text = indented(context, arguments)?;
        text.insert(0, b'\n');
        Ok(Value::text(text))
    }),
    fixed("plural", &[String, String, Int], |_, arguments| {
        Ok(Value::Str(
            arguments.string(usize::from(arguments.int(2) != 1)),
        ))
    }),
    variadic("quote", &[], Any, quoted),
    fixed("repeat", &[Int, String], repeat),
    fixed("replace", &[String, String, String], replace),
    fixed("split", &[String, String], |context, arguments| {
        let parts = split(arguments.text(1), arguments.text(0), None);
        numbered(context, parts)
    }),
    fixed("splitList", &[String, String], |context, arguments| {
        let parts = split(arguments.text(1), arguments.text(0), None);
        charge(context, &parts)?;
        Ok(Value::List(List::strings(parts)))
    }),
    fixed("splitn", &[String, Int, String], |context, arguments| {
        let most = usize::try_from(arguments.int(1)).ok();
        let parts = split(arguments.text(2), arguments.text(0), most);
        numbered(context, parts)
    }),
    variadic("squote", &[], Any, single_quoted),
    fixed("substr", &[Int, Int, String], substring),
    fixed("toString", &[Any], |context, arguments| {
        Ok(Value::Str(to_text(
            &mut context.budget,
            arguments.value(0),
        )?))
    }),
    fixed("trim", &[String], |_, arguments| {
        Ok(Value::text(trim(arguments.text(0), is_space)))
    }),
    fixed("trimAll", &[String, String], trim_all),
    fixed("trimPrefix", &[String, String], |_, arguments| {
        let text = arguments.text(1);
        Ok(Value::text(
            text.strip_prefix(arguments.text(0)).unwrap_or(text),
        ))
    }),
    fixed("trimSuffix", &[String, String], |_, arguments| {
        let text = arguments.text(1);
        Ok(Value::text(
            text.strip_suffix(arguments.text(0)).unwrap_or(text),
        ))
    }),
    fixed("trimall", &[String, String], trim_all),
    fixed("trunc", &[Int, String], truncate),
];

const RANGE: Problem = Problem::Execution("slice bounds out of range");

fn length(text: &[u8]) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

/// `text[start..end]`, where Go would panic an error.
fn cut(text: &[u8], start: i64, end: i64) -> Outcome {
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let part = range
        .and_then(|(start, end)| text.get(start..end))
        .ok_or(RANGE)?;
    Ok(Value::text(part))
}

fn abbreviate_both(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let (left, right, text) = (arguments.int(0), arguments.int(1), arguments.text(2));
    if right < 4 || left > 0 && right < 7 {
        return Ok(Value::text(text));
    }
    Ok(Value::text(abbreviate(text, left, right)))
}

/// At most `width` bytes around `offset`, with dots for what is left out.
fn abbreviate(text: &[u8], offset: i64, width: i64) -> Vec<u8> {
    let total = length(text);
    if total <= width {
        return text.to_vec();
    }
    let kept = width - 3;
    let mut offset = offset.min(total);
    if total.saturating_sub(offset) < kept {
        offset = total - kept;
    }
    let at = |position: i64| usize::try_from(position).unwrap_or(0).min(text.len());
    if offset <= 4 {
        return [&text[..at(kept)], b"..."].concat();
    }
    if width < 7 {
        return Vec::new();
    }
    if offset.saturating_add(kept) < total {
        let inner = if kept < 4 {
            Vec::new()
        } else {
            abbreviate(&text[at(offset)..], 0, kept)
        };
        return [b"...", inner.as_slice()].concat();
    }
    [b"...", &text[at(total - kept)..]].concat()
}

fn cat(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let mut parts = Vec::new();
    for value in arguments.rest(0).iter().filter(|value| !value.is_nil()) {
        parts.push(display(&mut context.budget, value)?);
    }
    Ok(Value::text(parts.join(&b' ')))
}

fn quoted(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let mut parts = Vec::new();
    for value in arguments.rest(0).iter().filter(|value| !value.is_nil()) {
        let text = to_text(&mut context.budget, value)?;
        context.budget.bytes(text.bytes().len().saturating_mul(2))?;
        parts.push(quote(text.bytes(), false));
    }
    Ok(Value::text(parts.join(&b' ')))
}

fn single_quoted(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let mut parts = Vec::new();
    for value in arguments.rest(0).iter().filter(|value| !value.is_nil()) {
        let text = display(&mut context.budget, value)?;
        parts.push([b"'", text.as_slice(), b"'"].concat());
    }
    Ok(Value::text(parts.join(&b' ')))
}

fn indented(context: &mut Context<'_>, arguments: &Arguments) -> Result<Vec<u8>, Problem> {
    let spaces =
        usize::try_from(arguments.int(0)).map_err(|_| Problem::Execution("negative indent"))?;
    let lines: Vec<&[u8]> = arguments.text(1).split(|&byte| byte == b'\n').collect();
    let made = spaces
        .saturating_mul(lines.len())
        .saturating_add(arguments.text(1).len());
    context.budget.bytes(made.saturating_add(1))?;
    let mut out = Vec::with_capacity(made + 1);
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            out.push(b'\n');
        }
        out.resize(out.len() + spaces, b' ');
        out.extend_from_slice(line);
    }
    Ok(out)
}

fn repeat(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let count =
        usize::try_from(arguments.int(0)).map_err(|_| Problem::Execution("negative count"))?;
    context
        .budget
        .bytes(arguments.text(1).len().saturating_mul(count))?;
    Ok(Value::text(if arguments.text(1).is_empty() {
        Vec::new()
    } else {
        arguments.text(1).repeat(count)
    }))
}

fn replace(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let (old, new, text) = (arguments.text(0), arguments.text(1), arguments.text(2));
    let count = if old.is_empty() {
        characters(text).count() + 1
    } else {
        split(text, old, None).len() - 1
    };
    context
        .budget
        .bytes(new.len().saturating_mul(count).saturating_add(text.len()))?;
    if !old.is_empty() {
        return Ok(Value::text(split(text, old, None).join(new)));
    }
    let mut out = Vec::with_capacity(text.len() + new.len() * count);
    for (at, _, width) in characters(text) {
        out.extend_from_slice(new);
        out.extend_from_slice(&text[at..at + width]);
    }
    out.extend_from_slice(new);
    Ok(Value::text(out))
}

/// Where `wanted` stands first in `text`.
fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() {
        return Some(0);
    }
    if wanted.len() > text.len() {
        return None;
    }
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

/// `strings.SplitN`: at most `most` parts, the last one whole; between all characters if `separator` is empty.
pub(super) fn split<'t>(text: &'t [u8], separator: &[u8], most: Option<usize>) -> Vec<&'t [u8]> {
    let mut parts = Vec::new();
    let mut rest = text;
    if most == Some(0) || separator.is_empty() && text.is_empty() {
        return parts;
    }
    while most.is_none_or(|most| parts.len() + 1 < most) {
        let (end, next) = if separator.is_empty() {
            let Some((_, width)) = decode(rest).filter(|&(_, width)| width < rest.len()) else {
                break;
            };
            (width, width)
        } else {
            let Some(at) = find(rest, separator) else {
                break;
            };
            (at, at + separator.len())
        };
        parts.push(&rest[..end]);
        rest = &rest[next..];
    }
    parts.push(rest);
    parts
}

fn charge(context: &mut Context<'_>, parts: &[&[u8]]) -> Result<(), Problem> {
    context.budget.elements(parts.len())?;
    context
        .budget
        .bytes(parts.iter().map(|part| part.len()).sum())
}

/// Parts under the keys `_0`, `_1` and so on.
fn numbered(context: &mut Context<'_>, parts: Vec<&[u8]>) -> Outcome {
    charge(context, &parts)?;
    let entries = parts
        .into_iter()
        .enumerate()
        .map(|(at, part)| (Str::from(format!("_{at}")), Str::from(part)));
    Ok(Value::Strings(std::rc::Rc::new(entries.collect())))
}

/// sprig's odd reading of negative starts and ends.
fn substring(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let (start, end, text) = (arguments.int(0), arguments.int(1), arguments.text(2));
    if start < 0 {
        return cut(text, 0, end);
    }
    if end < 0 || end > length(text) {
        return cut(text, start, length(text));
    }
    cut(text, start, end)
}

fn truncate(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let (count, text) = (arguments.int(0), arguments.text(1));
    let total = length(text);
    if count < 0 && total.saturating_add(count) > 0 {
        return cut(text, total + count, total);
    }
    if count >= 0 && total > count {
        return cut(text, 0, count);
    }
    Ok(Value::text(text))
}

fn trim(mut text: &[u8], drop: impl Fn(char) -> bool) -> &[u8] {
    while let Some((c, width)) = decode(text)
        && drop(c)
    {
        text = &text[width..];
    }
    while let Some((c, width)) = decode_last(text)
        && drop(c)
    {
        text = &text[..text.len() - width];
    }
    text
}

fn trim_all(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let set: Vec<char> = characters(arguments.text(0)).map(|(_, c, _)| c).collect();
    context.budget.steps(set.len())?;
    Ok(Value::text(trim(arguments.text(1), |c| set.contains(&c))))
}
