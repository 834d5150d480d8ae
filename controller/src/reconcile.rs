//! One SealedSecret: read it, open it if need be, write its Secret, and say how it went.

mod settle;
mod told;

use tokio::time::Instant;
use tracing::{debug, warn};

use self::settle::{Settled, Trouble, settle};
use self::told::Told;
use crate::api::ApiError;
use crate::apply;
use crate::backoff::{self, Failure};
use crate::context::Context;
use crate::events::{Event, Reason};
use crate::mark::Mark;
use crate::metrics;
use crate::name::ObjectName;
use crate::queue::Lane;
use crate::records::{Body, Seen, State, Version};
use crate::sealed_object::{Glimpse, SealedObject, instance};
use crate::status::{self, Report};

/// Works on one SealedSecret.
pub(crate) async fn reconcile(context: &Context, name: &ObjectName) {
    let Some(job) = Job::begin(context, name) else {
        return;
    };
    if job.is_gone {
        return clean_up(context, name, &job.uid).await;
    }
    context.metrics.unseal_request();
    let mut object = match job.read(context, name).await {
        Ok(Some(object)) => object,
        Ok(None) => return forget(context, name),
        Err(error) => {
            context.metrics.unseal_error(metrics::Reason::Fetch, "");
            warn!(sealed_secret = %name, %error, "the SealedSecret could not be read");
            return failed(context, name, &job.uid, Failure::Api, None);
        }
    };
    let Job { state, seen, .. } = job;
    if object.metadata.deletion_timestamp.is_some() || !take_over(context, name, &object) {
        return;
    }
    let result = settle(context, name, &mut object, state, seen.as_ref()).await;
    report(context, name, object, result).await;
}

/// What was known when the work began.
struct Job {
    uid: Box<str>,
    generation: i64,
    state: State,
    seen: Option<Seen>,
    body: Option<Body>,
    is_gone: bool,
}

impl Job {
    fn begin(context: &Context, name: &ObjectName) -> Option<Self> {
        let mut records = context.records.lock();
        let record = records.get_mut(name).filter(|record| !record.is_ending)?;
        Some(Self {
            uid: record.uid.clone(),
            generation: record.generation,
            state: record.state,
            seen: record.secret.clone(),
            body: record.body.take(),
            is_gone: record.is_gone,
        })
    }

    /// The SealedSecret as it was handed over, if that is not older than what is known; else as it is now.
    async fn read(
        &self,
        context: &Context,
        name: &ObjectName,
    ) -> Result<Option<SealedObject>, ApiError> {
        let handed_over = self
            .body
            .as_ref()
            .and_then(|body| SealedObject::parse(&body.json));
        match handed_over {
            Some(object)
                if *object.metadata.uid == *self.uid
                    && object.metadata.generation >= self.generation =>
            {
                Ok(Some(object))
            }
            _ => SealedObject::read(&context.api, name).await,
        }
    }
}

/// Records what was just read where it is newer. False if the record is about something newer still.
fn take_over(context: &Context, name: &ObjectName, object: &SealedObject) -> bool {
    let glimpse = Glimpse {
        metadata: object.metadata.clone(),
        status: None,
    };
    let mut records = context.records.lock();
    let Some(record) = records.get_mut(name) else {
        return false;
    };
    record.update(&glimpse);
    *record.uid == *object.metadata.uid && record.generation == object.metadata.generation
}

/// The SealedSecret is gone: nothing is remembered of it.
pub(crate) fn forget(context: &Context, name: &ObjectName) {
    context.records.lock().remove(name);
    context.queue.forget(name);
    context
        .metrics
        .forget_condition(name.namespace(), name.name());
}

/// Deletes the Secret of a SealedSecret that is gone, if it was its own.
async fn clean_up(context: &Context, name: &ObjectName, uid: &str) {
    let deleted = async {
        let Some(secret) = apply::read(&context.api, name).await? else {
            return Ok(());
        };
        match Seen::of(&secret.metadata).is_remade_by(uid) {
            true => apply::delete(&context.api, name, &secret.metadata).await,
            false => Ok(()),
        }
    };
    match deleted.await {
        Ok(()) => forget(context, name),
        Err(error) => {
            warn!(sealed_secret = %name, %error, "the Secret could not be deleted");
            failed(context, name, uid, Failure::Api, None);
        }
    }
}

