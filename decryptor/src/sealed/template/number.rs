//! Numbers as Go's `strconv` and template literals read them.

/// A numeric literal, with every type that it can take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number {
    /// The value as an int, if it is one.
    pub(super) int: Option<i64>,
    pub(super) float: f64,
    /// By its looks it is a float: it has a point or an exponent.
    pub(super) looks_float: bool,
}

/// Reads a numeric literal of a template.
pub(super) fn literal(text: &str) -> Result<Number, &'static str> {
    if text.ends_with('i') {
        return Err("complex numbers are not supported");
    }
    let hex = text.len() > 2
        && (text.starts_with("0x") || text.starts_with("0X"))
        && !text.contains(['p', 'P']);
    let looks_float = !hex && text.contains(['.', 'e', 'E', 'p', 'P']);
    if let Ok(int) = parse_int(text.as_bytes(), 0) {
        return Ok(Number {
            int: Some(int),
            float: int as f64,
            looks_float,
        });
    }
    if let Ok(value) = parse_uint(text.as_bytes(), 0) {
        return Ok(Number {
            int: None,
            float: value as f64,
            looks_float,
        });
    }
    let float = parse_float(text.as_bytes()).map_err(|_| "illegal number syntax")?;
    if !text.contains(['.', 'e', 'E', 'p', 'P']) {
        return Err("integer overflow");
    }
    let int = to_int(float);
    Ok(Number {
        int: (int as f64 == float).then_some(int),
        float,
        looks_float,
    })
}

/// Converts as Go does on amd64 and arm64 alike where the value fits, and to the least integer where it does not.
pub(super) fn to_int(float: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&float) {
        float as i64
    } else {
        i64::MIN
    }
}

/// Why a number was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberError {
    /// Not a number.
    Syntax,
    /// Too large: the nearest number that there is.
    Range,
}

/// `strconv.ParseUint(text, base, 64)`.
pub(super) fn parse_uint(text: &[u8], base: u32) -> Result<u64, NumberError> {
    let (digits, base, underscores) = if base == 0 {
        with_prefix(text)?
    } else {
        (text, base, false)
    };
    if digits.is_empty() {
        return Err(NumberError::Syntax);
    }
    let mut value = 0_u64;
    let mut overflows = false;
    for &byte in digits {
        if underscores && byte == b'_' {
            continue;
        }
        let digit = char::from(byte)
            .to_digit(36)
            .filter(|&digit| digit < base)
            .ok_or(NumberError::Syntax)?;
        match value
            .checked_mul(u64::from(base))
            .and_then(|value| value.checked_add(u64::from(digit)))
        {
            Some(next) => value = next,
            // Go stops at the first digit that is too much, whatever follows.
            None => {
                overflows = true;
                break;
            }
        }
    }
    if overflows {
        return Err(NumberError::Range);
    }
    if underscores && !underscores_fit(text) {
        return Err(NumberError::Syntax);
    }
    Ok(value)
}

/// `strconv.ParseInt(text, base, 64)`.
pub(super) fn parse_int(text: &[u8], base: u32) -> Result<i64, NumberError> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let value = parse_uint(digits, base)?;
    if negative {
        0_i64.checked_sub_unsigned(value).ok_or(NumberError::Range)
    } else {
        i64::try_from(value).map_err(|_| NumberError::Range)
    }
}

fn with_prefix(text: &[u8]) -> Result<(&[u8], u32, bool), NumberError> {
    Ok(match text {
        [b'0', b'b' | b'B', rest @ ..] if !rest.is_empty() => (rest, 2, true),
        [b'0', b'o' | b'O', rest @ ..] if !rest.is_empty() => (rest, 8, true),
        [b'0', b'x' | b'X', rest @ ..] if !rest.is_empty() => (rest, 16, true),
        [b'0', rest @ ..] if !rest.is_empty() => (rest, 8, true),
        rest => (rest, 10, true),
    })
}

