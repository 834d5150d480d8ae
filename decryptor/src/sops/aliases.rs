//! Aliases of values that will be encrypted. Each copy stands under a path of its own, and SOPS opens it under no other: it is
//! written out where the alias stood.

use std::collections::{BTreeSet, HashSet};
use std::num::NonZeroU32;
use std::sync::Mutex;

use zeroize::Zeroizing;

use super::rules::Rules;
use super::walk::{Met, walk};
use super::{CloseError, Plain, ReadError};
use crate::format::{Edits, Format, Parsed, emit_flow};
use crate::tree::Alias;

impl Plain {
    /// The document without aliases of what the rules have encrypted, and the lines that they stood on. Returns `None` if it
    /// has none.
    pub(super) fn with_aliases_written_out(
        &self,
        rules: &Rules,
    ) -> Result<Option<(Self, Vec<usize>)>, CloseError> {
        if self.format != Format::Yaml {
            return Ok(None);
        }
        let text = self.text()?;
        let parsed = match self.take_parsed() {
            Some(parsed) => parsed,
            None => self.format.parse(text).map_err(ReadError::from)?,
        };
        let found = repeated_secrets(&parsed, rules);
        if found.is_empty() {
            self.keep_parsed(parsed);
            return Ok(None);
        }
        let mut edits = Edits::default();
        for alias in &found {
            let written = emit_flow(&alias.value).map_err(|_| CloseError::Alias(alias.line))?;
            edits.push(alias.at.clone(), written.as_str());
        }
        let lines = found.iter().map(|alias| alias.line).collect();
        let text = std::mem::take(&mut *edits.apply(text)).into_bytes();
        let plain = Self {
            format: self.format,
            text: Zeroizing::new(text),
            parsed: Mutex::default(),
            types: self.types.clone(),
            warnings: self.warnings.clone(),
        };
        Ok(Some((plain, lines)))
    }
}

/// The aliases of which a value is encrypted, here or where it is written.
fn repeated_secrets<'p>(parsed: &'p Parsed, rules: &Rules) -> Vec<&'p Alias> {
    let aliases = parsed.aliases();
    if aliases.is_empty() {
        return Vec::new();
    }
    // What an alias repeats stands before it.
    let mut encrypted = HashSet::new();
    let mut found: BTreeSet<NonZeroU32> = BTreeSet::new();
    let done: Result<(), std::convert::Infallible> = walk(&parsed.tree, rules, |met, spot| {
        if let Met::Leaf(leaf) = met
            && !leaf.scalar.is_empty()
        {
            let start = leaf.place.at.start;
            match leaf.place.alias {
                None if spot.encrypted => drop(encrypted.insert(start)),
                Some(alias) if spot.encrypted || encrypted.contains(&start) => {
                    found.insert(alias);
                }
                _ => {}
            }
        }
        Ok(())
    });
    match done {
        Ok(()) => {}
    }
    let numbers = found.into_iter().map(|alias| alias.get() as usize - 1);
    numbers.filter_map(|number| aliases.get(number)).collect()
}
