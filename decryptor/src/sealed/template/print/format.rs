//! `fmt.Sprintf`: flags, widths, precisions and argument indexes.

use super::super::budget::Budget;
use super::super::error::Problem;
use super::super::unicode::decode;
use super::super::value::Value;
use super::{Flags, Printer};

/// Widths and precisions beyond this are mistakes, as in Go.
const TOO_LARGE: i64 = 1_000_000;

/// `fmt.Sprintf`; what does not fit is shown as Go shows it, `%!d(string=x)`.
pub(in super::super) fn sprintf(
    budget: &mut Budget,
    format: &[u8],
    arguments: &[Value],
) -> Result<Vec<u8>, Problem> {
    let mut run = Run {
        printer: Printer::new(budget),
        format,
        at: 0,
        arguments,
        next: 0,
        reordered: false,
        good: true,
    };
    run.all()?;
    Ok(run.printer.out)
}

struct Run<'b, 'f> {
    printer: Printer<'b>,
    format: &'f [u8],
    at: usize,
    arguments: &'f [Value],
    /// The argument that the next verb takes.
    next: usize,
    reordered: bool,
    /// The index of this verb named an argument that exists.
    good: bool,
}

impl Run<'_, '_> {
    fn all(&mut self) -> Result<(), Problem> {
        while self.at < self.format.len() {
            let rest = &self.format[self.at..];
            let literal = rest
                .iter()
                .position(|&byte| byte == b'%')
                .unwrap_or(rest.len());
            self.printer.write(&rest[..literal])?;
            self.at += literal;
            if self.at >= self.format.len() {
                break;
            }
            self.at += 1;
            if !self.verb()? {
                break;
            }
        }
        self.extra()
    }

    /// One verb; false if the format ends before it.
    fn verb(&mut self) -> Result<bool, Problem> {
        self.good = true;
        self.flags();
        let mut after_index = self.index();
        if self.peek() == Some(b'*') {
            self.at += 1;
            let width = self.integer_argument();
            if width.is_none() {
                self.printer.write(b"%!(BADWIDTH)")?;
            }
            let flags = &mut self.printer.flags;
            if width.is_some_and(|width| width < 0) {
                flags.minus = true;
                flags.zero = false;
            }
            flags.width = width.map(|width| usize::try_from(width.unsigned_abs()).unwrap_or(0));
            after_index = false;
        } else {
            self.printer.flags.width = self.number(self.format.len());
            if after_index && self.printer.flags.width.is_some() {
                self.good = false;
            }
        }
        if self.peek() == Some(b'.') && self.at + 1 < self.format.len() {
            self.at += 1;
            after_index = self.precision(after_index)?;
        }
        if !after_index {
            self.index();
        }
        let Some((verb, width)) = decode(&self.format[self.at..]) else {
            self.printer.write(b"%!(NOVERB)")?;
            return Ok(false);
        };
        self.at += width;
        self.apply(verb)?;
        Ok(true)
    }

    fn flags(&mut self) {
        let mut flags = Flags::default();
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.at += 1;
        }
        self.printer.flags = flags;
    }

    fn precision(&mut self, after_index: bool) -> Result<bool, Problem> {
        if after_index {
            self.good = false;
        }
        let after_index = self.index();
        if self.peek() == Some(b'*') {
            self.at += 1;
            let given = self.integer_argument();
            let precision = given.and_then(|given| usize::try_from(given).ok());
            self.printer.flags.precision = precision;
            if precision.is_none() {
                self.printer.write(b"%!(BADPREC)")?;
            }
            return Ok(false);
        }
        self.printer.flags.precision = Some(self.number(self.format.len()).unwrap_or(0));
        Ok(after_index)
    }

    fn apply(&mut self, verb: char) -> Result<(), Problem> {
        if verb == '%' {
            return self.printer.write(b"%");
        }
        if !self.good {
            return self.complain(verb, b"(BADINDEX)");
        }
        let Some(argument) = self.arguments.get(self.next) else {
            return self.complain(verb, b"(MISSING)");
        };
        if matches!(verb, 'v' | 'w') {
            let flags = &mut self.printer.flags;
            flags.sharp_v = std::mem::take(&mut flags.sharp);
            flags.plus_v = std::mem::take(&mut flags.plus);
        }
        self.next += 1;
        self.printer.argument(argument, verb)
    }

    fn complain(&mut self, verb: char, about: &[u8]) -> Result<(), Problem> {
        self.printer.write(b"%!")?;
        self.printer.write_char(verb)?;
        self.printer.write(about)
    }

    /// Arguments that no verb took.
    fn extra(&mut self) -> Result<(), Problem> {
        if self.reordered || self.next >= self.arguments.len() {
            return Ok(());
        }
        self.printer.flags = Flags::default();
        self.printer.write(b"%!(EXTRA ")?;
        for (at, argument) in self.arguments[self.next..].iter().enumerate() {
            if at > 0 {
                self.printer.write(b", ")?;
            }
            if argument.is_nil() {
                self.printer.write(b"<nil>")?;
            } else {
                self.printer.write(argument.type_name().as_bytes())?;
                self.printer.write(b"=")?;
                self.printer.argument(argument, 'v')?;
            }
        }
        self.printer.write(b")")
    }

    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    /// Digits before `end`. Returns `None` if there are none or too many; then all the rest counts as read.
    fn number(&mut self, end: usize) -> Option<usize> {
        let mut number = None;
        while self.at < end
            && let Some(digit @ b'0'..=b'9') = self.peek()
        {
            let value = number.unwrap_or(0);
            if value > TOO_LARGE {
                self.at = end;
                return None;
            }
            number = Some(value * 10 + i64::from(digit - b'0'));
            self.at += 1;
        }
        number.and_then(|number| usize::try_from(number).ok())
    }

    /// `[n]`, which says what argument comes next; true if one was there and could be read.
    fn index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let start = self.at;
        let close = self.format[start..]
            .iter()
            .position(|&byte| byte == b']')
            .map(|offset| start + offset);
        let Some(close) = close.filter(|_| self.format.len() - start >= 3) else {
            self.good = false;
            self.at = start + 1;
            return false;
        };
        self.at = start + 1;
        let number = self.number(close).filter(|_| self.at == close);
        self.at = close + 1;
        let index = number.and_then(|number| number.checked_sub(1));
        match index.filter(|&index| index < self.arguments.len()) {
            Some(index) => {
                self.next = index;
                true
            }
            None => {
                self.good = false;
                number.is_some()
            }
        }
    }

    /// The next argument as a width or precision.
    fn integer_argument(&mut self) -> Option<i64> {
        let argument = self.arguments.get(self.next)?;
        self.next += 1;
        let number = match argument {
            Value::Int(int) | Value::Int64(int) | Value::Duration(int) => *int,
            Value::Byte(int) | Value::Month(int) | Value::Weekday(int) => i64::from(*int),
            Value::Uint64(int) => i64::try_from(*int).ok()?,
            _ => return None,
        };
        (-TOO_LARGE..=TOO_LARGE).contains(&number).then_some(number)
    }
}
