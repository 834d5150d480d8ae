//! Single values as Go reads them: switches, numbers, durations, times.

use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use tracing::Level;

use super::{CutoffTime, Pairs};

/// A switch, as Go's `strconv.ParseBool` reads it.
pub(super) fn go_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("it is true or false".to_owned()),
    }
}

/// A whole number, as Go's `strconv.ParseInt` with base 0 reads it; without underscores.
pub(super) fn go_int(text: &str) -> Result<i64, String> {
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) if text.starts_with('-') => (-1, digits),
        Some(digits) => (1, digits),
        None => (1, text),
    };
    let lower = digits.to_ascii_lowercase();
    let number = [("0x", 16), ("0o", 8), ("0b", 2)]
        .iter()
        .find_map(|(prefix, base)| Some((lower.strip_prefix(prefix)?, *base)))
        .map_or_else(
            || u32::from_str(&lower),
            |(digits, base)| u32::from_str_radix(digits, base),
        );
    number
        .map(|number| sign * i64::from(number))
        .map_err(|error| error.to_string())
}

pub(super) fn go_float(text: &str) -> Result<f32, String> {
    let number = f32::from_str(text).map_err(|error| error.to_string())?;
    if number.is_finite() {
        Ok(number)
    } else {
        Err("it is a number".to_owned())
    }
}

pub(super) fn rate(text: &str) -> Result<u32, String> {
    match u32::try_from(go_int(text)?) {
        Ok(rate @ 1..) => Ok(rate),
        _ => Err("it is 1 or more".to_owned()),
    }
}

pub(super) fn burst(text: &str) -> Result<u32, String> {
    u32::try_from(go_int(text)?).map_err(|_| "it is 0 or more".to_owned())
}

pub(super) fn size(text: &str) -> Result<usize, String> {
    usize::try_from(go_int(text)?).map_err(|_| "it is 0 or more".to_owned())
}

/// A duration as Go's `time.ParseDuration` reads it: `87600h30m`, `1.5s`, `0`. Returns its nanoseconds.
pub(super) fn go_duration(text: &str) -> Result<i64, String> {
    let unclear = || "it is a duration like 720h, 2m30s or 0".to_owned();
    let (negative, mut rest) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(unclear());
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(unclear)?;
        let (number, tail) = rest.split_at(end);
        let end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let part = nanoseconds(number, unit).ok_or_else(unclear)?;
        total = total
            .checked_add(part)
            .ok_or_else(|| "the duration is too long".to_owned())?;
        rest = tail;
    }
    Ok(if negative { -total } else { total })
}

fn nanoseconds(number: &str, unit: &str) -> Option<i64> {
    let unit: i64 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: i64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut nanoseconds = whole.checked_mul(unit)?;
    let mut place = unit as f64;
    for digit in fraction.chars() {
        place /= 10.0;
        nanoseconds = nanoseconds.checked_add((f64::from(digit.to_digit(10)?) * place) as i64)?;
    }
    Some(nanoseconds)
}

pub(super) fn unsigned_duration(text: &str) -> Result<Duration, String> {
    let nanoseconds = go_duration(text)?;
    u64::try_from(nanoseconds)
        .map(Duration::from_nanos)
        .map_err(|_| "the duration is negative".to_owned())
}

pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    let duration = unsigned_duration(text)?;
    if duration.is_zero() {
        return Err("the duration is more than 0".to_owned());
    }
    Ok(duration)
}

/// A time as Go's `time.RFC1123Z` has it, `Mon, 02 Jan 2006 15:04:05 -0700`; empty for none.
pub(super) fn cutoff_time(text: &str) -> Result<CutoffTime, String> {
    if text.is_empty() {
        return Ok(CutoffTime(None));
    }
    let unclear = |_| "it is a time like \"Mon, 02 Jan 2006 15:04:05 -0700\" (date -R)".to_owned();
    let time = rfc2822::parse(text).map_err(unclear)?;
    Ok(CutoffTime(Some(Timestamp::from(&time))))
}

