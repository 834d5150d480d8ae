//! The methods of values that have some: times, durations, months, weekdays, versions.

use std::rc::Rc;

use super::super::error::Problem;
use super::super::signature::{Arguments, Context, Type};
use super::super::time::{Time, Zone, days_of, format, format_duration, month_name, weekday_name};
use super::super::value::Value;
use super::Outcome;
use super::semver::Version;

/// A method, called with its receiver as the first argument.
pub(in super::super) struct Method {
    /// The receiver's type.
    pub(in super::super) on: &'static str,
    pub(in super::super) name: &'static str,
    /// What it takes besides the receiver.
    pub(in super::super) parameters: &'static [Type],
    pub(in super::super) call: fn(&mut Context<'_>, &Arguments) -> Outcome,
}

const TIME: &str = "time.Time";
const DURATION: &str = "time.Duration";
const VERSION: &str = "*semver.Version";

macro_rules! method {
    ($on:expr, $name:literal, [$($parameter:ident),*], $call:expr) => {
        Method { on: $on, name: $name, parameters: &[$(Type::$parameter),*], call: $call }
    };
}

/// All methods that a template may call.
pub(in super::super) const METHODS: &[Method] = &[
    method!(TIME, "Add", [Duration], |_, arguments| {
        let Value::Duration(by) = arguments.value(1) else {
            return Err(NO_TIME);
        };
        Ok(timed(time(arguments)?.plus(*by)))
    }),
    method!(TIME, "AddDate", [Int, Int, Int], add_date),
    method!(TIME, "After", [Time], |_, arguments| Ok(Value::Bool(
        instant(arguments, 0)? > instant(arguments, 1)?
    ))),
    method!(TIME, "Before", [Time], |_, arguments| Ok(Value::Bool(
        instant(arguments, 0)? < instant(arguments, 1)?
    ))),
    method!(TIME, "Compare", [Time], |_, arguments| {
        Ok(Value::Int(
            instant(arguments, 0)?.cmp(&instant(arguments, 1)?) as i64,
        ))
    }),
    method!(TIME, "Day", [], |_, arguments| Ok(Value::Int(i64::from(
        time(arguments)?.civil().day
    )))),
    method!(TIME, "Equal", [Time], |_, arguments| Ok(Value::Bool(
        instant(arguments, 0)? == instant(arguments, 1)?
    ))),
    method!(TIME, "Format", [String], |context, arguments| {
        context
            .budget
            .bytes(arguments.text(1).len().saturating_mul(8))?;
        Ok(Value::text(format(time(arguments)?, arguments.text(1))))
    }),
    method!(TIME, "Hour", [], |_, arguments| Ok(Value::Int(i64::from(
        time(arguments)?.civil().hour
    )))),
    method!(TIME, "IsZero", [], |_, arguments| Ok(Value::Bool(
        time(arguments)?.is_zero()
    ))),
    method!(TIME, "Local", [], |_, arguments| Ok(timed(
        time(arguments)?.in_zone(Zone::Utc)
    ))),
    method!(TIME, "Minute", [], |_, arguments| Ok(Value::Int(
        i64::from(time(arguments)?.civil().minute)
    ))),
    method!(TIME, "Month", [], |_, arguments| Ok(Value::Month(
        time(arguments)?.civil().month
    ))),
    method!(TIME, "Nanosecond", [], |_, arguments| Ok(Value::Int(
        i64::from(time(arguments)?.nanoseconds)
    ))),
    method!(TIME, "Second", [], |_, arguments| Ok(Value::Int(
        i64::from(time(arguments)?.civil().second)
    ))),
    method!(TIME, "String", [], |_, arguments| Ok(Value::text(format(
        time(arguments)?,
        STRING
    )))),
    method!(TIME, "Sub", [Time], |_, arguments| {
        let Value::Time(other) = arguments.value(1) else {
            return Err(NO_TIME);
        };
        Ok(Value::Duration(time(arguments)?.since(other)))
    }),
    method!(TIME, "UTC", [], |_, arguments| Ok(timed(
        time(arguments)?.in_zone(Zone::Utc)
    ))),
    method!(TIME, "Unix", [], |_, arguments| Ok(Value::Int64(
        time(arguments)?.seconds
    ))),
    method!(TIME, "UnixMicro", [], |_, arguments| Ok(Value::Int64(
        scaled(time(arguments)?, 1_000_000)
    ))),
    method!(TIME, "UnixMilli", [], |_, arguments| Ok(Value::Int64(
        scaled(time(arguments)?, 1_000)
    ))),
    method!(TIME, "UnixNano", [], |_, arguments| Ok(Value::Int64(
        scaled(time(arguments)?, 1_000_000_000)
    ))),
    method!(TIME, "Weekday", [], |_, arguments| Ok(Value::Weekday(
        time(arguments)?.civil().weekday
    ))),
    method!(TIME, "Year", [], |_, arguments| Ok(Value::Int(
        time(arguments)?.civil().year
    ))),
    method!(TIME, "YearDay", [], |_, arguments| Ok(Value::Int(
        i64::from(time(arguments)?.civil().year_day)
    ))),
    method!(DURATION, "Hours", [], |_, arguments| Ok(Value::Float(
        in_units(arguments, 3_600_000_000_000)
    ))),
    method!(DURATION, "Microseconds", [], |_, arguments| Ok(
        Value::Int64(nanoseconds(arguments) / 1_000)
    )),
    method!(DURATION, "Milliseconds", [], |_, arguments| Ok(
        Value::Int64(nanoseconds(arguments) / 1_000_000)
    )),
    method!(DURATION, "Minutes", [], |_, arguments| Ok(Value::Float(
        in_units(arguments, 60_000_000_000)
    ))),
    method!(DURATION, "Nanoseconds", [], |_, arguments| Ok(
        Value::Int64(nanoseconds(arguments))
    )),
    method!(DURATION, "Seconds", [], |_, arguments| Ok(Value::Float(
        in_units(arguments, 1_000_000_000)
    ))),
    method!(DURATION, "String", [], |_, arguments| Ok(Value::text(
        format_duration(nanoseconds(arguments))
    ))),
    method!("time.Month", "String", [], |_, arguments| {
        let Value::Month(month) = arguments.value(0) else {
            return Err(NO_TIME);
        };
        Ok(Value::text(month_name(*month)))
    }),
    method!("time.Weekday", "String", [], |_, arguments| {
        let Value::Weekday(weekday) = arguments.value(0) else {
            return Err(NO_TIME);
        };
        Ok(Value::text(weekday_name(*weekday)))
    }),
    method!(VERSION, "Major", [], |_, arguments| Ok(Value::Uint64(
        version(arguments)?.major
    ))),
    method!(VERSION, "Metadata", [], |_, arguments| Ok(Value::text(
        version(arguments)?.metadata.as_str()
    ))),
    method!(VERSION, "Minor", [], |_, arguments| Ok(Value::Uint64(
        version(arguments)?.minor
    ))),
    method!(VERSION, "Original", [], |_, arguments| Ok(Value::text(
        version(arguments)?.original.as_str()
    ))),
    method!(VERSION, "Patch", [], |_, arguments| Ok(Value::Uint64(
        version(arguments)?.patch
    ))),
    method!(VERSION, "Prerelease", [], |_, arguments| Ok(Value::text(
        version(arguments)?.pre.as_str()
    ))),
    method!(VERSION, "String", [], |_, arguments| Ok(Value::text(
        version(arguments)?.text()
    ))),
];

const NO_TIME: Problem = Problem::Execution("not a time");
const STRING: &[u8] = b"2006-01-02 15:04:05.999999999 -0700 MST";

fn timed(time: Time) -> Value {
    Value::Time(Rc::new(time))
}

fn time(arguments: &Arguments) -> Result<&Time, Problem> {
    if let Value::Time(time) = arguments.value(0) {
        Ok(time)
    } else {
        Err(NO_TIME)
    }
}

fn instant(arguments: &Arguments, at: usize) -> Result<(i64, u32), Problem> {
    if let Value::Time(time) = arguments.value(at) {
        Ok((time.seconds, time.nanoseconds))
    } else {
        Err(NO_TIME)
    }
}

fn version(arguments: &Arguments) -> Result<&Version, Problem> {
    if let Value::Version(version) = arguments.value(0) {
        Ok(version)
    } else {
        Err(Problem::Execution("not a version"))
    }
}

fn nanoseconds(arguments: &Arguments) -> i64 {
    if let Value::Duration(nanoseconds) = arguments.value(0) {
        *nanoseconds
    } else {
        0
    }
}

fn in_units(arguments: &Arguments, unit: i64) -> f64 {
    let nanoseconds = nanoseconds(arguments);
    (nanoseconds / unit) as f64 + (nanoseconds % unit) as f64 / unit as f64
}

/// Units of which a second has `scale`, since 1970; what does not fit wraps, as in Go.
fn scaled(time: &Time, scale: i64) -> i64 {
    time.seconds
        .wrapping_mul(scale)
        .wrapping_add(i64::from(time.nanoseconds) / (1_000_000_000 / scale))
}

fn add_date(_: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let time = time(arguments)?;
    let (civil, offset) = (time.civil(), time.offset().1);
    let in_range = |at: usize| {
        let count = arguments.int(at);
        if count.abs() < 1_000_000_000 {
            Ok(count)
        } else {
            Err(Problem::Execution("out of range"))
        }
    };
    let (years, months, days) = (in_range(1)?, in_range(2)?, in_range(3)?);
    let day = days_of(
        civil.year + years,
        i64::from(civil.month) + months,
        i64::from(civil.day) + days,
    );
    let second =
        i64::from(civil.hour) * 3600 + i64::from(civil.minute) * 60 + i64::from(civil.second);
    let moved = Time {
        seconds: day * 86_400 + second - offset,
        ..time.clone()
    };
    // The zone may have another offset at the new date.
    let shift = offset - moved.offset().1;
    Ok(timed(Time {
        seconds: moved.seconds + shift,
        ..moved
    }))
}
