//! The two things a template may take from outside: the time and random bytes.

use std::cell::Cell;

use aws_lc_rs::rand;
use jiff::Timestamp;

/// Randomness could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRandomness;

/// The clock and the randomness that varying functions use.
///
/// It remembers whether it was asked for either: what was rendered without them is the same each time.
#[derive(Debug)]
pub struct Ambient {
    now: fn() -> Timestamp,
    random: fn(&mut [u8]) -> Result<(), NoRandomness>,
    was_used: Cell<bool>,
}

impl Ambient {
    /// `now` tells the time; `random` fills a buffer with random bytes fit for passwords.
    pub fn new(now: fn() -> Timestamp, random: fn(&mut [u8]) -> Result<(), NoRandomness>) -> Self {
        Self {
            now,
            random,
            was_used: Cell::new(false),
        }
    }

    /// Whether the time or randomness was asked for.
    pub fn was_used(&self) -> bool {
        self.was_used.get()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.was_used.set(true);
        (self.now)()
    }

    pub(super) fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        self.was_used.set(true);
        (self.random)(buffer)
    }
}

impl Default for Ambient {
    fn default() -> Self {
        Self::new(Timestamp::now, |buffer| {
            rand::fill(buffer).map_err(|_| NoRandomness)
        })
    }
}
