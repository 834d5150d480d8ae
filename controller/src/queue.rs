//! Which SealedSecret is worked on next: each at most once at a time, the new ones first, the failed ones later.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::name::ObjectName;

/// How many of the urgent ones go first before one of the others has its turn.
const URGENT_IN_A_ROW: u32 = 8;

/// How soon something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    /// A person may be waiting: something was just applied or changed.
    Urgent,
    /// What was there at the start, and what is tried again.
    Backlog,
}

/// The order of work, without any waiting in it.
#[derive(Default)]
pub(crate) struct Order {
    places: HashMap<ObjectName, Place>,
    /// How many of the places are `Ready`.
    ready: usize,
    urgent: VecDeque<ObjectName>,
    backlog: VecDeque<ObjectName>,
    waiting: BTreeMap<(Instant, u64), ObjectName>,
    tickets: u64,
    urgent_in_a_row: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Ready(Lane),
    Waiting(Instant, u64, Lane),
    /// Being worked on; and when to do so again.
    Working(Option<(Instant, Lane)>),
}

impl Order {
    /// Asks for work on `name` at `due`. What was asked for before and is sooner stays.
    pub(crate) fn push(&mut self, name: &ObjectName, lane: Lane, due: Instant, now: Instant) {
        match self.places.get(name).copied() {
            Some(Place::Working(again)) => {
                let soonest = again.map_or((due, lane), |(at, of)| (at.min(due), of.min(lane)));
                self.places
                    .insert(name.clone(), Place::Working(Some(soonest)));
            }
            Some(Place::Ready(present)) if present <= lane || due > now => {}
            Some(Place::Waiting(at, ..)) if at <= due => {}
            Some(Place::Waiting(at, ticket, _)) => {
                self.waiting.remove(&(at, ticket));
                self.place(name.clone(), lane, due, now);
            }
            Some(Place::Ready(_)) | None => self.place(name.clone(), lane, due, now),
        }
    }

    fn place(&mut self, name: ObjectName, lane: Lane, due: Instant, now: Instant) {
        if due > now {
            self.tickets += 1;
            self.waiting.insert((due, self.tickets), name.clone());
            self.set(name, Place::Waiting(due, self.tickets, lane));
        } else {
            self.set(name.clone(), Place::Ready(lane));
            match lane {
                Lane::Urgent => self.urgent.push_back(name),
                Lane::Backlog => self.backlog.push_back(name),
            }
        }
    }

    fn set(&mut self, name: ObjectName, place: Place) {
        self.ready += usize::from(matches!(place, Place::Ready(_)));
        let before = self.places.insert(name, place);
        self.ready -= usize::from(matches!(before, Some(Place::Ready(_))));
    }

    /// The next to work on; it is worked on until [`Order::done`].
    pub(crate) fn pop(&mut self, now: Instant) -> Option<ObjectName> {
        while let Some(entry) = self
            .waiting
            .first_entry()
            .filter(|entry| entry.key().0 <= now)
        {
            let name = entry.remove();
            if let Some(Place::Waiting(_, _, lane)) = self.places.get(&name).copied() {
                self.place(name, lane, now, now);
            }
        }
        let backlog_first = self.urgent_in_a_row >= URGENT_IN_A_ROW;
        let name = if backlog_first {
            self.pop_lane(Lane::Backlog)
                .or_else(|| self.pop_lane(Lane::Urgent))
        } else {
            self.pop_lane(Lane::Urgent)
                .or_else(|| self.pop_lane(Lane::Backlog))
        }?;
        self.set(name.clone(), Place::Working(None));
        Some(name)
    }

    fn pop_lane(&mut self, lane: Lane) -> Option<ObjectName> {
        let line = match lane {
            Lane::Urgent => &mut self.urgent,
            Lane::Backlog => &mut self.backlog,
        };
        // A name that has moved to the other lane, or is forgotten, has left its old place behind.
        while let Some(name) = line.pop_front() {
            if self.places.get(&name) == Some(&Place::Ready(lane)) {
                self.urgent_in_a_row = match lane {
                    Lane::Urgent => self.urgent_in_a_row + 1,
                    Lane::Backlog => 0,
                };
                return Some(name);
            }
        }
        None
    }

    /// The work on `name` has ended; what was asked for meanwhile is placed.
    pub(crate) fn done(&mut self, name: &ObjectName, now: Instant) {
        if let Some(Place::Working(again)) = self.places.remove(name)
            && let Some((due, lane)) = again
        {
            self.place(name.clone(), lane, due, now);
        }
    }

    /// Forgets what is asked for, except work that has begun.
    pub(crate) fn forget(&mut self, name: &ObjectName) {
        match self.places.get_mut(name) {
            Some(Place::Working(again)) => *again = None,
            Some(Place::Waiting(at, ticket, _)) => {
                self.waiting.remove(&(*at, *ticket));
                self.places.remove(name);
            }
            Some(Place::Ready(_)) => {
                self.ready -= 1;
                self.places.remove(name);
            }
            None => {}
        }
    }

    /// Whether something is asked for or being done.
    pub(crate) fn holds(&self, name: &ObjectName) -> bool {
        self.places.contains_key(name)
    }

