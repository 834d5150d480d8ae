//! Go's `fmt`: values as text, by themselves and by format.

mod float;
mod format;
mod verb;

use super::budget::Budget;
use super::error::{Bound, Problem};
use super::quote::{can_backquote, quote};
use super::time::{format_duration, month_name, weekday_name};
use super::value::Value;

pub(super) use float::format_float;
pub(super) use format::sprintf;

/// Values nested deeper than this are not printed: they may hold themselves.
pub(super) const NESTING: usize = 100;

/// `fmt.Sprint`: with a space between two operands of which neither is a string.
pub(super) fn sprint(budget: &mut Budget, values: &[Value]) -> Result<Vec<u8>, Problem> {
    let mut printer = Printer::new(budget);
    let mut after_string = true;
    for value in values {
        let is_string = matches!(value, Value::Str(_));
        if !after_string && !is_string {
            printer.write(b" ")?;
        }
        printer.argument(value, 'v')?;
        after_string = is_string;
    }
    Ok(printer.out)
}

/// `fmt.Sprintln`: with a space between operands and a newline after them.
pub(super) fn sprintln(budget: &mut Budget, values: &[Value]) -> Result<Vec<u8>, Problem> {
    let mut printer = Printer::new(budget);
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            printer.write(b" ")?;
        }
        printer.argument(value, 'v')?;
    }
    printer.write(b"\n")?;
    Ok(printer.out)
}

/// `%v` of one value.
pub(super) fn display(budget: &mut Budget, value: &Value) -> Result<Vec<u8>, Problem> {
    sprint(budget, std::slice::from_ref(value))
}

/// The flags of a verb.
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    width: Option<usize>,
    precision: Option<usize>,
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    /// `%+v` and `%#v` have meanings of their own.
    plus_v: bool,
    sharp_v: bool,
}

/// Text in the making.
struct Printer<'b> {
    out: Vec<u8>,
    flags: Flags,
    budget: &'b mut Budget,
    /// Within `%!verb(…)`: values print as they are, without their own methods.
    erring: bool,
}

