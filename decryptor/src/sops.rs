//! SOPS documents: [`Encrypted`] opens to [`Plain`], and `Plain` closes to `Encrypted`.
//!
//! Both hold the text itself. Opening and closing change the values in it, the metadata, and nothing else.
//!
//! # As a library
//!
//! Bytes in, bytes out, in both directions. Who may read is in [`keys`]: a data key, wrapped for groups of master keys.
//! Nothing reads the process's environment: what identities there are comes in an [`Env`](keys::Env).
//!
//! ```
//! use decryptor::format::Format;
//! use decryptor::sops::metadata::Metadata;
//! use decryptor::sops::rules::Rules;
//! use decryptor::sops::{Closing, Encrypted, Plain};
//! use keys::backend::age;
//! use keys::{DataKey, DecryptionOrder, Env, KeyGroups};
//!
//! # futures::executor::block_on(async {
//! let env = Env::from([(
//!     "SOPS_AGE_KEY",
//!     "AGE-SECRET-KEY-1XTR9GHLAL3VHJH85V2D2T8LWG07V6L7UQHD79ACWNGCXHTENSHVQ66VV2Y",
//! )]);
//! let recipients = "age1595auwr0xd8hhchwfvzlev928f4k5ye3knv3v2ulxr4vmcrv4afs0lvq6k";
//!
//! // Encrypt.
//! let plain = Plain::parse(b"user: app # not a secret\npassword: hunter2\n", Format::Yaml)?;
//! let mut groups = KeyGroups::one(age::BACKEND.parse_list(recipients)?);
//! let data_key = DataKey::generate();
//! groups.wrap(&data_key, &env).await?;
//! let metadata = Metadata::new(Rules::default(), groups);
//! let closing = Closing { metadata, now: "2026-01-02T03:04:05Z", previous: None };
//! let encrypted = plain.close(&data_key, closing)?;
//! let file = encrypted.as_bytes();
//! # assert!(file.starts_with(b"user: ENC[AES256_GCM,"));
//!
//! // Decrypt. The MAC is checked before anything is given out.
//! let encrypted = Encrypted::parse(file, Format::Yaml)?;
//! let groups = &encrypted.metadata().key_groups;
//! let data_key = groups.recover(&env, &DecryptionOrder::default()).await?;
//! let plain = encrypted.open(&data_key)?;
//! assert_eq!(plain.expose_secret(), b"user: app # not a secret\npassword: hunter2\n");
//!
//! // Change one value: the ciphertext of the others stays.
//! let changed = Plain::parse(b"user: app # not a secret\npassword: hunter3\n", Format::Yaml)?;
//! let metadata = encrypted.metadata().copy()?;
//! let closing = Closing { metadata, now: "2026-01-03T03:04:05Z", previous: Some(&encrypted) };
//! let again = changed.close(&data_key, closing)?;
//! let line = |document: &Encrypted| document.as_bytes().split(|byte| *byte == b'\n').next().map(<[u8]>::to_vec);
//! assert_eq!(line(&again), line(&encrypted));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod config;
pub mod metadata;
pub mod path;
pub mod rules;

mod aliases;
mod audit;
mod close;
mod convert;
mod error;
mod mac;
mod merge;
mod open;
mod set;
mod shown;
mod stash;
#[cfg(test)]
mod tests;
pub(crate) mod time;
mod types;
pub(crate) mod value;
mod variables;
mod walk;
mod warning;
mod written;

use std::sync::Mutex;

use keys::{KeyGroups, Plaintext};
use zeroize::Zeroizing;

use crate::format::{Edits, Format, Parsed, is_file};
use crate::tree::Tree;
use metadata::{Metadata, MetadataError};
use rules::{Rules, Selection};
use types::Types;

pub use audit::{Flaw, FlawKind};
pub use close::Closing;
pub use convert::ConvertError;
pub use error::{CloseError, Fault, OpenError, ReadError};
pub use merge::MergeError;
pub use set::SetError;
pub use value::ValueError;
pub use variables::VariableError;
pub use warning::Warning;

/// A document whose values are encrypted.
pub struct Encrypted {
    format: Format,
    read_as: Format,
    text: String,
    parsed: Parsed,
    metadata: Metadata,
    warnings: Vec<Warning>,
}

/// A document in clear.
pub struct Plain {
    format: Format,
    text: Zeroizing<Vec<u8>>,
    /// What was read of it, for whoever needs it first.
    parsed: Mutex<Option<Parsed>>,
    /// The types that the text does not show.
    types: Types,
    warnings: Vec<Warning>,
}

impl Encrypted {
    /// Reads a document; nothing is decrypted yet.
    pub fn parse(text: &[u8], format: Format) -> Result<Self, ReadError> {
        Self::take(text.to_vec(), format)
    }

