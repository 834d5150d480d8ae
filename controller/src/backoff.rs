//! How long to wait before something that failed is tried again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

/// What kind of failure it was, as far as waiting is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The values do not open: only another spec, another scope or another key helps, and each of them is noticed.
    Unseal,
    /// The Secret belongs to somebody else.
    NotManaged,
    /// The Secret cannot become what it must be, until it or the spec is another.
    Fixed,
    /// The API server refused, or did not answer.
    Api,
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// A Secret that was right for so long is healed at once again.
const CALM: Duration = Duration::from_secs(600);
/// After the deletion of a Secret that stood in the way: its owner may be about to write it anew.
pub(crate) const AFTER_BLOCKER: Duration = Duration::from_millis(2500);

/// The pause after the `failures`th failure in a row, spread by `spread` from 0 to 255.
pub(crate) fn pause(failure: Failure, failures: u32, quick_tries: u32, spread: u8) -> Duration {
    let before = failures.saturating_sub(1);
    let exact = match failure {
        Failure::Api if before < quick_tries => {
            return doubled(Duration::from_millis(5), before, MINUTE);
        }
        Failure::Api => doubled(SECOND, before - quick_tries, 5 * MINUTE),
        Failure::NotManaged => doubled(3 * SECOND, before, 5 * MINUTE),
        Failure::Unseal => doubled(MINUTE, before, 60 * MINUTE),
        Failure::Fixed => doubled(5 * MINUTE, before, 60 * MINUTE),
    };
    exact + exact.mul_f64(f64::from(spread) / 1024.0)
}

fn doubled(first: Duration, times: u32, most: Duration) -> Duration {
    first
        .saturating_mul(1u32.checked_shl(times.min(20)).unwrap_or(u32::MAX))
        .min(most)
}

/// How often a Secret had to be healed lately, and when last.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Heals {
    count: u32,
    last: Option<Instant>,
}

impl Heals {
    /// The Secret was healed.
    pub(crate) fn healed(&mut self, now: Instant) {
        let calm = self.last.is_none_or(|last| now.duration_since(last) > CALM);
        self.count = if calm {
            1
        } else {
            self.count.saturating_add(1)
        };
        self.last = Some(now);
    }

    /// When a Secret that was just changed may be looked at: later each time, so that two who disagree do not spin.
    pub(crate) fn due(&self, now: Instant) -> Instant {
        match self.last {
            Some(last) if now.duration_since(last) <= CALM => {
                (last + doubled(SECOND, self.count, 5 * MINUTE)).max(now)
            }
            _ => now,
        }
    }
}

/// Chance, for spreading retries; not for secrets.
pub(crate) fn spread() -> u8 {
    RandomState::new().build_hasher().finish().to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_never_end() {
        let millis = |failure, failures| pause(failure, failures, 5, 0).as_millis();
        let quick: Vec<_> = (1..=5)
            .map(|failures| millis(Failure::Api, failures))
            .collect();
        assert_eq!(quick, [5, 10, 20, 40, 80]);
        let long: Vec<_> = [6, 7, 8, 30, u32::MAX]
            .map(|failures| millis(Failure::Api, failures))
            .into();
        assert_eq!(long, [1000, 2000, 4000, 300_000, 300_000]);
        assert!(millis(Failure::NotManaged, 1) > 2000);
        assert_eq!(millis(Failure::Unseal, 99), 3_600_000);
        assert!(pause(Failure::Fixed, 1, 5, 255) < Duration::from_secs(376));
        assert_eq!(pause(Failure::Api, 1, 0, 0).as_millis(), 1000);
    }

    #[test]
    fn a_secret_changed_again_and_again_is_healed_ever_later() {
        let (mut heals, mut now) = (Heals::default(), Instant::now());
        assert_eq!(heals.due(now), now);
        let mut pauses = Vec::new();
        for _ in 0..12 {
            heals.healed(now);
            pauses.push((heals.due(now) - now).as_secs());
            now = heals.due(now);
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]);
        now += CALM + SECOND;
        assert_eq!(heals.due(now), now);
    }
}
