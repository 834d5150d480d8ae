//! The tokens of a template, as Go's `text/template/parse` cuts them.

use super::error::Problem;
use super::unicode::{is_digit, is_letter};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    LeftDelimiter,
    RightDelimiter,
    Space,
    Bool,
    /// Printable ASCII that means nothing by itself, such as a comma.
    Other,
    CharConstant,
    Complex,
    Number,
    Quoted,
    RawQuoted,
    Assign,
    Declare,
    Pipe,
    LeftParen,
    RightParen,
    Dot,
    Field,
    Variable,
    Identifier,
    Nil,
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Range,
    Template,
    With,
    Eof,
}

/// A piece of the source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'s> {
    pub(super) kind: Kind,
    pub(super) text: &'s str,
    pub(super) line: usize,
}

/// Cuts `source` into tokens; on failure gives the line and what was wrong.
pub(super) fn lex(source: &str) -> Result<Vec<Token<'_>>, (usize, Problem)> {
    let mut lexer = Lexer {
        source,
        position: 0,
        line: 1,
        counted: 0,
        tokens: Vec::new(),
    };
    match lexer.text() {
        Ok(()) => Ok(lexer.tokens),
        Err(problem) => Err((lexer.line_at(lexer.position), Problem::Syntax(problem))),
    }
}

const OPEN: &str = "{{";
const CLOSE: &str = "}}";
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

