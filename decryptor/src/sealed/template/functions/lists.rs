//! Lists: making, taking apart, searching.

use super::super::error::Problem;
use super::super::signature::{
    Arguments, Context,
    Type::{Any, Int, String},
};
use super::super::value::{Element, List, Value};
use super::cast::{to_int64, to_texts};
use super::defaults::is_empty;
use super::equality::deep_equal;
use super::{Entry, Outcome, fixed, variadic};

pub(super) const TABLE: &[Entry] = &[
    fixed("append", &[Any, Any], append),
    fixed("chunk", &[Int, Any], chunk),
    fixed("compact", &[Any], compact),
    variadic("concat", &[], Any, concat),
    fixed("first", &[Any], first),
    fixed("has", &[Any, Any], has),
    fixed("initial", &[Any], initial),
    fixed("join", &[String, Any], join),
    fixed("last", &[Any], last),
    variadic("list", &[], Any, list),
    fixed("mustAppend", &[Any, Any], append),
    fixed("mustChunk", &[Int, Any], chunk),
    fixed("mustCompact", &[Any], compact),
    fixed("mustFirst", &[Any], first),
    fixed("mustHas", &[Any, Any], has),
    fixed("mustInitial", &[Any], initial),
    fixed("mustLast", &[Any], last),
    fixed("mustPrepend", &[Any, Any], prepend),
    fixed("mustPush", &[Any, Any], append),
    fixed("mustRest", &[Any], rest),
    fixed("mustReverse", &[Any], reverse),
    variadic("mustSlice", &[Any], Any, slice),
    fixed("mustUniq", &[Any], uniq),
    variadic("mustWithout", &[Any], Any, without),
    fixed("prepend", &[Any, Any], prepend),
    fixed("push", &[Any, Any], append),
    fixed("rest", &[Any], rest),
    fixed("reverse", &[Any], reverse),
    variadic("slice", &[Any], Any, slice),
    fixed("sortAlpha", &[Any], sort_alpha),
    fixed("toStrings", &[Any], to_strings),
    variadic("tuple", &[], Any, list),
    fixed("uniq", &[Any], uniq),
    variadic("without", &[Any], Any, without),
];

/// Argument `at` as a list.
fn list_at(arguments: &Arguments, at: usize) -> Result<&List, Problem> {
    match arguments.value(at) {
        Value::List(list) => Ok(list),
        other => Err(Problem::WrongType {
            expected: "a list",
            got: other.type_name(),
        }),
    }
}

/// The elements of argument `at`, paid for.
fn items(
    context: &mut Context<'_>,
    arguments: &Arguments,
    at: usize,
) -> Result<Vec<Value>, Problem> {
    let list = list_at(arguments, at)?;
    context.budget.elements(list.len())?;
    Ok(list.to_vec())
}

fn list(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    context.budget.elements(arguments.len())?;
    Ok(Value::anys(arguments.rest(0).to_vec()))
}

fn append(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let mut items = items(context, arguments, 0)?;
    items.push(arguments.value(1).clone());
    Ok(Value::anys(items))
}

fn prepend(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let mut items = items(context, arguments, 0)?;
    items.insert(0, arguments.value(1).clone());
    Ok(Value::anys(items))
}

fn concat(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let mut all = Vec::new();
    for at in 0..arguments.len() {
        all.append(&mut items(context, arguments, at)?);
    }
    Ok(if all.is_empty() {
        Value::List(List::nil(Element::Any))
    } else {
        Value::anys(all)
    })
}

/// sprig computes with floats here, and so what is odd about odd sizes comes out the same.
fn chunk(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    const SIZE: Problem = Problem::Execution("a chunk can't have this size");
    let items = items(context, arguments, 1)?;
    let (size, length) = (arguments.int(0), items.len() as f64);
    let count = ((length - 1.0) / size as f64).floor() + 1.0;
    if !(0.0..=length.max(1.0)).contains(&count) {
        return Err(SIZE);
    }
    let count = count as usize;
    let mut chunks = Vec::with_capacity(count);
    for at in 0..count {
        let mut wanted = size;
        if at == count - 1 {
            wanted = (length % size as f64).floor() as i64;
            if wanted == 0 {
                wanted = size;
            }
        }
        let wanted = usize::try_from(wanted).map_err(|_| SIZE)?;
        let start = i64::try_from(at)
            .ok()
            .and_then(|at| at.checked_mul(size))
            .and_then(|at| usize::try_from(at).ok());
        let start = start.ok_or(SIZE)?;
        let end = start.checked_add(wanted).ok_or(SIZE)?;
        chunks.push(Value::anys(items.get(start..end).ok_or(SIZE)?.to_vec()));
    }
    Ok(Value::List(List::new(Element::Anys, chunks)))
}

