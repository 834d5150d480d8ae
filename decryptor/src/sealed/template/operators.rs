//! Go's built-in functions: comparison, indexing, length, printing, escaping.

use super::error::Problem;
use super::print::{sprint, sprintf, sprintln};
use super::signature::{Arguments, Context};
use super::unicode::{decode, is_print};
use super::value::Value;

pub(super) type Outcome = Result<Value, Problem>;

pub(super) fn not(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    Ok(Value::Bool(!arguments.value(0).is_true()))
}

pub(super) fn length(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let length = match arguments.value(0) {
        Value::Str(text) => text.bytes().len(),
        Value::List(list) => list.len(),
        Value::Dict(dict) => dict.len(),
        Value::Strings(map) => map.len(),
        _ => return Err(Problem::Execution("the value has no length")),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

pub(super) fn index(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let mut item = arguments.value(0).clone();
    if item.is_nil() {
        return Err(Problem::Execution("index of untyped nil"));
    }
    for key in arguments.rest(1) {
        item = element(&item, key)?;
    }
    Ok(item)
}

fn element(item: &Value, key: &Value) -> Outcome {
    const RANGE: Problem = Problem::Execution("index out of range");
    match item {
        Value::Str(text) => {
            let byte = text.bytes().get(position(key)?).ok_or(RANGE)?;
            Ok(Value::Byte(*byte))
        }
        Value::List(list) => list.at(position(key)?).ok_or(RANGE),
        Value::Dict(dict) => {
            let Value::Str(key) = key else {
                return Err(key_type(key));
            };
            Ok(dict.get(key.bytes()).unwrap_or(Value::Nil))
        }
        Value::Strings(map) => {
            let Value::Str(key) = key else {
                return Err(key_type(key));
            };
            Ok(map
                .get(key.bytes())
                .map_or(Value::text(""), |text| Value::Str(text.clone())))
        }
        Value::Missing | Value::Nil => Err(Problem::Execution("index of nil")),
        _ => Err(Problem::Execution("the value can't be indexed")),
    }
}

fn key_type(key: &Value) -> Problem {
    Problem::WrongType {
        expected: "string",
        got: key.type_name(),
    }
}

fn position(key: &Value) -> Result<usize, Problem> {
    let position = match key {
        Value::Int(at) | Value::Int64(at) | Value::Duration(at) => usize::try_from(*at).ok(),
        Value::Byte(at) | Value::Month(at) | Value::Weekday(at) => Some(usize::from(*at)),
        Value::Uint64(at) => usize::try_from(*at).ok(),
        _ => {
            return Err(Problem::WrongType {
                expected: "an integer as index",
                got: key.type_name(),
            });
        }
    };
    position.ok_or(Problem::Execution("index out of range"))
}

pub(super) fn call(_: &mut Context<'_>, _: &Arguments) -> Outcome {
    Err(Problem::Execution("no value is a function"))
}

/// What Go compares values as.
#[derive(Clone, Copy, PartialEq)]
enum Basic<'v> {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(&'v [u8]),
}

fn basic(value: &Value) -> Option<Basic<'_>> {
    Some(match value {
        Value::Bool(truth) => Basic::Bool(*truth),
        Value::Int(int) | Value::Int64(int) | Value::Duration(int) => Basic::Int(*int),
        Value::Month(int) | Value::Weekday(int) => Basic::Int(i64::from(*int)),
        Value::Byte(int) => Basic::Uint(u64::from(*int)),
        Value::Uint64(int) => Basic::Uint(*int),
        Value::Float(float) => Basic::Float(*float),
        Value::Str(text) => Basic::Text(text.bytes()),
        _ => return None,
    })
}

const INCOMPATIBLE: Problem = Problem::Execution("incompatible types for comparison");
const BAD_TYPE: Problem = Problem::Execution("invalid type for comparison");

fn equal(a: &Value, b: &Value) -> Result<bool, Problem> {
    Ok(match (basic(a), basic(b)) {
        (Some(Basic::Int(a)), Some(Basic::Uint(b)))
        | (Some(Basic::Uint(b)), Some(Basic::Int(a))) => u64::try_from(a).is_ok_and(|a| a == b),
        (Some(a_basic), Some(b_basic)) => {
            if std::mem::discriminant(&a_basic) != std::mem::discriminant(&b_basic) {
                return Err(INCOMPATIBLE);
            }
            a_basic == b_basic
        }
        (Some(_), None) | (None, Some(_)) if a.is_nil() || b.is_nil() => false,
        (Some(_), None) | (None, Some(_)) => return Err(INCOMPATIBLE),
        (None, None) => return equal_references(a, b),
    })
}

