//! One of several replicas leads: a Lease says which, and a leader that cannot renew it stops before another begins.
//!
//! Clocks of different machines are never compared. Who waits measures by its own clock how long a lease has not changed;
//! who leads counts from before it asked. The lease outlasts the leader's own deadline, so that there is a gap.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client, ResourceExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tracing::{info, warn};

use crate::fence::Fence;

/// How long an answer is waited for while nothing is held that could be lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is tried anew where leases are forbidden.
const FORBIDDEN_PAUSE: Duration = Duration::from_secs(30);

/// Which lease, for whom, and its times.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The controller's namespace.
    pub namespace: String,
    /// The lease's name.
    pub name: String,
    /// This pod's name, if it is known: a lease that an earlier process of the same pod left is taken at once.
    pub pod: Option<String>,
    /// How long the others wait.
    pub duration: Duration,
    /// How long a leader goes on without renewing.
    pub renew_deadline: Duration,
    /// How often it is renewed or asked for.
    pub retry_period: Duration,
}

/// The times of the lease do not fit together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the lease duration {duration:?} must be longer than the renew deadline {renew_deadline:?}, and that longer than the retry period {retry_period:?}"
)]
pub struct BadTimes {
    duration: Duration,
    renew_deadline: Duration,
    retry_period: Duration,
}

impl Settings {
    /// Refuses times with which two could lead at once.
    pub fn check(&self) -> Result<(), BadTimes> {
        let Self {
            duration,
            renew_deadline,
            retry_period,
            ..
        } = *self;
        if duration > renew_deadline && renew_deadline > retry_period {
            return Ok(());
        }
        Err(BadTimes {
            duration,
            renew_deadline,
            retry_period,
        })
    }
}

/// What to do about a lease.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// There is none: make it.
    Create,
    /// It is ours: renew it.
    Renew,
    /// It is free: take it.
    Take,
    /// Another has it.
    Wait,
}

/// What came of one attempt.
enum Outcome {
    Held,
    Free,
}

struct Candidate {
    api: Api<Lease>,
    settings: Settings,
    fence: Fence,
    identity: String,
    /// The lease's version and since when this process has seen it unchanged.
    seen: Option<(String, Instant)>,
}

/// Stands for leader until `release` becomes true; then gives the lease back.
///
/// `leader` says whether this process leads, and `fence` is open only then.
pub async fn run(
    client: Client,
    settings: Settings,
    leader: watch::Sender<bool>,
    fence: Fence,
    mut release: watch::Receiver<bool>,
) {
    let mut candidate = Candidate::new(client, settings, fence.clone());
    tokio::select! {
        () = candidate.stand(&leader) => {}
        () = async { drop(release.wait_for(|asked| *asked).await) } => {}
    }
    fence.close();
    if leader.send_replace(false) {
        candidate.release().await;
    }
}

impl Candidate {
    fn new(client: Client, settings: Settings, fence: Fence) -> Self {
        // Only tells processes apart.
        let random = RandomState::new().hash_one(std::process::id());
        let host = settings
            .pod
            .clone()
            .or_else(|| std::env::var("HOSTNAME").ok());
        let host = host.unwrap_or_else(|| "controller".to_owned());
        Self {
            api: Api::namespaced(client, &settings.namespace),
            identity: format!("{host}_{random:016x}"),
            settings,
            fence,
            seen: None,
        }
    }

    /// Never ends.
    async fn stand(&mut self, leader: &watch::Sender<bool>) {
        let mut held_until: Option<Instant> = None;
        let mut may_lease = false;
        loop {
            let asked = Instant::now();
            let deadline = held_until.unwrap_or(asked + PATIENCE);
            let outcome = timeout_at(deadline, self.attempt()).await;
            let mut pause = self.settings.retry_period;
            match outcome {
                Ok(Ok(Outcome::Held)) => {
                    may_lease = true;
                    let until = asked + self.settings.renew_deadline;
                    held_until = Some(until);
                    self.fence.open_until(until.into_std());
                    self.tell(leader, true);
                }
                Ok(Ok(Outcome::Free)) => {
                    may_lease = true;
                    held_until = None;
                    self.tell(leader, false);
                }
                Ok(Err(kube::Error::Api(status))) if status.code == 403 && !may_lease => {
                    if !*leader.borrow() {
                        warn!(
                            error = status.message,
                            "leases are forbidden: leading without one; run only one replica, or grant get, create and update on leases in the controller's namespace"
                        );
                    }
                    self.fence.open();
                    leader.send_replace(true);
                    pause = FORBIDDEN_PAUSE;
                }
                Ok(Err(error)) => warn!(
                    error = &error as &dyn std::error::Error,
                    lease = self.settings.name,
                    "cannot reach the lease, trying again"
                ),
                Err(_) => warn!(
                    lease = self.settings.name,
                    "the lease got no answer in time"
                ),
            }
            let next = Instant::now() + pause;
            if let Some(until) = held_until
                && until <= next
            {
                sleep_until(until).await;
                held_until = None;
                self.tell(leader, false);
            }
            sleep_until(next).await;
        }
    }

    fn tell(&self, leader: &watch::Sender<bool>, leads: bool) {
        if !leads {
            self.fence.close();
        }
        if leader.send_replace(leads) != leads {
            let lease = &self.settings.name;
            if leads {
                info!(lease, identity = self.identity, "leading");
            } else {
                warn!(lease, identity = self.identity, "no longer leading");
            }
        }
    }

