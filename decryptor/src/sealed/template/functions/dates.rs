//! Dates: formatting, parsing, moving, durations. Those that may read the clock are varying.

use std::rc::Rc;

use super::super::error::Problem;
use super::super::number::parse_int;
use super::super::signature::{Arguments, Context, Type};
use super::super::time::{Time, Zone, format, format_duration, parse, parse_duration};
use super::super::value::Value;
use super::{Entry, Outcome, fixed, varying};

pub(super) const TABLE: &[Entry] = &[
    varying("ago", &[Type::Any], |context, arguments| {
        let since = now(context).since(&time_of(context, arguments.value(0)));
        Ok(Value::text(format_duration(rounded_to_seconds(since))))
    }),
    varying("date", &[Type::String, Type::Any], |context, arguments| {
        Ok(formatted(
            context,
            arguments.text(0),
            arguments.value(1),
            b"Local",
        ))
    }),
    varying(
        "dateInZone",
        &[Type::String, Type::Any, Type::String],
        in_zone,
    ),
    fixed("dateModify", &[Type::String, Type::Time], modify),
    varying(
        "date_in_zone",
        &[Type::String, Type::Any, Type::String],
        in_zone,
    ),
    fixed("date_modify", &[Type::String, Type::Time], modify),
    fixed("duration", &[Type::Any], duration),
    varying("durationRound", &[Type::Any], duration_round),
    varying("htmlDate", &[Type::Any], |context, arguments| {
        Ok(formatted(context, HTML, arguments.value(0), b"Local"))
    }),
    varying(
        "htmlDateInZone",
        &[Type::Any, Type::String],
        |context, arguments| {
            Ok(formatted(
                context,
                HTML,
                arguments.value(0),
                arguments.text(1),
            ))
        },
    ),
    fixed("mustDateModify", &[Type::String, Type::Time], must_modify),
    fixed(
        "mustToDate",
        &[Type::String, Type::String],
        |_, arguments| {
            let time = parse(arguments.text(0), arguments.text(1));
            Ok(timed(time.ok_or(Problem::Execution(
                "the text is no date of this layout",
            ))?))
        },
    ),
    fixed("must_date_modify", &[Type::String, Type::Time], must_modify),
    varying("now", &[], |context, _| Ok(timed(now(context)))),
    fixed("toDate", &[Type::String, Type::String], |_, arguments| {
        Ok(timed(
            parse(arguments.text(0), arguments.text(1)).unwrap_or_else(Time::zero),
        ))
    }),
    fixed("unixEpoch", &[Type::Time], |_, arguments| {
        let Value::Time(time) = arguments.value(0) else {
            return Ok(Value::Nil);
        };
        Ok(Value::text(time.seconds.to_string()))
    }),
];

const HTML: &[u8] = b"2006-01-02";

fn timed(time: Time) -> Value {
    Value::Time(Rc::new(time))
}

fn now(context: &Context<'_>) -> Time {
    Time::at(context.ambient.now())
}

/// A date as sprig takes it: a time, seconds since 1970, and for anything else the time it is.
fn time_of(context: &Context<'_>, value: &Value) -> Time {
    match value {
        Value::Time(time) => Time::clone(time),
        Value::Int(seconds) | Value::Int64(seconds) => Time::unix(*seconds),
        _ => now(context),
    }
}

fn formatted(context: &Context<'_>, layout: &[u8], date: &Value, zone: &[u8]) -> Value {
    let zone = Zone::named(zone).unwrap_or(Zone::Utc);
    Value::text(format(&time_of(context, date).in_zone(zone), layout))
}

fn in_zone(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    context
        .budget
        .bytes(arguments.text(0).len().saturating_mul(8))?;
    Ok(formatted(
        context,
        arguments.text(0),
        arguments.value(1),
        arguments.text(2),
    ))
}

fn moved(arguments: &Arguments) -> Option<Value> {
    let Value::Time(time) = arguments.value(1) else {
        return None;
    };
    Some(timed(time.plus(parse_duration(arguments.text(0))?)))
}

fn modify(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    Ok(moved(arguments).unwrap_or_else(|| arguments.value(1).clone()))
}

fn must_modify(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    moved(arguments).ok_or(Problem::Execution("the text is no duration"))
}

/// Seconds as a duration; only strings and int64 count.
fn duration(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let seconds = match arguments.value(0) {
        Value::Str(text) => match parse_int(text.bytes(), 10) {
            Ok(seconds) => seconds,
            Err(super::super::number::NumberError::Syntax) => 0,
            Err(_) if text.bytes().starts_with(b"-") => i64::MIN,
            Err(_) => i64::MAX,
        },
        Value::Int64(seconds) => *seconds,
        _ => 0,
    };
    Ok(Value::text(format_duration(
        seconds.wrapping_mul(1_000_000_000),
    )))
}

/// The largest unit that fits, whole.
fn duration_round(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    const SECOND: u64 = 1_000_000_000;
    const UNITS: [(u64, &str); 6] = [
        (31_536_000, "y"),
        (2_592_000, "mo"),
        (86_400, "d"),
        (3_600, "h"),
        (60, "m"),
        (1, "s"),
    ];
    let duration = match arguments.value(0) {
        Value::Str(text) => parse_duration(text.bytes()).unwrap_or(0),
        Value::Int64(nanoseconds) => *nanoseconds,
        Value::Time(time) => now(context).since(time),
        _ => 0,
    };
    let size = duration.unsigned_abs();
    let unit = UNITS.iter().find(|(seconds, _)| size > seconds * SECOND);
    Ok(Value::text(unit.map_or_else(
        || "0s".to_owned(),
        |(seconds, name)| format!("{}{name}", size / (seconds * SECOND)),
    )))
}

/// Half a second rounds away from zero.
fn rounded_to_seconds(nanoseconds: i64) -> i64 {
    const SECOND: i64 = 1_000_000_000;
    let rest = nanoseconds % SECOND;
    let whole = nanoseconds - rest;
    if rest.abs() * 2 >= SECOND {
        whole.saturating_add(rest.signum() * SECOND)
    } else {
        whole
    }
}
