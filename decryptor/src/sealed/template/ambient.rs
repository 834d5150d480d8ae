//! The two things a template may take from outside: the time and random bytes.

use aws_lc_rs::rand;
use jiff::Timestamp;

/// Randomness could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRandomness;

/// The clock and the randomness that varying functions use.
#[derive(Debug, Clone, Copy)]
pub struct Ambient {
    /// The time of `now` and of dates that are not given.
    pub now: fn() -> Timestamp,
    /// Fills a buffer with random bytes fit for passwords.
    pub random: fn(&mut [u8]) -> Result<(), NoRandomness>,
}

impl Default for Ambient {
    fn default() -> Self {
        Self {
            now: Timestamp::now,
            random: |buffer| rand::fill(buffer).map_err(|_| NoRandomness),
        }
    }
}
