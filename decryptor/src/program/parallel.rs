//! Work on many items, on all cores.

use std::panic::resume_unwind;
use std::sync::Mutex;
use std::thread;

/// Items that one thread takes at a time, where there are many: the work of an item may take long or short.
const PIECE: usize = 16;
/// Threads at least for work that waits, such as for a disk.
const FEWEST_THAT_WAIT: usize = 8;

/// Works on every item; the results are in the items' order.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    run(items, cores(), PIECE, work)
}

/// As [`map`], for work that mostly waits.
pub fn map_waiting<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    map_at_most(items, cores().max(FEWEST_THAT_WAIT), work)
}

/// As [`map_waiting`], on so many threads at most.
pub fn map_at_most<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    run(items, threads, 1, work)
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn run<T: Sync, R: Send>(
    items: &[T],
    most_threads: usize,
    piece: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let threads = most_threads.min(items.len().div_ceil(piece));
    if threads < 2 {
        return items.iter().map(work).collect();
    }
    let pieces = Mutex::new(items.chunks(piece).enumerate());
    let next = || pieces.lock().ok().and_then(|mut pieces| pieces.next());
    let worker = || {
        let mut done = Vec::new();
        while let Some((number, piece)) = next() {
            done.push((number, piece.iter().map(&work).collect::<Vec<_>>()));
        }
        done
    };
    let mut done: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().flat_map(|(_, results)| results).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_are_in_the_items_order() {
        for count in [0, 1, 15, 16, 17, 1000] {
            let items: Vec<usize> = (0..count).collect();
            let expected: Vec<_> = (1..=count).collect();
            assert_eq!(super::map(&items, |item| item + 1), expected);
            assert_eq!(super::map_waiting(&items, |item| item + 1), expected);
        }
    }
}
