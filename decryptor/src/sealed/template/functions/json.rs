//! JSON, written and read as Go's `encoding/json` does for values without a schema.

mod read;
mod write;

use super::super::error::Problem;
use super::super::signature::{Arguments, Context, Type};
use super::super::value::Value;
use super::{Entry, Outcome, fixed};

pub(super) const TABLE: &[Entry] = &[
    fixed("fromJson", &[Type::String], |context, arguments| {
        or_else(
            read::parse(&mut context.budget, arguments.text(0)),
            Value::Nil,
        )
    }),
    fixed("mustFromJson", &[Type::String], |context, arguments| {
        read::parse(&mut context.budget, arguments.text(0))
    }),
    fixed("mustToJson", &[Type::Any], |context, arguments| {
        write(context, arguments, COMPACT)
    }),
    fixed("mustToPrettyJson", &[Type::Any], |context, arguments| {
        write(context, arguments, PRETTY)
    }),
    fixed("mustToRawJson", &[Type::Any], |context, arguments| {
        write(context, arguments, RAW)
    }),
    fixed("toJson", &[Type::Any], |context, arguments| {
        or_else(write(context, arguments, COMPACT), Value::text(""))
    }),
    fixed("toPrettyJson", &[Type::Any], |context, arguments| {
        or_else(write(context, arguments, PRETTY), Value::text(""))
    }),
    fixed("toRawJson", &[Type::Any], |context, arguments| {
        write(context, arguments, RAW)
    }),
];

/// How JSON is laid out.
#[derive(Clone, Copy)]
struct Style {
    /// `<`, `>` and `&` are escaped.
    html: bool,
    indented: bool,
}

const COMPACT: Style = Style {
    html: true,
    indented: false,
};
const PRETTY: Style = Style {
    html: true,
    indented: true,
};
const RAW: Style = Style {
    html: false,
    indented: false,
};

fn write(context: &mut Context<'_>, arguments: &Arguments, style: Style) -> Outcome {
    Ok(Value::text(write::write(
        &mut context.budget,
        arguments.value(0),
        style,
    )?))
}

/// sprig drops errors here; a bound that was reached is still one.
fn or_else(result: Outcome, otherwise: Value) -> Outcome {
    match result {
        Err(Problem::Execution(_)) => Ok(otherwise),
        result => result,
    }
}
