//! SOPS documents: [`Encrypted`] opens to [`Plain`], and `Plain` closes to `Encrypted`.
//!
//! Both hold the text itself. Opening and closing change the values in it, the metadata, and nothing else.

pub mod metadata;
pub mod rules;

mod mac;
mod stash;
#[cfg(test)]
mod tests;
pub(crate) mod time;
pub(crate) mod value;
mod walk;

use keys::aead::ValueCipher;
use keys::{DataKey, Plaintext};
use zeroize::Zeroizing;

use crate::format::{Edits, Format, ParseError, Parsed, Previous, opened_binary, wrapped_binary};
use crate::tree::{Scalar, Tree};
use mac::{Digest, Mac};
use metadata::{Metadata, MetadataError};
use rules::{Rules, Selection};
use stash::Stash;
use value::{Type, ValueError};
use walk::{Met, walk};

/// A document whose values are encrypted.
pub struct Encrypted {
    format: Format,
    text: String,
    parsed: Parsed,
    metadata: Metadata,
}

/// A document in clear.
pub struct Plain {
    format: Format,
    text: Zeroizing<Vec<u8>>,
    warnings: Vec<Warning>,
}

/// Something that people should know of a document that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// Comments that should be encrypted are not: anyone can have written them.
    UnencryptedComments(usize),
    /// A key stands twice in a mapping: its line, and the key.
    DuplicateKey(usize, String),
}

/// A text that is no encrypted document.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is not UTF-8.
    #[error("the document is not UTF-8")]
    NotUtf8,
    /// It is not of its format.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// It cannot be used as metadata.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

/// A document that does not open.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A value does not open.
    #[error("{path}: {source}")]
    Value {
        /// The keys on the way to it.
        path: String,
        /// What is wrong with it.
        source: ValueError,
    },
    /// A value cannot stand where it is.
    #[error("{path}: {reason}")]
    Place {
        /// The keys on the way to it.
        path: String,
        /// What is wrong there.
        reason: &'static str,
    },
    /// The document has no MAC.
    #[error("the document has no MAC: nothing says that it is whole")]
    NoMac,
    /// The MAC itself does not open, or its time is none.
    #[error("the MAC does not open with the document's data key and time")]
    MacUnreadable,
    /// Values were added, removed, moved or replaced.
    #[error("the MAC does not match: values were added, removed or moved")]
    MacMismatch,
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// A document that cannot be encrypted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It has the metadata of an encrypted document.
    #[error("the document has an entry named sops, which is reserved")]
    Reserved,
    /// A key stands twice in a mapping.
    #[error("line {0}: the key {1:?} stands twice")]
    DuplicateKey(usize, String),
    /// An alias repeats what will be encrypted: its copy would not open.
    #[error("line {0}: an alias repeats a value that will be encrypted: write the value out")]
    Alias(usize),
    /// Encrypted comments would look like comments that keep values in clear.
    #[error("the rule for comments matches encrypted comments, too")]
    RuleMatchesEncrypted,
    /// The time is not one by RFC 3339.
    #[error("{0:?} is no time by RFC 3339")]
    Time(String),
    /// The earlier version does not open with the data key.
    #[error("the earlier version does not open with this data key")]
    Previous(#[source] OpenError),
    /// A value or a comment would stay in clear that the rules have encrypted.
    #[error("something that the rules have encrypted would stay in clear")]
    LeftInClear,
    /// What was made does not open again.
    #[error("the encrypted document would not open again")]
    Unsound(#[source] OpenError),
}

/// What to encrypt a document with, besides the data key.
pub struct Closing<'a> {
    /// Rules and wrapped keys.
    pub metadata: Metadata,
    /// The time to write down, by RFC 3339.
    pub now: &'a str,
    /// An earlier version under the same data key: values that it has keep their ciphertext.
    pub previous: Option<&'a Encrypted>,
}

impl Encrypted {
    /// Reads a document; nothing is decrypted yet.
    pub fn parse(text: &[u8], format: Format) -> Result<Self, ReadError> {
        let text = str::from_utf8(text).map_err(|_| ReadError::NotUtf8)?;
        Self::of(text.to_owned(), format)
    }

