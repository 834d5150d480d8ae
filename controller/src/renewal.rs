//! When a new sealing key is due, and making it then.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::Signal;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{error, info, warn};

use crate::key_store::KeyStore;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// When keys are renewed.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How often; zero for never.
    pub period: Duration,
    /// At start, a newest key from before this is renewed at once.
    pub cutoff: Option<Timestamp>,
}

/// Why a key is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is none.
    NoKey,
    /// The newest is from before the cut-off time.
    Cutoff,
    /// The newest is as old as the period.
    Period,
    /// Someone sent SIGUSR1.
    Asked,
}

/// What is to be done when this process begins to lead.
#[derive(Debug, PartialEq, Eq)]
pub struct Start {
    /// Make a key at once.
    pub now: Option<Why>,
    /// Make the next one after this time, and then one each period. `None` for never.
    pub first: Option<Duration>,
}

/// Decides by the wall clock, once; from then on only time that really passes counts.
///
/// So a clock that is set forward makes one key at most, at the next start, and one that is set back makes none.
pub fn at_start(rules: Rules, newest: Option<Timestamp>, now: Timestamp) -> Start {
    let period = Some(rules.period).filter(|period| !period.is_zero());
    let why = match (newest, rules.cutoff) {
        (None, _) => Some(Why::NoKey),
        (Some(newest), Some(cutoff)) if newest < cutoff => Some(Why::Cutoff),
        _ => None,
    };
    let first = match newest {
        Some(newest) if why.is_none() => period.map(|period| until_due(period, newest, now)),
        _ => period,
    };
    Start { now: why, first }
}

/// What is left of the period; more than all of it if the newest key is from the future, as with the original.
fn until_due(period: Duration, newest: Timestamp, now: Timestamp) -> Duration {
    let age = now.duration_since(newest);
    let passed = age.unsigned_abs();
    if age.is_negative() {
        period.saturating_add(passed)
    } else {
        period.saturating_sub(passed)
    }
}

/// Makes keys when they are due and when asked, while this process leads; ends when `leader`'s sender is gone.
///
/// The cut-off time counts once in a process's life: one that lies in the future would make a key at each take-over.
pub async fn run(
    store: Arc<KeyStore>,
    mut rules: Rules,
    mut leader: watch::Receiver<bool>,
    mut asked: Signal,
) {
    while leader.has_changed().is_ok() {
        tokio::select! {
            () = until(&mut leader, true) => {}
            _ = asked.recv() => {
                warn!("asked for a new sealing key, but another replica leads: ask that one");
                continue;
            }
        }
        let mut lost = leader.clone();
        tokio::select! {
            () = until(&mut lost, false) => {}
            () = lead(&store, rules, &leader, &mut asked) => {}
        }
        rules.cutoff = None;
    }
}

/// Returns when the leader's flag is `wanted`, or will never be.
async fn until(leader: &mut watch::Receiver<bool>, wanted: bool) {
    drop(leader.wait_for(|leads| *leads == wanted).await);
}

async fn lead(store: &KeyStore, rules: Rules, leader: &watch::Receiver<bool>, asked: &mut Signal) {
    refresh(store).await;
    let mut newest = store.newest();
    let known = *newest.borrow_and_update();
    let now = Timestamp::now();
    if known.is_some_and(|known| known > now) {
        warn!("the newest sealing key is from the future: is the clock right?");
    }
    let start = at_start(rules, known, now);
    let begin = Instant::now();
    if let Some(why) = start.now {
        make(store, why, leader).await;
    }
    let mut due = start.first.and_then(|first| begin.checked_add(first));
    loop {
        let why = tokio::select! {
            () = at(due) => Why::Period,
            signal = asked.recv() => match signal {
                Some(()) => Why::Asked,
                None => return futures::future::pending().await,
            },
            () = until_none(&mut newest) => Why::NoKey,
        };
        if why == Why::Period {
            due = Instant::now().checked_add(rules.period);
        }
        make(store, why, leader).await;
    }
}

/// Returns when the last key is gone.
async fn until_none(newest: &mut watch::Receiver<Option<Timestamp>>) {
    if newest.wait_for(Option::is_none).await.is_err() {
        futures::future::pending::<()>().await;
    }
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => futures::future::pending().await,
    }
}

/// Makes one key, however long that takes.
///
/// Before each try the keys are read again: if the last one was stored although its answer got lost, or another has made
/// one meanwhile, that will do.
async fn make(store: &KeyStore, why: Why, leader: &watch::Receiver<bool>) {
    info!(reason = ?why, "making a new sealing key");
    let before = *store.newest().borrow();
    let mut pause = FIRST_PAUSE;
    loop {
        let Err(failure) = store.generate(|| *leader.borrow()).await else {
            return;
        };
        error!(
            error = &failure as &dyn std::error::Error,
            "Failed to generate new key"
        );
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        refresh(store).await;
        if *store.newest().borrow() > before {
            return;
        }
    }
}

/// Reads the keys from the API server, however often it takes.
async fn refresh(store: &KeyStore) {
    let mut pause = FIRST_PAUSE;
    while let Err(failure) = store.refresh().await {
        warn!(
            error = &failure as &dyn std::error::Error,
            "cannot read the sealing keys, trying again"
        );
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn day(number: i64) -> Timestamp {
        Timestamp::from_second(number * DAY).expect("in range")
    }

    fn days(number: i64) -> Duration {
        Duration::from_secs((number * DAY).unsigned_abs())
    }

    #[test]
    fn keys_are_made_when_they_are_due() {
        let check = |period, cutoff: Option<i64>, newest: Option<i64>, now, expected| {
            let rules = Rules {
                period: days(period),
                cutoff: cutoff.map(day),
            };
            let start = at_start(rules, newest.map(day), day(now));
            let first = start.first.map(|first| first.as_secs() as i64 / DAY);
            assert_eq!(
                (start.now, first),
                expected,
                "{period} {cutoff:?} {newest:?} {now}"
            );
        };
        // No key.
        check(30, None, None, 100, (Some(Why::NoKey), Some(30)));
        check(0, None, None, 100, (Some(Why::NoKey), None));
        // By age.
        check(30, None, Some(100), 100, (None, Some(30)));
        check(30, None, Some(90), 100, (None, Some(20)));
        check(30, None, Some(70), 100, (None, Some(0)));
        check(30, None, Some(1), 100, (None, Some(0)));
        check(0, None, Some(1), 100, (None, None));
        // Cut-off.
        check(30, Some(95), Some(90), 100, (Some(Why::Cutoff), Some(30)));
        check(30, Some(90), Some(90), 100, (None, Some(20)));
        check(0, Some(95), Some(90), 100, (Some(Why::Cutoff), None));
        // A key from the future.
        check(30, None, Some(110), 100, (None, Some(40)));
        check(30, Some(105), Some(110), 100, (None, Some(40)));
        // A cut-off in the future renews at each start, as with the original: it is compared with keys, not the clock.
        check(30, Some(200), Some(100), 100, (Some(Why::Cutoff), Some(30)));
    }

    #[test]
    fn a_clock_that_steps_makes_no_storm_of_keys() {
        let rules = Rules {
            period: days(30),
            cutoff: None,
        };
        let mut newest = day(1000);
        let mut made = 0;
        // At every restart the clock is somewhere else.
        for clock in [1010, 3000, 1000, 3001, 0, 3002, 1011, 3029, 3003, 1] {
            let start = at_start(rules, Some(newest), day(clock));
            assert_eq!(start.now, None);
            if start.first == Some(Duration::ZERO) {
                newest = day(clock);
                made += 1;
            }
        }
        assert_eq!(made, 1);
    }
}
