//! Arithmetic on integers and decimals, rounding, sequences.

mod decimal;

use super::super::error::Problem;
use super::super::number::{NumberError, parse_int};
use super::super::print::display;
use super::super::signature::{
    Arguments, Context,
    Type::{Any, Float, Int, String},
};
use super::super::value::{Element, List, Value};
use super::cast::{to_float64, to_int64};
use super::{Entry, Outcome, fixed, variadic};
use decimal::Decimal;

pub(super) const TABLE: &[Entry] = &[
    variadic("add", &[], Any, |_, arguments| {
        Ok(Value::Int64(
            arguments
                .rest(0)
                .iter()
                .fold(0, |sum, value| sum.wrapping_add(to_int64(value))),
        ))
    }),
    fixed("add1", &[Any], |_, arguments| {
        Ok(Value::Int64(to_int64(arguments.value(0)).wrapping_add(1)))
    }),
    fixed("add1f", &[Any], |context, arguments| {
        decimals(
            context,
            arguments.value(0),
            &[Value::Int(1)],
            Operation::Add,
        )
    }),
    variadic("addf", &[], Any, |context, arguments| {
        decimals(
            context,
            &Value::Float(0.0),
            arguments.rest(0),
            Operation::Add,
        )
    }),
    fixed("atoi", &[String], |_, arguments| {
        Ok(Value::Int(atoi(arguments.text(0))))
    }),
    variadic("biggest", &[Any], Any, max),
    fixed("ceil", &[Any], |_, arguments| {
        Ok(Value::Float(to_float64(arguments.value(0)).ceil()))
    }),
    fixed("div", &[Any, Any], |_, arguments| {
        divide(arguments, i64::wrapping_div)
    }),
    variadic("divf", &[Any], Any, |context, arguments| {
        decimals(
            context,
            arguments.value(0),
            arguments.rest(1),
            Operation::Divide,
        )
    }),
    fixed("float64", &[Any], |_, arguments| {
        Ok(Value::Float(to_float64(arguments.value(0))))
    }),
    fixed("floor", &[Any], |_, arguments| {
        Ok(Value::Float(to_float64(arguments.value(0)).floor()))
    }),
    fixed("int", &[Any], |_, arguments| {
        Ok(Value::Int(to_int64(arguments.value(0))))
    }),
    fixed("int64", &[Any], |_, arguments| {
        Ok(Value::Int64(to_int64(arguments.value(0))))
    }),
    variadic("max", &[Any], Any, max),
    variadic("maxf", &[Any], Any, |_, arguments| {
        Ok(Value::Float(extreme(arguments, f64::max, false)))
    }),
    variadic("min", &[Any], Any, |_, arguments| {
        let least = arguments.rest(0).iter().map(to_int64).min();
        Ok(Value::Int64(least.unwrap_or(0)))
    }),
    variadic("minf", &[Any], Any, |_, arguments| {
        Ok(Value::Float(extreme(arguments, f64::min, true)))
    }),
    fixed("mod", &[Any, Any], |_, arguments| {
        divide(arguments, i64::wrapping_rem)
    }),
    variadic("mul", &[Any], Any, |_, arguments| {
        Ok(Value::Int64(
            arguments
                .rest(0)
                .iter()
                .fold(1, |product, value| product.wrapping_mul(to_int64(value))),
        ))
    }),
    variadic("mulf", &[Any], Any, |context, arguments| {
        decimals(
            context,
            arguments.value(0),
            arguments.rest(1),
            Operation::Multiply,
        )
    }),
    variadic("round", &[Any, Int], Float, round),
    variadic("seq", &[], Int, sequence),
    fixed("sub", &[Any, Any], |_, arguments| {
        Ok(Value::Int64(
            to_int64(arguments.value(0)).wrapping_sub(to_int64(arguments.value(1))),
        ))
    }),
    variadic("subf", &[Any], Any, |context, arguments| {
        decimals(
            context,
            arguments.value(0),
            arguments.rest(1),
            Operation::Subtract,
        )
    }),
    fixed("toDecimal", &[Any], to_decimal),
    fixed("until", &[Int], |context, arguments| {
        let stop = arguments.int(0);
        Ok(ints(steps(
            context,
            0,
            stop,
            if stop < 0 { -1 } else { 1 },
        )?))
    }),
    fixed("untilStep", &[Int, Int, Int], |context, arguments| {
        Ok(ints(steps(
            context,
            arguments.int(0),
            arguments.int(1),
            arguments.int(2),
        )?))
    }),
];

/// `strconv.Atoi`, whose errors sprig drops: what is too large is the largest number that there is.
fn atoi(text: &[u8]) -> i64 {
    match parse_int(text, 10) {
        Ok(int) => int,
        Err(NumberError::Range) if text.starts_with(b"-") => i64::MIN,
        Err(NumberError::Range) => i64::MAX,
        Err(NumberError::Syntax) => 0,
    }
}

fn max(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    Ok(Value::Int64(
        arguments.rest(0).iter().map(to_int64).max().unwrap_or(0),
    ))
}