/// Whether underscores stand only between digits, or between a base prefix and a digit.
fn underscores_fit(text: &[u8]) -> bool {
    let text = match text {
        [b'-' | b'+', rest @ ..] => rest,
        rest => rest,
    };
    let (mut before, rest, hex) = match text {
        [
            b'0',
            kind @ (b'b' | b'B' | b'o' | b'O' | b'x' | b'X'),
            rest @ ..,
        ] => (b'0', rest, kind.eq_ignore_ascii_case(&b'x')),
        rest => (b'^', rest, false),
    };
    for &byte in rest {
        let is_digit = byte.is_ascii_digit() || hex && byte.is_ascii_hexdigit();
        let now = match byte {
            _ if is_digit => b'0',
            b'_' if before != b'0' => return false,
            b'_' => b'_',
            _ if before == b'_' => return false,
            _ => b'!',
        };
        before = now;
    }
    before != b'_'
}

/// `strconv.ParseFloat(text, 64)`.
pub(super) fn parse_float(text: &[u8]) -> Result<f64, NumberError> {
    let text = str::from_utf8(text).map_err(|_| NumberError::Syntax)?;
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    let value = match lower.as_str() {
        "inf" | "infinity" => f64::INFINITY,
        "nan" => {
            return if unsigned.len() == text.len() {
                Ok(f64::NAN)
            } else {
                Err(NumberError::Syntax)
            };
        }
        _ => {
            if unsigned.contains('_') && !underscores_fit(unsigned.as_bytes()) {
                return Err(NumberError::Syntax);
            }
            let digits: String = lower.chars().filter(|&c| c != '_').collect();
            let value = match digits.strip_prefix("0x") {
                Some(hex) => parse_hex_float(hex)?,
                None => parse_decimal_float(&digits)?,
            };
            if value.is_infinite() {
                return Err(NumberError::Range);
            }
            value
        }
    };
    Ok(if text.starts_with('-') { -value } else { value })
}

fn parse_decimal_float(digits: &str) -> Result<f64, NumberError> {
    let (mantissa, exponent) = digits
        .split_once('e')
        .map_or((digits, None), |(m, e)| (m, Some(e)));
    let mantissa_fits = mantissa.bytes().any(|byte| byte.is_ascii_digit())
        && mantissa
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !mantissa_fits || exponent.is_some_and(|exponent| !is_exponent(exponent)) {
        return Err(NumberError::Syntax);
    }
    digits.parse().map_err(|_| NumberError::Syntax)
}

fn is_exponent(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn parse_hex_float(hex: &str) -> Result<f64, NumberError> {
    let (mantissa, exponent) = hex.split_once('p').ok_or(NumberError::Syntax)?;
    if !is_exponent(exponent) {
        return Err(NumberError::Syntax);
    }
    let exponent: i64 = exponent
        .parse::<i64>()
        .unwrap_or(0)
        .clamp(-100_000, 100_000);
    let (mut value, mut shift, mut point, mut digits, mut lost) = (0_u128, 0_i64, false, 0, false);
    for c in mantissa.chars() {
        if c == '.' && !point {
            point = true;
            continue;
        }
        let digit = c.to_digit(16).ok_or(NumberError::Syntax)?;
        digits += 1;
        if value >> 100 == 0 {
            value = value << 4 | u128::from(digit);
            shift -= if point { 4 } else { 0 };
        } else {
            lost |= digit != 0;
            shift += if point { 0 } else { 4 };
        }
    }
    if digits == 0 {
        return Err(NumberError::Syntax);
    }
    Ok(scale(value | u128::from(lost), shift + exponent))
}

/// `value · 2^exponent`, rounded once, half to even.
fn scale(value: u128, exponent: i64) -> f64 {
    if value == 0 {
        return 0.0;
    }
    let bits = i64::from(128 - value.leading_zeros());
    // The exponent of the last place that a float64 keeps.
    let last = (bits + exponent - 53).max(-1074);
    let drop = last - exponent;
    let kept = match u32::try_from(drop) {
        Ok(drop) if drop >= 128 => 0,
        Ok(0) => value,
        Ok(drop) => {
            let (kept, rest, half) = (value >> drop, value & ((1 << drop) - 1), 1 << (drop - 1));
            kept + u128::from(rest > half || rest == half && kept & 1 == 1)
        }
        Err(_) => return (value as f64) * 2_f64.powi(i32::try_from(exponent).unwrap_or(i32::MAX)),
    };
    let half = last / 2;
    let power = |exponent: i64| 2_f64.powi(i32::try_from(exponent).unwrap_or(i32::MAX));
    kept as f64 * power(half) * power(last - half)
}