    /// As [`Encrypted::parse`], for whoever needs the text no more: large ones are not copied.
    pub fn take(text: Vec<u8>, format: Format) -> Result<Self, ReadError> {
        let text = String::from_utf8(text).map_err(|_| ReadError::NotUtf8)?;
        Self::of(text, format)
    }

    fn of(text: String, format: Format) -> Result<Self, ReadError> {
        if text.is_empty() && format == Format::Yaml {
            return Err(ReadError::Empty);
        }
        let parsed = format.parse(&text)?;
        let read_as = format;
        let format = match format {
            Format::Binary if !is_file(&parsed.tree) => Format::Json,
            format => format,
        };
        let default = match format {
            Format::Binary => Rules::new(Selection::All),
            _ => Rules::default(),
        };
        let fields = match &parsed.metadata {
            None => return Err(MetadataError::Missing.into()),
            Some(Err(_)) => return Err(MetadataError::NotAMapping.into()),
            Some(Ok(fields)) => fields,
        };
        let mut metadata = Metadata::read(fields, default)?;
        if format == Format::Binary {
            metadata.rules = Rules::new(Selection::All);
        }
        Ok(Self {
            format,
            read_as,
            text,
            parsed,
            metadata,
            warnings: Vec::new(),
        })
    }

    /// What people should know of how it was encrypted.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What it says of its keys and rules.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Its keys and values, the latter encrypted.
    pub fn tree(&self) -> &Tree {
        &self.parsed.tree
    }

    /// The format that it has: JSON, if it was read as binary and is no file.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The format that it was read as.
    pub fn read_as(&self) -> Format {
        self.read_as
    }

    /// The same document for other keys, which must hold the same data key: values, MAC and time stay.
    pub fn with_key_groups(&self, key_groups: KeyGroups) -> Result<Self, ReadError> {
        let mut metadata = self.metadata.copy()?;
        metadata.key_groups = key_groups;
        self.with_metadata(&metadata, None)
    }

    /// The same values under other metadata, which keeps the text of an earlier version as far as it says the same.
    fn with_metadata(
        &self,
        metadata: &Metadata,
        previous: Option<&Self>,
    ) -> Result<Self, ReadError> {
        let mut edits = Edits::default();
        self.parsed.remove_metadata(&self.text, &mut edits);
        let text = edits.apply(&self.text);
        let parsed = self.format.parse(&text)?;
        let mut edits = Edits::public();
        close::write_metadata(&text, &parsed, metadata, previous, &mut edits);
        Self::of(std::mem::take(&mut *edits.apply(&text)), self.format)
    }

    /// Whether another version differs by its MAC and time at most: it then says the same.
    pub fn is_same_but_mac(&self, other: &Self) -> bool {
        let body = |document: &Self| {
            let mut edits = Edits::default();
            document.parsed.remove_metadata(&document.text, &mut edits);
            edits.apply(&document.text)
        };
        self.metadata.same_but_mac(&other.metadata) && body(self) == body(other)
    }

    /// The document as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl Plain {
    /// Takes a document in clear, if it is of its format.
    pub fn parse(text: &[u8], format: Format) -> Result<Self, ReadError> {
        let mut plain = Self {
            format,
            text: Zeroizing::new(text.to_vec()),
            parsed: Mutex::default(),
            types: Types::default(),
            warnings: Vec::new(),
        };
        if text.is_empty() && format == Format::Yaml {
            return Err(ReadError::Empty);
        }
        if format != Format::Binary {
            plain.parsed = Mutex::new(Some(format.parse(plain.text()?)?));
        }
        Ok(plain)
    }

    /// The document itself. Whoever calls this must not let it out.
    pub fn expose_secret(&self) -> &[u8] {
        &self.text
    }

    /// The document itself, for its new owner to keep.
    pub fn into_plaintext(self) -> Plaintext {
        Plaintext::from(self.text)
    }

    /// The format that it has.
    pub fn format(&self) -> Format {
        self.format
    }

    /// What people should know of it.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Its keys and values.
    pub fn tree(&self) -> Result<Tree, ReadError> {
        Ok(self.format.parse(self.text()?)?.tree)
    }

    /// The same with the types that its text does not show.
    fn typed_tree(&self) -> Result<Tree, ReadError> {
        let mut tree = self.tree()?;
        self.types.restore(&mut tree);
        Ok(tree)
    }

    /// Gives away what was read of it, which takes more memory than the text.
    fn take_parsed(&self) -> Option<Parsed> {
        self.parsed.lock().ok()?.take()
    }

    fn keep_parsed(&self, parsed: Parsed) {
        if let Ok(mut kept) = self.parsed.lock() {
            *kept = Some(parsed);
        }
    }

    fn text(&self) -> Result<&str, ReadError> {
        str::from_utf8(&self.text).map_err(|_| ReadError::NotUtf8)
    }
}
