//! Runs a parsed template, by the rules of Go's `text/template/exec.go`.

mod fields;

use std::collections::BTreeMap;
use std::rc::Rc;

use zeroize::Zeroizing;

use super::Dot;
use super::ambient::Ambient;
use super::budget::{Budget, Limits, MissingKey};
use super::error::{Bound, Problem, TemplateError};
use super::functions::{Call, Entry};
use super::node::{Branch, Command, Node, Operand, Pipe, Range};
use super::print::{display, grow};
use super::signature::{Arguments, Context, Type, constant};
use super::value::{Dict, Str, Value};

/// A dot as templates see it.
pub(super) fn dot(values: &Dot) -> Value {
    let values = values
        .iter()
        .map(|(key, value)| (Str::from(key.as_str()), Str::from(value.as_slice())))
        .collect();
    Value::Strings(Rc::new(values))
}

/// Renders the template `name` out of `bodies`, and takes what that costs from `left`.
pub(super) fn render(
    name: &str,
    bodies: &BTreeMap<String, Vec<Node>>,
    dot: &Value,
    left: &mut Limits,
    ambient: &Ambient,
) -> Result<Zeroizing<Vec<u8>>, TemplateError> {
    let mut run = Run {
        bodies,
        out: Zeroizing::new(Vec::new()),
        output: left.output,
        missing_key: left.missing_key,
        context: Context {
            budget: Budget::new(left),
            ambient,
            written: Vec::new(),
        },
        depth: 0,
        line: 1,
        variables: vec![("$", dot.clone())],
    };
    let result = bodies
        .get(name)
        .map_or(Ok(Flow::Next), |body| run.begin(dot, body));
    run.context.budget.leave(left);
    left.output -= run.out.len();
    for written in std::mem::take(&mut run.context.written) {
        if let Dict(Some(entries)) = written {
            drop(entries.0.take());
        }
    }
    match result {
        Ok(_) => Ok(std::mem::take(&mut run.out)),
        Err(problem) => Err(TemplateError {
            template: name.to_owned(),
            line: run.line,
            problem,
        }),
    }
}

struct Run<'t> {
    bodies: &'t BTreeMap<String, Vec<Node>>,
    out: Zeroizing<Vec<u8>>,
    output: usize,
    missing_key: MissingKey,
    context: Context<'t>,
    depth: usize,
    /// The line that is being executed.
    line: usize,
    variables: Vec<(&'t str, Value)>,
}

/// How a body ended.
#[derive(PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

impl<'t> Run<'t> {
    /// Even a template of nothing takes a step.
    fn begin(&mut self, dot: &Value, body: &'t [Node]) -> Result<Flow, Problem> {
        self.step()?;
        self.walk(dot, body)
    }

