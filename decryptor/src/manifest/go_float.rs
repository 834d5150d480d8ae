//! Floating point numbers as Go prints them.

/// How many bits a number is rounded to before it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bits {
    Single,
    Double,
}

/// Go's `strconv.FormatFloat(value, 'g', -1, bits)`: shortest digits, an exponent from 1e+06 on.
pub(crate) fn go_float(value: f64, bits: Bits) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding is what was asked for"
    )]
    let rounded = match bits {
        Bits::Single => f64::from(value as f32),
        Bits::Double => value,
    };
    if rounded.is_nan() {
        return "NaN".to_owned();
    }
    if rounded.is_infinite() {
        return if rounded > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the digits of the rounded number"
    )]
    let shortest = match bits {
        Bits::Single => format!("{:e}", rounded as f32),
        Bits::Double => format!("{rounded:e}"),
    };
    let (mantissa, exponent) = split(&shortest);
    if (-4..6).contains(&exponent) {
        positional(mantissa, exponent)
    } else {
        scientific(mantissa, exponent, 2)
    }
}

/// A number as Go's `encoding/json` writes it.
pub(crate) fn go_json_float(value: f64) -> String {
    let shortest = format!("{value:e}");
    let (mantissa, exponent) = split(&shortest);
    if value != 0.0 && !(-6..21).contains(&exponent) {
        // Negative exponents lose the zero that strconv puts before a single digit.
        scientific(mantissa, exponent, if exponent < 0 { 1 } else { 2 })
    } else {
        positional(mantissa, exponent)
    }
}

/// `-1.25e3` into `-1.25` and 3.
fn split(shortest: &str) -> (&str, i32) {
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    (mantissa, exponent.parse().unwrap_or(0))
}

fn scientific(mantissa: &str, exponent: i32, width: usize) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:0width$}", exponent.unsigned_abs())
}

fn positional(mantissa: &str, exponent: i32) -> String {
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits = mantissa.replace('.', "");
    if exponent < 0 {
        let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
        return format!("{sign}0.{zeros}{digits}");
    }
    let whole = exponent.unsigned_abs() as usize + 1;
    if digits.len() <= whole {
        let zeros = "0".repeat(whole - digits.len());
        format!("{sign}{digits}{zeros}")
    } else {
        format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_in_go() {
        // Made with strconv.FormatFloat(x, 'g', -1, 32), (…, 64) and json.Marshal.
        let cases = [
            (1.1, "1.1", "1.1", "1.1"),
            (1000.0, "1000", "1000", "1000"),
            (1e6, "1e+06", "1e+06", "1000000"),
            (1_234_567.0, "1.234567e+06", "1.234567e+06", "1234567"),
            (0.0001, "0.0001", "0.0001", "0.0001"),
            (0.00001, "1e-05", "1e-05", "0.00001"),
            (1e-7, "1e-07", "1e-07", "1e-7"),
            (1e21, "1e+21", "1e+21", "1e+21"),
            (-0.5, "-0.5", "-0.5", "-0.5"),
            (1.2345678901, "1.2345679", "1.2345678901", "1.2345678901"),
        ];
        for (value, single, double, json) in cases {
            assert_eq!(go_float(value, Bits::Single), single);
            assert_eq!(go_float(value, Bits::Double), double);
            assert_eq!(go_json_float(value), json);
        }
        assert_eq!(go_float(1e300, Bits::Single), "+Inf");
        assert_eq!(go_float(-0.0, Bits::Double), "-0");
    }
}
