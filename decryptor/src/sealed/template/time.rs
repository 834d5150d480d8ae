//! Points in time as Go's `time.Time` has them: seconds, nanoseconds and a zone.

mod duration;
mod layout;
mod parse;

use jiff::{Timestamp, tz::TimeZone, tz::TimeZoneDatabase};

pub(super) use duration::{format_duration, parse_duration};
pub(super) use layout::format;
pub(super) use parse::parse;

/// A point in time, in a zone. The local zone is UTC: nothing of the machine is read.
#[derive(Clone, PartialEq)]
pub(super) struct Time {
    /// Seconds since 1970, UTC.
    pub(super) seconds: i64,
    pub(super) nanoseconds: u32,
    pub(super) zone: Zone,
}

/// How a time is shown.
#[derive(Clone, PartialEq)]
pub(super) enum Zone {
    Utc,
    Fixed { name: String, offset: i64 },
    Named(TimeZone),
}

impl Zone {
    /// The zone that `time.LoadLocation` finds. Returns `None` if there is none of this name.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        if matches!(name, b"" | b"UTC" | b"Local") {
            return Some(Self::Utc);
        }
        let name = str::from_utf8(name).ok()?;
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        (zone.iana_name() == Some(name)).then_some(Self::Named(zone))
    }
}

/// The date and the time of day that a clock in the zone shows.
pub(super) struct Civil {
    pub(super) year: i64,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) year_day: u16,
    /// 0 is Sunday.
    pub(super) weekday: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
}

/// Seconds from 1970 back to the year 1, where Go's zero time lies.
const YEAR_ONE: i64 = -62_135_596_800;

impl Time {
    /// Go's `time.Time{}`.
    pub(super) fn zero() -> Self {
        Self::unix(YEAR_ONE)
    }

    pub(super) fn unix(seconds: i64) -> Self {
        Self {
            seconds,
            nanoseconds: 0,
            zone: Zone::Utc,
        }
    }

    pub(super) fn at(timestamp: Timestamp) -> Self {
        let nanoseconds = timestamp.as_nanosecond();
        let seconds = nanoseconds.div_euclid(1_000_000_000);
        Self {
            seconds: i64::try_from(seconds).unwrap_or(0),
            nanoseconds: u32::try_from(nanoseconds.rem_euclid(1_000_000_000)).unwrap_or(0),
            zone: Zone::Utc,
        }
    }

    pub(super) fn in_zone(&self, zone: Zone) -> Self {
        Self {
            zone,
            ..self.clone()
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.seconds == YEAR_ONE && self.nanoseconds == 0
    }

    /// This time and `nanoseconds` more.
    pub(super) fn plus(&self, nanoseconds: i64) -> Self {
        let sum = i64::from(self.nanoseconds) + nanoseconds.rem_euclid(1_000_000_000);
        Self {
            seconds: self
                .seconds
                .wrapping_add(nanoseconds.div_euclid(1_000_000_000))
                .wrapping_add(sum / 1_000_000_000),
            nanoseconds: u32::try_from(sum % 1_000_000_000).unwrap_or(0),
            zone: self.zone.clone(),
        }
    }

    /// Nanoseconds since `other`, at most what fits.
    pub(super) fn since(&self, other: &Self) -> i64 {
        let seconds = i128::from(self.seconds) - i128::from(other.seconds);
        let exact =
            seconds * 1_000_000_000 + i128::from(self.nanoseconds) - i128::from(other.nanoseconds);
        i64::try_from(exact).unwrap_or(if exact < 0 { i64::MIN } else { i64::MAX })
    }

    /// The zone's abbreviation and its seconds east of UTC at this time.
    pub(super) fn offset(&self) -> (String, i64) {
        match &self.zone {
            Zone::Utc => ("UTC".to_owned(), 0),
            Zone::Fixed { name, offset } => (name.clone(), *offset),
            Zone::Named(zone) => {
                let clamped = self
                    .seconds
                    .clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
                let info = zone.to_offset_info(Timestamp::from_second(clamped).unwrap_or_default());
                (
                    info.abbreviation().to_owned(),
                    i64::from(info.offset().seconds()),
                )
            }
        }
    }

    pub(super) fn civil(&self) -> Civil {
        let local = self.seconds.saturating_add(self.offset().1);
        let (days, second) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let (year, month, day) = date_of(days);
        let small = |value: i64| u8::try_from(value).unwrap_or(0);
        Civil {
            year,
            month,
            day,
            year_day: u16::try_from(days - days_of(year, 1, 1) + 1).unwrap_or(0),
            weekday: small((days + 4).rem_euclid(7)),
            hour: small(second / 3600),
            minute: small(second / 60 % 60),
            second: small(second % 60),
        }
    }
}

/// Days since 1970 of a date in the Gregorian calendar; months and days may be out of range and carry over.
pub(super) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let months = year.saturating_mul(12).saturating_add(month - 1);
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era.wrapping_mul(146_097)
        .wrapping_add(of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// The date of a day since 1970.
fn date_of(days: i64) -> (i64, u8, u8) {
    let days = days.saturating_add(719_468);
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (
        year,
        u8::try_from(month).unwrap_or(1),
        u8::try_from(day).unwrap_or(1),
    )
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// The name of a month from 1.
pub(super) fn month_name(month: u8) -> &'static str {
    MONTHS
        .get(usize::from(month).wrapping_sub(1))
        .copied()
        .unwrap_or("%!Month(0)")
}

/// The name of a day of the week from Sunday, 0.
pub(super) fn weekday_name(weekday: u8) -> &'static str {
    WEEKDAYS
        .get(usize::from(weekday))
        .copied()
        .unwrap_or("%!Weekday(7)")
}