/// Values that are no numbers, strings or booleans: mostly they can only be compared with nil.
fn equal_references(a: &Value, b: &Value) -> Result<bool, Problem> {
    let nil = |value: &Value| match value {
        Value::List(list) => list.nil,
        Value::Dict(dict) => dict.0.is_none(),
        value => value.is_nil(),
    };
    if a.kind_name() != b.kind_name() && !a.is_nil() && !b.is_nil() {
        return Err(Problem::Execution("non-comparable types"));
    }
    if nil(a) || nil(b) {
        return Ok(nil(a) == nil(b));
    }
    match (a, b) {
        (Value::Time(a), Value::Time(b)) => Ok(a == b),
        (Value::Version(a), Value::Version(b)) => Ok(std::rc::Rc::ptr_eq(a, b)),
        _ => Err(Problem::Execution("non-comparable type")),
    }
}

fn less(a: &Value, b: &Value) -> Result<bool, Problem> {
    let (a, b) = (basic(a).ok_or(BAD_TYPE)?, basic(b).ok_or(BAD_TYPE)?);
    Ok(match (a, b) {
        (Basic::Int(a), Basic::Uint(b)) => u64::try_from(a).map_or(true, |a| a < b),
        (Basic::Uint(a), Basic::Int(b)) => u64::try_from(b).is_ok_and(|b| a < b),
        (Basic::Int(a), Basic::Int(b)) => a < b,
        (Basic::Uint(a), Basic::Uint(b)) => a < b,
        (Basic::Float(a), Basic::Float(b)) => a < b,
        (Basic::Text(a), Basic::Text(b)) => a < b,
        (Basic::Bool(_), Basic::Bool(_)) => return Err(BAD_TYPE),
        _ => return Err(INCOMPATIBLE),
    })
}

pub(super) fn eq(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    if arguments.len() < 2 {
        return Err(Problem::Execution("missing argument for comparison"));
    }
    for other in arguments.rest(1) {
        if equal(arguments.value(0), other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

pub(super) fn ne(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    Ok(Value::Bool(!equal(arguments.value(0), arguments.value(1))?))
}

pub(super) fn lt(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    Ok(Value::Bool(less(arguments.value(0), arguments.value(1))?))
}

pub(super) fn le(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let (a, b) = (arguments.value(0), arguments.value(1));
    Ok(Value::Bool(less(a, b)? || equal(a, b)?))
}

pub(super) fn gt(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    le(context, arguments).map(|result| Value::Bool(!result.is_true()))
}

pub(super) fn ge(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    lt(context, arguments).map(|result| Value::Bool(!result.is_true()))
}

pub(super) fn print(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    Ok(Value::text(sprint(&mut context.budget, arguments.rest(0))?))
}

pub(super) fn println(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    Ok(Value::text(sprintln(
        &mut context.budget,
        arguments.rest(0),
    )?))
}

pub(super) fn printf(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    Ok(Value::text(sprintf(
        &mut context.budget,
        arguments.text(0),
        arguments.rest(1),
    )?))
}

/// The operands as one text, for the escapers: no value prints as it does in an action.
fn joined(context: &mut Context<'_>, arguments: &Arguments) -> Result<Vec<u8>, Problem> {
    let no_value = |value: &Value| {
        if value.is_nil() {
            Value::text("<no value>")
        } else {
            value.clone()
        }
    };
    let values: Vec<Value> = arguments.rest(0).iter().map(no_value).collect();
    let text = sprint(&mut context.budget, &values)?;
    context.budget.bytes(text.len().saturating_mul(6))?;
    Ok(text)
}

pub(super) fn html(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let text = joined(context, arguments)?;
    let mut out = Vec::with_capacity(text.len() * 2);
    for byte in text {
        match byte {
            0 => out.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            byte => out.push(byte),
        }
    }
    Ok(Value::text(out))
}

pub(super) fn js(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let text = joined(context, arguments)?;
    let mut out = Vec::with_capacity(text.len() * 2);
    let mut at = 0;
    while let Some((c, width)) = decode(&text[at..]) {
        match c {
            '\\' | '\'' | '"' => out.extend_from_slice(&[b'\\', c as u8]),
            '<' | '>' | '&' | '=' | '\0'..=' ' if c != ' ' => {
                out.extend_from_slice(format!("\\u{:04X}", u32::from(c)).as_bytes());
            }
            _ if c.is_ascii() || is_print(c) => out.extend_from_slice(&text[at..at + width]),
            _ => out.extend_from_slice(format!("\\u{:04X}", u32::from(c)).as_bytes()),
        }
        at += width;
    }
    Ok(Value::text(out))
}

pub(super) fn urlquery(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let text = joined(context, arguments)?;
    let mut out = Vec::with_capacity(text.len() * 3);
    for byte in text {
        match byte {
            b' ' => out.push(b'+'),
            byte if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => out.push(byte),
            byte => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    Ok(Value::text(out))
}
