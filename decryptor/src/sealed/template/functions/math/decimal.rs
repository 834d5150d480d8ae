//! Exact decimals: `digits · 10^exponent`, as `shopspring/decimal` has them.

use std::cmp::Ordering;

/// Digits after the point that a division keeps.
const DIVISION_PLACES: i64 = 16;

/// A decimal number of any size.
#[derive(Clone)]
pub(super) struct Decimal {
    negative: bool,
    /// Decimal digits, the least first, without zeros at the end.
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// The shortest decimal that reads back as `value`. Returns `None` if it is not finite.
    pub(super) fn from_float(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let text = format!("{:e}", value.abs());
        let (mantissa, exponent) = text.split_once('e')?;
        let mut exponent: i64 = exponent.parse().ok()?;
        exponent -= mantissa.split_once('.').map_or(0, |(_, fraction)| {
            i64::try_from(fraction.len()).unwrap_or(0)
        });
        let digits = mantissa
            .bytes()
            .filter(u8::is_ascii_digit)
            .map(|digit| digit - b'0')
            .rev()
            .collect();
        let mut decimal = Self {
            negative: value < 0.0,
            digits,
            exponent,
        };
        trim(&mut decimal.digits);
        Some(decimal)
    }

    /// The nearest float.
    pub(super) fn to_float(&self) -> f64 {
        if self.digits.is_empty() {
            return 0.0;
        }
        let digits: String = self
            .digits
            .iter()
            .rev()
            .map(|digit| char::from(digit + b'0'))
            .collect();
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}{digits}e{}", self.exponent)
            .parse()
            .unwrap_or(f64::NAN)
    }

    /// How many digits there are: what computing with it costs.
    pub(super) fn size(&self) -> usize {
        self.digits.len()
    }

    pub(super) fn negated(&self) -> Self {
        Self {
            negative: !self.negative && !self.digits.is_empty(),
            ..self.clone()
        }
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        let (a, b) = (self.digits_at(exponent), other.digits_at(exponent));
        let (negative, digits) = if self.negative == other.negative {
            (self.negative, sum(&a, &b))
        } else if compare(&a, &b) == Ordering::Less {
            (other.negative, difference(&b, &a))
        } else {
            (self.negative, difference(&a, &b))
        };
        Self {
            negative: negative && !digits.is_empty(),
            digits,
            exponent,
        }
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        let mut columns = vec![0_u32; self.digits.len() + other.digits.len() + 1];
        for (i, a) in self.digits.iter().enumerate() {
            for (j, b) in other.digits.iter().enumerate() {
                columns[i + j] += u32::from(*a) * u32::from(*b);
            }
        }
        let digits = carried(columns);
        let negative = self.negative != other.negative && !digits.is_empty();
        Self {
            negative,
            digits,
            exponent: self.exponent + other.exponent,
        }
    }

    /// The quotient to sixteen places, rounded half away from zero. Returns `None` for a divisor of zero.
    pub(super) fn divided_by(&self, other: &Self) -> Option<Self> {
        if other.digits.is_empty() {
            return None;
        }
        // Bring both to integers whose quotient counts units of the last place that is kept.
        let shift = self.exponent - other.exponent + DIVISION_PLACES;
        let (mut dividend, mut divisor) = (self.digits.clone(), other.digits.clone());
        let zeros = usize::try_from(shift.unsigned_abs()).ok()?;
        let grown = if shift >= 0 {
            &mut dividend
        } else {
            &mut divisor
        };
        if !grown.is_empty() {
            grown.splice(0..0, std::iter::repeat_n(0, zeros));
        }
        let (mut digits, rest) = quotient(&dividend, &divisor);
        if compare(&sum(&rest, &rest), &divisor) != Ordering::Less {
            digits = sum(&digits, &[1]);
        }
        let negative = self.negative != other.negative && !digits.is_empty();
        Some(Self {
            negative,
            digits,
            exponent: -DIVISION_PLACES,
        })
    }

    /// The digits if the exponent were `exponent`, which is no larger than it is.
    fn digits_at(&self, exponent: i64) -> Vec<u8> {
        if self.digits.is_empty() {
            return Vec::new();
        }
        let zeros = usize::try_from(self.exponent - exponent).unwrap_or(0);
        std::iter::repeat_n(0, zeros)
            .chain(self.digits.iter().copied())
            .collect()
    }
}

fn trim(digits: &mut Vec<u8>) {
    while digits.last() == Some(&0) {
        digits.pop();
    }
}

fn compare(a: &[u8], b: &[u8]) -> Ordering {
    a.len()
        .cmp(&b.len())
        .then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

fn carried(columns: Vec<u32>) -> Vec<u8> {
    let mut carry = 0;
    let mut digits = Vec::with_capacity(columns.len() + 1);
    for column in columns {
        let value = column + carry;
        digits.push((value % 10) as u8);
        carry = value / 10;
    }
    while carry > 0 {
        digits.push((carry % 10) as u8);
        carry /= 10;
    }
    trim(&mut digits);
    digits
}

fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    let at = |digits: &[u8], i: usize| u32::from(digits.get(i).copied().unwrap_or(0));
    carried(
        (0..a.len().max(b.len()))
            .map(|i| at(a, i) + at(b, i))
            .collect(),
    )
}

/// `a - b`, for `a` no less than `b`.
fn difference(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut digits = Vec::with_capacity(a.len());
    for (i, digit) in a.iter().enumerate() {
        let taken = b.get(i).copied().unwrap_or(0) + borrow;
        borrow = u8::from(*digit < taken);
        digits.push(*digit + 10 * borrow - taken);
    }
    trim(&mut digits);
    digits
}

/// Long division, digit by digit.
fn quotient(dividend: &[u8], divisor: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut digits = Vec::with_capacity(dividend.len());
    let mut rest = Vec::new();
    for digit in dividend.iter().rev() {
        rest.insert(0, *digit);
        trim(&mut rest);
        let mut times = 0;
        while compare(&rest, divisor) != Ordering::Less {
            rest = difference(&rest, divisor);
            times += 1;
        }
        digits.push(times);
    }
    digits.reverse();
    trim(&mut digits);
    (digits, rest)
}
