//! Times read by a Go layout, in UTC unless they say otherwise.

use super::layout::{Offset, Piece, next_piece};
use super::{MONTHS, Time, WEEKDAYS, Zone, days_of};

/// What has been read so far.
#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanoseconds: u32,
    /// `Some(true)` is PM.
    pm: Option<bool>,
    utc: bool,
    offset: Option<i64>,
    zone: String,
}

/// `time.ParseInLocation` with the local zone, which is UTC. Returns `None` if the value does not fit the layout.
pub(in super::super) fn parse(mut layout: &[u8], mut value: &[u8]) -> Option<Time> {
    let mut fields = Fields::default();
    loop {
        let (literal, piece, rest) = next_piece(layout);
        value = skip(value, literal)?;
        let Some(piece) = piece else { break };
        layout = rest;
        value = read(&mut fields, piece, value, layout)?;
    }
    if value.is_empty() {
        fields.time()
    } else {
        None
    }
}

/// Reads one piece; gives what is left of the value.
fn read<'v>(fields: &mut Fields, piece: Piece, value: &'v [u8], layout: &[u8]) -> Option<&'v [u8]> {
    let within = |(number, rest): (i64, &'v [u8]), range: std::ops::RangeInclusive<i64>| {
        range.contains(&number).then_some((number, rest))
    };
    let rest;
    match piece {
        Piece::Year => {
            let (year, after) = exactly(value, 2)?;
            fields.year = year + if year >= 69 { 1900 } else { 2000 };
            rest = after;
        }
        Piece::LongYear => (fields.year, rest) = exactly(value, 4)?,
        Piece::Month | Piece::LongMonth => {
            let (index, after) = name(
                &MONTHS,
                if piece == Piece::Month { 3 } else { usize::MAX },
                value,
            )?;
            fields.month = Some(index + 1);
            rest = after;
        }
        Piece::NumberMonth | Piece::ZeroMonth => {
            let (month, after) = within(number(value, piece == Piece::ZeroMonth)?, 1..=12)?;
            fields.month = Some(month);
            rest = after;
        }
        Piece::Weekday => (_, rest) = name(&WEEKDAYS, 3, value)?,
        Piece::LongWeekday => (_, rest) = name(&WEEKDAYS, usize::MAX, value)?,
        Piece::Day | Piece::SpaceDay | Piece::ZeroDay => {
            let value = if piece == Piece::SpaceDay {
                value.strip_prefix(b" ").unwrap_or(value)
            } else {
                value
            };
            let (day, after) = number(value, piece == Piece::ZeroDay)?;
            fields.day = Some(day);
            rest = after;
        }
        Piece::SpaceYearDay | Piece::ZeroYearDay => {
            let mut value = value;
            if piece == Piece::SpaceYearDay {
                value = value.strip_prefix(b" ").unwrap_or(value);
                value = value.strip_prefix(b" ").unwrap_or(value);
            }
            let count = value
                .iter()
                .take(3)
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if count == 0 || piece == Piece::ZeroYearDay && count != 3 {
                return None;
            }
            let (day, after) = exactly(value, count)?;
            fields.year_day = Some(day);
            rest = after;
        }
        Piece::Hour => (fields.hour, rest) = within(number(value, false)?, 0..=23)?,
        Piece::Hour12 | Piece::ZeroHour12 => {
            (fields.hour, rest) = within(number(value, piece == Piece::ZeroHour12)?, 0..=12)?;
        }
        Piece::Minute | Piece::ZeroMinute => {
            (fields.minute, rest) = within(number(value, piece == Piece::ZeroMinute)?, 0..=59)?;
        }
        Piece::Second | Piece::ZeroSecond => {
            let (second, after) = within(number(value, piece == Piece::ZeroSecond)?, 0..=59)?;
            fields.second = second;
            let fraction_follows = matches!(next_piece(layout).1, Some(Piece::Fraction { .. }));
            rest = if fraction_follows {
                after
            } else {
                fraction(fields, after)
            };
        }
        Piece::UpperPm | Piece::LowerPm => {
            let (text, after) = value.split_at_checked(2)?;
            fields.pm = match (piece, text) {
                (Piece::UpperPm, b"PM") | (Piece::LowerPm, b"pm") => Some(true),
                (Piece::UpperPm, b"AM") | (Piece::LowerPm, b"am") => Some(fields.pm == Some(true)),
                _ => return None,
            };
            rest = after;
        }
        Piece::Offset(Offset { z: true, .. }) if value.first() == Some(&b'Z') => {
            fields.utc = true;
            rest = &value[1..];
        }
        Piece::Offset(how) => {
            let (offset, after) = offset(how, value)?;
            fields.offset = Some(offset);
            rest = after;
        }
        Piece::ZoneName if value.starts_with(b"UTC") => {
            fields.utc = true;
            rest = &value[3..];
        }
        Piece::ZoneName => {
            let (zone, after) = value.split_at(zone_length(value)?);
            fields.zone = str::from_utf8(zone).ok()?.to_owned();
            rest = after;
        }
        Piece::Fraction {
            digits,
            trims: false,
            ..
        } => {
            let (text, after) = value.split_at_checked(1 + (digits & 0xfff))?;
            fields.nanoseconds = nanoseconds(text)?;
            rest = after;
        }
        Piece::Fraction { .. } => rest = fraction(fields, value),
    }
    Some(rest)
}