    async fn attempt(&mut self) -> Result<Outcome, kube::Error> {
        let lease = self.api.get_opt(&self.settings.name).await?;
        let unchanged = lease.as_ref().map(|lease| self.unchanged(lease));
        let spec = lease.as_ref().and_then(|lease| lease.spec.as_ref());
        let step = match unchanged {
            None => Step::Create,
            Some(unchanged) => decide(
                spec,
                unchanged,
                &self.identity,
                self.settings.pod.as_deref(),
            ),
        };
        let params = PostParams::default();
        let written = match (step, lease) {
            (Step::Wait, _) => return Ok(Outcome::Free),
            (Step::Create, _) | (_, None) => self.api.create(&params, &self.wanted(None)).await,
            (Step::Renew | Step::Take, Some(lease)) => {
                let wanted = self.wanted(Some(lease));
                self.api
                    .replace(&self.settings.name, &params, &wanted)
                    .await
            }
        };
        match written {
            Ok(_) => Ok(Outcome::Held),
            // Another was quicker.
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(Outcome::Free),
            Err(error) => Err(error),
        }
    }

    /// For how long this process has seen the lease as it is.
    fn unchanged(&mut self, lease: &Lease) -> Duration {
        let version = lease.resource_version().unwrap_or_default();
        match &self.seen {
            Some((seen, since)) if *seen == version => since.elapsed(),
            _ => {
                self.seen = Some((version, Instant::now()));
                Duration::ZERO
            }
        }
    }

    fn wanted(&self, before: Option<Lease>) -> Lease {
        let now = MicroTime(Timestamp::now());
        let mut lease = before.unwrap_or_else(|| Lease {
            metadata: ObjectMeta {
                name: Some(self.settings.name.clone()),
                namespace: Some(self.settings.namespace.clone()),
                ..ObjectMeta::default()
            },
            ..Lease::default()
        });
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_ref() != Some(&self.identity) {
            spec.holder_identity = Some(self.identity.clone());
            spec.acquire_time = Some(now.clone());
            spec.lease_transitions = Some(spec.lease_transitions.unwrap_or(-1).saturating_add(1));
        }
        let seconds = self.settings.duration.as_secs_f64().ceil();
        spec.lease_duration_seconds = Some(seconds as i32);
        spec.renew_time = Some(now);
        lease
    }

    /// Gives the lease back, so that another can lead at once.
    async fn release(&mut self) {
        let give_back = async {
            let Some(mut lease) = self.api.get_opt(&self.settings.name).await? else {
                return Ok(());
            };
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_ref() == Some(&self.identity) {
                spec.holder_identity = Some(String::new());
                spec.lease_duration_seconds = Some(1);
                let params = PostParams::default();
                self.api
                    .replace(&self.settings.name, &params, &lease)
                    .await?;
            }
            Ok::<_, kube::Error>(())
        };
        tokio::select! {
            done = give_back => if let Err(error) = done {
                warn!(error = &error as &dyn std::error::Error, "the lease could not be given back");
            },
            () = sleep(PATIENCE) => warn!("the lease could not be given back in time"),
        }
    }
}

fn decide(
    spec: Option<&LeaseSpec>,
    unchanged: Duration,
    identity: &str,
    pod: Option<&str>,
) -> Step {
    let holder = spec.and_then(|spec| spec.holder_identity.as_deref());
    let Some(holder) = holder.filter(|holder| !holder.is_empty()) else {
        return Step::Take;
    };
    let seconds = spec.and_then(|spec| spec.lease_duration_seconds);
    let seconds = u64::try_from(seconds.unwrap_or_default()).unwrap_or_default();
    let holding_pod = holder.rsplit_once('_').map(|(pod, _)| pod);
    let was_this_pod = pod.is_some() && holding_pod == pod;
    if holder == identity {
        Step::Renew
    } else if was_this_pod || unchanged > Duration::from_secs(seconds) {
        Step::Take
    } else {
        Step::Wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_taken_only_where_nobody_can_hold_it() {
        let spec = |holder: &str| LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            lease_duration_seconds: Some(6),
            ..LeaseSpec::default()
        };
        for (holder, seconds, pod, expected) in [
            (Some("me_1"), 100, None, Step::Renew),
            (Some("other_1"), 0, None, Step::Wait),
            (Some("other_1"), 6, None, Step::Wait),
            (Some("other_1"), 7, None, Step::Take),
            (Some(""), 0, None, Step::Take),
            (None, 0, None, Step::Take),
            // The same pod, after its container was started anew.
            (Some("me_2"), 0, Some("me"), Step::Take),
            (Some("me_2"), 0, None, Step::Wait),
            (Some("me"), 0, Some("me"), Step::Wait),
            (Some("me_too_2"), 0, Some("me"), Step::Wait),
        ] {
            let spec = holder.map(spec);
            let unchanged = Duration::from_secs(seconds);
            let step = decide(spec.as_ref(), unchanged, "me_1", pod);
            assert_eq!(step, expected, "{holder:?} {seconds} {pod:?}");
        }
        let endless = LeaseSpec {
            holder_identity: Some("other".to_owned()),
            ..LeaseSpec::default()
        };
        let step = decide(Some(&endless), Duration::from_millis(1), "me_1", None);
        assert_eq!(step, Step::Take, "a lease without a duration has run out");
    }

    #[test]
    fn times_with_which_two_could_lead_are_refused() {
        let check = |duration, renew_deadline, retry_period| {
            let settings = Settings {
                namespace: String::new(),
                name: String::new(),
                pod: None,
                duration: Duration::from_secs(duration),
                renew_deadline: Duration::from_secs(renew_deadline),
                retry_period: Duration::from_secs(retry_period),
            };
            settings.check().is_ok()
        };
        assert!(check(6, 4, 1));
        assert!(!check(4, 4, 1) && !check(6, 4, 4));
    }
}