    /// How many wait for their turn; those that are due later do not.
    pub(crate) fn depth(&self) -> usize {
        self.ready
    }

    fn next_due(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((due, _), _)| *due)
    }
}

/// The order of work, shared by those who ask and those who work.
#[derive(Default)]
pub(crate) struct Queue {
    order: Mutex<Order>,
    changed: Notify,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for work on `name` now.
    pub(crate) fn push(&self, name: &ObjectName, lane: Lane) {
        self.push_at(name, lane, Instant::now());
    }

    /// Asks for work on `name` at `due`.
    pub(crate) fn push_at(&self, name: &ObjectName, lane: Lane, due: Instant) {
        self.lock().push(name, lane, due, Instant::now());
        self.changed.notify_one();
    }

    /// Forgets what is asked for on `name`.
    pub(crate) fn forget(&self, name: &ObjectName) {
        self.lock().forget(name);
    }

    /// Whether something is asked for on `name` or being done.
    pub(crate) fn holds(&self, name: &ObjectName) -> bool {
        self.lock().holds(name)
    }

    /// How many wait for their turn.
    pub(crate) fn depth(&self) -> usize {
        self.lock().depth()
    }

    /// Waits for the next to work on.
    pub(crate) async fn next(&self) -> ObjectName {
        loop {
            let due = {
                let mut order = self.lock();
                if let Some(name) = order.pop(Instant::now()) {
                    // There may be more: wake the next worker, as one notice may stand for several requests.
                    self.changed.notify_one();
                    return name;
                }
                order.next_due()
            };
            match due {
                Some(due) => tokio::select! {
                    () = sleep_until(due) => {}
                    () = self.changed.notified() => {}
                },
                None => self.changed.notified().await,
            }
        }
    }

    /// The work on `name` has ended.
    pub(crate) fn done(&self, name: &ObjectName) {
        self.lock().done(name, Instant::now());
        self.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn name(text: &str) -> ObjectName {
        ObjectName::new("ns", text)
    }

    fn order_of(order: &mut Order, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| order.pop(now))
            .map(|name| name.name().to_owned())
            .collect()
    }

    #[test]
    fn the_new_ones_go_first_but_not_for_ever() {
        let (mut order, now) = (Order::default(), Instant::now());
        order.push(&name("old"), Lane::Backlog, now, now);
        for number in 0..10 {
            order.push(&name(&format!("new{number}")), Lane::Urgent, now, now);
        }
        let popped = order_of(&mut order, now);
        assert_eq!(popped[0], "new0");
        assert_eq!(popped[8], "old");
        assert_eq!(popped.len(), 11);
    }

    #[test]
    fn each_is_worked_on_once_at_a_time() {
        let (mut order, now) = (Order::default(), Instant::now());
        let a = name("a");
        order.push(&a, Lane::Backlog, now, now);
        order.push(&a, Lane::Urgent, now, now);
        assert_eq!(order_of(&mut order, now), ["a"]);
        order.push(&a, Lane::Urgent, now, now);
        assert_eq!(order.pop(now), None, "it is being worked on");
        order.done(&a, now);
        assert_eq!(order_of(&mut order, now), ["a"]);
        order.done(&a, now);
        assert!(!order.holds(&a));
        assert_eq!(order.pop(now), None);
    }

    #[test]
    fn the_sooner_request_counts() {
        let (mut order, now) = (Order::default(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        order.push(&name("a"), Lane::Backlog, at(9), now);
        order.push(&name("a"), Lane::Backlog, at(3), now);
        order.push(&name("a"), Lane::Backlog, at(5), now);
        order.push(&name("b"), Lane::Backlog, at(4), now);
        assert_eq!(order.pop(at(2)), None);
        assert_eq!(order.next_due(), Some(at(3)));
        assert_eq!(order_of(&mut order, at(4)), ["a", "b"]);
    }

    #[test]
    fn the_depth_is_what_could_be_worked_on_now() {
        let (mut order, now) = (Order::default(), Instant::now());
        order.push(&name("a"), Lane::Backlog, now, now);
        order.push(&name("a"), Lane::Urgent, now, now);
        order.push(&name("b"), Lane::Backlog, now, now);
        order.push(&name("c"), Lane::Backlog, now + Duration::from_secs(1), now);
        assert_eq!(order.depth(), 2);
        order.pop(now);
        order.forget(&name("b"));
        assert_eq!(order.depth(), 0);
    }

    #[test]
    fn what_is_forgotten_does_not_come() {
        let (mut order, now) = (Order::default(), Instant::now());
        order.push(&name("a"), Lane::Backlog, now, now);
        order.push(&name("b"), Lane::Backlog, now + Duration::from_secs(1), now);
        order.forget(&name("a"));
        order.forget(&name("b"));
        assert!(order.places.is_empty());
        assert_eq!(order.depth(), 0);
        assert_eq!(order.pop(now + Duration::from_secs(2)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_wakes_when_something_is_due() {
        let queue = Queue::default();
        let begin = Instant::now();
        queue.push_at(&name("a"), Lane::Backlog, begin + Duration::from_secs(3));
        assert_eq!(queue.next().await, name("a"));
        assert_eq!(begin.elapsed().as_secs(), 3);
    }
}