    fn step(&mut self) -> Result<(), Problem> {
        self.context.budget.step()
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        if bytes.len() > self.output - self.out.len() {
            return Err(Problem::Limit(Bound::Output));
        }
        grow(&mut self.out, bytes.len());
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Goes one level deeper, if that is allowed.
    fn deeper<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        if self.depth >= self.context.budget.depth {
            return Err(Problem::Limit(Bound::Depth));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn walk(&mut self, dot: &Value, body: &'t [Node]) -> Result<Flow, Problem> {
        for node in body {
            self.step()?;
            match node {
                Node::Text(text) => self.write(text)?,
                Node::Action(pipe) => {
                    let value = self.pipe(dot, pipe)?;
                    if pipe.variables.is_empty() {
                        self.print(&value)?;
                    }
                }
                Node::Branch(branch) => match self.deeper(|run| run.branch(dot, branch))? {
                    Flow::Next => {}
                    flow => return Ok(flow),
                },
                Node::Range(range) => self.deeper(|run| run.range(dot, range))?,
                Node::Template { name, pipe, line } => {
                    self.line = *line;
                    self.deeper(|run| run.template(dot, name, pipe.as_ref()))?;
                }
                Node::Break => return Ok(Flow::Break),
                Node::Continue => return Ok(Flow::Continue),
            }
        }
        Ok(Flow::Next)
    }

    fn print(&mut self, value: &Value) -> Result<(), Problem> {
        match value {
            Value::Str(text) => self.write(text.bytes()),
            Value::Missing => self.write(b"<no value>"),
            value => {
                let text = Zeroizing::new(display(&mut self.context.budget, value)?);
                self.write(&text)
            }
        }
    }

    fn branch(&mut self, dot: &Value, branch: &'t Branch) -> Result<Flow, Problem> {
        let visible = self.variables.len();
        for (pipe, body) in &branch.arms {
            let value = self.pipe(dot, pipe)?;
            if value.is_true() {
                let flow = self.walk(if branch.sets_dot { &value } else { dot }, body)?;
                self.variables.truncate(visible);
                return Ok(flow);
            }
        }
        let flow = self.walk(dot, &branch.otherwise)?;
        self.variables.truncate(visible);
        Ok(flow)
    }

    fn range(&mut self, dot: &Value, range: &'t Range) -> Result<(), Problem> {
        let visible = self.variables.len();
        let value = self.pipe(dot, &range.pipe)?;
        let pairs = range.pipe.variables.len() > 1;
        let ran = match &value {
            Value::Int(_)
            | Value::Int64(_)
            | Value::Byte(_)
            | Value::Uint64(_)
            | Value::Duration(_)
            | Value::Month(_)
            | Value::Weekday(_)
                if pairs =>
            {
                return Err(Problem::Execution("an integer gives one variable to range"));
            }
            Value::Int(count) => self.count(range, *count, Value::Int)?,
            Value::Int64(count) => self.count(range, *count, Value::Int64)?,
            Value::Duration(count) => self.count(range, *count, Value::Duration)?,
            Value::Byte(count) => self.count(range, i64::from(*count), |at| {
                Value::Byte(u8::try_from(at).unwrap_or(0))
            })?,
            Value::Month(count) => self.count(range, i64::from(*count), |at| {
                Value::Month(u8::try_from(at).unwrap_or(0))
            })?,
            Value::Weekday(count) => self.count(range, i64::from(*count), |at| {
                Value::Weekday(u8::try_from(at).unwrap_or(0))
            })?,
            Value::Uint64(count) => {
                let count = i64::try_from(*count).unwrap_or(i64::MAX);
                self.count(range, count, |at| Value::Uint64(at.unsigned_abs()))?
            }
            Value::List(list) => {
                for at in 0..list.len() {
                    let element = list.at(at).unwrap_or(Value::Nil);
                    let index = Value::Int(i64::try_from(at).unwrap_or(i64::MAX));
                    if self.iteration(range, index, element)? == Flow::Break {
                        break;
                    }
                }
                list.len() > 0
            }
            Value::Dict(dict) => {
                let entries = dict.entries();
                self.context.budget.steps(entries.len())?;
                self.entries(range, entries.into_iter())?
            }
            Value::Strings(map) => {
                let map = Rc::clone(map);
                self.entries(
                    range,
                    map.iter()
                        .map(|(key, text)| (key.clone(), Value::Str(text.clone()))),
                )?
            }
            Value::Missing => false,
            _ => return Err(Problem::Execution("range can't iterate over this value")),
        };
        if !ran {
            self.walk(dot, &range.otherwise)?;
        }
        self.variables.truncate(visible);
        Ok(())
    }

    fn count(
        &mut self,
        range: &'t Range,
        count: i64,
        make: impl Fn(i64) -> Value,
    ) -> Result<bool, Problem> {
        for at in 0..count {
            if self.iteration(range, Value::Missing, make(at))? == Flow::Break {
                break;
            }
        }
        Ok(count > 0)
    }

    fn entries(
        &mut self,
        range: &'t Range,
        entries: impl ExactSizeIterator<Item = (Str, Value)>,
    ) -> Result<bool, Problem> {
        let any = entries.len() > 0;
        for (key, value) in entries {
            if self.iteration(range, Value::Str(key), value)? == Flow::Break {
                break;
            }
        }
        Ok(any)
    }

    /// One round of a range, with its variables set.
    fn iteration(
        &mut self,
        range: &'t Range,
        index: Value,
        element: Value,
    ) -> Result<Flow, Problem> {
        self.step()?;
        self.line = range.pipe.line;
        let top = self.variables.len();
        match (range.pipe.variables.as_slice(), range.pipe.assigns) {
            ([], _) => {}
            ([one], true) => self.assign(one, element.clone())?,
            ([one, two, ..], true) => {
                self.assign(one, index)?;
                self.assign(two, element.clone())?;
            }
            ([_], false) => self.variables[top - 1].1 = element.clone(),
            ([..], false) => {
                self.variables[top - 1].1 = element.clone();
                self.variables[top - 2].1 = index;
            }
        }
        let flow = self.walk(&element, &range.body)?;
        self.variables.truncate(top);
        Ok(flow)
    }

    fn template(&mut self, dot: &Value, name: &str, pipe: Option<&'t Pipe>) -> Result<(), Problem> {
        let body = self
            .bodies
            .get(name)
            .ok_or_else(|| Problem::UndefinedTemplate(name.to_owned()))?;
        let dot = match pipe {
            Some(pipe) => self.pipe(dot, pipe)?,
            None => Value::Missing,
        };
        let outside = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        self.walk(&dot, body)?;
        self.variables = outside;
        Ok(())
    }

    fn assign(&mut self, name: &str, value: Value) -> Result<(), Problem> {
        let variable = self
            .variables
            .iter_mut()
            .rev()
            .find(|variable| variable.0 == name);
        variable
            .ok_or_else(|| Problem::UndefinedVariable(name.to_owned()))?
            .1 = value;
        Ok(())
    }

    fn variable(&self, name: &str) -> Result<Value, Problem> {
        let variable = self
            .variables
            .iter()
            .rev()
            .find(|variable| variable.0 == name);
        Ok(variable
            .ok_or_else(|| Problem::UndefinedVariable(name.to_owned()))?
            .1
            .clone())
    }

    /// The value of a pipeline. Its variables are declared or set.
    fn pipe(&mut self, dot: &Value, pipe: &'t Pipe) -> Result<Value, Problem> {
        self.line = pipe.line;
        let mut value = None;
        for command in &pipe.commands {
            let result = self.command(dot, command, value.take())?;
            value = Some(result.unwrapped());
        }
        let value = value.unwrap_or(Value::Missing);
        for name in &pipe.variables {
            if pipe.assigns {
                self.assign(name, value.clone())?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        Ok(value)
    }

    /// A command, given what the one before it made.
    fn command(
        &mut self,
        dot: &Value,
        command: &'t Command,
        last: Option<Value>,
    ) -> Result<Value, Problem> {
        self.step()?;
        self.line = command.line;
        let arguments = command.arguments.as_slice();
        let has_arguments = !arguments.is_empty() || last.is_some();
        match &command.head {
            Operand::Field(names) => self.fields(dot, dot.clone(), names, arguments, last),
            Operand::Chain(head, names) => {
                let receiver = self.receiver(dot, head)?;
                self.fields(dot, receiver, names, arguments, last)
            }
            Operand::Function(entry) => self.call(dot, entry, arguments, last),
            Operand::Variable(name, names) if !names.is_empty() => {
                let receiver = self.variable(name)?;
                self.fields(dot, receiver, names, arguments, last)
            }
            _ if has_arguments => Err(Problem::Execution("can't give argument to non-function")),
            Operand::Pipe(pipe) => self.deeper(|run| run.pipe(dot, pipe)),
            Operand::Variable(name, _) => self.variable(name),
            Operand::Dot => Ok(dot.clone()),
            literal => constant(literal),
        }
    }

    /// What fields are taken of in `(pipeline).field` and `function.field`.
    fn receiver(&mut self, dot: &Value, head: &'t Operand) -> Result<Value, Problem> {
        match head {
            Operand::Pipe(pipe) => self.deeper(|run| run.pipe(dot, pipe)),
            Operand::Function(entry) => self.call(dot, entry, &[], None),
            _ => Err(Problem::Execution("can't take a field of this term")),
        }
    }

    /// An operand as an argument of type `wanted`.
    fn argument(
        &mut self,
        dot: &Value,
        wanted: Type,
        operand: &'t Operand,
    ) -> Result<Value, Problem> {
        self.step()?;
        let value = match operand {
            Operand::Dot => dot.clone(),
            Operand::Nil => return wanted.accept_nil(),
            Operand::Field(names) => self.fields(dot, dot.clone(), names, &[], None)?,
            Operand::Variable(name, names) => {
                let value = self.variable(name)?;
                if names.is_empty() {
                    value
                } else {
                    self.fields(dot, value, names, &[], None)?
                }
            }
            Operand::Pipe(pipe) => self.deeper(|run| run.pipe(dot, pipe))?,
            Operand::Function(entry) => self.call(dot, entry, &[], None)?,
            Operand::Chain(head, names) => {
                let receiver = self.receiver(dot, head)?;
                self.fields(dot, receiver, names, &[], None)?
            }
            literal => return wanted.accept_literal(literal),
        };
        wanted.accept(value)
    }

    /// Calls a function with the operands after it and, at the end, what came down the pipeline.
    fn call(
        &mut self,
        dot: &Value,
        entry: &'static Entry,
        operands: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Value, Problem> {
        let arguments = match entry.call {
            Call::And => return self.short_circuit(dot, entry, operands, last, false),
            Call::Or => return self.short_circuit(dot, entry, operands, last, true),
            Call::Function(_) => self.arguments(
                dot,
                entry.name,
                entry.parameters,
                entry.rest,
                operands,
                last,
            )?,
        };
        let Call::Function(function) = entry.call else {
            return Ok(Value::Missing);
        };
        function(&mut self.context, &arguments).map_err(|problem| in_function(entry.name, problem))
    }

    /// The arguments of a call, checked against the parameters.
    fn arguments(
        &mut self,
        dot: &Value,
        name: &str,
        parameters: &[Type],
        rest: Option<Type>,
        operands: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Arguments, Problem> {
        let count = operands.len() + usize::from(last.is_some());
        if count < parameters.len() || rest.is_none() && count != parameters.len() {
            return Err(Problem::ArgumentCount(name.to_owned()));
        }
        let wanted = |at: usize| parameters.get(at).copied().or(rest).unwrap_or(Type::Any);
        let mut values = Vec::with_capacity(count);
        for (at, operand) in operands.iter().enumerate() {
            values.push(self.argument(dot, wanted(at), operand)?);
        }
        if let Some(last) = last {
            values.push(wanted(operands.len()).accept(last)?);
        }
        Ok(Arguments(values))
    }

    /// `and` and `or`: the first operand that decides, or the last one.
    fn short_circuit(
        &mut self,
        dot: &Value,
        entry: &'static Entry,
        operands: &'t [Operand],
        last: Option<Value>,
        decides: bool,
    ) -> Result<Value, Problem> {
        if operands.is_empty() && last.is_none() {
            return Err(Problem::ArgumentCount(entry.name.to_owned()));
        }
        let mut value = Value::Missing;
        for operand in operands {
            value = self.argument(dot, Type::Value, operand)?;
            if value.is_true() == decides {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }
}

/// Says in what function it happened; a bound that was reached is none of the function's business.
fn in_function(function: &'static str, problem: Problem) -> Problem {
    match problem {
        Problem::Execution(problem) => Problem::Call { function, problem },
        problem => problem,
    }
}
