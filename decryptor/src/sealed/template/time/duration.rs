//! Durations as Go writes and reads them: `1h2m3.5s`.

/// `time.Duration.String`.
pub(in super::super) fn format_duration(nanoseconds: i64) -> String {
    let total = nanoseconds.unsigned_abs();
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let (unit, digits) = match total {
        0 => return "0s".to_owned(),
        1..1_000 => ("ns", 0),
        1_000..1_000_000 => ("µs", 3),
        1_000_000..1_000_000_000 => ("ms", 6),
        _ => ("s", 9),
    };
    let scale = 10_u64.pow(digits);
    let (whole, fraction) = (total / scale, total % scale);
    let fraction = if fraction == 0 {
        String::new()
    } else {
        format!(".{fraction:0width$}", width = digits as usize)
            .trim_end_matches('0')
            .to_owned()
    };
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    match whole {
        0..60 => format!("{sign}{whole}{fraction}{unit}"),
        _ if unit != "s" => format!("{sign}{whole}{fraction}{unit}"),
        60..3600 => format!("{sign}{minutes}m{seconds}{fraction}s"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}{fraction}s"),
    }
}

/// `time.ParseDuration`. Returns `None` if the text is no duration.
pub(in super::super) fn parse_duration(text: &[u8]) -> Option<i64> {
    let (negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if rest == b"0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (part, after) = part(rest)?;
        total = total.checked_add(part).filter(|&total| total <= 1 << 63)?;
        rest = after;
    }
    if negative {
        0_i64.checked_sub_unsigned(total)
    } else {
        i64::try_from(total).ok()
    }
}

/// One number with its unit, in nanoseconds.
fn part(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let before = digits(text);
    let mut whole = 0_u64;
    for byte in &text[..before] {
        whole = whole
            .checked_mul(10)?
            .checked_add(u64::from(byte - b'0'))
            .filter(|&whole| whole <= 1 << 63)?;
    }
    let mut rest = &text[before..];
    let (mut fraction, mut scale, mut after) = (0_u64, 1.0_f64, 0);
    if let [b'.', behind @ ..] = rest {
        after = digits(behind);
        for byte in &behind[..after] {
            // What does not fit any more is too small to count.
            let Some(next) = fraction
                .checked_mul(10)
                .and_then(|value| value.checked_add(u64::from(byte - b'0')))
            else {
                break;
            };
            if next > 1 << 63 || fraction > i64::MAX as u64 / 10 {
                break;
            }
            fraction = next;
            scale *= 10.0;
        }
        rest = &behind[after..];
    }
    if before == 0 && after == 0 {
        return None;
    }
    let length = rest
        .iter()
        .take_while(|byte| **byte != b'.' && !byte.is_ascii_digit())
        .count();
    let unit: u64 = match &rest[..length] {
        b"ns" => 1,
        b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => 1_000,
        b"ms" => 1_000_000,
        b"s" => 1_000_000_000,
        b"m" => 60_000_000_000,
        b"h" => 3_600_000_000_000,
        _ => return None,
    };
    let mut value = whole.checked_mul(unit).filter(|&value| value <= 1 << 63)?;
    if fraction > 0 {
        value = value.checked_add((fraction as f64 * (unit as f64 / scale)) as u64)?;
    }
    (value <= 1 << 63).then_some((value, &rest[length..]))
}
