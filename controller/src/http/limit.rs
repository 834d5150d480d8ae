//! Rate limits: the generic cell rate algorithm, per client within its address, per address, and in all.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderMap;

/// How many times a client's rate all clients behind one address have: the API server's proxy brings many.
const OF_ADDRESS: u32 = 16;
/// How many times a client's rate there is in all.
const IN_ALL: u32 = 64;
/// Buckets that are remembered; above that, the ones that are full again are forgotten, then newcomers wait.
const MOST_BUCKETS: usize = 16_384;

/// Counts requests to one path.
///
/// A client is who `X-Forwarded-For` says, within the address that the connection comes from. Saying something else each
/// time splits the address's share and makes it no larger.
pub struct Limits {
    interval: Duration,
    burst: u32,
    hasher: RandomState,
    start: Instant,
    buckets: Mutex<HashMap<Bucket, Duration>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Bucket {
    All,
    Address(IpAddr),
    Client(IpAddr, u64),
}

/// What a client is told about its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Whether the request may pass.
    pub(super) passes: bool,
    limit: u32,
    remaining: u32,
    reset: Duration,
    retry: Option<Duration>,
}

impl Limits {
    /// `rate` requests per second for a client, and `burst` more at once.
    pub fn new(rate: u32, burst: u32) -> Self {
        Self {
            interval: Duration::from_secs(1) / rate.max(1),
            burst,
            hasher: RandomState::new(),
            start: Instant::now(),
            buckets: Mutex::default(),
        }
    }

    /// Counts a request that is there now.
    pub(super) fn count(&self, peer: IpAddr, headers: &HeaderMap) -> Verdict {
        let forwarded = headers.get("x-forwarded-for");
        let forwarded = forwarded.map(|value| value.as_bytes().to_ascii_lowercase());
        self.count_at(peer, forwarded.as_deref(), self.start.elapsed())
    }

    fn count_at(&self, peer: IpAddr, forwarded: Option<&[u8]>, now: Duration) -> Verdict {
        let network = peer_network(peer);
        let client = Bucket::Client(network, self.hasher.hash_one(forwarded));
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let shares = [
            (client, 1),
            (Bucket::Address(network), OF_ADDRESS),
            (Bucket::All, IN_ALL),
        ];
        let states = shares.map(|(bucket, share)| {
            let full_at = buckets.get(&bucket).copied().unwrap_or_default();
            self.state(full_at, share, now)
        });
        let worst = states.iter().filter_map(|state| state.retry).max();
        if worst.is_none() {
            if buckets.len() >= MOST_BUCKETS {
                buckets.retain(|_, full_at| *full_at > now);
            }
            if buckets.len() >= MOST_BUCKETS && !buckets.contains_key(&client) {
                return self.refused(states[0], self.interval);
            }
            for ((bucket, _), state) in shares.iter().zip(states) {
                buckets.insert(*bucket, state.full_at);
            }
        }
        match worst {
            Some(retry) => self.refused(states[0], retry),
            None => self.passed(states[0], now),
        }
    }

    fn state(&self, full_at: Duration, share: u32, now: Duration) -> State {
        let interval = self.interval / share;
        let tolerance = interval * (self.burst.saturating_add(1)).saturating_mul(share);
        let next = full_at.max(now) + interval;
        let retry = next.checked_sub(now + tolerance);
        State {
            full_at: next,
            left: full_at.saturating_sub(now),
            retry: retry.filter(|retry| !retry.is_zero()),
        }
    }

    fn passed(&self, client: State, now: Duration) -> Verdict {
        let reset = client.full_at - now;
        Verdict {
            passes: true,
            limit: self.burst.saturating_add(1),
            remaining: self.remaining(reset),
            reset,
            retry: None,
        }
    }

    fn refused(&self, client: State, retry: Duration) -> Verdict {
        Verdict {
            passes: false,
            limit: self.burst.saturating_add(1),
            remaining: self.remaining(client.left),
            reset: client.left,
            retry: Some(retry),
        }
    }

    fn remaining(&self, used: Duration) -> u32 {
        let tolerance = self.interval * self.burst.saturating_add(1);
        let left = tolerance.saturating_sub(used).as_nanos() / self.interval.as_nanos().max(1);
        u32::try_from(left).unwrap_or(u32::MAX)
    }
}