impl Fields {
    fn time(self) -> Option<Time> {
        let hour = match self.pm {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let (month, day) = match self.year_day {
            Some(year_day) => self.date_of_year_day(year_day)?,
            None => (self.month.unwrap_or(1), self.day.unwrap_or(1)),
        };
        let in_month = days_of(self.year, month + 1, 1) - days_of(self.year, month, 1);
        if !(1..=in_month).contains(&day) {
            return None;
        }
        let mut seconds =
            days_of(self.year, month, day) * 86_400 + hour * 3600 + self.minute * 60 + self.second;
        let mut zone = Zone::Utc;
        if !self.utc {
            if let Some(offset) = self.offset {
                seconds -= offset;
                // An offset that the local zone has, with no other name for it, is the local zone.
                if offset != 0 || !matches!(self.zone.as_str(), "" | "UTC") {
                    zone = Zone::Fixed {
                        name: self.zone,
                        offset,
                    };
                }
            } else if !self.zone.is_empty() {
                let hours = self
                    .zone
                    .strip_prefix("GMT")
                    .and_then(|hours| hours.parse::<i64>().ok())
                    .unwrap_or(0);
                zone = Zone::Fixed {
                    name: self.zone,
                    offset: hours * 3600,
                };
            }
        }
        Some(Time {
            seconds,
            nanoseconds: self.nanoseconds,
            zone,
        })
    }

    fn date_of_year_day(&self, year_day: i64) -> Option<(i64, i64)> {
        let first = days_of(self.year, 1, 1);
        if year_day < 1 || year_day > days_of(self.year + 1, 1, 1) - first {
            return None;
        }
        let month = (1..=12)
            .rev()
            .find(|&month| days_of(self.year, month, 1) - first < year_day)?;
        let day = year_day - (days_of(self.year, month, 1) - first);
        let agrees =
            self.month.is_none_or(|seen| seen == month) && self.day.is_none_or(|seen| seen == day);
        agrees.then_some((month, day))
    }
}

/// Passes literal text; a run of spaces in it stands for any number of them.
fn skip<'v>(mut value: &'v [u8], mut literal: &[u8]) -> Option<&'v [u8]> {
    while let [first, rest @ ..] = literal {
        if *first == b' ' {
            if value.first().is_some_and(|&byte| byte != b' ') {
                return None;
            }
            literal = trim_spaces(literal);
            value = trim_spaces(value);
            continue;
        }
        value = value.strip_prefix(&[*first])?;
        literal = rest;
    }
    Some(value)
}

