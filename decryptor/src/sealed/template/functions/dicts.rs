//! Dicts: making, reading and writing them.

use std::collections::BTreeMap;

use super::super::error::{Bound, Problem};
use super::super::print::NESTING;
use super::super::signature::{Arguments, Context, Type};
use super::super::value::{Dict, List, Str, Value};
use super::cast::to_text;
use super::merge::merge;
use super::{Entry, Outcome, fixed, variadic};

pub(super) const TABLE: &[Entry] = &[
    variadic("dict", &[], Type::Any, dict),
    variadic("dig", &[], Type::Any, dig),
    fixed("get", &[Type::Dict, Type::String], get),
    fixed("hasKey", &[Type::Dict, Type::String], has_key),
    variadic("keys", &[], Type::Dict, keys),
    variadic("merge", &[Type::Dict], Type::Dict, |context, arguments| {
        merged(context, arguments, false, false)
    }),
    variadic(
        "mergeOverwrite",
        &[Type::Dict],
        Type::Dict,
        |context, arguments| merged(context, arguments, true, false),
    ),
    variadic(
        "mustMerge",
        &[Type::Dict],
        Type::Dict,
        |context, arguments| merged(context, arguments, false, true),
    ),
    variadic(
        "mustMergeOverwrite",
        &[Type::Dict],
        Type::Dict,
        |context, arguments| merged(context, arguments, true, true),
    ),
    variadic("omit", &[Type::Dict], Type::String, omit),
    variadic("pick", &[Type::Dict], Type::String, pick),
    variadic("pluck", &[Type::String], Type::Dict, pluck),
    fixed("set", &[Type::Dict, Type::String, Type::Any], set),
    fixed("unset", &[Type::Dict, Type::String], unset),
    fixed("values", &[Type::Dict], values),
];

fn dict(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    context.budget.elements(arguments.len())?;
    let mut entries = BTreeMap::new();
    for pair in arguments.rest(0).chunks(2) {
        let key = to_text(&mut context.budget, &pair[0])?;
        entries.insert(key, pair.get(1).cloned().unwrap_or_else(|| Value::text("")));
    }
    Ok(Value::Dict(Dict::new(entries)))
}

fn dig(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let [keys @ .., default, Value::Dict(dict)] = arguments.rest(0) else {
        return Err(Problem::Execution("the last argument must be a dict"));
    };
    if keys.is_empty() {
        return Err(Problem::Execution("needs at least three arguments"));
    }
    let mut names = Vec::new();
    for key in keys {
        let Value::Str(name) = key else {
            return Err(Problem::Execution("keys must be strings"));
        };
        names.push(name);
    }
    let mut dict = dict.clone();
    let last = names.len() - 1;
    for (at, name) in names.into_iter().enumerate() {
        match dict.get(name.bytes()) {
            None => break,
            Some(value) if at == last => return Ok(value),
            Some(Value::Dict(inner)) => dict = inner,
            Some(_) => return Err(Problem::Execution("met a value that is no dict")),
        }
    }
    Ok(default.clone())
}

fn get(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    Ok(arguments
        .dict(0)
        .get(arguments.text(1))
        .unwrap_or_else(|| Value::text("")))
}

fn has_key(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    Ok(Value::Bool(
        arguments.dict(0).get(arguments.text(1)).is_some(),
    ))
}

/// The dict that argument 0 is, for writing.
fn writable(context: &mut Context<'_>, arguments: &Arguments) -> Dict {
    let dict = arguments.dict(0);
    context.written.push(dict.clone());
    dict
}

fn set(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    context.budget.elements(1)?;
    let dict = writable(context, arguments);
    let Some(entries) = &dict.0 else {
        return Err(Problem::Execution("a nil dict can't be written to"));
    };
    let old = entries
        .0
        .borrow_mut()
        .insert(arguments.string(1), arguments.value(2).clone());
    drop(old);
    Ok(Value::Dict(dict))
}

fn unset(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let dict = arguments.dict(0);
    if let Some(entries) = &dict.0 {
        let old = entries.0.borrow_mut().remove(arguments.text(1));
        drop(old);
    }
    Ok(Value::Dict(dict))
}

/// Go gives keys in random order; here they are sorted, so that the result does not vary.
fn keys(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let mut keys: Vec<Str> = Vec::new();
    for at in 0..arguments.len() {
        let dict = arguments.dict(at);
        context.budget.elements(dict.len())?;
        keys.extend(dict.entries().into_keys());
    }
    Ok(Value::List(List::strings(keys)))
}

/// In the order of the keys, where Go has none.
fn values(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let dict = arguments.dict(0);
    context.budget.elements(dict.len())?;
    Ok(Value::anys(dict.entries().into_values().collect()))
}

fn pluck(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    context.budget.elements(arguments.len())?;
    let found = (1..arguments.len()).filter_map(|at| arguments.dict(at).get(arguments.text(0)));
    Ok(Value::anys(found.collect()))
}

fn pick(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    context.budget.elements(arguments.len())?;
    let dict = arguments.dict(0);
    let picked = (1..arguments.len())
        .filter_map(|at| Some((arguments.string(at), dict.get(arguments.text(at))?)));
    Ok(Value::Dict(Dict::new(picked.collect())))
}

fn omit(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let dict = arguments.dict(0);
    context
        .budget
        .elements(dict.len().saturating_add(arguments.len()))?;
    let mut entries = dict.entries();
    for at in 1..arguments.len() {
        entries.remove(arguments.text(at));
    }
    Ok(Value::Dict(Dict::new(entries)))
}

/// Merges all arguments after the first into it.
fn merged(
    context: &mut Context<'_>,
    arguments: &Arguments,
    overwrite: bool,
    must: bool,
) -> Outcome {
    let mut target = writable(context, arguments);
    for at in 1..arguments.len() {
        let source = arguments.dict(at);
        if target.0.is_none() && source.0.is_some() {
            target = Dict::new(BTreeMap::new());
        }
        if let Some(error) = merge(context, &target, &source, overwrite, 0)? {
            return if must {
                Err(error)
            } else {
                Ok(Value::text(""))
            };
        }
    }
    Ok(Value::Dict(target))
}

/// Refuses to follow dicts that hold themselves.
pub(super) fn check_depth(depth: usize) -> Result<(), Problem> {
    if depth > NESTING {
        Err(Problem::Limit(Bound::Depth))
    } else {
        Ok(())
    }
}
