//! Why a template could not be parsed or rendered, without a byte of what it was rendered over.

use thiserror::Error;

/// A template that failed: its name, the line, and what was seen there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("template {template:?}: line {line}: {problem}")]
pub struct TemplateError {
    /// The key of the template.
    pub template: String,
    /// The line of its source, from 1.
    pub line: usize,
    /// What was seen.
    pub problem: Problem,
}

/// What was wrong. Holds words of the template's grammar, never values and never literals.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// The source is no template.
    #[error("{0}")]
    Syntax(&'static str),
    /// No function of this name exists.
    #[error("function {0:?} is not defined")]
    UnknownFunction(String),
    /// sealed-secrets has the function, this program does not.
    #[error("function {0:?} is not supported")]
    RefusedFunction(String),
    /// A variable is used that was never declared.
    #[error("undefined variable {0:?}")]
    UndefinedVariable(String),
    /// A template is defined twice.
    #[error("template {0:?} is defined twice")]
    DefinedTwice(String),
    /// A template is called that is not defined.
    #[error("template {0:?} is not defined")]
    UndefinedTemplate(String),
    /// A key is missing, and missing keys are errors.
    #[error("no value for key {0:?}")]
    MissingKey(String),
    /// A field was asked of a value that has none of this name.
    #[error("a {on} has no field {field:?}")]
    NoField {
        /// The name after the dot.
        field: String,
        /// The type of the value.
        on: &'static str,
    },
    /// Arguments do not fit the function.
    #[error("wrong number of arguments for {0}")]
    ArgumentCount(String),
    /// A value of the wrong type.
    #[error("expected {expected}, got {got}")]
    WrongType {
        /// What was wanted.
        expected: &'static str,
        /// What was there.
        got: &'static str,
    },
    /// The template cannot be executed as written.
    #[error("{0}")]
    Execution(&'static str),
    /// A function failed.
    #[error("{function}: {problem}")]
    Call {
        /// The function's name.
        function: &'static str,
        /// What it met.
        problem: &'static str,
    },
    /// A bound was reached.
    #[error("the template {0}")]
    Limit(Bound),
}

/// The bound that a template ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Bound {
    /// Too many steps.
    #[error("takes too many steps")]
    Steps,
    /// Too much output.
    #[error("writes too much")]
    Output,
    /// Too many bytes of values on the way.
    #[error("needs too much memory")]
    Memory,
    /// Nested too deeply.
    #[error("is nested too deeply")]
    Depth,
}
