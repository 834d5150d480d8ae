//! The grammar of Go's `text/template`: tokens to nodes.

use std::collections::BTreeMap;

use super::error::{Bound, Problem, TemplateError};
use super::functions::lookup;
use super::lex::{Kind, Token, lex};
use super::node::{Branch, Command, Node, Operand, Pipe, Range};
use super::number::{Number, literal};
use super::quote::{unquote, unquote_char};
use super::value::Str;

/// Blocks and parentheses may nest so deep.
const DEPTH: usize = 100;

/// The templates of a source by name.
type Bodies = BTreeMap<String, Vec<Node>>;

/// Parses `source` as the template `name`.
pub(super) fn parse(name: &str, source: &str) -> Result<Bodies, TemplateError> {
    let error = |line, problem| TemplateError {
        template: name.to_owned(),
        line,
        problem,
    };
    let tokens = lex(source).map_err(|(line, problem)| error(line, problem))?;
    let mut parser = Parser {
        tokens,
        at: 0,
        variables: vec!["$".to_owned()],
        ranges: 0,
        depth: 0,
        bodies: Bodies::new(),
    };
    match parser.source(name) {
        Ok(()) => Ok(parser.bodies),
        Err(problem) => Err(error(parser.line(), problem)),
    }
}

struct Parser<'s> {
    tokens: Vec<Token<'s>>,
    /// The next token.
    at: usize,
    variables: Vec<String>,
    /// How many `range` are open.
    ranges: usize,
    depth: usize,
    bodies: Bodies,
}

/// What ended a list of nodes.
enum End {
    End,
    /// `else`; what follows it is still to be read.
    Else,
}

impl<'s> Parser<'s> {
    fn line(&self) -> usize {
        self.tokens[self.at.saturating_sub(1).min(self.tokens.len() - 1)].line
    }

    fn peek(&self) -> Token<'s> {
        // The lexer ends every stream with Eof, and Eof is never passed.
        self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token<'s> {
        let token = self.peek();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn skip_space(&mut self) {
        while self.peek().kind == Kind::Space {
            self.at += 1;
        }
    }

