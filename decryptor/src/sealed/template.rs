//! Go `text/template` with the sprig functions that sealed-secrets 0.40.0 allows.
//!
//! A template is parsed once and rendered over a flat map of byte strings. Go's strings hold any bytes, so values pass
//! through unchanged whether or not they are UTF-8. Rendering is a computation and nothing else: it has no environment,
//! no files and no network, its clock and its randomness are handed in, and its work is bounded by [`Limits`].
//! Errors name the template, the line and the function, never a value and never a literal of the source.

mod ambient;
mod budget;
mod error;
mod exec;
mod functions;
mod lex;
mod node;
mod number;
mod operators;
mod parse;
mod print;
mod quote;
mod signature;
mod time;
mod unicode;
mod value;

use std::collections::BTreeMap;

use zeroize::Zeroizing;

pub use ambient::{Ambient, NoRandomness};
pub use budget::{Limits, MissingKey};
pub use error::{Bound, Problem, TemplateError};
pub use functions::{Function, Kind, functions};

/// What a template sees as its dot: the values by key, as bytes.
pub type Dot = BTreeMap<String, Zeroizing<Vec<u8>>>;

/// A parsed template, with the templates it defines.
pub struct Template {
    name: String,
    bodies: BTreeMap<String, Vec<node::Node>>,
}

impl Template {
    /// Parses `source`; functions that are unknown or refused are errors here, by name.
    pub fn parse(name: &str, source: &str) -> Result<Self, TemplateError> {
        Ok(Self {
            name: name.to_owned(),
            bodies: parse::parse(name, source)?,
        })
    }

    /// Renders over `dot` within `limits`, with the system's clock and randomness for the functions that want them.
    pub fn render(&self, dot: &Dot, limits: &Limits) -> Result<Zeroizing<Vec<u8>>, TemplateError> {
        self.render_with(dot, limits, &Ambient::default())
    }

    /// Renders with a clock and a source of randomness of the caller's, which remember whether they were used.
    pub fn render_with(
        &self,
        dot: &Dot,
        limits: &Limits,
        ambient: &Ambient,
    ) -> Result<Zeroizing<Vec<u8>>, TemplateError> {
        let mut left = *limits;
        exec::render(
            &self.name,
            &self.bodies,
            &exec::dot(dot),
            &mut left,
            ambient,
        )
    }
}

/// Renders templates one after the other over the same dot. The limits hold for all of them together.
pub struct Series {
    dot: value::Value,
    left: Limits,
}

impl Series {
    /// A series over `dot` that may use `limits`.
    pub fn new(dot: &Dot, limits: &Limits) -> Self {
        Self {
            dot: exec::dot(dot),
            left: *limits,
        }
    }

    /// Renders the next template; `ambient` remembers whether it was used.
    pub fn render(
        &mut self,
        template: &Template,
        ambient: &Ambient,
    ) -> Result<Zeroizing<Vec<u8>>, TemplateError> {
        let Template { name, bodies } = template;
        exec::render(name, bodies, &self.dot, &mut self.left, ambient)
    }
}

#[cfg(test)]
mod tests;