/// A bucket as a request finds it.
#[derive(Clone, Copy)]
struct State {
    full_at: Duration,
    left: Duration,
    retry: Option<Duration>,
}

impl Verdict {
    /// Writes the headers that the original writes.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let seconds = |time: Duration| time.as_secs() + u64::from(time.subsec_nanos() > 0);
        headers.insert("x-ratelimit-limit", self.limit.into());
        headers.insert("x-ratelimit-remaining", self.remaining.into());
        headers.insert("x-ratelimit-reset", seconds(self.reset).into());
        if let Some(retry) = self.retry {
            headers.insert("retry-after", seconds(retry).into());
        }
    }
}

/// Who counts as one address: an IPv4 address, or an IPv6 network of the size that one machine gets.
pub(super) fn peer_network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    fn passes(limits: &Limits, peer: IpAddr, forwarded: &str, millis: u64) -> bool {
        let now = Duration::from_millis(millis);
        limits
            .count_at(peer, Some(forwarded.as_bytes()), now)
            .passes
    }

    #[test]
    fn a_client_has_its_burst_and_then_its_rate() {
        let limits = Limits::new(2, 2);
        let verdict = |millis| {
            let verdict = limits.count_at(PEER, None, Duration::from_millis(millis));
            let mut headers = HeaderMap::new();
            verdict.write(&mut headers);
            let header = |name| {
                headers
                    .get(name)
                    .and_then(|value| value.to_str().ok()?.parse().ok())
            };
            assert_eq!(header("x-ratelimit-limit"), Some(3));
            (
                verdict.passes,
                header("x-ratelimit-remaining"),
                header("x-ratelimit-reset"),
                header("retry-after"),
            )
        };
        assert_eq!(verdict(0), (true, Some(2), Some(1), None));
        assert_eq!(verdict(0), (true, Some(1), Some(1), None));
        assert_eq!(verdict(0), (true, Some(0), Some(2), None));
        assert_eq!(verdict(0), (false, Some(0), Some(2), Some(1)));
        assert_eq!(verdict(499), (false, Some(0), Some(2), Some(1)));
        assert_eq!(verdict(500), (true, Some(0), Some(2), None));
        assert_eq!(verdict(10_000), (true, Some(2), Some(1), None));
    }

    #[test]
    fn names_split_the_share_of_an_address_and_do_not_enlarge_it() {
        let limits = Limits::new(2, 2);
        let passed = (0..1000)
            .filter(|n| passes(&limits, PEER, &n.to_string(), 0))
            .count();
        assert_eq!(passed as u32, 3 * OF_ADDRESS);
        let other = IpAddr::from([10, 0, 0, 2]);
        assert!(
            passes(&limits, other, "x", 0),
            "another address is not concerned"
        );
        let fair = (0..20)
            .filter(|_| passes(&limits, other, "greedy", 0))
            .count();
        assert_eq!(fair, 3);
        assert!(
            passes(&limits, other, "modest", 0),
            "another client is not concerned"
        );
    }

    #[test]
    fn all_addresses_together_have_a_limit() {
        let limits = Limits::new(2, 2);
        let address = |n: u32| IpAddr::from((0x0a00_0000 + n).to_be_bytes());
        let passed = (0..1000)
            .filter(|n| passes(&limits, address(*n), "", 0))
            .count();
        assert_eq!(passed as u32, 3 * IN_ALL);
        assert!(passes(&limits, address(5000), "", 2_000));
    }

    #[test]
    fn a_machine_with_many_ipv6_addresses_is_one() {
        let limits = Limits::new(1, 0);
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert!(passes(&limits, address("2001:db8::1"), "", 0));
        assert!(!passes(&limits, address("2001:db8::2"), "", 0));
        assert!(passes(&limits, address("2001:db8:0:1::1"), "", 0));
        assert!(passes(&limits, address("::ffff:10.0.0.1"), "", 0));
        assert!(!passes(&limits, address("10.0.0.1"), "", 0));
    }

    #[test]
    fn buckets_are_bounded() {
        let limits = Limits::new(u32::MAX, 2);
        for n in 0..(MOST_BUCKETS as u64 + 500) {
            passes(&limits, PEER, &n.to_string(), n);
        }
        assert!(limits.buckets.lock().expect("not poisoned").len() <= MOST_BUCKETS);
    }
}
