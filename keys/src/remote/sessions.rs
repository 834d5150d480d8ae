//! Tokens that calls are made with: had once however many ask, and had again when they are old or refused.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::master_key::KeyError;

/// How long nobody logs in again where it was refused: many documents may ask.
const REFUSED: Duration = Duration::from_secs(30);
/// A token that is refused so soon after it was given is not allowed what was asked.
const YOUNG: Duration = Duration::from_secs(10);

/// No session is kept for longer, whatever a login says.
const LONGEST_LEASE: Duration = Duration::from_secs(24 * 60 * 60);

/// A token, and until when it serves.
pub(crate) struct Session {
    pub(crate) token: Zeroizing<String>,
    /// When a login gave it. Nothing for a token that was given: then there is no other.
    since: Option<Instant>,
    /// From then on it is better to log in again.
    fresh_until: Option<Instant>,
}

impl Session {
    /// A token that a person or an administrator gave.
    pub(crate) fn given(token: Zeroizing<String>) -> Self {
        Self {
            token,
            since: None,
            fresh_until: None,
        }
    }

    /// A token that a login gave, for a time; zero is without end. A third of it is left for whoever is slow.
    pub(crate) fn lent(token: Zeroizing<String>, lease: Duration) -> Self {
        let now = Instant::now();
        let fresh = lease.min(LONGEST_LEASE) * 2 / 3;
        Self {
            token,
            since: Some(now),
            fresh_until: (!lease.is_zero()).then(|| now + fresh),
        }
    }

    fn is_fresh(&self) -> bool {
        self.fresh_until.is_none_or(|until| Instant::now() < until)
    }

    /// Whether another login may give what this token is refused.
    pub(crate) fn may_be_replaced(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() > YOUNG)
    }
}

/// The sessions of an environment, by what they are with.
#[derive(Default)]
pub(crate) struct Sessions(std::sync::Mutex<HashMap<String, Slot>>);

/// One session. Its lock is held while somebody logs in.
type Slot = Arc<Mutex<Option<Outcome>>>;

/// What came of a login.
enum Outcome {
    Session(Arc<Session>),
    Refused(Instant, KeyError),
}

impl Sessions {
    /// The session with something: one login however many ask. Not `refused`, if there is one.
    pub(crate) async fn session(
        &self,
        with: &str,
        refused: Option<&Arc<Session>>,
        login: impl Future<Output = Result<Session, KeyError>>,
    ) -> Result<Arc<Session>, KeyError> {
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            slots.entry(with.to_owned()).or_default().clone()
        };
        let mut slot = slot.lock().await;
        match &*slot {
            Some(Outcome::Session(known))
                if known.is_fresh()
                    && refused.is_none_or(|refused| !Arc::ptr_eq(known, refused)) =>
            {
                return Ok(known.clone());
            }
            Some(Outcome::Refused(since, why)) if since.elapsed() < REFUSED => {
                return Err(why.clone());
            }
            _ => {}
        }
        let outcome = login.await.map(Arc::new);
        *slot = Some(match &outcome {
            Ok(session) => Outcome::Session(session.clone()),
            Err(why) => Outcome::Refused(Instant::now(), why.clone()),
        });
        outcome
    }
}
