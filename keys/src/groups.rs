//! Key groups: a data key is wrapped for every key of every group, and recovered from enough groups.
//!
//! Whoever has a document calls [`KeyGroups::wrap`] and [`KeyGroups::recover`] and needs to know no kind of key.

use futures::stream::{FuturesUnordered, StreamExt};

use crate::{
    env::Env,
    master_key::{KeyError, MasterKey, Wrapped},
    secret::{DataKey, KeyShare},
    shamir::{self, SplitError},
};

mod order;
mod report;

pub use order::{DecryptionOrder, OrderError};
pub use report::{GroupReport, KeyFailure, RecoverError};

/// The key groups of a document and how many of them it takes to open it.
#[derive(Debug, Default)]
pub struct KeyGroups {
    /// The groups. Any key of a group opens the group's share.
    pub groups: Vec<KeyGroup>,
    /// How many groups must open, if there are several; zero is all of them.
    pub threshold: usize,
}

/// Keys that all wrap the same share.
#[derive(Debug, Default)]
pub struct KeyGroup {
    /// The keys, in the document's order.
    pub keys: Vec<KeyEntry>,
}

/// A key, and the group's share as it wrapped it.
#[derive(Debug)]
pub struct KeyEntry {
    /// The key.
    pub key: Box<dyn MasterKey>,
    /// What it made of the share. Nothing until [`KeyGroups::wrap`].
    pub wrapped: Option<Wrapped>,
}

/// Why a data key was not wrapped for all keys: then it is wrapped for none.
#[derive(Debug, thiserror::Error)]
pub enum WrapError {
    /// Nobody could ever open it.
    #[error("no key groups provided")]
    NoGroups,
    /// A group that nobody could open.
    #[error("key group {0} has no keys")]
    EmptyGroup(usize),
    /// The key cannot be split so.
    #[error("could not split data key into parts for Shamir: {0}")]
    Split(#[from] SplitError),
    /// Some keys did not.
    #[error("[{}]", refusals(.0))]
    Keys(Vec<(String, KeyError)>),
}

/// As sops lists them: one after the other, between brackets.
fn refusals(keys: &[(String, KeyError)]) -> String {
    let one = |(key, error): &(String, KeyError)| {
        format!("failed to encrypt new data key with master key {key:?}: {error}")
    };
    keys.iter().map(one).collect::<Vec<_>>().join(" ")
}

impl KeyGroups {
    /// One group of these keys, none of which holds a share yet.
    pub fn one(keys: impl IntoIterator<Item = Box<dyn MasterKey>>) -> Self {
        Self {
            groups: vec![KeyGroup::new(keys)],
            threshold: 0,
        }
    }

    /// Lets keys that leave something open, such as a version, take it from the same keys of a document.
    pub fn adopt(&self, present: &Self) {
        for own in self.entries() {
            for other in present.entries() {
                own.key.adopt(&*other.key);
            }
        }
    }

    fn entries(&self) -> impl Iterator<Item = &KeyEntry> {
        self.groups.iter().flat_map(|group| &group.keys)
    }

    /// Wraps a data key for all keys. If any of them fails, nothing is changed.
    pub async fn wrap(&mut self, key: &DataKey, env: &Env) -> Result<(), WrapError> {
        let shares = self.split(key)?;
        let mut done = Vec::new();
        let mut failed = Vec::new();
        for (group, share) in self.groups.iter().zip(&shares) {
            for entry in &group.keys {
                match entry.key.wrap_key(share, env).await {
                    Ok(wrapped) => done.push(wrapped),
                    Err(error) => failed.push((entry.key.to_string(), error)),
                }
            }
        }
        if !failed.is_empty() {
            return Err(WrapError::Keys(failed));
        }
        let entries = self.groups.iter_mut().flat_map(|group| &mut group.keys);
        for (entry, wrapped) in entries.zip(done) {
            entry.wrapped = Some(wrapped);
        }
        Ok(())
    }

    /// The share of each group: the key itself if there is only one.
    fn split(&self, key: &DataKey) -> Result<Vec<KeyShare>, WrapError> {
        if self.groups.is_empty() {
            return Err(WrapError::NoGroups);
        }
        if let Some(empty) = self.groups.iter().position(|group| group.keys.is_empty()) {
            return Err(WrapError::EmptyGroup(empty));
        }
        match self.groups.len() {
            1 => Ok(vec![KeyShare::from(key)]),
            count if self.threshold == 0 => Ok(shamir::split(key, count, count)?),
            count => Ok(shamir::split(key, count, self.threshold)?),
        }
    }

    /// Recovers the data key. No more groups are asked once enough have opened.
    ///
    /// The error reads as that of sops 3.13.3: what came of each group and key, and where identities were looked for.
    pub async fn recover(
        &self,
        env: &Env,
        order: &DecryptionOrder,
    ) -> Result<DataKey, RecoverError> {
        let enough = match (self.groups.len(), self.threshold) {
            (1, _) => 1,
            // A polynomial through one place is no secret sharing: sops takes two at least.
            (count, 0) => count.max(2),
            (_, threshold) => threshold.max(2),
        };
        let mut shares = Vec::new();
        let mut reports = Vec::new();
        for group in &self.groups {
            if shares.len() == enough {
                break;
            }
            match group.recover(env, order).await {
                Ok(share) => {
                    shares.push(share);
                    reports.push(GroupReport::Opened);
                }
                Err(failures) => reports.push(GroupReport::Failed(failures)),
            }
        }
        let key = match shares.as_slice() {
            [] => None,
            [share] if self.groups.len() == 1 => DataKey::from_slice(share.expose_secret())
                .map(Ok)
                .or(Some(Err(RecoverError::NotADataKey))),
            shares if shares.len() < enough => None,
            shares => Some(shamir::combine(shares).map_err(RecoverError::Combine)),
        };
        key.unwrap_or(Err(RecoverError::NotEnough {
            threshold: self.threshold,
            groups: reports,
        }))
    }
}

impl KeyGroup {
    /// These keys, none of which holds a share yet.
    pub fn new(keys: impl IntoIterator<Item = Box<dyn MasterKey>>) -> Self {
        let entry = |key| KeyEntry { key, wrapped: None };
        Self {
            keys: keys.into_iter().map(entry).collect(),
        }
    }

    /// The group's share, from the first key that has it.
    async fn recover(
        &self,
        env: &Env,
        order: &DecryptionOrder,
    ) -> Result<KeyShare, Vec<KeyFailure>> {
        let mut failures = Vec::new();
        for batch in order.batches(&self.keys) {
            let mut tries: FuturesUnordered<_> = batch
                .into_iter()
                .map(|entry| async move { (entry, entry.unwrap(env).await) })
                .collect();
            while let Some((entry, result)) = tries.next().await {
                match result {
                    Ok(share) => return Ok(share),
                    Err(reason) => failures.push(KeyFailure {
                        key: entry.key.to_string(),
                        reason,
                    }),
                }
            }
        }
        Err(failures)
    }
}

impl KeyEntry {
    async fn unwrap(&self, env: &Env) -> Result<KeyShare, KeyError> {
        match &self.wrapped {
            Some(wrapped) => self.key.unwrap_key(wrapped, env).await,
            None => Err(KeyError("it holds no encrypted data key".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests;
