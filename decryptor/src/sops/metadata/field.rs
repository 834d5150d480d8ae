//! What the `sops` branch of a document holds, whatever the document's format.

use super::MetadataError;

/// What a metadata field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// Fields in order.
    List(Vec<Self>),
    /// Named fields.
    Map(Fields),
}

/// Named fields, in order.
pub(crate) type Fields = Vec<(String, Field)>;

/// Sorts by name, on every level.
pub(super) fn sort(fields: &mut Fields) {
    fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (_, field) in fields {
        sort_within(field);
    }
}

fn sort_within(field: &mut Field) {
    match field {
        Field::Map(fields) => sort(fields),
        Field::List(items) => items.iter_mut().for_each(sort_within),
        _ => {}
    }
}

pub(super) fn list<'f>(name: &str, field: &'f Field) -> Result<&'f [Field], MetadataError> {
    match field {
        Field::List(items) => Ok(items),
        Field::Null => Ok(&[]),
        _ => Err(MetadataError::Field(name.to_owned(), "a list")),
    }
}

pub(super) fn text(name: &str, field: &Field) -> Result<String, MetadataError> {
    match field {
        Field::Text(text) => Ok(text.clone()),
        Field::Int(value) => Ok(value.to_string()),
        Field::Bool(value) => Ok(value.to_string()),
        Field::Null => Ok(String::new()),
        _ => Err(MetadataError::Field(name.to_owned(), "a text")),
    }
}

pub(super) fn number(name: &str, field: &Field) -> Result<usize, MetadataError> {
    let text = text(name, field)?;
    match text.is_empty() {
        true => Ok(0),
        false => text
            .parse()
            .map_err(|_| MetadataError::Field(name.to_owned(), "a whole number")),
    }
}

pub(super) fn truth(name: &str, field: &Field) -> Result<bool, MetadataError> {
    match text(name, field)?.as_str() {
        "" | "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        _ => Err(MetadataError::Field(name.to_owned(), "true or false")),
    }
}
