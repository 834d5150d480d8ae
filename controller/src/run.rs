//! The core as the binary sees it: what it is told, and the one call that runs it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use keys::KeyRing;
use kube::Client;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tracing::info;

use crate::api::Api;
use crate::backoff::Failure;
use crate::context::Context;
use crate::events::Events;
use crate::metrics::Metrics;
use crate::namespaces::{self, Chosen};
use crate::queue::Lane;
use crate::reconcile::reconcile;
use crate::records::State;
use crate::site::Site;

/// How long begun work may take to end.
const LAST_WORK: Duration = Duration::from_secs(5);
/// How long events may take to be written at the end.
const LAST_EVENTS: Duration = Duration::from_secs(2);
const STOPPED: &str = "worker, as it was asked to";

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

/// What the core runs with.
pub struct Core {
    /// Talks to the API server.
    pub client: Client,
    /// What the core is told at start.
    pub settings: Settings,
    /// The sealing keys, as they change.
    pub ring: watch::Receiver<KeyRing>,
    /// Whether this controller is the one that writes.
    pub leader: watch::Receiver<bool>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Becomes true once the SealedSecrets have been read or another leads, and stays so.
    pub ready: watch::Sender<bool>,
    /// Becomes true when the core is to end.
    pub shutdown: watch::Receiver<bool>,
    /// The time.
    pub clock: fn() -> Timestamp,
}

/// Runs the core until `shutdown` becomes true or its sender is gone.
///
/// Only while `leader` is true does it read and write; it begins anew each time it becomes so.
pub async fn run(core: Core) -> Result<(), RunError> {
    let Core {
        client,
        settings,
        ring,
        mut leader,
        metrics,
        ready,
        mut shutdown,
        clock,
    } = core;
    let api = Arc::new(Api::new(client));
    loop {
        let leads = until_it_leads(&mut leader, &ready);
        let asked = async { drop(shutdown.wait_for(|asked| *asked).await) };
        tokio::select! {
            leads = leads => if !leads { return Err(RunError::Ended("leader election")) },
            () = asked => return Ok(()),
        }
        let (events, writer) = Events::new(&settings.instance, clock);
        let (api, settings, ring) = (Arc::clone(&api), settings.clone(), ring.clone());
        let writing = tokio::spawn(writer.run(Arc::clone(&api)));
        let context = Context::new(api, settings, ring, Arc::clone(&metrics), events, clock);
        let (context, stopping) = (Arc::new(context), watch::Sender::new(false));
        let mut tasks = start(&context, &ready, &stopping);
        let led = async { drop(leader.wait_for(|leads| !*leads).await) };
        let asked = async { drop(shutdown.wait_for(|asked| *asked).await) };
        let next = tokio::select! {
            () = led => Next::Follow,
            () = asked => Next::End,
            Some(ended) = tasks.join_next() => Next::Broken(ended.unwrap_or("work")),
        };
        match next {
            // What is being written now is the last; the new leader looks at everything.
            Next::Follow => {
                tasks.shutdown().await;
                writing.abort();
                metrics.forget_work();
                info!("this controller no longer leads");
            }
            Next::End => {
                stopping.send_replace(true);
                end(tasks, context, writing).await;
                return Ok(());
            }
            Next::Broken(what) => return Err(RunError::Ended(what)),
        }
    }
}

/// Returns true once this controller leads, and false if nobody will say so any more. While another leads, it is ready.
async fn until_it_leads(leader: &mut watch::Receiver<bool>, ready: &watch::Sender<bool>) -> bool {
    loop {
        if *leader.borrow() {
            return true;
        }
        // The election speaks even if it has nothing new to say.
        if leader.changed().await.is_err() {
            return false;
        }
        if !*leader.borrow() {
            ready.send_replace(true);
        }
    }
}

