//! Defaults, emptiness, choice and reflection.

use super::super::error::Problem;
use super::super::signature::{
    Arguments, Context,
    Type::{Any, Bool, String},
};
use super::super::value::Value;
use super::equality::{deep_copy, deep_equal};
use super::{Entry, Outcome, fixed, variadic};

pub(super) const TABLE: &[Entry] = &[
    variadic("all", &[], Any, |_, arguments| {
        Ok(Value::Bool(!arguments.rest(0).iter().any(is_empty)))
    }),
    variadic("any", &[], Any, |_, arguments| {
        Ok(Value::Bool(
            arguments.rest(0).iter().any(|value| !is_empty(value)),
        ))
    }),
    variadic("coalesce", &[], Any, coalesce),
    fixed("deepCopy", &[Any], copy),
    fixed("deepEqual", &[Any, Any], equal),
    variadic("default", &[Any], Any, default),
    fixed("empty", &[Any], |_, arguments| {
        Ok(Value::Bool(is_empty(arguments.value(0))))
    }),
    fixed("fail", &[String], |_, _| {
        Err(Problem::Execution("was called"))
    }),
    fixed("hello", &[], |_, _| Ok(Value::text("Hello!"))),
    fixed("kindIs", &[String, Any], |_, arguments| {
        Ok(Value::Bool(
            arguments.text(0) == arguments.value(1).kind_name().as_bytes(),
        ))
    }),
    fixed("kindOf", &[Any], |_, arguments| {
        Ok(Value::text(arguments.value(0).kind_name()))
    }),
    fixed("mustDeepCopy", &[Any], copy),
    fixed("ternary", &[Any, Any, Bool], |_, arguments| {
        Ok(arguments.value(usize::from(!arguments.truth(2))).clone())
    }),
    fixed("typeIs", &[String, Any], |_, arguments| {
        Ok(Value::Bool(
            arguments.text(0) == arguments.value(1).type_name().as_bytes(),
        ))
    }),
    fixed("typeIsLike", &[String, Any], type_is_like),
    fixed("typeOf", &[Any], |_, arguments| {
        Ok(Value::text(arguments.value(0).type_name()))
    }),
];

/// Whether sprig takes a value for unset. Structs are never empty.
pub(super) fn is_empty(value: &Value) -> bool {
    !value.is_true()
}

fn coalesce(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    Ok(arguments
        .rest(0)
        .iter()
        .find(|value| !is_empty(value))
        .cloned()
        .unwrap_or(Value::Nil))
}

fn default(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let given = arguments.value(1);
    Ok(if is_empty(given) {
        arguments.value(0).clone()
    } else {
        given.clone()
    })
}

fn copy(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    if arguments.value(0).is_nil() {
        return Err(Problem::Execution("nil can't be copied"));
    }
    deep_copy(&mut context.budget, arguments.value(0), 0)
}

fn equal(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    Ok(Value::Bool(deep_equal(
        &mut context.budget,
        arguments.value(0),
        arguments.value(1),
        0,
    )?))
}

fn type_is_like(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let (target, name) = (arguments.text(0), arguments.value(1).type_name().as_bytes());
    Ok(Value::Bool(
        target == name || name.strip_prefix(b"*") == Some(target),
    ))
}
