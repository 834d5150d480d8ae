//! One SealedSecret: read it, open it if need be, write its Secret, and say how it went.

use std::sync::Arc;

use decryptor::sealed::{SealedSecret, Unsealed, unseal};
use tokio::time::Instant;
use tracing::{debug, warn};

use crate::api::ApiError;
use crate::apply;
use crate::backoff::{self, Failure};
use crate::context::Context;
use crate::events::{Event, Reason};
use crate::live::{LiveSecret, ObjectMetadata};
use crate::mark::{Extent, Mark, Marker, View, skips_owner};
use crate::metrics;
use crate::name::ObjectName;
use crate::plan::{self, Claimant, Plan, Refusal};
use crate::queue::Lane;
use crate::records::{Body, Seen, State, Version};
use crate::sealed_object::{Glimpse, SealedObject};
use crate::status::{self, Report};

/// How often a Secret that somebody else writes to at the same time is looked at anew at once.
const CONFLICT_TRIES: u32 = 4;
const UNREADABLE: &str =
    "the SealedSecret cannot be read: a field is not of the type that it must have";

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
    report(context, name, object, state, result).await;
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

/// The Secret is right.
struct Settled {
    secret: ObjectMetadata,
    wrote: bool,
    mark: Option<Mark>,
    /// Fields of the template that were left out.
    dropped: Vec<String>,
}

/// The Secret is not right.
enum Trouble {
    Unseal(String),
    Refused(Refusal, Option<Seen>),
    Api(ApiError),
    /// Somebody who may has deleted the Secret.
    LeftAlone,
}

impl From<ApiError> for Trouble {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

async fn settle(
    context: &Context,
    name: &ObjectName,
    object: &mut SealedObject,
    state: State,
    seen: Option<&Seen>,
) -> Result<Settled, Trouble> {
    let sealed = object
        .sealed
        .take()
        .map(Arc::new)
        .ok_or_else(|| Trouble::Unseal(UNREADABLE.into()))?;
    let work = Work::new(context, name, object, sealed);
    // Where nothing is known of a Secret, to create it is the quickest way to learn whether there is one.
    let mut live = match seen.is_some() || work.known.is_some() {
        true => apply::read(&context.api, name).await?,
        false => None,
    };
    let made_anew = seen.is_none_or(|seen| seen.is_remade_by(&object.metadata.uid));
    if live.is_none() && state == State::Right && !made_anew {
        return Err(Trouble::LeftAlone);
    }
    let mut wanted = None;
    let mut tries = 0;
    loop {
        let done = match live {
            Some(secret) => work.bring_right(secret, &mut wanted).await,
            None => work.create(&mut wanted).await,
        };
        tries += 1;
        match done {
            // Made, changed or deleted by somebody else in between.
            Err(Trouble::Api(error))
                if (error.is_conflict() || error.is_not_found()) && tries < CONFLICT_TRIES =>
            {
                live = apply::read(&context.api, name).await?;
            }
            done => return done,
        }
    }
}

/// What stays the same while one SealedSecret is worked on.
struct Work<'a> {
    context: &'a Context,
    name: &'a ObjectName,
    metadata: &'a ObjectMetadata,
    sealed: Arc<SealedSecret>,
    marker: Option<Marker>,
    known: Option<Mark>,
    /// Whether the Secret was right for the present spec before.
    same_spec: bool,
}

impl<'a> Work<'a> {
    fn new(
        context: &'a Context,
        name: &'a ObjectName,
        object: &'a SealedObject,
        sealed: Arc<SealedSecret>,
    ) -> Self {
        let marker = Marker::of(&context.ring());
        let known = marker.as_ref().and_then(|marker| marker.known(&sealed));
        let was_synced = status::was_synced(object.status.as_ref(), object.metadata.generation);
        Self {
            context,
            name,
            metadata: &object.metadata,
            same_spec: known.is_some() || was_synced,
            sealed,
            marker,
            known,
        }
    }

