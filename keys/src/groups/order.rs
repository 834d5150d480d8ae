//! The order in which the keys of a group are tried.

use crate::groups::KeyEntry;

/// Names of kinds of keys, first to be tried first; other kinds follow in the document's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecryptionOrder(Vec<String>);

/// A kind is named twice, so what was meant is not clear.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("duplicate decryption key type: {0}")]
pub struct OrderError(pub String);

/// What works without a network comes first.
impl Default for DecryptionOrder {
    fn default() -> Self {
        Self(["age", "pgp"].map(str::to_owned).to_vec())
    }
}

impl DecryptionOrder {
    /// Reads a list separated by commas, as in `SOPS_DECRYPTION_ORDER`. Names nobody has are no error.
    pub fn parse(text: &str) -> Result<Self, OrderError> {
        let mut names: Vec<String> = Vec::new();
        for name in text.split(',').map(str::trim) {
            if names.iter().any(|known| known == name) {
                return Err(OrderError(name.to_owned()));
            }
            names.push(name.to_owned());
        }
        Ok(Self(names))
    }

    /// The keys in the order of tries; those of one batch are tried at once. Local keys are alone in theirs: asking one
    /// may mean asking a person.
    pub(crate) fn batches<'a>(&self, keys: &'a [KeyEntry]) -> Vec<Vec<&'a KeyEntry>> {
        let mut keys: Vec<_> = keys
            .iter()
            .map(|entry| {
                let backend = entry.key.backend();
                let place = self.0.iter().position(|name| name == backend.name);
                ((place.unwrap_or(self.0.len()), !backend.local), entry)
            })
            .collect();
        keys.sort_by_key(|(place, _)| *place);
        let together = |(one, _): &(_, _), (next, _): &(_, _)| {
            let (_, remote): &(usize, bool) = one;
            *remote && one == next
        };
        let batches = keys.chunk_by(together);
        batches
            .map(|batch| batch.iter().map(|(_, entry)| *entry).collect())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_named_once() {
        assert_eq!(
            DecryptionOrder::parse("pgp, age,pgp"),
            Err(OrderError("pgp".to_owned()))
        );
        assert_eq!(
            DecryptionOrder::parse("kms, no-such-kind"),
            Ok(DecryptionOrder(vec![
                "kms".to_owned(),
                "no-such-kind".to_owned()
            ]))
        );
    }
}