struct Lexer<'s> {
    source: &'s str,
    position: usize,
    line: usize,
    /// Newlines before this position are in `line`.
    counted: usize,
    tokens: Vec<Token<'s>>,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.position..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.position += next.len_utf8();
        Some(next)
    }

    fn accept(&mut self, set: &str) -> bool {
        let found = self.peek().is_some_and(|next| set.contains(next));
        if found {
            self.position += 1;
        }
        found
    }

    fn accept_run(&mut self, set: &str) {
        while self.accept(set) {}
    }

    fn line_at(&mut self, position: usize) -> usize {
        let newlines = self.source.as_bytes()[self.counted..position]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count();
        self.line += newlines;
        self.counted = position;
        self.line
    }

    fn emit(&mut self, kind: Kind, start: usize) {
        let line = self.line_at(start);
        self.tokens.push(Token {
            kind,
            text: &self.source[start..self.position],
            line,
        });
    }

    /// Text and actions, to the end.
    fn text(&mut self) -> Result<(), &'static str> {
        loop {
            let start = self.position;
            let Some(offset) = self.rest().find(OPEN) else {
                self.position = self.source.len();
                if self.position > start {
                    self.emit(Kind::Text, start);
                }
                self.emit(Kind::Eof, self.position);
                return Ok(());
            };
            let open = start + offset;
            let trims = has_left_trim(&self.source[open + OPEN.len()..]);
            let text = &self.source[start..open];
            let kept = if trims {
                text.trim_end_matches(SPACES)
            } else {
                text
            };
            self.position = start + kept.len();
            if !kept.is_empty() {
                self.emit(Kind::Text, start);
            }
            self.position = open + OPEN.len();
            let after = self.position + if trims { 2 } else { 0 };
            if self.source[after..].starts_with("/*") {
                self.position = after;
                self.comment()?;
                continue;
            }
            self.emit(Kind::LeftDelimiter, open);
            self.position = after;
            self.action()?;
        }
    }

    fn comment(&mut self) -> Result<(), &'static str> {
        let end = self.rest()[2..].find("*/").ok_or("unclosed comment")?;
        self.position += 2 + end + 2;
        if !self.close() {
            return Err("comment ends before closing delimiter");
        }
        Ok(())
    }

    /// Whether a right delimiter stands here, and whether it trims.
    fn at_close(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_trim(rest) && rest[2..].starts_with(CLOSE) {
            return Some(true);
        }
        rest.starts_with(CLOSE).then_some(false)
    }

    /// Passes a right delimiter and what it trims.
    fn close(&mut self) -> bool {
        let Some(trims) = self.at_close() else {
            return false;
        };
        self.position += if trims { 2 + CLOSE.len() } else { CLOSE.len() };
        if trims {
            let rest = self.rest();
            self.position += rest.len() - rest.trim_start_matches(SPACES).len();
        }
        true
    }

    /// Everything between the delimiters, and the right one.
    fn action(&mut self) -> Result<(), &'static str> {
        let mut parens = 0_usize;
        loop {
            let start = self.position;
            if self.at_close().is_some() {
                if parens > 0 {
                    return Err("unclosed left paren");
                }
                self.close();
                self.emit(Kind::RightDelimiter, start);
                return Ok(());
            }
            let next = self.next().ok_or("unclosed action")?;
            let kind = match next {
                next if is_space(next) => {
                    self.spaces();
                    Kind::Space
                }
                '=' => Kind::Assign,
                ':' if self.accept("=") => Kind::Declare,
                ':' => return Err("expected :="),
                '|' => Kind::Pipe,
                '"' => self.quoted('"', "unterminated quoted string", Kind::Quoted)?,
                '\'' => self.quoted('\'', "unterminated character constant", Kind::CharConstant)?,
                '`' => self.raw()?,
                '$' => self.name_after(Kind::Variable, Kind::Variable)?,
                '.' if !self.peek().is_some_and(|next| next.is_ascii_digit())
                    && self.peek().is_some() =>
                {
                    self.name_after(Kind::Field, Kind::Dot)?
                }
                '.' | '+' | '-' | '0'..='9' => {
                    self.position = start;
                    self.number()?
                }
                next if is_word(next) => self.word(start)?,
                '(' => {
                    parens += 1;
                    Kind::LeftParen
                }
                ')' => {
                    parens = parens.checked_sub(1).ok_or("unexpected right paren")?;
                    Kind::RightParen
                }
                next if next.is_ascii_graphic() => Kind::Other,
                _ => return Err("unrecognized character in action"),
            };
            if self.position > start {
                self.emit(kind, start);
            }
        }
    }

    /// A run of spaces, leaving the last one to a trimming right delimiter.
    fn spaces(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.position += 1;
        }
        let last = &self.source[self.position - 1..];
        if has_right_trim(last) && last[2..].starts_with(CLOSE) {
            self.position -= 1;
        }
    }

    fn quoted(
        &mut self,
        quote: char,
        unterminated: &'static str,
        kind: Kind,
    ) -> Result<Kind, &'static str> {
        loop {
            match self.next() {
                Some('\\') => {
                    if matches!(self.next(), None | Some('\n')) {
                        return Err(unterminated);
                    }
                }
                None | Some('\n') => return Err(unterminated),
                Some(next) if next == quote => return Ok(kind),
                Some(_) => {}
            }
        }
    }

    fn raw(&mut self) -> Result<Kind, &'static str> {
        let end = self
            .rest()
            .find('`')
            .ok_or("unterminated raw quoted string")?;
        self.position += end + 1;
        Ok(Kind::RawQuoted)
    }

    /// The name after a `.` or `$`; `alone` if there is none.
    fn name_after(&mut self, named: Kind, alone: Kind) -> Result<Kind, &'static str> {
        if self.at_terminator() {
            return Ok(alone);
        }
        while self.peek().is_some_and(is_word) {
            self.next();
        }
        if !self.at_terminator() {
            return Err("bad character in a name");
        }
        Ok(named)
    }

    fn word(&mut self, start: usize) -> Result<Kind, &'static str> {
        while self.peek().is_some_and(is_word) {
            self.next();
        }
        if !self.at_terminator() {
            return Err("bad character in a name");
        }
        Ok(match &self.source[start..self.position] {
            "true" | "false" => Kind::Bool,
            "nil" => Kind::Nil,
            "block" => Kind::Block,
            "break" => Kind::Break,
            "continue" => Kind::Continue,
            "define" => Kind::Define,
            "else" => Kind::Else,
            "end" => Kind::End,
            "if" => Kind::If,
            "range" => Kind::Range,
            "template" => Kind::Template,
            "with" => Kind::With,
            _ => Kind::Identifier,
        })
    }

    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(next) => is_space(next) || self.rest().starts_with(CLOSE),
        }
    }

    fn number(&mut self) -> Result<Kind, &'static str> {
        if !self.scan_number() {
            return Err("bad number syntax");
        }
        if !matches!(self.peek(), Some('+' | '-')) {
            return Ok(Kind::Number);
        }
        if !self.scan_number() || !self.source[..self.position].ends_with('i') {
            return Err("bad number syntax");
        }
        Ok(Kind::Complex)
    }

    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponent = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if !exponent.is_empty() && self.accept(exponent) {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        !self.peek().is_some_and(is_word)
    }
}

fn is_space(c: char) -> bool {
    SPACES.contains(&c)
}

fn is_word(c: char) -> bool {
    c == '_' || is_letter(c) || is_digit(c)
}

fn has_left_trim(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next() == Some('-') && chars.next().is_some_and(is_space)
}

fn has_right_trim(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(is_space) && chars.next() == Some('-')
}