    fn of(text: String, format: Format) -> Result<Self, ReadError> {
        let parsed = format.parse(&text)?;
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
            text,
            parsed,
            metadata,
        })
    }

    /// What it says of its keys and rules.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Its keys and values, the latter encrypted.
    pub fn tree(&self) -> &Tree {
        &self.parsed.tree
    }

    /// The document as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Decrypts all values and checks the MAC over them.
    pub fn open(&self, key: &DataKey) -> Result<Plain, OpenError> {
        let cipher = ValueCipher::new(key);
        let (plain, digest) = self.open_values(&cipher)?;
        self.check(&cipher, &digest)?;
        Ok(plain)
    }

    /// Decrypts all values. Whether values were removed or moved is not checked.
    pub fn open_unverified(&self, key: &DataKey) -> Result<Plain, OpenError> {
        let (plain, _) = self.open_values(&ValueCipher::new(key))?;
        Ok(plain)
    }

    fn check(&self, cipher: &ValueCipher, digest: &Digest) -> Result<(), OpenError> {
        if self.metadata.mac.is_empty() {
            return Err(OpenError::NoMac);
        }
        let time =
            time::to_the_second(&self.metadata.last_modified).ok_or(OpenError::MacUnreadable)?;
        match digest.agrees(cipher, &self.metadata.mac, &time) {
            None => Err(OpenError::MacUnreadable),
            Some(false) => Err(OpenError::MacMismatch),
            Some(true) => Ok(()),
        }
    }

    fn open_values(&self, cipher: &ValueCipher) -> Result<(Plain, Digest), OpenError> {
        let rules = &self.metadata.rules;
        let mut mac = Mac::new(rules.mac_only_encrypted);
        let mut edits = Edits::default();
        let mut file = None;
        let mut unencrypted_comments = 0;
        walk(&self.parsed.tree, rules, |met, spot| {
            let value_error = |source| OpenError::Value {
                path: path(spot.aad),
                source,
            };
            let place_error = |reason| OpenError::Place {
                path: path(spot.aad),
                reason,
            };
            match met {
                Met::Comment(comment) if spot.encrypted && !comment.text.is_empty() => {
                    let opened = value::open(cipher, &comment.text, spot.aad.as_bytes());
                    match opened
                        .as_ref()
                        .map(|opened| str::from_utf8(opened.text.expose_secret()))
                    {
                        Ok(Ok(text)) => self.parsed.write_comment(comment, text, &mut edits),
                        _ => unencrypted_comments += 1,
                    }
                }
                Met::Comment(_) => {}
                Met::Leaf(leaf) if !spot.encrypted => {
                    if !rules.mac_only_encrypted {
                        mac.add(&value::canonical(&leaf.scalar));
                    }
                }
                Met::Leaf(leaf) if leaf.scalar.is_empty() => {}
                Met::Leaf(leaf) => {
                    let Scalar::Text(sealed) = &leaf.scalar else {
                        return Err(value_error(ValueError::NotEncrypted));
                    };
                    let opened =
                        value::open(cipher, sealed, spot.aad.as_bytes()).map_err(value_error)?;
                    if let Some(scalar) = &opened.scalar {
                        mac.add(&value::canonical(scalar));
                    }
                    if self.format == Format::Binary {
                        file = Some(opened.text);
                        return Ok(());
                    }
                    if leaf.place.alias_line.is_some() {
                        return Err(place_error("an alias repeats an encrypted value"));
                    }
                    let keeps = self.metadata.keeps_layout;
                    self.parsed
                        .write_opened(&self.text, leaf, &opened, keeps, &mut edits)
                        .map_err(place_error)?;
                }
            }
            Ok(())
        })?;
        let text = match self.format {
            Format::Binary => {
                opened_binary(&self.parsed.tree).map_err(ReadError::from)?;
                let file = file.map(|file| file.expose_secret().to_vec());
                Zeroizing::new(file.unwrap_or_default())
            }
            _ => {
                self.parsed.remove_metadata(&self.text, &mut edits);
                Zeroizing::new(std::mem::take(&mut *edits.apply(&self.text)).into_bytes())
            }
        };
        let warnings = self.warnings(unencrypted_comments);
        Ok((
            Plain {
                format: self.format,
                text,
                warnings,
            },
            mac.finish(),
        ))
    }

    fn warnings(&self, unencrypted_comments: usize) -> Vec<Warning> {
        let duplicates = self.parsed.duplicates.iter();
        let mut warnings: Vec<Warning> = duplicates
            .map(|(line, key)| Warning::DuplicateKey(*line, key.clone()))
            .collect();
        if unencrypted_comments > 0 {
            warnings.push(Warning::UnencryptedComments(unencrypted_comments));
        }
        warnings
    }
}

/// The keys on the way to a value, as people write them.
fn path(aad: &str) -> String {
    aad.strip_suffix(':').unwrap_or(aad).replace(':', ".")
}

