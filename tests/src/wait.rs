//! Waiting for something to become true, with a deadline and an account of what was seen last.

use std::{
    fmt::Display,
    thread,
    time::{Duration, Instant},
};

/// How long a test waits if it does not say: generous, since only failures take this long.
pub const PATIENCE: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(25);

/// Asks `probe` again and again until it gives a value; panics at the deadline with what it said last.
///
/// ```no_run
/// # use std::time::Duration;
/// # let file = std::path::Path::new("x");
/// let text = testkit::wait_until("the file appears", Duration::from_secs(5), || std::fs::read_to_string(file));
/// ```
pub fn wait_until<T, E: Display>(
    what: &str,
    deadline: Duration,
    probe: impl FnMut() -> Result<T, E>,
) -> T {
    poll(deadline, probe)
        .unwrap_or_else(|seen| panic!("waited {deadline:?} in vain: {what}\nlast seen: {seen}"))
}

/// Like [`wait_until`], but the last answer is returned at the deadline.
pub fn poll<T, E>(deadline: Duration, mut probe: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let begin = Instant::now();
    loop {
        let answer = probe();
        if answer.is_ok() || begin.elapsed() > deadline {
            return answer;
        }
        thread::sleep(PAUSE);
    }
}
