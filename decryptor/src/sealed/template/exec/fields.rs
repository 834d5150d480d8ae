//! `.field`: keys of maps, and the methods of times and versions.

use super::super::budget::MissingKey;
use super::super::error::Problem;
use super::super::functions::{METHODS, Method};
use super::super::node::Operand;
use super::super::value::Value;
use super::{Run, in_function};

impl<'t> Run<'t> {
    /// Follows `names` from `receiver`; the last one gets the arguments, should it be a method.
    pub(super) fn fields(
        &mut self,
        dot: &Value,
        receiver: Value,
        names: &'t [String],
        operands: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Value, Problem> {
        let Some((name, before)) = names.split_last() else {
            return Ok(receiver);
        };
        let mut value = receiver;
        for name in before {
            value = self.field(dot, &value, name, &[], None)?;
        }
        self.field(dot, &value, name, operands, last)
    }

    fn field(
        &mut self,
        dot: &Value,
        receiver: &Value,
        name: &str,
        operands: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Value, Problem> {
        self.step()?;
        let found = match receiver {
            Value::Missing => {
                if self.missing_key == MissingKey::Error {
                    return Err(Problem::MissingKey(name.to_owned()));
                }
                return Ok(Value::Missing);
            }
            Value::Dict(dict) => dict.get(name.as_bytes()),
            Value::Strings(map) => map.get(name.as_bytes()).cloned().map(Value::Str),
            _ => return self.method(dot, receiver, name, operands, last),
        };
        if !operands.is_empty() || last.is_some() {
            return Err(Problem::Execution("a key of a map takes no arguments"));
        }
        match found {
            Some(value) => Ok(value),
            None if self.missing_key == MissingKey::Error => {
                Err(Problem::MissingKey(name.to_owned()))
            }
            None => Ok(Value::Missing),
        }
    }

    fn method(
        &mut self,
        dot: &Value,
        receiver: &Value,
        name: &str,
        operands: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Value, Problem> {
        let on = receiver.type_name();
        let method: Option<&'static Method> = METHODS
            .iter()
            .find(|method| method.on == on && method.name == name);
        let method = method.ok_or_else(|| Problem::NoField {
            field: name.to_owned(),
            on,
        })?;
        let mut arguments = self.arguments(dot, name, method.parameters, None, operands, last)?;
        arguments.0.insert(0, receiver.clone());
        (method.call)(&mut self.context, &arguments)
            .map_err(|problem| in_function(method.name, problem))
    }
}
