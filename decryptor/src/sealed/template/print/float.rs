//! Floats as `strconv.FormatFloat` writes them.

/// Beyond so many digits a float64 has only zeros.
const EXACT: usize = 1100;

/// Writes `value` by `verb`, shortest if no precision is given.
pub(in super::super) fn format_float(value: f64, verb: char, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let magnitude = value.abs();
    let text = match verb {
        'b' => binary(magnitude),
        'x' | 'X' => hexadecimal(magnitude, precision, verb == 'X'),
        'f' => fixed(magnitude, precision),
        'e' | 'E' => scientific(magnitude, precision, verb),
        _ => general(magnitude, precision, if verb == 'G' { 'E' } else { 'e' }),
    };
    format!("{sign}{text}")
}

fn fixed(value: f64, precision: Option<usize>) -> String {
    let Some(precision) = precision else {
        return format!("{value}");
    };
    let exact = precision.min(EXACT);
    let mut text = format!("{value:.exact$}");
    text.push_str(&"0".repeat(precision - exact));
    text
}

/// The digits of `value`, rounded to `precision` of them after the first, and the exponent of the first.
fn digits(value: f64, precision: Option<usize>) -> (String, i32) {
    let text = match precision {
        None => format!("{value:e}"),
        Some(precision) => format!("{value:.*e}", precision.min(EXACT)),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

fn scientific(value: f64, precision: Option<usize>, e: char) -> String {
    let (mut digits, exponent) = digits(value, precision);
    if let Some(precision) = precision {
        digits.push_str(&"0".repeat((precision + 1).saturating_sub(digits.len())));
    }
    with_exponent(&digits, exponent, e)
}

fn with_exponent(digits: &str, exponent: i32, e: char) -> String {
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{first}{point}{rest}{e}{sign}{:02}", exponent.abs())
}

/// `%g`: scientific for large and small exponents, with no zeros at the end.
fn general(value: f64, precision: Option<usize>, e: char) -> String {
    let significant = precision.map(|precision| precision.max(1));
    let (all, exponent) = digits(value, significant.map(|count| count - 1));
    let trimmed = all.trim_end_matches('0');
    let digits = if trimmed.is_empty() { "0" } else { trimmed };
    let point = exponent + 1;
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let mut limit = match significant {
        // The shortest form changes over where six digits would.
        None => 6,
        Some(significant) => i32::try_from(significant).unwrap_or(i32::MAX),
    };
    if significant.is_some() && limit > count && count >= point {
        limit = count;
    }
    if value != 0.0 && (exponent < -4 || exponent >= limit) {
        return with_exponent(digits, exponent, e);
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    if point <= 0 {
        return format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize));
    }
    let whole = usize::try_from(point).unwrap_or(0);
    if digits.len() <= whole {
        return format!("{digits}{}", "0".repeat(whole - digits.len()));
    }
    format!("{}.{}", &digits[..whole], &digits[whole..])
}

/// Mantissa and exponent such that the value is `mantissa · 2^exponent`.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let mantissa = bits & ((1 << 52) - 1);
    let exponent = i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0);
    if exponent == 0 {
        (mantissa, -1074)
    } else {
        (mantissa | 1 << 52, exponent - 1075)
    }
}

fn binary(value: f64) -> String {
    let (mantissa, exponent) = parts(value);
    format!(
        "{mantissa}p{}{exponent}",
        if exponent >= 0 { "+" } else { "" }
    )
}

fn hexadecimal(value: f64, precision: Option<usize>, upper: bool) -> String {
    let (mut mantissa, mut exponent) = parts(value);
    if mantissa == 0 {
        exponent = 0;
    } else {
        // The leading digit is 1: move it to bit 60, 15 hexadecimal digits before it.
        let shift = mantissa.leading_zeros() - 3;
        mantissa <<= shift;
        exponent += 60 - i32::try_from(shift).unwrap_or(0);
    }
    if let Some(precision) = precision.filter(|&precision| precision < 15) {
        let drop = 60 - 4 * precision;
        let (rest, half) = (mantissa & ((1 << drop) - 1), 1 << (drop - 1));
        mantissa >>= drop;
        mantissa += u64::from(rest > half || rest == half && mantissa & 1 == 1);
        mantissa <<= drop;
        if mantissa >> 61 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut fraction = format!("{:015x}", mantissa & ((1 << 60) - 1));
    match precision {
        None => fraction.truncate(fraction.trim_end_matches('0').len()),
        Some(precision) if precision < 15 => fraction.truncate(precision),
        Some(precision) => fraction.push_str(&"0".repeat(precision - 15)),
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    let text = format!(
        "0x{}{point}{fraction}p{sign}{:02}",
        mantissa >> 60,
        exponent.abs()
    );
    if upper { text.to_uppercase() } else { text }
}
