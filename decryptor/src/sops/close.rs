//! Closes documents: encrypts what the rules name, in place, and writes metadata.

use std::ops::Range;
use std::thread;

use keys::DataKey;
use keys::aead::ValueCipher;

use super::mac::{Digest, Mac, Values};
use super::metadata::Metadata;
use super::rules::{Rules, Selection};
use super::stash::Stash;
use super::types::Places;
use super::value::{self, Type};
use super::walk::{Met, Spot, in_parts, walk, walk_part};
use super::{CloseError, Encrypted, Plain, ReadError, Warning, time, written};
use crate::format::{Edits, Format, Parsed, Previous, wrapped_binary};
use crate::parts::WORTH_A_THREAD;
use crate::tree::{Comment, Leaf};

/// What to encrypt a document with, besides the data key.
pub struct Closing<'a> {
    /// Rules and wrapped keys.
    pub metadata: Metadata,
    /// The time to write down, by RFC 3339.
    pub now: &'a str,
    /// An earlier version under the same data key: values that it has keep their ciphertext.
    pub previous: Option<&'a Encrypted>,
}

impl Plain {
    /// Encrypts the values that the rules name, and writes metadata.
    pub fn close(&self, key: &DataKey, closing: Closing<'_>) -> Result<Encrypted, CloseError> {
        self.close_over(key, closing, &[])
    }

    /// As [`Plain::close`]; values that other versions under the same data key have keep their ciphertext, too.
    pub fn close_over(
        &self,
        key: &DataKey,
        closing: Closing<'_>,
        others: &[&Encrypted],
    ) -> Result<Encrypted, CloseError> {
        match self.with_aliases_written_out(&closing.metadata.rules)? {
            None => self.close_as_it_is(key, closing, others),
            Some((plain, lines)) => {
                let mut encrypted = plain.close_as_it_is(key, closing, others)?;
                encrypted.warnings = lines.into_iter().map(Warning::AliasWrittenOut).collect();
                Ok(encrypted)
            }
        }
    }

    fn close_as_it_is(
        &self,
        key: &DataKey,
        closing: Closing<'_>,
        others: &[&Encrypted],
    ) -> Result<Encrypted, CloseError> {
        let cipher = ValueCipher::new(key);
        let now = time::to_the_second(closing.now)
            .ok_or_else(|| CloseError::Time(closing.now.to_owned()))?;
        let mut stash = Stash::default();
        for version in closing.previous.iter().chain(others) {
            stash.add(Stash::of(version, &cipher).map_err(CloseError::Previous)?);
        }
        let mut metadata = closing.metadata;
        metadata.last_modified = now;
        metadata.written = None;
        let encrypted = match self.format {
            Format::Binary => self.close_binary(&cipher, metadata, closing.previous, &mut stash)?,
            _ => self.close_text(&cipher, metadata, closing.previous, &mut stash)?,
        };
        let reopened = encrypted.open(key).map_err(CloseError::Unsound)?;
        if encrypted.metadata.keeps_layout && reopened.text != self.text {
            let sources = written::lost(self, &reopened)?;
            if !sources.is_empty() {
                let previous = closing.previous;
                let known = previous.and_then(|previous| previous.metadata.written.as_deref());
                let mut metadata = encrypted.metadata.copy().map_err(ReadError::from)?;
                metadata.written = Some(sources.seal(&cipher, known));
                let encrypted = encrypted.with_metadata(&metadata, previous)?;
                let reopened = encrypted.open(key).map_err(CloseError::Unsound)?;
                return Self::checked(encrypted, &reopened);
            }
        }
        Self::checked(encrypted, &reopened)
    }

    /// The document, if it hides what it must now that it has opened again.
    fn checked(encrypted: Encrypted, reopened: &Self) -> Result<Encrypted, CloseError> {
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
        let parsed = match self.take_parsed() {
            Some(parsed) => parsed,
            None => self.format.parse(text).map_err(ReadError::from)?,
        };
        if parsed.metadata.is_some() || parsed.has_reserved_names() {
            return Err(CloseError::Reserved);
        }
        if let Some((line, key)) = parsed.duplicates.first() {
            return Err(CloseError::DuplicateKey(*line, key.clone()));
        }
        if self.format == Format::Dotenv {
            // Its values have no style.
            metadata.keeps_layout = false;
        } else if let Some(previous) = previous {
            metadata.keeps_layout = previous.metadata.keeps_layout;
        }
        let mut edits = Edits::public();
        let digest = self.close_values(cipher, &parsed, &metadata, stash, &mut edits)?;
        metadata.mac = digest.seal(cipher, &metadata.last_modified);
        write_metadata(text, &parsed, &metadata, previous, &mut edits);
        if !edits.are_apart() {
            return Err(CloseError::LeftInClear);
        }
        let text = thread::scope(|scope| {
            // Before the result is read: both together would take more memory than each.
            match text.len() < WORTH_A_THREAD {
                true => drop(parsed),
                false => drop(scope.spawn(move || drop(parsed))),
            }
            std::mem::take(&mut *edits.apply(text))
        });
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
        let types = self.types.places(&parsed.tree);
        let closing = PartClosing {
            text,
            types: &types,
            cipher,
            parsed,
            metadata,
        };
        // What an earlier version had is given out in document order.
        if !stash.is_empty() {
            closing.foresee(stash)?;
            stash.align();
        }
        let parts = match stash.is_empty() {
            true => in_parts(&parsed.tree, |part| {
                closing.close(&part, &mut Stash::default())
            }),
            false => vec![closing.close(&(0..usize::MAX), stash)],
        };
        let mut mac = Mac::new(rules.mac_only_encrypted);
        for part in parts {
            let (values, part) = part?;
            mac.add_all(&values);
            edits.append(part);
        }
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
            false => stash.seal(cipher, Type::Str, &self.text, "data:").text,
        };
        let mut mac = Mac::new(false);
        mac.add(&self.text);
        metadata.mac = mac.finish().seal(cipher, &metadata.last_modified);
        let text = wrapped_binary(&sealed);
        let parsed = self.format.parse(&text).map_err(ReadError::from)?;
        let mut edits = Edits::public();
        write_metadata(&text, &parsed, &metadata, previous, &mut edits);
        let text = std::mem::take(&mut *edits.apply(&text));
        Ok(Encrypted::of(text, self.format)?)
    }
}

