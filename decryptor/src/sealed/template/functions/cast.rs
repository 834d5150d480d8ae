//! Values as numbers and strings, by the lenient rules that sprig takes from `spf13/cast`.

use super::super::budget::Budget;
use super::super::error::Problem;
use super::super::number::{parse_float, parse_int, to_int};
use super::super::print::display;
use super::super::value::{Str, Value};

/// `cast.ToInt64`: what is no number is 0.
pub(super) fn to_int64(value: &Value) -> i64 {
    match value {
        Value::Int(int) | Value::Int64(int) => *int,
        Value::Month(int) | Value::Weekday(int) | Value::Byte(int) => i64::from(*int),
        Value::Uint64(int) => int.cast_signed(),
        Value::Float(float) => to_int(*float),
        Value::Bool(truth) => i64::from(*truth),
        Value::Str(text) => parse_int(without_zero_fraction(text.bytes()), 0).unwrap_or(0),
        _ => 0,
    }
}

/// `cast.ToFloat64`: what is no number is 0.
pub(super) fn to_float64(value: &Value) -> f64 {
    match value {
        Value::Float(float) => *float,
        Value::Uint64(int) => *int as f64,
        Value::Str(text) => parse_float(text.bytes()).unwrap_or(0.0),
        value => to_int64(value) as f64,
    }
}

/// `1.00` is `1`, but `1.` is left.
fn without_zero_fraction(text: &[u8]) -> &[u8] {
    let zeros = text.iter().rev().take_while(|&&byte| byte == b'0').count();
    match &text[..text.len() - zeros] {
        [before @ .., b'.'] if zeros > 0 => before,
        _ => text,
    }
}

/// sprig's `strval`: the value as a string.
pub(super) fn to_text(budget: &mut Budget, value: &Value) -> Result<Str, Problem> {
    match value {
        Value::Str(text) => Ok(text.clone()),
        value => Ok(Str::from(display(budget, value)?)),
    }
}

/// sprig's `strslice`: the elements as strings without the nils, or the value alone.
pub(super) fn to_texts(budget: &mut Budget, value: &Value) -> Result<Vec<Str>, Problem> {
    match value {
        Value::List(list) => {
            budget.elements(list.len())?;
            let items = list.to_vec();
            items
                .iter()
                .filter(|item| !item.is_nil())
                .map(|item| to_text(budget, item))
                .collect()
        }
        Value::Missing | Value::Nil => Ok(Vec::new()),
        value => Ok(vec![to_text(budget, value)?]),
    }
}
