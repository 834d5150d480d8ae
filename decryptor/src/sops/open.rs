//! Opens documents: decrypts what is encrypted, in place, and checks the MAC.

use std::ops::Range;
use std::sync::Mutex;

use keys::aead::ValueCipher;
use keys::{DataKey, Plaintext};
use zeroize::Zeroizing;

use super::mac::{Digest, Mac, Values};
use super::types::Types;
use super::value::{self, Type, ValueError};
use super::walk::{Met, Spot, in_parts, walk_part};
use super::written::{self, Expected, Sources};
use super::{Encrypted, OpenError, Plain, ReadError, Warning, time};
use crate::format::{Edits, Format, opened_binary};
use crate::tree::{Leaf, Scalar};

/// What opening a part of the values gave.
#[derive(Default)]
struct Part {
    edits: Edits,
    /// What the MAC takes.
    values: Values,
    /// The content of a binary document.
    file: Option<Plaintext>,
    unencrypted_comments: usize,
    /// How many leaves the opened text has.
    leaves: usize,
    /// Those of them whose source was put in place.
    sources: Vec<Expected>,
    /// Those of which the opened text does not show the type.
    types: Types,
    /// Where those begin of which the type is not the one that they had, and their paths.
    doubted: Vec<(usize, String)>,
}

