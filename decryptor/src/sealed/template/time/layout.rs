//! Go's date layouts: pieces of `Mon Jan 2 15:04:05 MST 2006`, and times written by them.

use super::{Time, month_name, weekday_name};

/// A piece of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    LongMonth,
    Month,
    NumberMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    SpaceDay,
    ZeroDay,
    SpaceYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    Offset(Offset),
    /// `.000` or `.999`: separator, digits, and whether trailing zeros are left out.
    Fraction {
        separator: u8,
        digits: usize,
        trims: bool,
    },
}

/// A numeric zone offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offset {
    /// `Z` stands for UTC.
    pub(super) z: bool,
    pub(super) colon: bool,
    pub(super) minutes: bool,
    pub(super) seconds: bool,
}

/// The text before the first piece, the piece, and the rest. Returns no piece if there is none.
pub(super) fn next_piece(layout: &[u8]) -> (&[u8], Option<Piece>, &[u8]) {
    for at in 0..layout.len() {
        if let Some((piece, skipped, length)) = piece_at(&layout[at..]) {
            return (&layout[..at + skipped], Some(piece), &layout[at + length..]);
        }
    }
    (layout, None, b"")
}

/// The piece that `text` begins with, how much of it is literal, and its length with that.
fn piece_at(text: &[u8]) -> Option<(Piece, usize, usize)> {
    let lower_follows = |at: usize| text.get(at).is_some_and(u8::is_ascii_lowercase);
    let found = |piece, length| Some((piece, 0, length));
    match text {
        [b'J', b'a', b'n', ..] if text.starts_with(b"January") => found(Piece::LongMonth, 7),
        [b'J', b'a', b'n', ..] if !lower_follows(3) => found(Piece::Month, 3),
        [b'M', b'o', b'n', ..] if text.starts_with(b"Monday") => found(Piece::LongWeekday, 6),
        [b'M', b'o', b'n', ..] if !lower_follows(3) => found(Piece::Weekday, 3),
        [b'M', b'S', b'T', ..] => found(Piece::ZoneName, 3),
        [b'0', b'1', ..] => found(Piece::ZeroMonth, 2),
        [b'0', b'2', ..] => found(Piece::ZeroDay, 2),
        [b'0', b'3', ..] => found(Piece::ZeroHour12, 2),
        [b'0', b'4', ..] => found(Piece::ZeroMinute, 2),
        [b'0', b'5', ..] => found(Piece::ZeroSecond, 2),
        [b'0', b'6', ..] => found(Piece::Year, 2),
        [b'0', b'0', b'2', ..] => found(Piece::ZeroYearDay, 3),
        [b'1', b'5', ..] => found(Piece::Hour, 2),
        [b'1', ..] => found(Piece::NumberMonth, 1),
        [b'2', b'0', b'0', b'6', ..] => found(Piece::LongYear, 4),
        [b'2', ..] => found(Piece::Day, 1),
        [b'_', b'2', b'0', b'0', b'6', ..] => Some((Piece::LongYear, 1, 5)),
        [b'_', b'2', ..] => found(Piece::SpaceDay, 2),
        [b'_', b'_', b'2', ..] => found(Piece::SpaceYearDay, 3),
        [b'3', ..] => found(Piece::Hour12, 1),
        [b'4', ..] => found(Piece::Minute, 1),
        [b'5', ..] => found(Piece::Second, 1),
        [b'P', b'M', ..] => found(Piece::UpperPm, 2),
        [b'p', b'm', ..] => found(Piece::LowerPm, 2),
        [sign @ (b'-' | b'Z'), b'0', b'7', ..] => {
            let z = *sign == b'Z';
            let (length, colon, minutes, seconds) = match &text[3..] {
                rest if rest.starts_with(b"0000") => (7, false, true, true),
                rest if rest.starts_with(b":00:00") => (9, true, true, true),
                rest if rest.starts_with(b"00") => (5, false, true, false),
                rest if rest.starts_with(b":00") => (6, true, true, false),
                _ => (3, false, false, false),
            };
            found(
                Piece::Offset(Offset {
                    z,
                    colon,
                    minutes,
                    seconds,
                }),
                length,
            )
        }
        [separator @ (b'.' | b','), digit @ (b'0' | b'9'), ..] => {
            let digits = text[1..].iter().take_while(|byte| *byte == digit).count();
            let ends = !text.get(1 + digits).is_some_and(u8::is_ascii_digit);
            let fraction = Piece::Fraction {
                separator: *separator,
                digits,
                trims: *digit == b'9',
            };
            if ends {
                found(fraction, 1 + digits)
            } else {
                None
            }
        }
        _ => None,
    }
}