/// `math.Max` and `math.Min` over all arguments: NaN wins, and zeros have signs.
fn extreme(arguments: &Arguments, of: fn(f64, f64) -> f64, least: bool) -> f64 {
    let pick = |a: f64, b: f64| {
        if a.is_nan() || b.is_nan() {
            let infinite = if least {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            };
            return if a == infinite || b == infinite {
                infinite
            } else {
                f64::NAN
            };
        }
        if a == 0.0 && b == 0.0 {
            return if a.is_sign_negative() == least { a } else { b };
        }
        of(a, b)
    };
    arguments
        .rest(0)
        .iter()
        .map(to_float64)
        .reduce(pick)
        .unwrap_or(0.0)
}

fn divide(arguments: &Arguments, by: fn(i64, i64) -> i64) -> Outcome {
    let divisor = to_int64(arguments.value(1));
    if divisor == 0 {
        return Err(Problem::Execution("division by zero"));
    }
    Ok(Value::Int64(by(to_int64(arguments.value(0)), divisor)))
}

#[derive(Clone, Copy)]
enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// Computes with the decimals that the floats print as.
fn decimals(
    context: &mut Context<'_>,
    first: &Value,
    others: &[Value],
    operation: Operation,
) -> Outcome {
    let decimal = |value: &Value| {
        Decimal::from_float(to_float64(value))
            .ok_or(Problem::Execution("infinity and NaN are no decimals"))
    };
    let mut result = decimal(first)?;
    for other in others {
        context.budget.steps(result.size())?;
        let other = decimal(other)?;
        result = match operation {
            Operation::Add => result.plus(&other),
            Operation::Subtract => result.plus(&other.negated()),
            Operation::Multiply => result.times(&other),
            Operation::Divide => result
                .divided_by(&other)
                .ok_or(Problem::Execution("division by zero"))?,
        };
    }
    Ok(Value::Float(result.to_float()))
}

/// sprig's rounding: by default half away from zero for positive numbers only.
fn round(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let on = if arguments.len() > 2 {
        arguments.float(2)
    } else {
        0.5
    };
    let power = power_of_ten(arguments.int(1) as f64);
    let digit = power * to_float64(arguments.value(0));
    let fraction = if digit.is_infinite() {
        f64::NAN
    } else {
        digit - digit.trunc()
    };
    let rounded = if fraction >= on {
        digit.ceil()
    } else {
        digit.floor()
    };
    Ok(Value::Float(rounded / power))
}

/// `math.Pow(10, places)` as Go computes it: by squaring the fraction and adding up the exponents.
fn power_of_ten(places: f64) -> f64 {
    if places == 0.0 {
        return 1.0;
    }
    if places.abs() >= 9.2e18 || places.abs() > 5000.0 {
        return if places > 0.0 { f64::INFINITY } else { 0.0 };
    }
    let (mut fraction, mut exponent) = (10.0 / 16.0, 4_i32);
    let (mut product, mut total) = (1.0_f64, 0_i32);
    let mut left = places.abs() as u32;
    while left != 0 {
        if left & 1 == 1 {
            product *= fraction;
            total += exponent;
        }
        fraction *= fraction;
        exponent <<= 1;
        if fraction < 0.5 {
            fraction += fraction;
            exponent -= 1;
        }
        left >>= 1;
    }
    if places < 0.0 {
        product = 1.0 / product;
        total = -total;
    }
    let half = total / 2;
    product * 2_f64.powi(half) * 2_f64.powi(total - half)
}

fn to_decimal(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let text = display(&mut context.budget, arguments.value(0))?;
    Ok(Value::Int64(parse_int(&text, 8).unwrap_or(0)))
}

/// The numbers from `start` to before `stop`, paid for.
fn steps(context: &mut Context<'_>, start: i64, stop: i64, step: i64) -> Result<Vec<i64>, Problem> {
    if stop == start || step == 0 || (stop < start) != (step < 0) {
        return Ok(Vec::new());
    }
    let count = start.abs_diff(stop).div_ceil(step.unsigned_abs());
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    context.budget.elements(count)?;
    let mut numbers = Vec::with_capacity(count);
    let mut at = start;
    for _ in 0..count {
        numbers.push(at);
        at = at.wrapping_add(step);
    }
    Ok(numbers)
}

fn ints(numbers: Vec<i64>) -> Value {
    Value::List(List::new(
        Element::Int,
        numbers.into_iter().map(Value::Int).collect(),
    ))
}

/// `seq`: the numbers of a shell's `seq`, separated by spaces.
fn sequence(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let int = |at| arguments.int(at);
    let (start, stop, step) = match arguments.len() {
        1 => (1, int(0), if int(0) < 1 { -1 } else { 1 }),
        2 => (int(0), int(1), if int(1) < int(0) { -1 } else { 1 }),
        3 if int(2) < int(0) && int(1) > 0 => return Ok(Value::text("")),
        3 => {
            let past = if int(2) < int(0) { -1 } else { 1 };
            return numbers(context, int(0), int(2).wrapping_add(past), int(1));
        }
        _ => return Ok(Value::text("")),
    };
    numbers(context, start, stop.wrapping_add(step), step)
}

fn numbers(context: &mut Context<'_>, start: i64, stop: i64, step: i64) -> Outcome {
    let texts: Vec<std::string::String> = steps(context, start, stop, step)?
        .into_iter()
        .map(|number| number.to_string())
        .collect();
    Ok(Value::text(texts.join(" ")))
}
