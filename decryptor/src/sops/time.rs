//! Points in time as Go reads and writes them: RFC 3339, and the looser forms of YAML.

/// Rewrites a strict RFC 3339 time: fractions lose trailing zeros, `+00:00` is `Z`. Returns `None` if it is none.
pub(crate) fn canonical(text: &str) -> Option<String> {
    let mut reader = Reader(text);
    let time = reader.strict()?;
    reader.0.is_empty().then(|| time.write(true))
}

/// The same to the second, as the MAC's authenticated data has it.
pub(crate) fn to_the_second(text: &str) -> Option<String> {
    let mut reader = Reader(text);
    let time = reader.strict()?;
    reader.0.is_empty().then(|| time.write(false))
}

/// Reads a plain YAML scalar as go-yaml v3 does. Returns `None` if it is no time there; the error says why SOPS could not
/// hold it.
pub(crate) fn of_yaml(text: &str) -> Result<Option<String>, &'static str> {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[4] != b'-' {
        return Ok(None);
    }
    let mut reader = Reader(text);
    match reader.loose().filter(|_| reader.0.is_empty()) {
        None => Ok(None),
        Some(time) if time.offset.is_some_and(|(_, hours, _)| hours > 23) => {
            Err("a time that is a day or more from UTC: quote it")
        }
        Some(time) => Ok(Some(time.write(true))),
    }
}

struct Time<'t> {
    date: [u32; 3],
    clock: [u32; 3],
    /// Digits behind the point, nine at most.
    fraction: &'t str,
    /// Sign, hours, minutes.
    offset: Option<(char, u32, u32)>,
}

impl Time<'_> {
    fn write(&self, with_fraction: bool) -> String {
        let [year, month, day] = self.date;
        let [hour, minute, second] = self.clock;
        let mut out = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        let fraction = self.fraction.trim_end_matches('0');
        if with_fraction && !fraction.is_empty() {
            out.push('.');
            out.push_str(fraction);
        }
        match self.offset {
            Some((sign, hours, minutes)) if hours + minutes > 0 => {
                out.push_str(&format!("{sign}{hours:02}:{minutes:02}"));
            }
            _ => out.push('Z'),
        }
        out
    }
}

struct Reader<'t>(&'t str);

impl<'t> Reader<'t> {
    fn strict(&mut self) -> Option<Time<'t>> {
        let date = [self.number(4, 4)?, self.after("-", 2)?, self.after("-", 2)?];
        self.skip("T").then_some(())?;
        let clock = [self.number(2, 2)?, self.after(":", 2)?, self.after(":", 2)?];
        let fraction = self.fraction()?;
        let offset = self.zone()?;
        Time {
            date,
            clock,
            fraction,
            offset,
        }
        .checked()
        .filter(|time| {
            time.offset
                .is_none_or(|(_, hours, minutes)| hours <= 23 && minutes <= 59)
        })
    }

    fn loose(&mut self) -> Option<Time<'t>> {
        let year = self.number(4, 4)?;
        self.skip("-").then_some(())?;
        let month = self.number(1, 2)?;
        self.skip("-").then_some(())?;
        let date = [year, month, self.number(1, 2)?];
        let mut time = Time {
            date,
            clock: [0; 3],
            fraction: "",
            offset: None,
        };
        if self.0.is_empty() {
            return time.checked();
        }
        let zoned = self.skip("T") || self.skip("t");
        if !zoned {
            self.skip(" ").then_some(())?;
            self.0 = self.0.trim_start_matches(' ');
        }
        let hour = self.number(1, 2)?;
        self.skip(":").then_some(())?;
        let minute = self.number(1, 2)?;
        self.skip(":").then_some(())?;
        time.clock = [hour, minute, self.number(1, 2)?];
        time.fraction = self.fraction()?;
        if zoned {
            // Go takes up to 24 hours and 60 minutes.
            let offset = self.zone()?;
            offset
                .is_none_or(|(_, hours, minutes)| hours <= 24 && minutes <= 60)
                .then_some(())?;
            time.offset =
                offset.map(|(sign, hours, minutes)| (sign, hours + minutes / 60, minutes % 60));
        }
        time.checked()
    }

    fn skip(&mut self, prefix: &str) -> bool {
        let rest = self.0.strip_prefix(prefix);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn after(&mut self, separator: &str, digits: usize) -> Option<u32> {
        self.skip(separator).then_some(())?;
        self.number(digits, digits)
    }

    fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self
            .0
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        digits.parse().ok()
    }

    /// The digits behind a point or comma; nanoseconds are the finest that Go has.
    fn fraction(&mut self) -> Option<&'t str> {
        let Some(rest) = self.0.strip_prefix(['.', ',']) else {
            return Some("");
        };
        let count = rest.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return None;
        }
        self.0 = &rest[count..];
        Some(&rest[..count.min(9)])
    }

    fn zone(&mut self) -> Option<Option<(char, u32, u32)>> {
        if self.skip("Z") {
            return Some(None);
        }
        let sign = self
            .0
            .chars()
            .next()
            .filter(|sign| matches!(sign, '+' | '-'))?;
        self.0 = &self.0[1..];
        let hours = self.number(2, 2)?;
        let minutes = self.after(":", 2)?;
        Some(Some((sign, hours, minutes)))
    }
}

impl Time<'_> {
    fn checked(self) -> Option<Self> {
        let [year, month, day] = self.date;
        let [hour, minute, second] = self.clock;
        let fits = (1..=12).contains(&month)
            && (1..=days_in(month, year)).contains(&day)
            && hour <= 23
            && minute <= 59
            && second <= 59;
        fits.then_some(self)
    }
}

fn days_in(month: u32, year: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_go_writes_them() {
        let cases = [
            ("2024-01-02", None, Some("2024-01-02T00:00:00Z")),
            ("2024-1-2", None, Some("2024-01-02T00:00:00Z")),
            ("2024-02-30", None, None),
            (
                "2024-01-02T03:04:05.500Z",
                Some("2024-01-02T03:04:05.5Z"),
                Some("2024-01-02T03:04:05.5Z"),
            ),
            (
                "2024-01-02T03:04:05+00:00",
                Some("2024-01-02T03:04:05Z"),
                Some("2024-01-02T03:04:05Z"),
            ),
            (
                "2024-01-02t03:04:05-07:30",
                None,
                Some("2024-01-02T03:04:05-07:30"),
            ),
            ("2024-01-02 03:04:05", None, Some("2024-01-02T03:04:05Z")),
            ("2024-01-02 03:04:05 +02:00", None, None),
            ("2024-01-02T03:04", None, None),
            (
                "2024-01-02T03:04:05+22:60",
                None,
                Some("2024-01-02T03:04:05+23:00"),
            ),
            ("2024-01-02T03:04:05+25:00", None, None),
        ];
        for (text, strict, yaml) in cases {
            assert_eq!(canonical(text).as_deref(), strict, "{text}");
            assert_eq!(of_yaml(text), Ok(yaml.map(str::to_owned)), "{text}");
        }
        let seconds = to_the_second("2024-01-02T03:04:05.9+00:00");
        assert_eq!(seconds.as_deref(), Some("2024-01-02T03:04:05Z"));
    }
}