    /// There is no Secret.
    async fn create(&self, wanted: &mut Option<Unsealed>) -> Result<Settled, Trouble> {
        let wanted = self.unsealed(wanted).await?;
        let secret = apply::create(&self.context.api, wanted).await?;
        let mark = self.mark_of_created(wanted, &secret);
        Ok(Settled {
            secret,
            wrote: true,
            mark,
            dropped: wanted.dropped.clone(),
        })
    }

    /// There is a Secret.
    async fn bring_right(
        &self,
        live: LiveSecret,
        wanted: &mut Option<Unsealed>,
    ) -> Result<Settled, Trouble> {
        let uid = &live.metadata.uid;
        let claimant = Claimant {
            metadata: self.metadata,
            skips_owner: skips_owner(&self.sealed),
            made: self
                .marker
                .as_ref()
                .is_some_and(|marker| marker.has_made(&self.sealed, uid)),
        };
        let seen = || Some(Seen::of(&live.metadata));
        let Some(claim) = plan::claim(&claimant, &live.metadata) else {
            let refusal = Refusal::NotManaged {
                name: self.name.name().to_owned(),
            };
            return Err(Trouble::Refused(refusal, seen()));
        };
        if self.is_known_right(&live) {
            return Ok(Settled {
                mark: self.known.clone(),
                wrote: false,
                dropped: Vec::new(),
                secret: live.metadata,
            });
        }
        let wanted = self.unsealed(wanted).await?;
        self.keep_rendered(wanted, &live);
        let target = match plan::plan(wanted, &live, claim, self.same_spec) {
            Plan::Keep => {
                let mark = self.mark(wanted, &View::of_live(&live));
                return Ok(Settled {
                    mark,
                    wrote: false,
                    dropped: Vec::new(),
                    secret: live.metadata,
                });
            }
            Plan::Refuse(refusal) => return Err(Trouble::Refused(refusal, seen())),
            Plan::Replace(target) | Plan::Patch(target) => target,
        };
        let secret = match apply::replace(&self.context.api, self.name, &target).await {
            Err(error) if error.is_immutable_field() => {
                return Err(Trouble::Refused(
                    Refusal::Rejected(error.to_string()),
                    seen(),
                ));
            }
            answer => answer?,
        };
        Ok(Settled {
            mark: self.mark(wanted, &target.view()),
            wrote: true,
            dropped: wanted.dropped.clone(),
            secret,
        })
    }

    fn is_known_right(&self, live: &LiveSecret) -> bool {
        let (Some(marker), Some(known)) = (&self.marker, &self.known) else {
            return false;
        };
        Extent::of(&self.sealed).is_some_and(|extent| marker.is_right(known, &extent, live))
    }

    /// Opens the SealedSecret, once, on a thread where that may take its time.
    async fn unsealed<'w>(
        &self,
        wanted: &'w mut Option<Unsealed>,
    ) -> Result<&'w mut Unsealed, Trouble> {
        if let Some(wanted) = wanted {
            return Ok(wanted);
        }
        let (sealed, ring, options) = (
            Arc::clone(&self.sealed),
            self.context.ring(),
            self.context.unsealing.clone(),
        );
        let _core = self.context.cores.acquire().await;
        let opened = tokio::task::spawn_blocking(move || unseal(&sealed, &ring, &options)).await;
        match opened {
            Ok(Ok(opened)) => Ok(wanted.insert(opened)),
            Ok(Err(error)) => Err(Trouble::Unseal(error.to_string())),
            Err(_) => Err(Trouble::Unseal(
                "the SealedSecret could not be opened: this is a defect".into(),
            )),
        }
    }

    /// What was rendered for this spec before and would be different now stays as it is.
    fn keep_rendered(&self, wanted: &mut Unsealed, live: &LiveSecret) {
        for (index, key) in wanted.varying.iter().enumerate() {
            let Some(value) = live.data.get(key) else {
                continue;
            };
            let stays = match (&self.marker, &self.known) {
                (Some(marker), Some(known)) => marker.is_rendered(known, index, key, value),
                _ => self.same_spec,
            };
            if stays {
                let value = keys::Plaintext::new(value.expose_secret().to_vec());
                wanted.data.insert(key.clone(), value);
            }
        }
    }

    fn mark(&self, wanted: &Unsealed, view: &View<'_>) -> Option<Mark> {
        let varying = wanted
            .varying
            .iter()
            .filter_map(|key| Some((key.as_str(), wanted.data.get(key)?)));
        self.marker.as_ref()?.mark(&self.sealed, view, varying)
    }

    fn mark_of_created(&self, wanted: &Unsealed, secret: &ObjectMetadata) -> Option<Mark> {
        let is_true = |name| decryptor::sealed::is_true(&wanted.annotations, name);
        let view = View {
            uid: &secret.uid,
            patch: is_true(decryptor::sealed::PATCH),
            managed: is_true(decryptor::sealed::MANAGED),
            type_: wanted.type_.as_deref().unwrap_or(crate::live::OPAQUE),
            immutable: wanted.immutable.unwrap_or(false),
            owners: &plan::owners(wanted),
            labels: &wanted.labels,
            annotations: &wanted.annotations,
            data: wanted
                .data
                .iter()
                .map(|(key, value)| (key.as_str(), value.expose_secret()))
                .collect(),
        };
        self.mark(wanted, &view)
    }
}