pub(super) fn log_level(text: &str) -> Result<Level, String> {
    match text.to_ascii_uppercase().as_str() {
        "DEBUG" => Ok(Level::DEBUG),
        "INFO" => Ok(Level::INFO),
        "WARN" => Ok(Level::WARN),
        "ERROR" => Ok(Level::ERROR),
        _ => Err("it is DEBUG, INFO, WARN or ERROR".to_owned()),
    }
}

/// `key=value,key=value`; what follows a second `=` in an entry is dropped, as the original does.
pub(super) fn pairs(text: &str) -> Result<Pairs, String> {
    let entries = text.split(',').filter(|_| !text.is_empty());
    let pair = |entry: &str| {
        let mut parts = entry.split('=');
        match (parts.next(), parts.next()) {
            (Some(key), Some(value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
            _ => Err(format!("{entry:?} is not key=value")),
        }
    };
    entries.map(pair).collect::<Result<_, _>>().map(Pairs)
}

/// What Kubernetes takes at the beginning of a name, with room for what is appended.
pub(super) fn key_prefix(text: &str) -> Result<String, String> {
    const MAX: usize = 245;
    if text.is_empty() || text.len() > MAX {
        return Err(format!("it has 1 to {MAX} characters"));
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match text.chars().find(|c| !allowed(*c)) {
        Some(bad) => Err(format!("{bad:?} is none of a-z, 0-9 and -")),
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        const HOUR: i64 = 3_600_000_000_000;
        for (text, expected) in [
            ("720h", Some(720 * HOUR)),
            ("87600h30m", Some(87_600 * HOUR + HOUR / 2)),
            ("2m0s", Some(HOUR / 30)),
            ("0", Some(0)),
            ("+0", Some(0)),
            ("0s", Some(0)),
            ("1.5s", Some(1_500_000_000)),
            (".5s", Some(500_000_000)),
            ("-1h", Some(-HOUR)),
            ("1h1h", Some(2 * HOUR)),
            ("3µs", Some(3_000)),
            ("2562047h", Some(2_562_047 * HOUR)),
            ("2562048h", None),
            ("", None),
            ("-", None),
            ("3", None),
            ("h", None),
            (".s", None),
            ("1d", None),
            ("1 h", None),
            ("1.2.3s", None),
        ] {
            assert_eq!(go_duration(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn times_are_those_of_date_r() {
        let time = |text| cutoff_time(text).map(|time| time.0.map(Timestamp::as_second));
        assert_eq!(time(""), Ok(None));
        assert_eq!(time("Thu, 01 Jan 1970 02:00:10 +0200"), Ok(Some(10)));
        for text in ["1970-01-01T00:00:00Z", "now", "Thu, 01 Jan 1970 00:00:00"] {
            assert!(time(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn pairs_are_split_and_entries_without_a_value_refused() {
        let split = |text| pairs(text).map(|pairs| pairs.0);
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(split(""), Ok(vec![]));
        assert_eq!(split("a=b,c="), Ok(vec![pair("a", "b"), pair("c", "")]));
        assert_eq!(split("a=b=c"), Ok(vec![pair("a", "b")]));
        for text in ["a", "a=b,", "=b", "a=b,c"] {
            assert!(split(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn numbers_and_prefixes_have_their_bounds() {
        for (text, expected) in [
            ("5", Some(5)),
            ("-5", Some(-5)),
            ("0x10", Some(16)),
            ("1e3", None),
            ("1k", None),
            ("", None),
        ] {
            assert_eq!(go_int(text).ok(), expected, "{text:?}");
        }
        assert!(rate("0").is_err() && rate("1").is_ok());
        assert!(key_prefix("sealed-secrets-key").is_ok());
        for bad in ["", "Key", "a.b", &"a".repeat(246)] {
            assert!(key_prefix(bad).is_err(), "{bad:?}");
        }
    }
}