/// What each part of the values is encrypted with.
struct PartClosing<'a> {
    text: &'a str,
    types: &'a Places,
    cipher: &'a ValueCipher,
    parsed: &'a Parsed,
    metadata: &'a Metadata,
}

impl PartClosing<'_> {
    /// Tells the stash what will be encrypted.
    fn foresee(&self, stash: &mut Stash) -> Result<(), CloseError> {
        walk(&self.parsed.tree, &self.metadata.rules, |met, spot| {
            match met {
                _ if !spot.encrypted => {}
                Met::Comment(comment) if comment.text.is_empty() => {}
                Met::Comment(comment) => stash.foresee(comment.text.as_bytes(), spot.aad),
                Met::Leaf(leaf) if leaf.scalar.is_empty() => {}
                Met::Leaf(leaf) => {
                    stash.foresee(&value::canonical(self.types.value(leaf)), spot.aad);
                }
            }
            Ok(())
        })
    }

    fn close(&self, part: &Range<usize>, stash: &mut Stash) -> Result<(Values, Edits), CloseError> {
        let rules = &self.metadata.rules;
        let (mut values, mut edits) = (Values::default(), Edits::public());
        walk_part(&self.parsed.tree, rules, part, |met, spot| {
            match met {
                Met::Comment(comment) => self.close_comment(comment, spot, stash, &mut edits)?,
                Met::Leaf(leaf) => {
                    // What stays in clear has the type that whoever reads it sees.
                    let scalar = match spot.encrypted {
                        true => self.types.value(leaf),
                        false => &leaf.scalar,
                    };
                    let plain = value::canonical(scalar);
                    if spot.encrypted || !rules.mac_only_encrypted {
                        values.push(&plain);
                    }
                    if spot.encrypted && !plain.is_empty() {
                        let kind = Type::of(scalar);
                        self.close_leaf(leaf, (kind, &plain), spot, stash, &mut edits)?;
                    }
                }
            }
            Ok::<(), CloseError>(())
        })?;
        Ok((values, edits))
    }

    fn close_leaf(
        &self,
        leaf: &Leaf,
        (kind, plain): (Type, &[u8]),
        spot: &Spot<'_>,
        stash: &mut Stash,
        edits: &mut Edits,
    ) -> Result<(), CloseError> {
        if let Some(alias) = leaf.place.alias {
            let alias = self.parsed.aliases().get(alias.get() as usize - 1);
            return Err(CloseError::Alias(alias.map_or(0, |alias| alias.line)));
        }
        let (text, keeps) = (self.text, self.metadata.keeps_layout);
        let sealed = stash.seal(self.cipher, kind, plain, spot.aad);
        self.parsed
            .write_encrypted(text, leaf, &sealed.text, keeps, edits);
        Ok(())
    }

    fn close_comment(
        &self,
        comment: &Comment,
        spot: &Spot<'_>,
        stash: &mut Stash,
        edits: &mut Edits,
    ) -> Result<(), CloseError> {
        if !spot.encrypted || comment.text.is_empty() {
            return Ok(());
        }
        let rules = &self.metadata.rules;
        let plain = comment.text.as_bytes();
        let sealed = stash.seal(self.cipher, Type::Comment, plain, spot.aad);
        if rules.comments_name_themselves() && rules.names_comment(&sealed.text) {
            return Err(CloseError::RuleMatchesEncrypted);
        }
        let as_item = match sealed.was_item {
            Some(was_item) => was_item && comment.is_behind_dashes(self.text),
            None => comment.can_be_item && !self.metadata.keeps_layout,
        };
        match spot.in_list && as_item {
            true => self
                .parsed
                .write_comment_as_item(comment, &sealed.text, edits),
            false => self.parsed.write_comment(comment, &sealed.text, edits),
        }
        Ok(())
    }
}

/// Where only MAC and time differ from the previous version, nothing else of its metadata changes.
pub(super) fn write_metadata(
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
