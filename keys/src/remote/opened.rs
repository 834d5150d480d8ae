//! Shares that key services have opened: one call for each, however many documents ask, at once or later.
//!
//! They belong to an environment, as credentials do, so that nobody gets what another one may open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Mutex as Turn;
use zeroize::Zeroizing;

use crate::env::Env;
use crate::master_key::{Fields, KeyError, MasterKey, Wrapped};
use crate::secret::KeyShare;

/// How many are kept; then all are forgotten.
const MOST: usize = 4096;

/// What was opened.
#[derive(Default)]
pub(crate) struct Opened(Mutex<HashMap<Wanted, Slot>>);

/// The list that a key is of, all that is said of the key, and the wrapped share.
type Wanted = (&'static str, Fields, String);

/// A share, once there is one. Its lock is held by whoever asks for it.
type Slot = Arc<Turn<Option<KeyShare>>>;

impl Opened {
    /// The share that `ask` fetches; it is fetched once, unless that fails.
    pub(crate) async fn share(
        key: &impl MasterKey,
        wrapped: &Wrapped,
        env: &Env,
        ask: impl Future<Output = Result<KeyShare, KeyError>>,
    ) -> Result<KeyShare, KeyError> {
        let opened = env.once(Self::default);
        let slot = opened.slot((key.backend().field, key.fields(), wrapped.enc.clone()));
        let mut slot = slot.lock().await;
        let share = match slot.take() {
            Some(share) => share,
            None => ask.await?,
        };
        let copy = Zeroizing::new(share.expose_secret().to_vec());
        *slot = Some(share);
        Ok(copy.into())
    }

    fn slot(&self, wanted: Wanted) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST {
            slots.clear();
        }
        slots.entry(wanted).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::executor::block_on;
    use futures::future::join_all;

    use super::*;
    use crate::backend::unknown::UnknownKey;

    #[test]
    fn a_share_is_fetched_once_for_all_who_ask_and_never_for_another_principal() {
        let calls = AtomicUsize::new(0);
        let fetch = async || {
            calls.fetch_add(1, Ordering::Relaxed);
            let_others_go().await;
            Ok(KeyShare::from(Zeroizing::new(b"share".to_vec())))
        };
        let share = async |env: &Env, enc: &str| {
            let wrapped = Wrapped {
                enc: enc.to_owned(),
                created_at: None,
            };
            let share = Opened::share(&key(), &wrapped, env, fetch()).await;
            assert_eq!(share.expect("fetched").expose_secret(), b"share");
        };
        let env = Env::from([("VAULT_TOKEN", "one")]);
        block_on(join_all((0..50).map(|_| share(&env, "first"))));
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        block_on(share(&env, "first"));
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        block_on(share(&env, "second"));
        assert_eq!(calls.load(Ordering::Relaxed), 2);
        block_on(share(&Env::from([("VAULT_TOKEN", "other")]), "first"));
        assert_eq!(calls.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn what_failed_is_fetched_again() {
        let env = Env::from([("A", "b")]);
        let wrapped = Wrapped {
            enc: "e".to_owned(),
            created_at: None,
        };
        let key = key();
        let failed = async { Err(KeyError("no".to_owned())) };
        let failed = Opened::share(&key, &wrapped, &env, failed);
        assert!(block_on(failed).is_err());
        let good = async { Ok(KeyShare::from(Zeroizing::new(vec![1]))) };
        assert!(block_on(Opened::share(&key, &wrapped, &env, good)).is_ok());
    }

    fn key() -> UnknownKey {
        UnknownKey::new("other", Fields::default().with("name", "key"))
    }

    /// Lets others go first, once.
    async fn let_others_go() {
        let mut waited = false;
        std::future::poll_fn(|context| match std::mem::replace(&mut waited, true) {
            true => std::task::Poll::Ready(()),
            false => {
                context.waker().wake_by_ref();
                std::task::Poll::Pending
            }
        })
        .await;
    }
}