/// `Time.Format`.
pub(in super::super) fn format(time: &Time, mut layout: &[u8]) -> Vec<u8> {
    let civil = time.civil();
    let (name, offset) = time.offset();
    let mut out = Vec::with_capacity(layout.len() + 16);
    loop {
        let (literal, piece, rest) = next_piece(layout);
        out.extend_from_slice(literal);
        let Some(piece) = piece else { return out };
        layout = rest;
        let hour12 = if civil.hour.is_multiple_of(12) {
            12
        } else {
            civil.hour % 12
        };
        let text = match piece {
            Piece::LongMonth => month_name(civil.month).to_owned(),
            Piece::Month => month_name(civil.month)[..3].to_owned(),
            Piece::NumberMonth => civil.month.to_string(),
            Piece::ZeroMonth => format!("{:02}", civil.month),
            Piece::LongWeekday => weekday_name(civil.weekday).to_owned(),
            Piece::Weekday => weekday_name(civil.weekday)[..3].to_owned(),
            Piece::Day => civil.day.to_string(),
            Piece::SpaceDay => format!("{:2}", civil.day),
            Piece::ZeroDay => format!("{:02}", civil.day),
            Piece::SpaceYearDay => format!("{:3}", civil.year_day),
            Piece::ZeroYearDay => format!("{:03}", civil.year_day),
            Piece::Hour => format!("{:02}", civil.hour),
            Piece::Hour12 => hour12.to_string(),
            Piece::ZeroHour12 => format!("{hour12:02}"),
            Piece::Minute => civil.minute.to_string(),
            Piece::ZeroMinute => format!("{:02}", civil.minute),
            Piece::Second => civil.second.to_string(),
            Piece::ZeroSecond => format!("{:02}", civil.second),
            Piece::LongYear if civil.year < 0 => format!("-{:04}", -civil.year),
            Piece::LongYear => format!("{:04}", civil.year),
            Piece::Year => format!("{:02}", civil.year.abs() % 100),
            Piece::UpperPm => if civil.hour >= 12 { "PM" } else { "AM" }.to_owned(),
            Piece::LowerPm => if civil.hour >= 12 { "pm" } else { "am" }.to_owned(),
            Piece::ZoneName if name.is_empty() => offset_text(
                offset,
                Offset {
                    z: false,
                    colon: false,
                    minutes: true,
                    seconds: false,
                },
            ),
            Piece::ZoneName => name.clone(),
            Piece::Offset(how) => offset_text(offset, how),
            Piece::Fraction {
                separator,
                digits,
                trims,
            } => fraction(time.nanoseconds, separator, digits, trims),
        };
        out.extend_from_slice(text.as_bytes());
    }
}

fn offset_text(offset: i64, how: Offset) -> String {
    if how.z && offset == 0 {
        return "Z".to_owned();
    }
    let (minutes, total) = ((offset / 60).abs(), offset.abs());
    let colon = if how.colon { ":" } else { "" };
    let mut text = format!(
        "{}{:02}",
        if offset / 60 < 0 { '-' } else { '+' },
        minutes / 60
    );
    if how.minutes {
        text += &format!("{colon}{:02}", minutes % 60);
    }
    if how.seconds {
        text += &format!("{colon}{:02}", total % 60);
    }
    text
}

fn fraction(nanoseconds: u32, separator: u8, digits: usize, trims: bool) -> String {
    let mut text = format!("{nanoseconds:09}");
    text.truncate(digits & 0xfff);
    if trims {
        text.truncate(text.trim_end_matches('0').len());
        if text.is_empty() {
            return text;
        }
    }
    format!("{}{text}", char::from(separator))
}