    fn next_word(&mut self) -> Token<'s> {
        self.skip_space();
        self.next()
    }

    fn peek_word(&mut self) -> Token<'s> {
        self.skip_space();
        self.peek()
    }

    fn expect(&mut self, kind: Kind, problem: &'static str) -> Result<(), Problem> {
        if self.next_word().kind == kind {
            Ok(())
        } else {
            Err(Problem::Syntax(problem))
        }
    }

    fn deeper<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        if self.depth == DEPTH {
            return Err(Problem::Limit(Bound::Depth));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// The whole source: a body in which templates may be defined.
    fn source(&mut self, name: &str) -> Result<(), Problem> {
        let mut body = Vec::new();
        while self.peek().kind != Kind::Eof {
            if self.peek().kind == Kind::LeftDelimiter {
                let start = self.at;
                self.next();
                if self.next_word().kind == Kind::Define {
                    self.definition()?;
                    continue;
                }
                self.at = start;
            }
            match self.element()? {
                Element::Node(node) => body.push(node),
                Element::End(_) => return Err(Problem::Syntax("unexpected {{end}} or {{else}}")),
            }
        }
        self.add(name.to_owned(), body)
    }

    fn definition(&mut self) -> Result<(), Problem> {
        let token = self.next_word();
        let name = template_name(token)?;
        self.expect(Kind::RightDelimiter, "unexpected token in define clause")?;
        let body = self.body_of_its_own()?;
        self.add(name, body)
    }

    /// A body that sees no variable and no range outside.
    fn body_of_its_own(&mut self) -> Result<Vec<Node>, Problem> {
        let variables = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let ranges = std::mem::take(&mut self.ranges);
        let (body, end) = self.deeper(Self::list)?;
        self.variables = variables;
        self.ranges = ranges;
        match end {
            End::End => Ok(body),
            End::Else => Err(Problem::Syntax("unexpected {{else}} in a template's body")),
        }
    }

    /// A body that is empty gives way to one that is not; two that are not are an error.
    fn add(&mut self, name: String, body: Vec<Node>) -> Result<(), Problem> {
        let replaces = self.bodies.get(&name).is_none_or(|old| is_empty(old));
        if !replaces {
            return if is_empty(&body) {
                Ok(())
            } else {
                Err(Problem::DefinedTwice(name))
            };
        }
        self.bodies.insert(name, body);
        Ok(())
    }

    fn list(&mut self) -> Result<(Vec<Node>, End), Problem> {
        let mut nodes = Vec::new();
        while self.peek_word().kind != Kind::Eof {
            match self.element()? {
                Element::Node(node) => nodes.push(node),
                Element::End(end) => return Ok((nodes, end)),
            }
        }
        Err(Problem::Syntax("unexpected end of the source"))
    }

    fn element(&mut self) -> Result<Element, Problem> {
        let token = self.next_word();
        match token.kind {
            Kind::Text => Ok(Element::Node(Node::Text(token.text.as_bytes().into()))),
            Kind::LeftDelimiter => self.action(),
            _ => Err(Problem::Syntax("unexpected token")),
        }
    }

    fn action(&mut self) -> Result<Element, Problem> {
        let start = self.at;
        let token = self.next_word();
        let node = match token.kind {
            Kind::Block => self.block(token.line)?,
            Kind::Break => self.leave("{{break}} outside {{range}}", Node::Break)?,
            Kind::Continue => self.leave("{{continue}} outside {{range}}", Node::Continue)?,
            Kind::Else => return self.alternative(),
            Kind::End => {
                self.expect(Kind::RightDelimiter, "unexpected token in end")?;
                return Ok(Element::End(End::End));
            }
            Kind::If => self.deeper(|parser| parser.branch(Kind::If))?,
            Kind::With => self.deeper(|parser| parser.branch(Kind::With))?,
            Kind::Range => self.deeper(Self::range)?,
            Kind::Template => self.template(token.line)?,
            _ => {
                self.at = start;
                Node::Action(self.pipe(Context::Command)?)
            }
        };
        Ok(Element::Node(node))
    }

    fn leave(&mut self, outside: &'static str, node: Node) -> Result<Node, Problem> {
        self.expect(
            Kind::RightDelimiter,
            "unexpected token after {{break}} or {{continue}}",
        )?;
        if self.ranges == 0 {
            Err(Problem::Syntax(outside))
        } else {
            Ok(node)
        }
    }

    fn alternative(&mut self) -> Result<Element, Problem> {
        if !matches!(self.peek_word().kind, Kind::If | Kind::With) {
            self.expect(Kind::RightDelimiter, "unexpected token in else")?;
        }
        Ok(Element::End(End::Else))
    }

    /// `if` or `with`, whose keyword is past, up to its `end`.
    fn branch(&mut self, keyword: Kind) -> Result<Node, Problem> {
        let visible = self.variables.len();
        let mut branch = Branch {
            sets_dot: keyword == Kind::With,
            arms: Vec::new(),
            otherwise: Vec::new(),
        };
        loop {
            let pipe = self.pipe(Context::Control)?;
            let (body, end) = self.list()?;
            branch.arms.push((pipe, body));
            if matches!(end, End::End) {
                break;
            }
            if self.peek().kind == keyword {
                self.next();
                continue;
            }
            branch.otherwise = self.otherwise()?;
            break;
        }
        self.variables.truncate(visible);
        Ok(Node::Branch(branch))
    }

    fn range(&mut self) -> Result<Node, Problem> {
        let visible = self.variables.len();
        let pipe = self.pipe(Context::Range)?;
        self.ranges += 1;
        let (body, end) = self.list()?;
        self.ranges -= 1;
        let otherwise = if matches!(end, End::Else) {
            self.otherwise()?
        } else {
            Vec::new()
        };
        self.variables.truncate(visible);
        Ok(Node::Range(Range {
            pipe,
            body,
            otherwise,
        }))
    }

    fn otherwise(&mut self) -> Result<Vec<Node>, Problem> {
        match self.list()? {
            (body, End::End) => Ok(body),
            (_, End::Else) => Err(Problem::Syntax("expected {{end}}, found {{else}}")),
        }
    }

    fn block(&mut self, line: usize) -> Result<Node, Problem> {
        let token = self.next_word();
        let name = template_name(token)?;
        let pipe = self.pipe(Context::Control)?;
        let body = self.body_of_its_own()?;
        self.add(name.clone(), body)?;
        Ok(Node::Template {
            name,
            pipe: Some(pipe),
            line,
        })
    }

    fn template(&mut self, line: usize) -> Result<Node, Problem> {
        let token = self.next_word();
        let name = template_name(token)?;
        let pipe = if self.peek_word().kind == Kind::RightDelimiter {
            self.next();
            None
        } else {
            Some(self.pipe(Context::Control)?)
        };
        Ok(Node::Template { name, pipe, line })
    }

    /// A pipeline and the delimiter that ends it.
    fn pipe(&mut self, context: Context) -> Result<Pipe, Problem> {
        let line = self.peek_word().line;
        let mut pipe = Pipe {
            line,
            variables: Vec::new(),
            assigns: false,
            commands: Vec::new(),
        };
        self.declarations(context, &mut pipe)?;
        let end = if context == Context::Parenthesis {
            Kind::RightParen
        } else {
            Kind::RightDelimiter
        };
        loop {
            let token = self.peek_word();
            if token.kind == end {
                self.next();
                break;
            }
            if !starts_command(token.kind) {
                self.next();
                return Err(Problem::Syntax("unexpected token in a pipeline"));
            }
            let command = self.command()?;
            pipe.commands.push(command);
        }
        if pipe.commands.is_empty() {
            return Err(Problem::Syntax("missing value"));
        }
        let is_literal = |command: &Command| {
            matches!(
                command.head,
                Operand::Bool(_)
                    | Operand::Dot
                    | Operand::Nil
                    | Operand::Number(_)
                    | Operand::Text(_)
            )
        };
        if pipe.commands.iter().skip(1).any(is_literal) {
            return Err(Problem::Syntax("non executable command in a pipeline"));
        }
        Ok(pipe)
    }

    /// `$x :=`, `$x =` and, for a range, `$i, $x :=`.
    fn declarations(&mut self, context: Context, pipe: &mut Pipe) -> Result<(), Problem> {
        loop {
            let token = self.peek_word();
            if token.kind != Kind::Variable {
                return Ok(());
            }
            let start = self.at;
            self.next();
            let after = self.peek_word();
            match after.kind {
                Kind::Assign | Kind::Declare => {
                    pipe.assigns = after.kind == Kind::Assign;
                    self.next();
                    pipe.variables.push(token.text.to_owned());
                    self.variables.push(token.text.to_owned());
                    return Ok(());
                }
                Kind::Other if after.text == "," => {
                    self.next();
                    pipe.variables.push(token.text.to_owned());
                    self.variables.push(token.text.to_owned());
                    if context != Context::Range || pipe.variables.len() >= 2 {
                        return Err(Problem::Syntax("too many declarations"));
                    }
                    if !matches!(
                        self.peek_word().kind,
                        Kind::Variable | Kind::RightDelimiter | Kind::RightParen
                    ) {
                        return Err(Problem::Syntax("range can only initialize variables"));
                    }
                }
                _ => {
                    self.at = start;
                    return Ok(());
                }
            }
        }
    }

    /// Operands up to a `|`, which is passed, or the end of the pipeline, which is not.
    fn command(&mut self) -> Result<Command, Problem> {
        let line = self.peek_word().line;
        let mut operands = Vec::new();
        loop {
            self.skip_space();
            operands.extend(self.operand()?);
            match self.peek().kind {
                Kind::Space => {
                    self.next();
                }
                Kind::RightDelimiter | Kind::RightParen => break,
                Kind::Pipe => {
                    self.next();
                    break;
                }
                _ => {
                    self.next();
                    return Err(Problem::Syntax("unexpected token in operand"));
                }
            }
        }
        let mut operands = operands.into_iter();
        let head = operands.next().ok_or(Problem::Syntax("empty command"))?;
        Ok(Command {
            line,
            head,
            arguments: operands.collect(),
        })
    }

    /// A term and the fields after it. Returns `None` if no term stands here.
    fn operand(&mut self) -> Result<Option<Operand>, Problem> {
        let Some(term) = self.term()? else {
            return Ok(None);
        };
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field {
            fields.push(field(self.next().text));
        }
        if fields.is_empty() {
            return Ok(Some(term));
        }
        Ok(Some(match term {
            Operand::Field(mut names) => {
                names.append(&mut fields);
                Operand::Field(names)
            }
            Operand::Variable(name, mut names) => {
                names.append(&mut fields);
                Operand::Variable(name, names)
            }
            Operand::Function(_) | Operand::Pipe(_) => Operand::Chain(Box::new(term), fields),
            _ => return Err(Problem::Syntax("unexpected . after a literal")),
        }))
    }

    fn term(&mut self) -> Result<Option<Operand>, Problem> {
        let token = self.peek_word();
        let operand = match token.kind {
            Kind::Identifier => self.function(token.text)?,
            Kind::Dot => Operand::Dot,
            Kind::Nil => Operand::Nil,
            Kind::Variable => {
                if !self.variables.iter().any(|variable| variable == token.text) {
                    self.next();
                    return Err(Problem::UndefinedVariable(token.text.to_owned()));
                }
                Operand::Variable(token.text.to_owned(), Vec::new())
            }
            Kind::Field => Operand::Field(vec![field(token.text)]),
            Kind::Bool => Operand::Bool(token.text == "true"),
            Kind::CharConstant => {
                let int = unquote_char(token.text).map_err(Problem::Syntax)?;
                Operand::Number(Number {
                    int: Some(int),
                    float: int as f64,
                    looks_float: false,
                })
            }
            Kind::Complex => return Err(Problem::Syntax("complex numbers are not supported")),
            Kind::Number => Operand::Number(literal(token.text).map_err(Problem::Syntax)?),
            Kind::Quoted | Kind::RawQuoted => {
                Operand::Text(Str::from(unquote(token.text).map_err(Problem::Syntax)?))
            }
            Kind::LeftParen => {
                self.next();
                let pipe = self.deeper(|parser| parser.pipe(Context::Parenthesis))?;
                return Ok(Some(Operand::Pipe(Box::new(pipe))));
            }
            _ => return Ok(None),
        };
        self.next();
        Ok(Some(operand))
    }

    fn function(&mut self, name: &str) -> Result<Operand, Problem> {
        let entry = lookup(name).map_err(|refused| {
            let name = name.to_owned();
            if refused {
                Problem::RefusedFunction(name)
            } else {
                Problem::UnknownFunction(name)
            }
        });
        if entry.is_err() {
            self.next();
        }
        let entry = entry?;
        Ok(Operand::Function(entry))
    }
}

enum Element {
    Node(Node),
    End(End),
}

/// Where a pipeline stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Command,
    Control,
    Range,
    Parenthesis,
}

fn starts_command(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Bool
            | Kind::CharConstant
            | Kind::Complex
            | Kind::Dot
            | Kind::Field
            | Kind::Identifier
            | Kind::Number
            | Kind::Nil
            | Kind::RawQuoted
            | Kind::Quoted
            | Kind::Variable
            | Kind::LeftParen
    )
}

fn field(token: &str) -> String {
    token.strip_prefix('.').unwrap_or(token).to_owned()
}

fn template_name(token: Token<'_>) -> Result<String, Problem> {
    if !matches!(token.kind, Kind::Quoted | Kind::RawQuoted) {
        return Err(Problem::Syntax("a template's name is a string"));
    }
    let name = unquote(token.text).map_err(Problem::Syntax)?;
    String::from_utf8(name).map_err(|_| Problem::Syntax("a template's name is UTF-8"))
}

/// Whether a body is nothing but space.
fn is_empty(body: &[Node]) -> bool {
    body.iter().all(|node| match node {
        Node::Text(text) => str::from_utf8(text).is_ok_and(|text| text.trim().is_empty()),
        _ => false,
    })
}
