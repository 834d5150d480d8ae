//! Merging dicts, by the rules of `dario.cat/mergo`.

use super::super::error::Problem;
use super::super::signature::Context;
use super::super::value::{Dict, Value};
use super::defaults::is_empty;
use super::dicts::check_depth;

/// Merges `source` into `target`. The inner error is one that `merge` swallows and `mustMerge` reports.
pub(super) fn merge(
    context: &mut Context<'_>,
    target: &Dict,
    source: &Dict,
    overwrite: bool,
    depth: usize,
) -> Result<Option<Problem>, Problem> {
    check_depth(depth)?;
    context.budget.elements(source.len())?;
    let Some(entries) = &target.0 else {
        return Ok(None);
    };
    context.written.push(target.clone());
    for (key, new) in source.entries() {
        let old = target.get(key.bytes());
        if new.is_nil() {
            if overwrite {
                entries.0.borrow_mut().insert(key, new);
            }
            continue;
        }
        if let Some(error) = merge_inner(context, old.as_ref(), &new, overwrite, depth)? {
            return Ok(Some(error));
        }
        let kept = old.as_ref().is_some_and(|old| !is_empty(old));
        let merged = match (&new, &old) {
            (Value::List(_), _) => !overwrite,
            (Value::Dict(_) | Value::Strings(_), Some(Value::Dict(_) | Value::Strings(_))) => true,
            _ => false,
        };
        if kept && (merged || !overwrite) {
            continue;
        }
        let replaced = entries.0.borrow_mut().insert(key, new);
        drop(replaced);
    }
    Ok(None)
}

/// Merges one value into another where both are maps.
fn merge_inner(
    context: &mut Context<'_>,
    old: Option<&Value>,
    new: &Value,
    overwrite: bool,
    depth: usize,
) -> Result<Option<Problem>, Problem> {
    const DIFFERENT: Problem = Problem::Execution("the values are of different types");
    match (old, new) {
        (Some(Value::Dict(old)), Value::Dict(new)) => {
            merge(context, old, new, overwrite, depth + 1)
        }
        (Some(Value::Dict(old)), Value::Strings(new)) => {
            let new = Dict::new(
                new.iter()
                    .map(|(key, text)| (key.clone(), Value::Str(text.clone())))
                    .collect(),
            );
            merge(context, old, &new, overwrite, depth + 1)
        }
        (Some(Value::Strings(_)), Value::Dict(_) | Value::Strings(_)) => {
            Err(Problem::Execution("a dict of strings can't be merged into"))
        }
        (Some(Value::Version(_)), Value::Dict(_) | Value::Strings(_) | Value::Time(_))
            if !overwrite =>
        {
            Ok(Some(DIFFERENT))
        }
        _ => Ok(None),
    }
}
