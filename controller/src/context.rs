//! What all parts of the core share while this controller leads.

use std::sync::Arc;

use decryptor::sealed::template::{Limits, MissingKey};
use decryptor::sealed::unseal::Options;
use jiff::Timestamp;
use keys::KeyRing;
use tokio::sync::{Semaphore, watch};

use crate::api::Api;
use crate::events::Events;
use crate::mark::Marker;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::records::Records;
use crate::rival::Rival;
use crate::run::Settings;

/// So many SealedSecrets are held in memory between being read and being worked on.
const BODIES: usize = 96;

/// What all parts of the core share.
pub(crate) struct Context {
    pub(crate) api: Arc<Api>,
    pub(crate) settings: Settings,
    pub(crate) ring: watch::Receiver<KeyRing>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) events: Events,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) queue: Queue,
    pub(crate) records: Records,
    pub(crate) rival: Rival,
    /// Room for bodies.
    pub(crate) bodies: Arc<Semaphore>,
    /// One permit per core, for private-key operations.
    pub(crate) cores: Semaphore,
    pub(crate) unsealing: Options,
}

impl Context {
    pub(crate) fn new(
        api: Arc<Api>,
        settings: Settings,
        ring: watch::Receiver<KeyRing>,
        metrics: Arc<Metrics>,
        events: Events,
        clock: fn() -> Timestamp,
    ) -> Self {
        let missing_key = if settings.strict_templates {
            MissingKey::Error
        } else {
            MissingKey::Default
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            unsealing: Options {
                accept_deprecated_data: settings.accept_deprecated_v1_data,
                limits: Limits {
                    missing_key,
                    ..Limits::default()
                },
            },
            api,
            settings,
            ring,
            metrics,
            events,
            clock,
            queue: Queue::default(),
            records: Records::default(),
            rival: Rival::new(clock()),
            bodies: Arc::new(Semaphore::new(BODIES)),
            cores: Semaphore::new(cores),
        }
    }

    /// The keys as they are now.
    pub(crate) fn ring(&self) -> KeyRing {
        self.ring.borrow().clone()
    }

    /// Makes and checks marks as of now. Returns `None` if there are no keys.
    pub(crate) fn marker(&self) -> Option<Marker> {
        Marker::of(&self.ring.borrow(), &self.unsealing)
    }
}