/// Tells people, and remembers what is needed for the next time.
async fn report(
    context: &Context,
    name: &ObjectName,
    mut object: SealedObject,
    state: State,
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
            right(context, name, &uid, state, &settled);
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

/// A failure in the words of the original.
struct Told {
    reason: Reason,
    event: String,
    message: String,
    metric: metrics::Reason,
    failure: Failure,
    seen: Option<Seen>,
}

impl Told {
    fn of(name: &ObjectName, trouble: Trouble) -> Self {
        let update = |text: String, metric, failure, seen| Self {
            reason: Reason::UpdateFailed,
            message: format!("failed update: {text}"),
            event: text,
            metric,
            failure,
            seen,
        };
        match trouble {
            Trouble::Unseal(text) => Self {
                reason: Reason::UnsealFailed,
                event: format!("Failed to unseal: {text}"),
                message: text,
                metric: metrics::Reason::Unseal,
                failure: Failure::Unseal,
                seen: None,
            },
            Trouble::Refused(refusal @ Refusal::NotManaged { .. }, seen) => update(
                refusal.to_string(),
                metrics::Reason::Unmanaged,
                Failure::NotManaged,
                seen,
            ),
            Trouble::Refused(refusal, seen) => {
                let told = update(
                    refusal.to_string(),
                    metrics::Reason::Update,
                    Failure::Fixed,
                    seen,
                );
                Self {
                    event: explained(name, &refusal),
                    ..told
                }
            }
            Trouble::Api(error) => update(
                error.to_string(),
                metrics::Reason::Update,
                Failure::Api,
                None,
            ),
            Trouble::LeftAlone => {
                update(String::new(), metrics::Reason::Update, Failure::Fixed, None)
            }
        }
    }
}

/// What to do about a Secret that cannot be changed.
fn explained(name: &ObjectName, refusal: &Refusal) -> String {
    let way_out = format!(
        "delete the Secret {:?}, and it is made anew from its SealedSecret",
        name.name()
    );
    match refusal {
        Refusal::Type { from, to, .. } => {
            format!("the type of the target Secret is {from:?} and cannot become {to:?}: {way_out}")
        }
        Refusal::Rejected(text) if !text.contains("when `immutable` is set") => {
            format!("{text}: {way_out}")
        }
        _ => format!("the target Secret is immutable, so that it cannot be updated: {way_out}"),
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
        object.instance(),
    );
    is_said
}

fn right(context: &Context, name: &ObjectName, uid: &str, before: State, settled: &Settled) {
    let mut records = context.records.lock();
    let Some(record) = records.get_mut(name).filter(|record| *record.uid == *uid) else {
        return;
    };
    let now = Instant::now();
    if settled.wrote && before == State::Right {
        record.heals.healed(now);
    }
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
