//! One value by one verb, with its flags: padding, integers, floats, hexadecimal strings.

use super::super::error::Problem;
use super::super::quote::quote_char;
use super::super::unicode::{characters, is_print};
use super::super::value::Value;
use super::Printer;
use super::float::format_float;

impl Printer<'_> {
    /// Writes `bytes` at the width that is asked for.
    pub(super) fn pad(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let fill = match self.flags.width {
            None | Some(0) => 0,
            Some(width) => width.saturating_sub(characters(bytes).count()),
        };
        if self.flags.minus {
            self.write(bytes)?;
            return self.fill(fill);
        }
        self.fill(fill)?;
        self.write(bytes)
    }

    fn fill(&mut self, count: usize) -> Result<(), Problem> {
        self.budget.bytes(count.saturating_mul(2))?;
        let zero = self.flags.zero && !self.flags.minus;
        self.write(&vec![if zero { b'0' } else { b' ' }; count])
    }

    /// Pads with spaces, whatever the zero flag says.
    fn pad_spaces(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let zero = std::mem::take(&mut self.flags.zero);
        let result = self.pad(bytes);
        self.flags.zero = zero;
        result
    }

    /// The first characters, as many as the precision says.
    pub(super) fn cut<'s>(&self, bytes: &'s [u8]) -> &'s [u8] {
        let Some(precision) = self.flags.precision else {
            return bytes;
        };
        let end = characters(bytes)
            .nth(precision)
            .map_or(bytes.len(), |(at, ..)| at);
        &bytes[..end]
    }

    pub(super) fn hex(&mut self, bytes: &[u8], upper: bool) -> Result<(), Problem> {
        let bytes = &bytes[..bytes.len().min(self.flags.precision.unwrap_or(usize::MAX))];
        let flags = self.flags;
        if bytes.is_empty() {
            return self.fill(flags.width.unwrap_or(0));
        }
        self.budget.bytes(bytes.len().saturating_mul(8))?;
        let mut text = String::with_capacity(bytes.len() * 5);
        let prefix = if upper { "0X" } else { "0x" };
        for (at, byte) in bytes.iter().enumerate() {
            if flags.space && at > 0 {
                text.push(' ');
            }
            if flags.sharp && (flags.space || at == 0) {
                text.push_str(prefix);
            }
            text.push_str(&if upper {
                format!("{byte:02X}")
            } else {
                format!("{byte:02x}")
            });
        }
        self.pad(text.as_bytes())
    }

    pub(super) fn integer(
        &mut self,
        magnitude: u64,
        negative: bool,
        signed: bool,
        verb: char,
        value: &Value,
    ) -> Result<(), Problem> {
        match verb {
            'v' if self.flags.sharp_v && !signed => {
                let sharp = std::mem::replace(&mut self.flags.sharp, true);
                let result = self.digits(magnitude, negative, 16, verb);
                self.flags.sharp = sharp;
                result
            }
            'v' | 'd' => self.digits(magnitude, negative, 10, verb),
            'b' => self.digits(magnitude, negative, 2, verb),
            'o' | 'O' => self.digits(magnitude, negative, 8, verb),
            'x' | 'X' => self.digits(magnitude, negative, 16, verb),
            'c' | 'q' | 'U' => {
                let code = if negative {
                    magnitude.wrapping_neg()
                } else {
                    magnitude
                };
                self.character(code, verb)
            }
            _ => self.bad_verb(value, verb),
        }
    }

    fn character(&mut self, code: u64, verb: char) -> Result<(), Problem> {
        let c = u32::try_from(code).ok().and_then(char::from_u32);
        let shown = c.unwrap_or(char::REPLACEMENT_CHARACTER);
        match verb {
            'c' => self.pad(shown.encode_utf8(&mut [0; 4]).as_bytes()),
            'q' => self.pad(&quote_char(shown, self.flags.plus)),
            _ => {
                let precision = self.flags.precision.unwrap_or(4).max(4);
                self.budget.bytes(precision.saturating_mul(2))?;
                let mut text = format!("{code:X}");
                text.insert_str(0, &"0".repeat(precision.saturating_sub(text.len())));
                text.insert_str(0, "U+");
                if self.flags.sharp && c.is_some_and(is_print) {
                    text += &format!(" '{shown}'");
                }
                self.pad_spaces(text.as_bytes())
            }
        }
    }

    fn digits(
        &mut self,
        magnitude: u64,
        negative: bool,
        base: u32,
        verb: char,
    ) -> Result<(), Problem> {
        let flags = self.flags;
        if flags.precision == Some(0) && magnitude == 0 {
            self.budget.bytes(flags.width.unwrap_or(0))?;
            let spaces = " ".repeat(flags.width.unwrap_or(0));
            return self.write(spaces.as_bytes());
        }
        let signed = negative || flags.plus || flags.space;
        let least = match (flags.precision, flags.width) {
            (Some(precision), _) => precision,
            (None, Some(width)) if flags.zero && !flags.minus => {
                width.saturating_sub(usize::from(signed))
            }
            _ => 0,
        };
        self.budget.bytes(least.saturating_mul(2))?;
        let mut text = match (base, verb) {
            (2, _) => format!("{magnitude:b}"),
            (8, _) => format!("{magnitude:o}"),
            (16, 'X') => format!("{magnitude:X}"),
            (16, _) => format!("{magnitude:x}"),
            _ => magnitude.to_string(),
        };
        text.insert_str(0, &"0".repeat(least.saturating_sub(text.len())));
        if flags.sharp {
            match base {
                2 => text.insert_str(0, "0b"),
                8 if !text.starts_with('0') => text.insert(0, '0'),
                16 => text.insert_str(0, if verb == 'X' { "0X" } else { "0x" }),
                _ => {}
            }
        }
        if verb == 'O' {
            text.insert_str(0, "0o");
        }
        if negative {
            text.insert(0, '-');
        } else if flags.plus {
            text.insert(0, '+');
        } else if flags.space {
            text.insert(0, ' ');
        }
        self.pad_spaces(text.as_bytes())
    }

    pub(super) fn float(&mut self, float: f64, verb: char, value: &Value) -> Result<(), Problem> {
        let (how, default) = match verb {
            'v' => ('g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
            'f' | 'e' | 'E' => (verb, Some(6)),
            'F' => ('f', Some(6)),
            _ => return self.bad_verb(value, verb),
        };
        let flags = self.flags;
        let precision = flags.precision.or(default);
        self.budget
            .bytes(precision.unwrap_or(0).saturating_mul(2))?;
        let mut text = format_float(float, how, precision);
        if !text.starts_with(['-', '+']) {
            text.insert(0, '+');
        }
        if flags.space && text.starts_with('+') && !flags.plus {
            text.replace_range(..1, " ");
        }
        if !float.is_finite() {
            if float.is_nan() && !flags.space && !flags.plus {
                text.remove(0);
            }
            return self.pad_spaces(text.as_bytes());
        }
        if flags.sharp && how != 'b' {
            text = with_point(text, how, precision);
        }
        if flags.plus || !text.starts_with('+') {
            let missing = flags.width.unwrap_or(0).saturating_sub(text.len());
            if flags.zero && !flags.minus && missing > 0 {
                self.write(&text.as_bytes()[..1])?;
                self.fill(missing)?;
                return self.write(&text.as_bytes()[1..]);
            }
            return self.pad(text.as_bytes());
        }
        self.pad(&text.as_bytes()[1..])
    }
}

/// `%#`: a point even where nothing follows it, and the zeros that `%g` leaves out.
fn with_point(text: String, verb: char, precision: Option<usize>) -> String {
    let mut digits = match verb {
        'g' | 'G' | 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let exponent = text
        .find(|c| matches!(c, 'p' | 'P') || matches!(c, 'e' | 'E') && !matches!(verb, 'x' | 'X'));
    let (mantissa, tail) = text.split_at(exponent.unwrap_or(text.len()));
    let significant = mantissa[1..]
        .chars()
        .filter(|&c| c != '.')
        .skip_while(|&c| c == '0')
        .count();
    digits = digits.saturating_sub(significant);
    let mut out = mantissa.to_owned();
    if !out.contains('.') {
        if out.len() == 2 && out.ends_with('0') {
            digits = digits.saturating_sub(1);
        }
        out.push('.');
    }
    out + &"0".repeat(digits) + tail
}