/// Why this controller does not go on as the leader.
enum Next {
    Follow,
    End,
    Broken(&'static str),
}

type Tasks = JoinSet<&'static str>;

/// Starts the workers and those who find work for them.
fn start(
    context: &Arc<Context>,
    ready: &watch::Sender<bool>,
    stopping: &watch::Sender<bool>,
) -> Tasks {
    let mut tasks = Tasks::new();
    for _ in 0..context.settings.workers.max(1) {
        let (context, mut stopping) = (Arc::clone(context), stopping.subscribe());
        tasks.spawn(async move {
            loop {
                let name = tokio::select! {
                    name = context.queue.next() => name,
                    _ = stopping.wait_for(|asked| *asked) => return STOPPED,
                };
                context.metrics.queue_depth(context.queue.depth());
                reconcile(&context, &name).await;
                context.queue.done(&name);
            }
        });
    }
    let keys = Arc::clone(context);
    tasks.spawn(async move { retry_with_new_keys(&keys).await });
    let mut look_at = |namespace: Option<String>, chosen: Chosen| {
        let (context, ready) = (Arc::clone(context), ready.clone());
        tasks.spawn(async move {
            Site::new(&context, namespace, chosen)
                .run(&context, &ready)
                .await;
            "watch"
        });
    };
    match context.settings.namespaces.clone() {
        Namespaces::All => look_at(None, Chosen::all()),
        Namespaces::These(namespaces) => {
            namespaces
                .iter()
                .for_each(|namespace| look_at(Some(namespace.clone()), Chosen::all()));
            let api = Arc::clone(&context.api);
            tokio::spawn(async move { namespaces::warn_of_missing(&api, &namespaces).await });
        }
        Namespaces::Matching(selector) => {
            let (sender, receiver) = watch::channel(HashSet::new());
            look_at(None, Chosen::of(receiver));
            let api = Arc::clone(&context.api);
            tasks.spawn(async move {
                namespaces::choose(api, &selector, sender).await;
                "watch of namespaces"
            });
        }
    }
    tasks
}

/// Another set of keys may open what did not open.
async fn retry_with_new_keys(context: &Context) -> &'static str {
    let mut ring = context.ring.clone();
    while ring.changed().await.is_ok() {
        let mut records = context.records.lock();
        for (name, record) in records
            .iter_mut()
            .filter(|(_, record)| record.state == State::Failed(Failure::Unseal))
        {
            record.failures = 0;
            context.queue.push(name, Lane::Backlog);
        }
    }
    // The keys will not change any more; what there is goes on.
    std::future::pending().await
}

/// Lets the workers end what they have begun, and the events be written.
async fn end(mut tasks: Tasks, context: Arc<Context>, writing: JoinHandle<()>) {
    let workers = context.settings.workers.max(1);
    let working = async {
        for _ in 0..workers {
            tasks.join_next().await;
        }
    };
    drop(timeout(LAST_WORK, working).await);
    tasks.shutdown().await;
    drop(context);
    drop(timeout(LAST_EVENTS, writing).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_replica_is_ready_when_another_leads_and_not_before() {
        let (tell, mut leader) = watch::channel(false);
        let (ready, is_ready) = watch::channel(false);
        tokio::select! {
            biased;
            _ = until_it_leads(&mut leader, &ready) => panic!("nobody has said so"),
            () = tokio::task::yield_now() => {}
        }
        assert!(!*is_ready.borrow(), "it may be about to lead");
        tell.send_replace(false);
        tokio::select! {
            biased;
            _ = until_it_leads(&mut leader, &ready) => panic!("another leads"),
            () = tokio::task::yield_now() => {}
        }
        assert!(*is_ready.borrow());
        tell.send_replace(true);
        assert!(until_it_leads(&mut leader, &ready).await);
        drop(tell);
    }

    #[tokio::test]
    async fn without_an_election_there_is_nothing_to_wait_for() {
        let (tell, mut leader) = watch::channel(false);
        drop(tell);
        assert!(!until_it_leads(&mut leader, &watch::Sender::new(false)).await);
    }
}
