//! A master key of a kind that this build cannot use: kept, never lost.

use std::fmt;

use crate::{
    env::Env,
    master_key::{Backend, Field, Fields, KeyError, MasterKey, ParseError, Pending, Wrapped},
    secret::KeyShare,
};

/// An entry of a list that no back end claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKey {
    field: String,
    fields: Fields,
}

/// Stands for all kinds that are not built in. It is not in [`super::BACKENDS`]: nobody can ask for it.
pub static BACKEND: Backend = Backend {
    name: "unknown",
    field: "",
    recipients_var: "",
    local: true,
    parse: |_| Err(nobody_asks()),
    load: |_| Err(nobody_asks()),
    load_config: |_| Err(nobody_asks()),
};

fn nobody_asks() -> ParseError {
    ParseError::Malformed("this kind of key is not known".to_owned())
}

impl UnknownKey {
    /// Keeps an entry of the list `field`: all of it but `enc` and `created_at`.
    pub fn new(field: &str, fields: Fields) -> Self {
        Self {
            field: field.to_owned(),
            fields,
        }
    }

    /// Why it is of no use: its kind is not built in, or knows nothing like it.
    fn refusal(&self) -> KeyError {
        match super::load(&self.field, &self.fields) {
            Err(why) => KeyError(why.to_string()),
            Ok(_) => KeyError(format!("this build has no support for {} keys", self.field)),
        }
    }
}

impl MasterKey for UnknownKey {
    fn backend(&self) -> &'static Backend {
        &BACKEND
    }

    fn field(&self) -> &str {
        &self.field
    }

    fn fields(&self) -> Fields {
        self.fields.clone()
    }

    fn wrap_key<'a>(
        &'a self,
        _share: &'a KeyShare,
        _env: &'a Env,
    ) -> Pending<'a, Result<Wrapped, KeyError>> {
        Box::pin(async { Err(self.refusal()) })
    }

    fn unwrap_key<'a>(
        &'a self,
        _wrapped: &'a Wrapped,
        _env: &'a Env,
    ) -> Pending<'a, Result<KeyShare, KeyError>> {
        Box::pin(async { Err(self.refusal()) })
    }
}

/// The kind, and what in the entry looks like a name.
impl fmt::Display for UnknownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, fields } = self;
        f.write_str(field)?;
        for (name, value) in &fields.0 {
            if let Field::Text(text) = value {
                write!(f, " {name}={text}")?;
            }
        }
        Ok(())
    }
}