impl Encrypted {
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
        let sources = Sources::open(cipher, self.metadata.written.as_deref());
        match self.open_with(cipher, &sources)? {
            Some(opened) => Ok(opened),
            // Values were moved or changed since: they come in the form that sops gives them.
            None => self
                .open_with(cipher, &Sources::default())?
                .ok_or(OpenError::MacMismatch),
        }
    }

    /// Returns `None` if a source means another value than the one that it stands for.
    fn open_with(
        &self,
        cipher: &ValueCipher,
        sources: &Sources,
    ) -> Result<Option<(Plain, Digest)>, OpenError> {
        let rules = &self.metadata.rules;
        let mut mac = Mac::new(rules.mac_only_encrypted);
        let mut all = Part::default();
        let parts = match sources.is_empty() {
            true => in_parts(&self.parsed.tree, |part| {
                self.open_part(cipher, &part, sources)
            }),
            // They go by numbers that count from the document's beginning.
            false => vec![self.open_part(cipher, &(0..usize::MAX), sources)],
        };
        for part in parts {
            let part = part?;
            mac.add_all(&part.values);
            all.edits.append(part.edits);
            all.file = part.file.or(all.file);
            all.unencrypted_comments += part.unencrypted_comments;
            all.sources.extend(part.sources);
            all.doubted.extend(part.doubted);
            all.types.append(part.types, all.leaves);
            all.leaves += part.leaves;
        }
        let text = match self.format {
            Format::Binary => {
                opened_binary(&self.parsed.tree).map_err(ReadError::from)?;
                let file = all.file.map(|file| file.expose_secret().to_vec());
                Zeroizing::new(file.unwrap_or_default())
            }
            _ => {
                self.parsed.remove_metadata(&self.text, &mut all.edits);
                Zeroizing::new(std::mem::take(&mut *all.edits.apply(&self.text)).into_bytes())
            }
        };
        if !all.sources.is_empty() {
            let opened = str::from_utf8(&text).map_err(|_| ReadError::NotUtf8)?;
            let agrees = written::agrees(opened, self.format, all.leaves, &all.sources);
            if !agrees.unwrap_or(false) {
                return Ok(None);
            }
        }
        let plain = Plain {
            format: self.format,
            text,
            parsed: Mutex::default(),
            types: all.types,
            warnings: self.warnings_of(all.unencrypted_comments, all.doubted),
        };
        Ok(Some((plain, mac.finish())))
    }

    fn open_part(
        &self,
        cipher: &ValueCipher,
        part: &Range<usize>,
        sources: &Sources,
    ) -> Result<Part, OpenError> {
        let rules = &self.metadata.rules;
        let mut done = Part::default();
        walk_part(&self.parsed.tree, rules, part, |met, spot| {
            match met {
                Met::Comment(comment) if spot.encrypted && !comment.text.is_empty() => {
                    let opened = value::open(cipher, &comment.text, spot.aad.as_bytes());
                    match opened
                        .as_ref()
                        .map(|opened| str::from_utf8(opened.text.expose_secret()))
                    {
                        Ok(Ok(text)) => self.parsed.write_comment(comment, text, &mut done.edits),
                        _ => done.unencrypted_comments += 1,
                    }
                }
                Met::Comment(_) => {}
                Met::Leaf(leaf) if !spot.encrypted => {
                    done.leaves += 1;
                    if !rules.mac_only_encrypted {
                        done.values.push(&value::canonical(&leaf.scalar));
                    }
                }
                Met::Leaf(leaf) if leaf.scalar.is_empty() => done.leaves += 1,
                Met::Leaf(leaf) => self.open_leaf(cipher, leaf, spot, sources, &mut done)?,
            }
            Ok::<(), OpenError>(())
        })?;
        Ok(done)
    }

    fn open_leaf(
        &self,
        cipher: &ValueCipher,
        leaf: &Leaf,
        spot: &Spot<'_>,
        sources: &Sources,
        done: &mut Part,
    ) -> Result<(), OpenError> {
        let value_error = |source| OpenError::Value {
            path: path(spot.aad),
            source,
        };
        let place_error = |reason| OpenError::Place {
            path: path(spot.aad),
            reason,
        };
        let Scalar::Text(sealed) = &leaf.scalar else {
            return Err(value_error(ValueError::NotEncrypted));
        };
        let opened = value::open(cipher, sealed, spot.aad.as_bytes()).map_err(value_error)?;
        if let Some(scalar) = &opened.scalar {
            done.values.push(&value::canonical(scalar));
        }
        if self.format == Format::Binary {
            done.file = Some(opened.text);
            return Ok(());
        }
        if leaf.place.alias.is_some() {
            return Err(place_error("an alias repeats an encrypted value"));
        }
        if let (Some(scalar), Some(source)) = (&opened.scalar, sources.get(done.leaves)) {
            self.parsed.write_source(leaf, source, &mut done.edits);
            done.sources.push(Expected {
                at: done.leaves,
                kind: Type::of(scalar),
                canonical: value::canonical(scalar).into_owned(),
            });
            done.leaves += 1;
            return Ok(());
        }
        let keeps = self.metadata.keeps_layout;
        if self.parsed.doubts_type(leaf, &opened, keeps) {
            done.doubted.push((leaf.place.at.start, path(spot.aad)));
        }
        if let Some(scalar) = &opened.scalar {
            done.types.note(done.leaves, scalar, self.format);
            done.leaves += 1;
        }
        self.parsed
            .write_opened(&self.text, leaf, &opened, keeps, &mut done.edits)
            .map_err(place_error)
    }

    fn warnings_of(
        &self,
        unencrypted_comments: usize,
        mut doubted: Vec<(usize, String)>,
    ) -> Vec<Warning> {
        let duplicates = self.parsed.duplicates.iter();
        let mut warnings: Vec<Warning> = duplicates
            .map(|(line, key)| Warning::DuplicateKey(*line, key.clone()))
            .collect();
        // Lines are counted once, however many of them there are.
        doubted.sort_by_key(|(at, _)| *at);
        let (mut counted, mut line) = (0, 1);
        warnings.extend(doubted.into_iter().map(|(at, path)| {
            line += self.text[counted..at].matches('\n').count();
            counted = at;
            Warning::TypeDoubted(line, path)
        }));
        if unencrypted_comments > 0 {
            warnings.push(Warning::UnencryptedComments(unencrypted_comments));
        }
        warnings
    }
}

/// The keys on the way to a value, as people write them.
pub(super) fn path(aad: &str) -> String {
    aad.strip_suffix(':').unwrap_or(aad).replace(':', ".")
}
