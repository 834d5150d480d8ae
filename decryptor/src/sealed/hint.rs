//! Which sealing key each item was sealed with: a hint in one annotation that sealed-secrets ignores.
//!
//! `SHA256:…` stands for every item; `key=SHA256:…` behind it for one. It orders the keys to try and tells people which
//! key is still in use. Stale, missing or lying, it never changes a result.

use std::collections::BTreeMap;

use keys::Fingerprint;

use super::TextMap;

/// The annotation on the SealedSecret itself.
pub const ANNOTATION: &str = "kubeseal-rs.io/sealed-with";

/// Fingerprints by item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyHints {
    all: Option<Fingerprint>,
    items: BTreeMap<String, Fingerprint>,
}

impl KeyHints {
    /// Every item was sealed with one key.
    pub fn all(key: Fingerprint) -> Self {
        Self {
            all: Some(key),
            items: BTreeMap::new(),
        }
    }

    /// Reads the annotation. What cannot be read is no hint.
    pub fn of_annotations(annotations: &TextMap) -> Self {
        let mut hints = Self::default();
        for word in annotations
            .get(ANNOTATION)
            .map(String::as_str)
            .unwrap_or_default()
            .split_whitespace()
        {
            match word.rsplit_once("=SHA256:") {
                Some((item, _)) => {
                    if let Ok(key) = word[item.len() + 1..].parse() {
                        hints.items.insert(item.to_owned(), key);
                    }
                }
                None => hints.all = word.parse().ok().or(hints.all),
            }
        }
        hints
    }

    /// The key an item is said to be sealed with.
    pub fn of(&self, item: &str) -> Option<Fingerprint> {
        self.items.get(item).copied().or(self.all)
    }

    /// Says that an item was sealed with a key.
    pub fn set(&mut self, item: &str, key: Fingerprint) {
        if self.all == Some(key) {
            self.items.remove(item);
        } else {
            self.items.insert(item.to_owned(), key);
        }
    }

    /// The annotation's text. Returns `None` if there is nothing to say.
    pub fn to_text(&self) -> Option<String> {
        let items = self.items.iter().map(|(item, key)| format!("{item}={key}"));
        let words: Vec<_> = self
            .all
            .map(|key| key.to_string())
            .into_iter()
            .chain(items)
            .collect();
        (!words.is_empty()).then(|| words.join(" "))
    }
}
