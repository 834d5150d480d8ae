//! What flags say of all keys in AWS KMS that a command names: a profile and a context.

use keys::Backend;
use keys::master_key::{Field, Fields, MasterKey, ParseError};

use super::exit;
use crate::error::CommandError;

/// A profile and a context, as typed.
#[derive(Clone, Default)]
pub(crate) struct ForKms {
    /// The profile whose credentials count.
    pub(crate) profile: Option<String>,
    /// `name:value` pairs, separated by commas.
    pub(crate) context: Option<String>,
}

impl ForKms {
    /// Keys as typed in a flag, separated by commas, each with the profile and the context.
    pub(crate) fn keys(
        &self,
        backend: &Backend,
        list: &str,
    ) -> Result<Vec<Box<dyn MasterKey>>, CommandError> {
        let context = self.context()?;
        let key = |arn: &str| -> Result<Box<dyn MasterKey>, ParseError> {
            let mut fields = Fields::default().with("arn", arn);
            fields.0.extend(context.clone());
            let fields = fields.with("aws_profile", self.profile.as_deref().unwrap_or_default());
            (backend.load_config)(&fields)
        };
        let keys = list.split(',').map(key).collect::<Result<_, _>>();
        keys.map_err(|e| CommandError::new(e.to_string()))
    }

    /// The context as a key has it. Nothing if none was typed; it is read in any case, so that a wrong one is never left out.
    pub(crate) fn context(&self) -> Result<Option<(String, Field)>, CommandError> {
        let Some(text) = self.context.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let mut pairs: Vec<(String, Field)> = Vec::new();
        for pair in text.split(',') {
            let parts: Vec<&str> = pair.split(':').collect();
            let [name, value] = parts.as_slice() else {
                return Err(CommandError::new("Invalid KMS encryption context format")
                    .code(exit::BAD_CONTEXT)
                    .hint("--encryption-context name:value,other:value"));
            };
            pairs.push(((*name).to_owned(), Field::Text((*value).to_owned())));
        }
        Ok(Some(("context".to_owned(), Field::Map(Fields(pairs)))))
    }
}
