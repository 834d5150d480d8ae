//! Where two versions of a sequence differ from the one that both come from.

use std::hash::Hash;
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// A part of the merged sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// As it was.
    Base(Range<usize>),
    /// Only we changed it, or both in the same way.
    Ours(Range<usize>),
    /// Only they changed it.
    Theirs(Range<usize>),
    /// Both changed it: what it was, and what each side has.
    Both(Range<usize>, Range<usize>, Range<usize>),
}

/// A change of one side: what it was, and what it is.
#[derive(Clone)]
struct Change {
    is_ours: bool,
    base: Range<usize>,
    side: Range<usize>,
}

/// How changes are laid out.
#[derive(Clone, Copy, Default)]
pub(super) struct Layout {
    /// Of equal items nobody can tell which one went or came. Whether ours is compared from its end.
    pub(super) ours_from_end: bool,
    /// Whether theirs is.
    pub(super) theirs_from_end: bool,
    /// Whether changes next to each other meet. Insertions in one place always do.
    pub(super) neighbours_meet: bool,
}

/// The merged sequence in order.
pub(super) fn three_way<T: Hash + Eq + Ord>(
    base: &[T],
    ours: &[T],
    theirs: &[T],
    layout: Layout,
) -> Vec<Piece> {
    let mut changes = changes(base, ours, true, layout.ours_from_end);
    changes.extend(self::changes(base, theirs, false, layout.theirs_from_end));
    changes.sort_by_key(|change| (change.base.start, change.base.end));
    let mut pieces = Vec::new();
    let mut done = 0;
    let mut rest = changes.as_slice();
    while let Some(first) = rest.first() {
        let mut range = first.base.clone();
        let meeting = rest.iter().take_while(|next| {
            let meets = next.base.start < range.end
                || next.base == range
                || layout.neighbours_meet && next.base.start == range.end;
            range.end = range.end.max(if meets { next.base.end } else { 0 });
            meets
        });
        let count = meeting.count();
        let (cluster, behind) = rest.split_at(count);
        rest = behind;
        if done < range.start {
            pieces.push(Piece::Base(done..range.start));
        }
        done = range.end;
        pieces.push(piece(cluster, range, ours, theirs));
    }
    if done < base.len() {
        pieces.push(Piece::Base(done..base.len()));
    }
    pieces
}

/// Everything that one of two sequences has, once: parts of the first, or else of the second.
pub(super) fn union<T: Hash + Eq + Ord>(
    ours: &[T],
    theirs: &[T],
) -> Vec<Result<Range<usize>, Range<usize>>> {
    let ops = capture_diff_slices(Algorithm::Myers, ours, theirs).into_iter();
    ops.flat_map(|op| match op {
        DiffOp::Insert { .. } => vec![Err(op.new_range())],
        DiffOp::Replace { .. } => vec![Ok(op.old_range()), Err(op.new_range())],
        DiffOp::Equal { .. } | DiffOp::Delete { .. } => vec![Ok(op.old_range())],
    })
    .collect()
}

fn piece<T: Eq>(cluster: &[Change], range: Range<usize>, ours: &[T], theirs: &[T]) -> Piece {
    let side = |is_ours: bool| -> Option<Range<usize>> {
        let mut own = cluster.iter().filter(|change| change.is_ours == is_ours);
        let first = own.next()?;
        let last = own.next_back().unwrap_or(first);
        // What the other side changed around it is here as it was.
        let start = first.side.start - (first.base.start - range.start);
        Some(start..last.side.end + (range.end - last.base.end))
    };
    match (side(true), side(false)) {
        (Some(own), Some(other)) if ours[own.clone()] == theirs[other.clone()] => Piece::Ours(own),
        (Some(own), Some(other)) => Piece::Both(range, own, other),
        (Some(own), None) => Piece::Ours(own),
        (None, Some(other)) => Piece::Theirs(other),
        (None, None) => Piece::Base(range),
    }
}

fn changes<T: Hash + Eq + Ord>(
    base: &[T],
    side: &[T],
    is_ours: bool,
    from_end: bool,
) -> Vec<Change> {
    let found = match from_end {
        false => ranges(base, side),
        true => {
            let back = |at: Range<usize>, length: usize| length - at.end..length - at.start;
            let found = ranges(
                &base.iter().rev().collect::<Vec<_>>(),
                &side.iter().rev().collect::<Vec<_>>(),
            );
            let found = found.into_iter().rev();
            found
                .map(|(was, is)| (back(was, base.len()), back(is, side.len())))
                .collect()
        }
    };
    found
        .into_iter()
        .map(|(base, side)| Change {
            is_ours,
            base,
            side,
        })
        .collect()
}

/// What was changed into what.
fn ranges<T: Hash + Eq + Ord>(base: &[T], side: &[T]) -> Vec<(Range<usize>, Range<usize>)> {
    let mut found: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, base, side) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let (was, is) = (op.old_range(), op.new_range());
        match found.last_mut() {
            Some((base, side)) if base.end == was.start && side.end == is.start => {
                base.end = was.end;
                side.end = is.end;
            }
            _ => found.push((was, is)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The merged text, with what both changed between braces.
    fn merged(base: &str, ours: &str, theirs: &str) -> String {
        let [b, o, t] = [base, ours, theirs].map(|text| text.chars().collect::<Vec<_>>());
        let part = |side: &[char], at: &Range<usize>| side[at.clone()].iter().collect::<String>();
        let pieces = three_way(&b, &o, &t, Layout::default()).into_iter();
        pieces
            .map(|piece| match piece {
                Piece::Base(at) => part(&b, &at),
                Piece::Ours(at) => part(&o, &at),
                Piece::Theirs(at) => part(&t, &at),
                Piece::Both(_, own, other) => {
                    format!("{{{}|{}}}", part(&o, &own), part(&t, &other))
                }
            })
            .collect()
    }

    #[test]
    fn changes_of_both_sides_come_together() {
        for (base, ours, theirs, result) in [
            ("abc", "abc", "abc", "abc"),
            ("abc", "xbc", "aby", "xby"),
            ("abc", "xbc", "ayc", "xyc"),
            ("abc", "ac", "abcd", "acd"),
            ("abc", "abcx", "abcy", "abc{x|y}"),
            ("abc", "abcx", "abcx", "abcx"),
            ("abc", "axc", "ayc", "a{x|y}c"),
            ("abcd", "axyd", "abzd", "a{xy|bz}d"),
            ("", "x", "y", "{x|y}"),
            ("abc", "", "abc", ""),
            ("abc", "c", "abxc", "xc"),
            ("abc", "c", "axbc", "{|axb}c"),
        ] {
            assert_eq!(merged(base, ours, theirs), result, "{base} {ours} {theirs}");
        }
    }
}
