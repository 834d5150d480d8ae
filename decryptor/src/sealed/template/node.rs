//! What a template is made of, once parsed.

use super::functions::Entry;
use super::number::Number;
use super::value::Str;

/// An element of a template's body.
pub(super) enum Node {
    Text(Box<[u8]>),
    Action(Pipe),
    Branch(Branch),
    Range(Range),
    Template {
        name: String,
        pipe: Option<Pipe>,
        line: usize,
    },
    Break,
    Continue,
}

/// `if` and `with`, with all their `else if` and `else with`.
pub(super) struct Branch {
    /// The chosen arm's value becomes the dot.
    pub(super) sets_dot: bool,
    pub(super) arms: Vec<(Pipe, Vec<Node>)>,
    pub(super) otherwise: Vec<Node>,
}

/// `range`.
pub(super) struct Range {
    pub(super) pipe: Pipe,
    pub(super) body: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

/// Commands, each given the value of the one before, and the variables that take the last value.
pub(super) struct Pipe {
    pub(super) line: usize,
    pub(super) variables: Vec<String>,
    /// `=` and not `:=`.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
}

/// An operand with its arguments.
pub(super) struct Command {
    pub(super) line: usize,
    pub(super) head: Operand,
    pub(super) arguments: Vec<Operand>,
}

/// A term, perhaps with fields taken of it.
pub(super) enum Operand {
    Bool(bool),
    Number(Number),
    Text(Str),
    Nil,
    Dot,
    Field(Vec<String>),
    Variable(String, Vec<String>),
    Function(&'static Entry),
    Pipe(Box<Pipe>),
    Chain(Box<Self>, Vec<String>),
}
