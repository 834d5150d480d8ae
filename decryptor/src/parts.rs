//! Work on the parts of something large, at the same time.

use std::panic::resume_unwind;
use std::thread;

/// What is done with a shorter text is done faster than a thread begins: in bytes.
pub(crate) const WORTH_A_THREAD: usize = 256 << 10;

/// How many threads run at the same time.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Works on each part, on a thread of its own but for the first. The results are in the order of the parts.
pub(crate) fn each<P: Send, R: Send>(
    parts: impl IntoIterator<Item = P>,
    work: impl Fn(P) -> R + Sync,
) -> Vec<R> {
    let mut parts = parts.into_iter();
    let Some(first) = parts.next() else {
        return Vec::new();
    };
    thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = parts.map(|part| scope.spawn(move || work(part))).collect();
        let mut done = vec![work(first)];
        let others = others.into_iter().map(|other| other.join());
        done.extend(others.map(|other| other.unwrap_or_else(|panic| resume_unwind(panic))));
        done
    })
}
