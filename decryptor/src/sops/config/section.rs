//! One mapping of a configuration: fields are taken out by name, and what is left over is warned of.

use serde_json::{Map, Value};

use super::ConfigError;

/// A mapping, and where it stands.
pub(super) struct Section {
    place: String,
    fields: Map<String, Value>,
}

impl Section {
    /// Takes a mapping; null is an empty one.
    pub(super) fn new(place: String, value: Value) -> Result<Self, ConfigError> {
        match value {
            Value::Null => Ok(Self {
                place,
                fields: Map::new(),
            }),
            Value::Object(fields) => Ok(Self { place, fields }),
            _ if place.is_empty() => Err(shape("the file".to_owned(), "a mapping")),
            _ => Err(shape(place, "a mapping")),
        }
    }

    /// The path to it.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Takes a field out. Returns `None` for null too.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.fields
            .shift_remove(name)
            .filter(|value| !value.is_null())
    }

    /// A text, or a number or truth value as YAML has it there.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, ConfigError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(Value::Bool(truth)) => Ok(Some(truth.to_string())),
            Some(_) => Err(self.refuse(name, "a text")),
        }
    }

    /// A list of texts, or one text with commas between.
    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, ConfigError> {
        const WANTED: &str = "a text, or a list of texts";
        let texts = match self.take(name) {
            None => return Ok(Vec::new()),
            Some(Value::String(text)) => text.split(',').map(str::to_owned).collect(),
            Some(Value::Array(items)) => items
                .into_iter()
                .map(|item| match item {
                    Value::String(text) => Ok(text),
                    _ => Err(self.refuse(name, WANTED)),
                })
                .collect::<Result<Vec<_>, _>>()?,
            Some(_) => return Err(self.refuse(name, WANTED)),
        };
        let trimmed = texts.iter().map(|text| text.trim().to_owned());
        Ok(trimmed.filter(|text| !text.is_empty()).collect())
    }

    /// A truth value.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, ConfigError> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(truth)) => Ok(truth),
            Some(_) => Err(self.refuse(name, "true or false")),
        }
    }

    /// A number from 0 to 255.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<u8>, ConfigError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let number = value.as_u64().and_then(|number| u8::try_from(number).ok());
        match number {
            Some(number) => Ok(Some(number)),
            None => Err(self.refuse(name, "a number from 0 to 255")),
        }
    }

    /// Spaces per level; -1 means the default.
    pub(super) fn indent(&mut self, name: &str) -> Result<Option<u8>, ConfigError> {
        if self.fields.get(name).and_then(Value::as_i64) == Some(-1) {
            self.take(name);
        }
        self.number(name)
    }

    /// A mapping inside.
    pub(super) fn section(&mut self, name: &str) -> Result<Option<Self>, ConfigError> {
        let place = self.inside(name);
        self.take(name)
            .map(|value| Self::new(place, value))
            .transpose()
    }

    /// A list of mappings inside. Returns `None` if there is no list.
    pub(super) fn sections(&mut self, name: &str) -> Result<Option<Vec<Self>>, ConfigError> {
        let items = match self.take(name) {
            None => return Ok(None),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.refuse(name, "a list of mappings")),
        };
        let place = self.inside(name);
        let sections = items.into_iter().enumerate();
        sections
            .map(|(index, item)| Self::new(format!("{place}[{index}]"), item))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// Whether a field is a list with a mapping in it.
    pub(super) fn lists_mappings(&self, name: &str) -> bool {
        let items = self.fields.get(name).and_then(Value::as_array);
        items.is_some_and(|items| items.iter().any(Value::is_object))
    }

    /// All that is left of it.
    pub(super) fn into_fields(self) -> Map<String, Value> {
        self.fields
    }

    /// Warns of each field that nobody took.
    pub(super) fn finish(self, warnings: &mut Vec<String>) {
        let unknown = self
            .fields
            .keys()
            .map(|name| format!("{} is not known here and has no effect", self.inside(name)));
        warnings.extend(unknown);
    }

    /// The error that a field has another shape than it must.
    pub(super) fn refuse(&self, name: &str, wanted: &'static str) -> ConfigError {
        shape(self.inside(name), wanted)
    }

    fn inside(&self, name: &str) -> String {
        match self.place.as_str() {
            "" => name.to_owned(),
            place => format!("{place}.{name}"),
        }
    }
}

fn shape(place: String, wanted: &'static str) -> ConfigError {
    ConfigError::Shape { place, wanted }
}
