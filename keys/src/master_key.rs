//! A key outside of the document that protects its data key, and what a kind of such keys is.

use std::{fmt, pin::Pin};

use jiff::Timestamp;

use crate::{env::Env, secret::KeyShare};

/// Work that may wait for a process or a network.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A key outside of the document that protects its data key. `Display` is how people type it.
pub trait MasterKey: fmt::Display + fmt::Debug + Send + Sync {
    /// The kind of key.
    fn backend(&self) -> &'static Backend;

    /// The list of a document's metadata in which it stands.
    fn field(&self) -> &str {
        self.backend().field
    }

    /// What stands beside `enc` in the metadata, in sops's order.
    fn fields(&self) -> Fields;

    /// Takes from a document's key what this one leaves open, such as a version, if it is the same key otherwise.
    fn adopt(&self, _present: &dyn MasterKey) {}

    /// Encrypts a share to this key.
    fn wrap_key<'a>(
        &'a self,
        share: &'a KeyShare,
        env: &'a Env,
    ) -> Pending<'a, Result<Wrapped, KeyError>>;

    /// Decrypts what [`MasterKey::wrap_key`] made.
    fn unwrap_key<'a>(
        &'a self,
        wrapped: &'a Wrapped,
        env: &'a Env,
    ) -> Pending<'a, Result<KeyShare, KeyError>>;
}

/// What the rest of the suite must know of a kind of key: one static for each.
pub struct Backend {
    /// Its name in flags and in the decryption order: `age`.
    pub name: &'static str,
    /// Its list in documents: `age`, `kms`, `gcp_kms`, `azure_kv`, `hc_vault`, …
    pub field: &'static str,
    /// The variable that holds recipients.
    pub recipients_var: &'static str,
    /// Whether it works without a network: then it is tried first.
    pub local: bool,
    /// Reads a key as typed in a flag or a short configuration entry.
    pub parse: fn(&str) -> Result<Box<dyn MasterKey>, ParseError>,
    /// Reads a key from a document's metadata.
    pub load: fn(&Fields) -> Result<Box<dyn MasterKey>, ParseError>,
    /// Reads a key from a long configuration entry, where fields may have other names.
    pub load_config: fn(&Fields) -> Result<Box<dyn MasterKey>, ParseError>,
}

impl Backend {
    /// Reads keys as typed in a flag, separated by commas. Nothing is no key.
    pub fn parse_list(&self, text: &str) -> Result<Vec<Box<dyn MasterKey>>, ParseError> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        text.split(',').map(|one| (self.parse)(one)).collect()
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Backend({})", self.name)
    }
}

/// What a master key made of a share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// The encrypted share, as it stands in the metadata.
    pub enc: String,
    /// When it was made, for the kinds that say so.
    pub created_at: Option<Timestamp>,
}

/// What a metadata or configuration entry says of a key, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fields(pub Vec<(String, Field)>);

/// One of [`Fields`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// Text, or any scalar as it was written.
    Text(String),
    /// Names and what they hold: a KMS context.
    Map(Fields),
    /// Several, as a configuration may have.
    List(Vec<Self>),
}

impl Fields {
    /// A field by name, whatever its case: sops reads `Recipient` too. Returns `None` if it is missing.
    pub fn get(&self, name: &str) -> Option<&Field> {
        let named = |(found, _): &&(String, Field)| found.eq_ignore_ascii_case(name);
        self.0.iter().find(named).map(|(_, field)| field)
    }

    /// The text of a field; empty if it is missing.
    pub fn text(&self, name: &'static str) -> Result<&str, ParseError> {
        match self.get(name) {
            None => Ok(""),
            Some(Field::Text(text)) => Ok(text),
            Some(_) => Err(ParseError::NotText(name)),
        }
    }

    /// Adds a field of text.
    #[must_use]
    pub fn with(mut self, name: &str, text: impl Into<String>) -> Self {
        self.0.push((name.to_owned(), Field::Text(text.into())));
        self
    }
}

/// Why something typed or stored names no key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It is not written as such a key is.
    #[error("{0}")]
    Malformed(String),
    /// A list or mapping stands where text should.
    #[error("{0} is not text")]
    NotText(&'static str),
}

/// Why a master key did not wrap or unwrap a share. The text is for people: no secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(pub String);