impl Plain {
    /// Takes a document in clear, if it is of its format.
    pub fn parse(text: &[u8], format: Format) -> Result<Self, ReadError> {
        let plain = Self {
            format,
            text: Zeroizing::new(text.to_vec()),
            warnings: Vec::new(),
        };
        if format != Format::Binary {
            format.parse(plain.text()?)?;
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

    /// What people should know of it.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Its keys and values.
    pub fn tree(&self) -> Result<Tree, ReadError> {
        Ok(self.format.parse(self.text()?)?.tree)
    }

    fn text(&self) -> Result<&str, ReadError> {
        str::from_utf8(&self.text).map_err(|_| ReadError::NotUtf8)
    }

    /// Encrypts the values that the rules name, and writes metadata.
    pub fn close(&self, key: &DataKey, closing: Closing<'_>) -> Result<Encrypted, CloseError> {
        let cipher = ValueCipher::new(key);
        let now = time::to_the_second(closing.now)
            .ok_or_else(|| CloseError::Time(closing.now.to_owned()))?;
        let mut stash = match closing.previous {
            Some(previous) => Stash::of(previous, &cipher).map_err(CloseError::Previous)?,
            None => Stash::default(),
        };
        let mut metadata = closing.metadata;
        metadata.last_modified = now;
        let encrypted = match self.format {
            Format::Binary => self.close_binary(&cipher, metadata, closing.previous, &mut stash)?,
            _ => self.close_text(&cipher, metadata, closing.previous, &mut stash)?,
        };
        let reopened = encrypted.open(key).map_err(CloseError::Unsound)?;
        let is_clear = |warning: &Warning| matches!(warning, Warning::UnencryptedComments(_));
        match reopened.warnings.iter().any(is_clear) {
            true => Err(CloseError::LeftInClear),
            false => Ok(encrypted),
        }
    }

    fn close_text(
        &self,
        cipher: &ValueCipher,
        mut metadata: Metadata,
        previous: Option<&Encrypted>,
        stash: &mut Stash,
    ) -> Result<Encrypted, CloseError> {
        let text = self.text()?;
        let parsed = self.format.parse(text).map_err(ReadError::from)?;
        if parsed.metadata.is_some() {
            return Err(CloseError::Reserved);
        }
        if let Some((line, key)) = parsed.duplicates.first() {
            return Err(CloseError::DuplicateKey(*line, key.clone()));
        }
        metadata.keeps_layout = previous.is_none_or(|previous| previous.metadata.keeps_layout);
        let mut edits = Edits::default();
        let digest = self.close_values(cipher, &parsed, &metadata, stash, &mut edits)?;
        metadata.mac = digest.seal(cipher, &metadata.last_modified);
        write_metadata(text, &parsed, &metadata, previous, &mut edits);
        if !edits.are_apart() {
            return Err(CloseError::LeftInClear);
        }
        let text = std::mem::take(&mut *edits.apply(text));
        Ok(Encrypted::of(text, self.format)?)
    }

    fn close_values(
        &self,
        cipher: &ValueCipher,
        parsed: &Parsed,
        metadata: &Metadata,
        stash: &mut Stash,
        edits: &mut Edits,
    ) -> Result<Digest, CloseError> {
        let text = self.text()?;
        let rules = &metadata.rules;
        let mut mac = Mac::new(rules.mac_only_encrypted);
        walk(&parsed.tree, rules, |met, spot| {
            match met {
                Met::Comment(comment) => {
                    if spot.encrypted && !comment.text.is_empty() {
                        let plain = comment.text.as_bytes();
                        let sealed = stash.seal(cipher, Type::Comment, plain, spot.aad);
                        if rules.comments_name_themselves() && rules.names_comment(&sealed) {
                            return Err(CloseError::RuleMatchesEncrypted);
                        }
                        if spot.in_list && !metadata.keeps_layout {
                            parsed.write_comment_as_item(comment, &sealed, edits);
                        } else {
                            parsed.write_comment(comment, &sealed, edits);
                        }
                    }
                }
                Met::Leaf(leaf) => {
                    if spot.encrypted || !rules.mac_only_encrypted {
                        mac.add(&value::canonical(&leaf.scalar));
                    }
                    if spot.encrypted && !leaf.scalar.is_empty() {
                        if let Some(line) = leaf.place.alias_line {
                            return Err(CloseError::Alias(line));
                        }
                        let plain = parsed.source_form(text, leaf);
                        let sealed = stash.seal(cipher, Type::of(&leaf.scalar), &plain, spot.aad);
                        parsed.write_encrypted(text, leaf, &sealed, metadata.keeps_layout, edits);
                    }
                }
            }
            Ok(())
        })?;
        Ok(mac.finish())
    }

    fn close_binary(
        &self,
        cipher: &ValueCipher,
        mut metadata: Metadata,
        previous: Option<&Encrypted>,
        stash: &mut Stash,
    ) -> Result<Encrypted, CloseError> {
        metadata.rules = Rules::new(Selection::All);
        metadata.keeps_layout = false;
        let sealed = match self.text.is_empty() {
            true => String::new(),
            false => stash.seal(cipher, Type::Str, &self.text, "data:"),
        };
        let mut mac = Mac::new(false);
        mac.add(&self.text);
        metadata.mac = mac.finish().seal(cipher, &metadata.last_modified);
        let text = wrapped_binary(&sealed);
        let parsed = self.format.parse(&text).map_err(ReadError::from)?;
        let mut edits = Edits::default();
        write_metadata(&text, &parsed, &metadata, previous, &mut edits);
        let text = std::mem::take(&mut *edits.apply(&text));
        Ok(Encrypted::of(text, self.format)?)
    }
}

/// Where only MAC and time differ from the previous version, nothing else of its metadata changes.
fn write_metadata(
    text: &str,
    parsed: &Parsed,
    metadata: &Metadata,
    previous: Option<&Encrypted>,
    edits: &mut Edits,
) {
    let previous = previous.filter(|previous| previous.metadata.same_but_mac(metadata));
    let previous = previous.map(|previous| Previous {
        text: &previous.text,
        parsed: &previous.parsed,
        last_modified: &metadata.last_modified,
        mac: &metadata.mac,
    });
    parsed.write_metadata(text, &metadata.fields(), previous.as_ref(), edits);
}
