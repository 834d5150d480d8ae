//! What is remembered of each SealedSecret and its Secret: identity, versions and state, never what they hold.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::body::Bytes;
use keys::Scope;
use tokio::sync::OwnedSemaphorePermit;

use crate::backoff::{Failure, Heals};
use crate::live::ObjectMetadata;
use crate::mark::{Extent, Mark};
use crate::name::ObjectName;
use crate::sealed_object::Glimpse;

/// All records.
#[derive(Default)]
pub(crate) struct Records(Mutex<HashMap<ObjectName, Record>>);

impl Records {
    /// The records; not to be held while anything is waited for.
    pub(crate) fn lock(&self) -> MutexGuard<'_, HashMap<ObjectName, Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One SealedSecret and the Secret of the same name.
pub(crate) struct Record {
    pub(crate) uid: Box<str>,
    pub(crate) generation: i64,
    pub(crate) scope: Scope,
    /// It is being deleted: nothing is written for it any more.
    pub(crate) is_ending: bool,
    /// It has been deleted, and its Secret is to be.
    pub(crate) is_gone: bool,
    pub(crate) state: State,
    /// What is known of the Secret. `None` if there is none, or if it is not known.
    pub(crate) secret: Option<Seen>,
    /// The Secret's version when it was last written, or found right.
    pub(crate) right: Version,
    pub(crate) failures: u32,
    pub(crate) heals: Heals,
    /// What was read of the SealedSecret and not looked at yet.
    pub(crate) body: Option<Body>,
    /// By what the Secret is known to be right, while the Secrets are being read.
    pub(crate) expected: Option<Box<Expected>>,
}

/// By what a Secret is known to be right.
pub(crate) struct Expected {
    pub(crate) mark: Mark,
    pub(crate) extent: Extent,
    /// The label by which metrics group the SealedSecret.
    pub(crate) instance: Box<str>,
}

/// A SealedSecret as it was read, for the one who works on it. There is room for so many at once.
pub(crate) struct Body {
    pub(crate) json: Bytes,
    pub(crate) _room: OwnedSemaphorePermit,
}

/// How a SealedSecret stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Its present spec was not acted on yet.
    New,
    /// Its Secret is right.
    Right,
    /// Its Secret is not, or not known to be.
    Failed(Failure),
    /// Its Secret was deleted by somebody who may: it is not made anew until the spec changes.
    LeftAlone,
}

/// What is known of a Secret from its metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) version: Version,
    controller: Option<Box<str>>,
    managed: bool,
    patch: bool,
}

impl Seen {
    pub(crate) fn of(metadata: &ObjectMetadata) -> Self {
        Self {
            version: Version::of(&metadata.resource_version),
            controller: metadata.controller().map(|owner| owner.uid.as_str().into()),
            managed: metadata.is_managed(),
            patch: metadata.is_patch(),
        }
    }

    /// Whether a SealedSecret with this uid makes the Secret anew when it is deleted.
    pub(crate) fn is_remade_by(&self, uid: &str) -> bool {
        self.controller.as_deref() == Some(uid) || self.managed
    }

    /// Whether somebody else may write to it now who could not before, or the other way round.
    pub(crate) fn same_rights(&self, other: &Self) -> bool {
        let Self {
            version: _,
            controller,
            managed,
            patch,
        } = self;
        (controller, managed, patch) == (&other.controller, &other.managed, &other.patch)
    }
}

/// A `resourceVersion`. The API server counts with them; what is no number is only compared for being the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Version(u64);

impl Version {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn of(text: &str) -> Self {
        Self(text.parse().unwrap_or(u64::MAX))
    }

    pub(crate) fn is_before(self, other: Self) -> bool {
        self.0 < other.0 && other.0 != u64::MAX
    }
}

impl Record {
    pub(crate) fn new(sealed: &Glimpse) -> Self {
        Self {
            uid: sealed.metadata.uid.as_str().into(),
            generation: sealed.metadata.generation,
            scope: sealed.scope(),
            is_ending: sealed.metadata.deletion_timestamp.is_some(),
            is_gone: false,
            state: State::New,
            secret: None,
            right: Version::NONE,
            failures: 0,
            heals: Heals::default(),
            body: None,
            expected: None,
        }
    }

    /// Takes over what is seen of the SealedSecret; true if there is work to do for it that there was not before.
    pub(crate) fn update(&mut self, sealed: &Glimpse) -> bool {
        self.is_ending = sealed.metadata.deletion_timestamp.is_some();
        let same = *self.uid == *sealed.metadata.uid
            && self.generation == sealed.metadata.generation
            && self.scope == sealed.scope();
        if same
            || (*self.uid == *sealed.metadata.uid && sealed.metadata.generation < self.generation)
        {
            return false;
        }
        let secret = self.secret.take();
        *self = Self {
            secret,
            heals: self.heals,
            ..Self::new(sealed)
        };
        true
    }

    /// Whether the Secret is, to our knowledge, as it was when it was last right.
    pub(crate) fn is_right(&self) -> bool {
        let at_right_version = self
            .secret
            .as_ref()
            .is_some_and(|seen| !self.right.is_before(seen.version));
        self.state == State::Right && at_right_version
    }
}
