//! Which namespace a Secret is sealed for.

use crate::cluster::Connection;
use crate::error::CommandError;

/// What `--namespace` says, and where to look if it says nothing.
pub(crate) struct Namespaces {
    /// The namespace that was asked for.
    pub(crate) asked: Option<String>,
    /// Where the default comes from. It is only looked at when it is needed.
    pub(crate) connection: Connection,
}

impl Namespaces {
    /// The namespace for a Secret whose manifest says `declared`, which may be empty.
    pub(crate) fn choose(&self, declared: &str) -> Result<String, CommandError> {
        match &self.asked {
            Some(asked) if !declared.is_empty() && declared != asked => {
                Err(CommandError::new(format!(
                    "namespace mismatch: input secret is in namespace {declared:?} but {asked:?} was specified"
                )))
            }
            Some(asked) => Ok(asked.clone()),
            None if !declared.is_empty() => Ok(declared.to_owned()),
            None => self.connection.default_namespace().ok_or_else(|| {
                CommandError::new("secret must declare a namespace")
                    .hint("put metadata.namespace into the manifest, or say --namespace")
            }),
        }
    }

    /// The namespace for a value that has no manifest. Returns `None` if nothing says one.
    pub(crate) fn default(&self) -> Option<String> {
        self.asked
            .clone()
            .or_else(|| self.connection.default_namespace())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_was_asked_for_may_fill_but_not_change() {
        let asked = |name: &str| Namespaces {
            asked: Some(name.to_owned()),
            connection: Connection::default(),
        };
        assert_eq!(asked("a").choose("").unwrap(), "a");
        assert_eq!(asked("a").choose("a").unwrap(), "a");
        let refused = asked("b").choose("a").unwrap_err();
        assert!(
            refused
                .line()
                .contains("namespace mismatch: input secret is in namespace \"a\" but \"b\"")
        );
    }
}
