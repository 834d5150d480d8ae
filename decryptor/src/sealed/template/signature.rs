//! What functions take: parameter types, and Go's rules for the values that fit them.

use super::ambient::Ambient;
use super::budget::Budget;
use super::error::Problem;
use super::node::Operand;
use super::number::Number;
use super::value::{Dict, Str, Value};

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// `interface {}`
    Any,
    /// `reflect.Value`: whatever there is, even no value.
    Value,
    String,
    Bool,
    Int,
    Float,
    /// `map[string]interface {}`
    Dict,
    Time,
    Duration,
}

impl Type {
    /// Whether an untyped nil fits.
    fn takes_nil(self) -> bool {
        matches!(self, Self::Any | Self::Value | Self::Dict)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Value => "reflect.Value",
            Self::String => "string",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float64",
            Self::Dict => "map[string]interface {}",
            Self::Time => "time.Time",
            Self::Duration => "time.Duration",
        }
    }

    /// A computed value as an argument.
    pub(super) fn accept(self, value: Value) -> Result<Value, Problem> {
        let fits = match (self, &value) {
            (Self::Any, _) => return Ok(value.boxed()),
            (Self::Value, _) => true,
            (Self::Dict, Value::Missing) => return Ok(Value::Dict(Dict(None))),
            (Self::String, Value::Str(_))
            | (Self::Bool, Value::Bool(_))
            | (Self::Int, Value::Int(_))
            | (Self::Float, Value::Float(_))
            | (Self::Dict, Value::Dict(_))
            | (Self::Time, Value::Time(_))
            | (Self::Duration, Value::Duration(_)) => true,
            _ => false,
        };
        if fits {
            Ok(value)
        } else {
            Err(self.mismatch(value.type_name()))
        }
    }

    /// A literal as an argument.
    pub(super) fn accept_literal(self, literal: &Operand) -> Result<Value, Problem> {
        match (self, literal) {
            (Self::Any | Self::Value, _) => constant(literal),
            (Self::String, Operand::Text(text)) => Ok(Value::Str(text.clone())),
            (Self::Bool, Operand::Bool(truth)) => Ok(Value::Bool(*truth)),
            (Self::Int, Operand::Number(Number { int: Some(int), .. })) => Ok(Value::Int(*int)),
            (Self::Duration, Operand::Number(Number { int: Some(int), .. })) => {
                Ok(Value::Duration(*int))
            }
            (Self::Float, Operand::Number(number)) => Ok(Value::Float(number.float)),
            _ => Err(self.mismatch("another literal")),
        }
    }

    /// The literal `nil` as an argument.
    pub(super) fn accept_nil(self) -> Result<Value, Problem> {
        match self {
            Self::Dict => Ok(Value::Dict(Dict(None))),
            Self::Any => Ok(Value::Nil),
            _ if self.takes_nil() => Ok(Value::Missing),
            _ => Err(self.mismatch("nil")),
        }
    }

    fn mismatch(self, got: &'static str) -> Problem {
        Problem::WrongType {
            expected: self.name(),
            got,
        }
    }
}

/// A literal where nothing says what type it must have.
pub(super) fn constant(literal: &Operand) -> Result<Value, Problem> {
    match literal {
        Operand::Bool(truth) => Ok(Value::Bool(*truth)),
        Operand::Text(text) => Ok(Value::Str(text.clone())),
        Operand::Number(number) if number.looks_float => Ok(Value::Float(number.float)),
        Operand::Number(number) => number
            .int
            .map(Value::Int)
            .ok_or(Problem::Execution("a constant overflows int")),
        _ => Err(Problem::Execution("nil is not a command")),
    }
}

/// What a function may use besides its arguments.
pub(super) struct Context<'r> {
    pub(super) budget: Budget,
    pub(super) ambient: &'r Ambient,
    /// Maps that were written to: they may hold themselves, and are emptied at the end.
    pub(super) written: Vec<Dict>,
}

/// The arguments of one call, each of the type that the signature says.
pub(super) struct Arguments(pub(super) Vec<Value>);

impl Arguments {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn value(&self, at: usize) -> &Value {
        self.0.get(at).unwrap_or(&Value::Missing)
    }

    /// The arguments from `at` on.
    pub(super) fn rest(&self, at: usize) -> &[Value] {
        self.0.get(at..).unwrap_or_default()
    }

    pub(super) fn text(&self, at: usize) -> &[u8] {
        if let Value::Str(text) = self.value(at) {
            text.bytes()
        } else {
            b""
        }
    }

    pub(super) fn string(&self, at: usize) -> Str {
        if let Value::Str(text) = self.value(at) {
            text.clone()
        } else {
            Str::from("")
        }
    }

    pub(super) fn int(&self, at: usize) -> i64 {
        if let Value::Int(int) = self.value(at) {
            *int
        } else {
            0
        }
    }

    pub(super) fn float(&self, at: usize) -> f64 {
        if let Value::Float(float) = self.value(at) {
            *float
        } else {
            0.0
        }
    }

    pub(super) fn truth(&self, at: usize) -> bool {
        matches!(self.value(at), Value::Bool(true))
    }

    pub(super) fn dict(&self, at: usize) -> Dict {
        if let Value::Dict(dict) = self.value(at) {
            dict.clone()
        } else {
            Dict(None)
        }
    }
}