impl<'b> Printer<'b> {
    fn new(budget: &'b mut Budget) -> Self {
        Self {
            out: Vec::new(),
            flags: Flags::default(),
            budget,
            erring: false,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.budget.bytes(bytes.len())?;
        grow(&mut self.out, bytes.len());
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn write_char(&mut self, c: char) -> Result<(), Problem> {
        self.write(c.encode_utf8(&mut [0; 4]).as_bytes())
    }

    /// An operand, as `fmt` sees it from outside.
    fn argument(&mut self, value: &Value, verb: char) -> Result<(), Problem> {
        match (verb, value) {
            ('T' | 'v', Value::Missing | Value::Nil) => return self.pad(b"<nil>"),
            (_, Value::Missing | Value::Nil) => return self.bad_verb(value, verb),
            ('T', _) => return self.string(value.type_name().as_bytes(), 's', value),
            ('p', Value::List(_) | Value::Dict(_) | Value::Strings(_) | Value::Version(_)) => {
                return Err(Problem::Execution("addresses are not printed"));
            }
            ('p', _) => return self.bad_verb(value, verb),
            _ => {}
        }
        self.value(value, verb, 0)
    }

    fn value(&mut self, value: &Value, verb: char, depth: usize) -> Result<(), Problem> {
        self.budget.step()?;
        if depth > NESTING {
            return Err(Problem::Limit(Bound::Depth));
        }
        if verb == 'w' && !self.erring && !is_plain(value) {
            return self.bad_verb(value, verb);
        }
        if let Some(text) = self.own_text(value, verb) {
            return self.string(text.as_bytes(), verb, value);
        }
        match value {
            Value::Missing | Value::Nil if self.flags.sharp_v => self.write(b"interface {}(nil)"),
            Value::Missing | Value::Nil => self.write(b"<nil>"),
            Value::Bool(truth) if verb == 't' || verb == 'v' => {
                self.pad(if *truth { b"true" } else { b"false" })
            }
            Value::Bool(_) => self.bad_verb(value, verb),
            Value::Int(int) | Value::Int64(int) | Value::Duration(int) => {
                self.integer(int.unsigned_abs(), *int < 0, true, verb, value)
            }
            Value::Month(int) | Value::Weekday(int) => {
                self.integer(u64::from(*int), false, true, verb, value)
            }
            Value::Byte(int) => self.integer(u64::from(*int), false, false, verb, value),
            Value::Uint64(int) => self.integer(*int, false, false, verb, value),
            Value::Float(float) => self.float(*float, verb, value),
            Value::Str(text) => self.string(text.bytes(), verb, value),
            Value::List(list) => self.list(list, verb, depth),
            Value::Dict(dict) => {
                let entries = dict.entries();
                let entries = entries
                    .iter()
                    .map(|(key, value)| (Value::Str(key.clone()), value.clone()));
                self.map(value, dict.0.is_none(), entries, verb, depth)
            }
            Value::Strings(map) => {
                let entries = map
                    .iter()
                    .map(|(key, text)| (Value::Str(key.clone()), Value::Str(text.clone())));
                self.map(value, false, entries, verb, depth)
            }
            Value::Time(_) | Value::Version(_) => {
                Err(Problem::Execution("the fields of a struct are not printed"))
            }
        }
    }

    /// What a value's own `String` method says, if the verb asks for it.
    fn own_text(&self, value: &Value, verb: char) -> Option<String> {
        if self.erring || self.flags.sharp_v || !matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') {
            return None;
        }
        Some(match value {
            Value::Time(time) => String::from_utf8_lossy(&super::time::format(
                time,
                b"2006-01-02 15:04:05.999999999 -0700 MST",
            ))
            .into(),
            Value::Duration(nanoseconds) => format_duration(*nanoseconds),
            Value::Month(month) => month_name(*month).to_owned(),
            Value::Weekday(weekday) => weekday_name(*weekday).to_owned(),
            Value::Version(version) => version.text(),
            _ => return None,
        })
    }

    fn list(&mut self, list: &super::value::List, verb: char, depth: usize) -> Result<(), Problem> {
        let value = Value::List(list.clone());
        if self.flags.sharp_v {
            self.write(value.type_name().as_bytes())?;
            if list.nil {
                return self.write(b"(nil)");
            }
        }
        let (open, between, close) = if self.flags.sharp_v {
            (&b"{"[..], &b", "[..], &b"}"[..])
        } else {
            (&b"["[..], &b" "[..], &b"]"[..])
        };
        self.write(open)?;
        for at in 0..list.len() {
            if at > 0 {
                self.write(between)?;
            }
            self.value(&list.at(at).unwrap_or(Value::Nil), verb, depth + 1)?;
        }
        self.write(close)
    }

    fn map(
        &mut self,
        value: &Value,
        is_nil: bool,
        entries: impl Iterator<Item = (Value, Value)>,
        verb: char,
        depth: usize,
    ) -> Result<(), Problem> {
        let sharp = self.flags.sharp_v;
        if sharp {
            self.write(value.type_name().as_bytes())?;
            if is_nil {
                return self.write(b"(nil)");
            }
        }
        self.write(if sharp { b"{" } else { b"map[" })?;
        for (at, (key, entry)) in entries.enumerate() {
            if at > 0 {
                self.write(if sharp { b", " } else { b" " })?;
            }
            self.value(&key, verb, depth + 1)?;
            self.write(b":")?;
            self.value(&entry, verb, depth + 1)?;
        }
        self.write(if sharp { b"}" } else { b"]" })
    }

    /// `%!verb(type=value)`
    fn bad_verb(&mut self, value: &Value, verb: char) -> Result<(), Problem> {
        self.erring = true;
        self.write(b"%!")?;
        self.write_char(verb)?;
        self.write(b"(")?;
        if value.is_nil() {
            self.write(b"<nil>")?;
        } else {
            self.write(value.type_name().as_bytes())?;
            self.write(b"=")?;
            self.value(value, 'v', 0)?;
        }
        self.write(b")")?;
        self.erring = false;
        Ok(())
    }

    fn string(&mut self, bytes: &[u8], verb: char, value: &Value) -> Result<(), Problem> {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(bytes),
            'v' | 's' => {
                let bytes = self.cut(bytes);
                self.pad(bytes)
            }
            'x' | 'X' => self.hex(bytes, verb == 'X'),
            'q' => self.quoted(bytes),
            _ => self.bad_verb(value, verb),
        }
    }

    fn quoted(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let bytes = self.cut(bytes);
        self.budget.bytes(bytes.len().saturating_mul(2))?;
        if self.flags.sharp && can_backquote(bytes) {
            let quoted = [b"`", bytes, b"`"].concat();
            return self.pad(&quoted);
        }
        let quoted = quote(bytes, self.flags.plus);
        self.pad(&quoted)
    }
}

/// Values without methods, which `fmt` prints without asking them.
fn is_plain(value: &Value) -> bool {
    matches!(
        value,
        Value::Bool(_)
            | Value::Int(_)
            | Value::Int64(_)
            | Value::Byte(_)
            | Value::Uint64(_)
            | Value::Float(_)
            | Value::Str(_)
    )
}

/// Makes room without leaving copies of what was written before.
pub(super) fn grow(out: &mut Vec<u8>, more: usize) {
    if out.capacity() - out.len() >= more {
        return;
    }
    let mut larger = Vec::with_capacity((out.len() + more).max(out.capacity() * 2));
    larger.extend_from_slice(out);
    zeroize::Zeroize::zeroize(out);
    *out = larger;
}
