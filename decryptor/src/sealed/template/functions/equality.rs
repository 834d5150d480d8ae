//! Deep equality and deep copies, as `reflect.DeepEqual` and `copystructure` make them.

use std::rc::Rc;

use super::super::budget::Budget;
use super::super::error::{Bound, Problem};
use super::super::print::NESTING;
use super::super::value::{Dict, List, Value};
use super::Outcome;

/// `reflect.DeepEqual`: types must be the same, nil and empty are different.
pub(super) fn deep_equal(
    budget: &mut Budget,
    a: &Value,
    b: &Value,
    depth: usize,
) -> Result<bool, Problem> {
    budget.step()?;
    if depth > NESTING {
        return Err(Problem::Limit(Bound::Depth));
    }
    Ok(match (a, b) {
        (Value::Missing | Value::Nil, Value::Missing | Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b))
        | (Value::Int64(a), Value::Int64(b))
        | (Value::Duration(a), Value::Duration(b)) => a == b,
        (Value::Byte(a), Value::Byte(b))
        | (Value::Month(a), Value::Month(b))
        | (Value::Weekday(a), Value::Weekday(b)) => a == b,
        (Value::Uint64(a), Value::Uint64(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            if a.element != b.element || a.nil != b.nil || a.len() != b.len() {
                return Ok(false);
            }
            if a.is_same(b) {
                return Ok(true);
            }
            for (a, b) in a.to_vec().iter().zip(&b.to_vec()) {
                if !deep_equal(budget, a, b, depth + 1)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Dict(a), Value::Dict(b)) => {
            let (Some(shared_a), Some(shared_b)) = (&a.0, &b.0) else {
                return Ok(a.0.is_none() == b.0.is_none());
            };
            if Rc::ptr_eq(shared_a, shared_b) {
                return Ok(true);
            }
            let (a, b) = (a.entries(), b.entries());
            if a.len() != b.len() {
                return Ok(false);
            }
            for ((a_key, a), (b_key, b)) in a.iter().zip(&b) {
                if a_key != b_key || !deep_equal(budget, a, b, depth + 1)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Strings(a), Value::Strings(b)) => a == b,
        (Value::Time(a), Value::Time(b)) => a == b,
        (Value::Version(a), Value::Version(b)) => a == b,
        _ => false,
    })
}

/// A copy that shares no list and no map with the original.
pub(super) fn deep_copy(budget: &mut Budget, value: &Value, depth: usize) -> Outcome {
    budget.step()?;
    if depth > NESTING {
        return Err(Problem::Limit(Bound::Depth));
    }
    Ok(match value {
        Value::List(list) if !list.nil => {
            budget.elements(list.len())?;
            let items = list.to_vec();
            let copies = items.iter().map(|item| deep_copy(budget, item, depth + 1));
            Value::List(List::new(list.element, copies.collect::<Result<_, _>>()?))
        }
        Value::Dict(dict) if dict.0.is_some() => {
            budget.elements(dict.len())?;
            let entries = dict.entries();
            let copies = entries
                .iter()
                .map(|(key, item)| Ok((key.clone(), deep_copy(budget, item, depth + 1)?)));
            Value::Dict(Dict::new(copies.collect::<Result<_, Problem>>()?))
        }
        value => value.clone(),
    })
}