fn trim_spaces(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|&&byte| byte == b' ').count()..]
}

/// One or two digits, two if `fixed`.
fn number(value: &[u8], fixed: bool) -> Option<(i64, &[u8])> {
    match value {
        [b'0'..=b'9', b'0'..=b'9', ..] => exactly(value, 2),
        [b'0'..=b'9', ..] if !fixed => exactly(value, 1),
        _ => None,
    }
}

fn exactly(value: &[u8], digits: usize) -> Option<(i64, &[u8])> {
    let (text, rest) = value.split_at_checked(digits)?;
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((
        text.iter()
            .fold(0, |number, digit| number * 10 + i64::from(digit - b'0')),
        rest,
    ))
}

/// One of `names`, cut to `length`, in any case.
fn name<'v>(names: &[&str], length: usize, value: &'v [u8]) -> Option<(i64, &'v [u8])> {
    for (index, name) in (0..).zip(names) {
        let name = &name[..length.min(name.len())];
        if let Some((text, rest)) = value.split_at_checked(name.len())
            && text.eq_ignore_ascii_case(name.as_bytes())
        {
            return Some((index, rest));
        }
    }
    None
}

/// A fraction of a second, if one follows.
fn fraction<'v>(fields: &mut Fields, value: &'v [u8]) -> &'v [u8] {
    let [b'.' | b',', b'0'..=b'9', ..] = value else {
        return value;
    };
    let digits = value[1..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    fields.nanoseconds = nanoseconds(&value[..=digits]).unwrap_or(0);
    &value[1 + digits..]
}

/// A separator and digits, of which the first nine count.
fn nanoseconds(text: &[u8]) -> Option<u32> {
    let [b'.' | b',', digits @ ..] = text else {
        return None;
    };
    let digits = &digits[..digits.len().min(9)];
    let (value, _) = exactly(digits, digits.len())?;
    u32::try_from(value * 10_i64.pow(9 - u32::try_from(digits.len()).ok()?)).ok()
}

fn offset(how: Offset, value: &[u8]) -> Option<(i64, &[u8])> {
    let sign = match value.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, mut rest) = exactly(&value[1..], 2)?;
    let mut part = |wanted: bool| -> Option<i64> {
        if !wanted {
            return Some(0);
        }
        let digits = if how.colon {
            rest.strip_prefix(b":")?
        } else {
            rest
        };
        let (number, after) = exactly(digits, 2)?;
        rest = after;
        Some(number)
    };
    let (minutes, seconds) = (part(how.minutes)?, part(how.seconds)?);
    if hours > 24 || minutes > 60 || seconds > 60 {
        return None;
    }
    Some((sign * ((hours * 60 + minutes) * 60 + seconds), rest))
}

/// How much of the value is the abbreviation of a zone.
fn zone_length(value: &[u8]) -> Option<usize> {
    if value.len() < 3 {
        return None;
    }
    if value.starts_with(b"ChST") || value.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = value.strip_prefix(b"GMT") {
        return Some(3 + signed_hours(rest));
    }
    if matches!(value[0], b'+' | b'-') {
        return Some(signed_hours(value)).filter(|&length| length > 0);
    }
    match value
        .iter()
        .take(6)
        .take_while(|byte| byte.is_ascii_uppercase())
        .count()
    {
        3 => Some(3),
        4 if value[3] == b'T' || value.starts_with(b"WITA") => Some(4),
        5 if value[4] == b'T' => Some(5),
        _ => None,
    }
}

/// The length of a sign and hours up to 23, or 0.
fn signed_hours(value: &[u8]) -> usize {
    let [b'+' | b'-', digits @ ..] = value else {
        return 0;
    };
    let count = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let hours = digits[..count].iter().fold(0_u32, |hours, digit| {
        hours
            .saturating_mul(10)
            .saturating_add(u32::from(digit - b'0'))
    });
    if count == 0 || hours > 23 {
        0
    } else {
        1 + count
    }
}