/// Tells people, and remembers what is needed for the next time.
async fn report(
    context: &Context,
    name: &ObjectName,
    mut object: SealedObject,
    result: Result<Settled, Trouble>,
) {
    let uid = object.metadata.uid.clone();
    let tell = |reason, message| {
        context.events.tell(Event {
            about: name.clone(),
            uid: uid.clone(),
            reason,
            message,
        });
    };
    match result {
        Ok(settled) => {
            if settled.wrote {
                tell(
                    Reason::Unsealed,
                    "SealedSecret unsealed successfully".into(),
                );
            }
            if !settled.dropped.is_empty() {
                let fields = settled.dropped.join(", ");
                tell(
                    Reason::FieldsDropped,
                    format!("not copied from spec.template.metadata: {fields}"),
                );
            }
            let mark = settled.mark.as_ref().map(Mark::to_text);
            let is_said = say(context, name, &mut object, &Report::Synced(mark)).await;
            right(context, name, &uid, &settled);
            if !is_said {
                failed(context, name, &uid, Failure::Api, None);
            }
        }
        Err(Trouble::LeftAlone) => {
            debug!(sealed_secret = %name, "the Secret was deleted and is not made anew");
            if let Some(record) = context.records.lock().get_mut(name) {
                record.state = State::LeftAlone;
                record.secret = None;
            }
        }
        Err(Trouble::Api(error)) if error.is_end_of_namespace() => {
            // The SealedSecret goes too, and there can be no event about it.
            debug!(sealed_secret = %name, %error, "its namespace is being deleted");
            failed(context, name, &uid, Failure::Fixed, None);
        }
        Err(trouble) => {
            let Told {
                reason,
                event,
                message,
                metric,
                failure,
                seen,
            } = Told::of(name, trouble);
            context.metrics.unseal_error(metric, name.namespace());
            tell(reason, event);
            say(context, name, &mut object, &Report::Failed(message)).await;
            failed(context, name, &uid, failure, seen);
        }
    }
}

/// Writes the status, if it is to be written. False if it has to be tried again.
async fn say(
    context: &Context,
    name: &ObjectName,
    object: &mut SealedObject,
    report: &Report,
) -> bool {
    let mut is_said = true;
    if context.settings.update_status
        && let Err(error) =
            status::write(&context.api, name, object, report, (context.clock)()).await
    {
        warn!(sealed_secret = %name, %error, "the status could not be written");
        context
            .metrics
            .unseal_error(metrics::Reason::Status, name.namespace());
        is_said = false;
    }
    let value = if matches!(report, Report::Synced(_)) {
        1
    } else {
        -1
    };
    context.metrics.condition(
        name.namespace(),
        name.name(),
        status::SYNCED,
        value,
        instance(&object.metadata),
    );
    is_said
}

fn right(context: &Context, name: &ObjectName, uid: &str, settled: &Settled) {
    let mut records = context.records.lock();
    let Some(record) = records.get_mut(name).filter(|record| *record.uid == *uid) else {
        return;
    };
    let now = Instant::now();
    let seen = Seen::of(&settled.secret);
    record.right = seen.version;
    record.failures = 0;
    record.state = State::Right;
    if record
        .secret
        .as_ref()
        .is_none_or(|known| known.version.is_before(seen.version))
    {
        record.secret = Some(seen);
    }
    if !record.is_right() {
        context
            .queue
            .push_at(name, Lane::Urgent, record.heals.due(now));
    }
}

fn failed(context: &Context, name: &ObjectName, uid: &str, failure: Failure, seen: Option<Seen>) {
    let mut records = context.records.lock();
    let Some(record) = records.get_mut(name).filter(|record| *record.uid == *uid) else {
        return;
    };
    record.failures = record.failures.saturating_add(1);
    record.state = State::Failed(failure);
    record.right = Version::NONE;
    record.secret = seen.or(record.secret.take());
    let quick_tries = context.settings.max_unseal_retries;
    let pause = backoff::pause(failure, record.failures, quick_tries, backoff::spread());
    context
        .queue
        .push_at(name, Lane::Backlog, Instant::now() + pause);
}