fn first(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    Ok(list_at(arguments, 0)?.at(0).unwrap_or(Value::Nil))
}

fn last(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let list = list_at(arguments, 0)?;
    Ok(list.at(list.len().wrapping_sub(1)).unwrap_or(Value::Nil))
}

fn rest(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let mut items = items(context, arguments, 0)?;
    if items.is_empty() {
        return Ok(Value::List(List::nil(Element::Any)));
    }
    items.remove(0);
    Ok(Value::anys(items))
}

fn initial(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let mut items = items(context, arguments, 0)?;
    if items.pop().is_none() {
        return Ok(Value::List(List::nil(Element::Any)));
    }
    Ok(Value::anys(items))
}

fn reverse(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let mut items = items(context, arguments, 0)?;
    items.reverse();
    Ok(Value::anys(items))
}

fn compact(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let mut items = items(context, arguments, 0)?;
    items.retain(|item| !is_empty(item));
    Ok(Value::anys(items))
}

fn contains(context: &mut Context<'_>, items: &[Value], wanted: &Value) -> Result<bool, Problem> {
    for item in items {
        if deep_equal(&mut context.budget, wanted, item, 0)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn uniq(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let mut kept = Vec::new();
    for item in items(context, arguments, 0)? {
        if !contains(context, &kept, &item)? {
            kept.push(item);
        }
    }
    Ok(Value::anys(kept))
}

fn without(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let mut kept = Vec::new();
    for item in items(context, arguments, 0)? {
        if !contains(context, arguments.rest(1), &item)? {
            kept.push(item);
        }
    }
    Ok(Value::anys(kept))
}

fn has(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    if arguments.value(1).is_nil() {
        return Ok(Value::Bool(false));
    }
    let items = items(context, arguments, 1)?;
    Ok(Value::Bool(contains(context, &items, arguments.value(0))?))
}

fn slice(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let list = list_at(arguments, 0)?;
    if list.len() == 0 {
        return Ok(Value::Nil);
    }
    let bound = |at: usize, otherwise: usize| {
        if arguments.len() > at {
            usize::try_from(to_int64(arguments.value(at))).ok()
        } else {
            Some(otherwise)
        }
    };
    let range = bound(1, 0).zip(bound(2, list.len()));
    let part = range.and_then(|(start, end)| list.slice(start, end));
    Ok(Value::List(
        part.ok_or(Problem::Execution("slice index out of range"))?,
    ))
}

fn join(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let texts = to_texts(&mut context.budget, arguments.value(1))?;
    let separators = arguments.text(0).len().saturating_mul(texts.len());
    context.budget.bytes(
        texts
            .iter()
            .map(|text| text.bytes().len())
            .sum::<usize>()
            .saturating_add(separators),
    )?;
    let texts: Vec<&[u8]> = texts.iter().map(|text| text.bytes()).collect();
    Ok(Value::text(texts.join(arguments.text(0))))
}

fn sort_alpha(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    if let Value::List(list) = arguments.value(0)
        && list.element == Element::String
    {
        context.budget.steps(list.len())?;
        list.sort_strings();
        return Ok(arguments.value(0).clone());
    }
    let mut texts = match arguments.value(0) {
        value @ Value::List(_) => to_texts(&mut context.budget, value)?,
        value => vec![super::cast::to_text(&mut context.budget, value)?],
    };
    texts.sort();
    Ok(Value::List(List::strings(texts)))
}

fn to_strings(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    if let Value::List(list) = arguments.value(0)
        && list.element == Element::String
    {
        return Ok(arguments.value(0).clone());
    }
    Ok(Value::List(List::strings(to_texts(
        &mut context.budget,
        arguments.value(0),
    )?)))
}
