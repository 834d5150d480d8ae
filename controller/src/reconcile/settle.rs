//! Brings the Secret of one SealedSecret right: by what is known of it, and only then by opening anything.

use std::sync::Arc;

use decryptor::sealed::{SealedSecret, Unsealed, unseal};
use tokio::time::Instant;

use crate::api::ApiError;
use crate::apply;
use crate::context::Context;
use crate::live::{LiveSecret, ObjectMetadata};
use crate::mark::{Extent, Mark, Marker, View, skips_owner};
use crate::name::ObjectName;
use crate::plan::{self, Claimant, Plan, Refusal};
use crate::records::{Seen, State};
use crate::sealed_object::SealedObject;
use crate::status;

/// How often a Secret that somebody else writes to at the same time is looked at anew at once.
const CONFLICT_TRIES: u32 = 4;
const UNREADABLE: &str = "the SealedSecret cannot be read: a field is not of the type that it must have, or lies too deep";

/// The Secret is right.
pub(super) struct Settled {
    pub(super) secret: ObjectMetadata,
    pub(super) wrote: bool,
    pub(super) mark: Option<Mark>,
    /// Fields of the template that were left out.
    pub(super) dropped: Vec<String>,
}

/// The Secret is not right.
pub(super) enum Trouble {
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

/// Brings the Secret right, or says why it is not.
pub(super) async fn settle(
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
    let work = Work::new(context, name, object, sealed, state);
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
    /// Whether to write is to undo what somebody did to a Secret that was right.
    heals: bool,
}

impl<'a> Work<'a> {
    fn new(
        context: &'a Context,
        name: &'a ObjectName,
        object: &'a SealedObject,
        sealed: Arc<SealedSecret>,
        state: State,
    ) -> Self {
        let marker = context.marker();
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
            heals: state == State::Right,
        }
    }

    /// The Secret is about to be written. Whoever changes it again at once is already to wait.
    fn count_heal(&self) {
        if self.heals
            && let Some(record) = self.context.records.lock().get_mut(self.name)
        {
            record.heals.healed(Instant::now());
        }
    }

    /// There is no Secret.
    async fn create(&self, wanted: &mut Option<Unsealed>) -> Result<Settled, Trouble> {
        let wanted = self.unsealed(wanted).await?;
        self.count_heal();
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
        self.count_heal();
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
