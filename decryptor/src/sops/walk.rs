//! Goes through a document in order and says of each value its path and whether it is encrypted.

use std::convert::Infallible;
use std::ops::Range;

use super::rules::Rules;
use crate::parts;
use crate::tree::{Comment, Entry, Item, Leaf, Tree, Value};

/// What a walk meets.
pub(crate) enum Met<'t> {
    Leaf(&'t Leaf),
    Comment(&'t Comment),
}

/// Where a walk is.
pub(crate) struct Spot<'p> {
    /// The keys on the way, each with a colon behind it; list indices are no part of it.
    pub(crate) aad: &'p str,
    /// Whether the rules have it encrypted.
    pub(crate) encrypted: bool,
    /// Whether it is a comment between the items of a list.
    pub(crate) in_list: bool,
}

/// Visits all leaves and comments in document order.
pub(crate) fn walk<'t, E>(
    tree: &'t Tree,
    rules: &Rules,
    visit: impl FnMut(Met<'t>, &Spot<'_>) -> Result<(), E>,
) -> Result<(), E> {
    walk_part(tree, rules, &(0..usize::MAX), visit)
}

/// All leaves in document order.
pub(crate) fn leaves(tree: &Tree) -> Vec<&Leaf> {
    let mut leaves = Vec::new();
    let done: Result<(), Infallible> = walk(tree, &Rules::default(), |met, _| {
        if let Met::Leaf(leaf) = met {
            leaves.push(leaf);
        }
        Ok(())
    });
    match done {
        Ok(()) => leaves,
    }
}

/// Fewer values are not worth a thread.
const WORTH_A_THREAD: usize = 2000;

/// Works on the values in parts, on all cores. The results are in document order.
pub(crate) fn in_parts<R: Send>(tree: &Tree, work: impl Fn(Range<usize>) -> R + Sync) -> Vec<R> {
    let count: usize = tree.documents.iter().map(|map| count_in(map)).sum();
    if count < 2 * WORTH_A_THREAD {
        return vec![work(0..usize::MAX)];
    }
    let threads = parts::cores().min(count / WORTH_A_THREAD);
    if threads < 2 {
        return vec![work(0..usize::MAX)];
    }
    let length = count.div_ceil(threads);
    parts::each((0..threads).map(|at| at * length..(at + 1) * length), work)
}

/// How many leaves and comments a walk meets.
fn count_in(entries: &[Entry]) -> usize {
    let count = |entry: &Entry| match entry {
        Entry::Comment(_) => 1,
        Entry::Pair(pair) => count_of(&pair.value),
    };
    entries.iter().map(count).sum()
}

fn count_of(value: &Value) -> usize {
    let count = |item: &Item| match item {
        Item::Comment(_) => 1,
        Item::Value(value) => count_of(value),
    };
    match value {
        Value::Leaf(_) => 1,
        Value::Map(entries) => count_in(entries),
        Value::List(items) => items.iter().map(count).sum(),
    }
}

/// Visits those leaves and comments whose number is in a part.
pub(crate) fn walk_part<'t, E>(
    tree: &'t Tree,
    rules: &Rules,
    part: &Range<usize>,
    mut visit: impl FnMut(Met<'t>, &Spot<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut walk = Walk {
        rules,
        path: String::new(),
        part,
        at: 0,
        visit: &mut visit,
    };
    tree.documents
        .iter()
        .try_for_each(|document| walk.map(document, false))
}

struct Walk<'r, 't, E> {
    rules: &'r Rules,
    path: String,
    part: &'r Range<usize>,
    /// The number of what it meets next.
    at: usize,
    visit: &'r mut (dyn FnMut(Met<'t>, &Spot<'_>) -> Result<(), E> + 'r),
}

impl<'t, E> Walk<'_, 't, E> {
    /// `named`: whether the rule names a key or a comment around this mapping.
    fn map(&mut self, entries: &'t [Entry], named: bool) -> Result<(), E> {
        let mut active = false;
        for entry in entries {
            match entry {
                Entry::Comment(comment) => active = self.comment(comment, named, active, false)?,
                Entry::Pair(pair) => {
                    if !self.passes(&pair.value) {
                        let length = self.path.len();
                        self.path.push_str(&pair.key);
                        self.path.push(':');
                        let named = named || active || self.rules.names_key(&pair.key);
                        self.value(&pair.value, named)?;
                        self.path.truncate(length);
                    }
                    active = false;
                }
            }
        }
        Ok(())
    }

    fn value(&mut self, value: &'t Value, named: bool) -> Result<(), E> {
        match value {
            Value::Map(entries) => self.map(entries, named),
            Value::Leaf(leaf) => self.visit(Met::Leaf(leaf), named, false),
            Value::List(items) => {
                let mut active = false;
                for item in items {
                    match item {
                        Item::Comment(comment) => {
                            active = self.comment(comment, named, active, true)?
                        }
                        Item::Value(value) => {
                            if !self.passes(value) {
                                self.value(value, named || active)?;
                            }
                            active = false;
                        }
                    }
                }
                Ok(())
            }
        }
    }

    /// Goes past a value that has nothing of the part.
    fn passes(&mut self, value: &Value) -> bool {
        if self.at >= self.part.start {
            return self.at >= self.part.end;
        }
        let end = self.at + count_of(value);
        let passes = end <= self.part.start;
        if passes {
            self.at = end;
        }
        passes
    }

    /// Gives back whether a comment of this run is named. Comments that ask for encryption stay in clear themselves.
    fn comment(
        &mut self,
        comment: &'t Comment,
        named: bool,
        active: bool,
        in_list: bool,
    ) -> Result<bool, E> {
        let here = self.rules.names_comment(&comment.text);
        let own = here && self.rules.comments_name_themselves();
        self.visit(Met::Comment(comment), named || active || own, in_list)?;
        Ok(active || here)
    }

    fn visit(&mut self, met: Met<'t>, named: bool, in_list: bool) -> Result<(), E> {
        let is_in = self.part.contains(&self.at);
        self.at += 1;
        if !is_in {
            return Ok(());
        }
        let aad = if self.path.is_empty() {
            ":"
        } else {
            self.path.as_str()
        };
        let encrypted = self.rules.encrypts(named);
        (self.visit)(
            met,
            &Spot {
                aad,
                encrypted,
                in_list,
            },
        )
    }
}
