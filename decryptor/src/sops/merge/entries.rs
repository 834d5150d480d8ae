//! A merge entry by entry: of each key, the lines of the side that changed them, with the comments above.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::tree::{Entry, Pair, Value};

/// A mapping and where its lines are.
#[derive(Clone, Copy)]
pub(super) struct Lines<'t> {
    pub(super) text: &'t str,
    pub(super) entries: &'t [Entry],
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The lines of one key, and those behind the last one.
struct Cut<'t> {
    parts: Vec<(&'t Pair, Range<usize>)>,
    tail: Range<usize>,
}

impl<'t> Lines<'t> {
    /// All lines of a document.
    pub(super) fn of(text: &'t str, entries: &'t [Entry]) -> Self {
        Self {
            text,
            entries,
            start: 0,
            end: text.len(),
        }
    }

    /// Returns `None` if two keys share a line.
    fn cut(self) -> Option<Cut<'t>> {
        let mut at = self.start;
        let mut parts = Vec::new();
        for entry in self.entries {
            let Entry::Pair(pair) = entry else {
                continue;
            };
            let end = line_end(self.text, pair.end);
            if pair.at.start < at || end > self.end {
                return None;
            }
            parts.push((pair, at..end));
            at = end;
        }
        Some(Cut {
            parts,
            tail: at..self.end,
        })
    }

    /// The lines of a key. None are as good as no key.
    fn part(self, part: Option<&(&'t Pair, Range<usize>)>) -> &'t str {
        part.map_or("", |(_, range)| &self.text[range.clone()])
    }

    /// The lines of a mapping below a key, and those up to it.
    fn below(self, (pair, range): &(&'t Pair, Range<usize>)) -> Option<(&'t str, Self)> {
        let Value::Map(entries) = &pair.value else {
            return None;
        };
        let start = line_end(self.text, pair.at.end);
        let head = self.text.get(range.start..start)?;
        Some((
            head,
            Self {
                text: self.text,
                entries,
                start,
                end: range.end,
            },
        ))
    }
}

/// Puts the merged lines behind a text. Where both sides changed a value, ours stands. Returns `None` if a side is not made
/// of lines.
pub(super) fn merge(
    base: Lines<'_>,
    ours: Lines<'_>,
    theirs: Lines<'_>,
    text: &mut Zeroizing<String>,
) -> Option<()> {
    let (b, o, t) = (base.cut()?, ours.cut()?, theirs.cut()?);
    for key in keys(&o, &t) {
        let [was, own, other] = [&b, &o, &t].map(|cut| {
            let mut parts = cut.parts.iter();
            parts.find(|(pair, _)| pair.key == key)
        });
        let (before, mine, yours) = (base.part(was), ours.part(own), theirs.part(other));
        if mine == yours || before == yours {
            text.push_str(mine);
        } else if before == mine {
            text.push_str(yours);
        } else if let (Some(was), Some(own), Some(other)) = (was, own, other) {
            match [base.below(was), ours.below(own), theirs.below(other)] {
                [Some((b, base)), Some((o, ours)), Some((t, theirs))] => {
                    text.push_str(if b == o { t } else { o });
                    merge(base, ours, theirs, text)?;
                }
                _ => text.push_str(mine),
            }
        } else if was.is_none() {
            text.push_str(mine);
        }
    }
    let (was, own, other) = (&base.text[b.tail], &ours.text[o.tail], &theirs.text[t.tail]);
    text.push_str(if was == own { other } else { own });
    Some(())
}

/// Our keys in order, and theirs behind those that they stand behind there.
fn keys<'t>(ours: &Cut<'t>, theirs: &Cut<'t>) -> Vec<&'t str> {
    let names = |cut: &Cut<'t>| -> Vec<&'t str> {
        cut.parts
            .iter()
            .map(|(pair, _)| pair.key.as_str())
            .collect()
    };
    let mut keys = names(ours);
    let mut before = None;
    for key in names(theirs) {
        if !keys.contains(&key) {
            let at = before.and_then(|before| keys.iter().position(|key| *key == before));
            keys.insert(at.map_or(0, |at| at + 1), key);
        }
        before = Some(key);
    }
    keys
}

fn line_end(text: &str, at: usize) -> usize {
    match text[..at].ends_with('\n') {
        true => at,
        false => text[at..].find('\n').map_or(text.len(), |end| at + end + 1),
    }
}
