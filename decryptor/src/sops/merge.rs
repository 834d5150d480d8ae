//! Two versions of a document in clear, and the one that both come from, become one: by its values, in memory.
//!
//! What the values of the result are is decided value by value. Their text comes from a merge by lines, which is mended
//! where it means something else, and refused where it would lose a comment.

mod entries;
mod pieces;
mod values;

use std::collections::BTreeMap;
use std::sync::Mutex;

use zeroize::Zeroizing;

use self::entries::Lines;
use self::pieces::{Layout, Piece, three_way, union};
use self::values::Print;
use super::path::Path;
use super::types::Types;
use super::{Plain, ReadError};
use crate::format::Format;
use crate::tree::{Entry, Item, Tree, Value};

/// Why two versions cannot become one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// One of them cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A key stands twice: nobody knows which one is meant.
    #[error("a document has keys that stand twice")]
    Twice,
    /// Both sides changed these values, each in its own way.
    #[error("both sides changed {}", .0.join(", "))]
    Values(Vec<String>),
    /// Both sides changed the same lines, and one side's comments would be lost.
    #[error("both sides changed comments or the layout of the same lines")]
    Layout,
}

/// Which side's lines are taken where both changed the same ones.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// Those of both, and what both have once.
    Union,
    /// Ours, and behind them theirs where there was nothing before.
    Both,
    Ours,
    Theirs,
}

impl Plain {
    /// Merges another version into this one. Both come from `base`; without one, from nothing.
    pub fn merge(&self, base: Option<&Self>, theirs: &Self) -> Result<Self, MergeError> {
        if self.text == theirs.text || base.is_some_and(|base| base.text == theirs.text) {
            return Ok(self.with_text(self.text.clone()));
        }
        if base.is_some_and(|base| base.text == self.text) {
            return Ok(self.with_text(theirs.text.clone()));
        }
        if self.format == Format::Binary {
            return Err(MergeError::Values(vec!["the file".to_owned()]));
        }
        let merge = Merge::new(base, self, theirs)?;
        merge.run().ok_or(MergeError::Layout)
    }

    fn with_text(&self, text: Zeroizing<Vec<u8>>) -> Self {
        Self {
            format: self.format,
            text,
            parsed: Mutex::default(),
            types: Types::default(),
            warnings: Vec::new(),
        }
    }

    fn unambiguous_tree(&self) -> Result<Tree, MergeError> {
        let parsed = self.format.parse(self.text()?).map_err(ReadError::from)?;
        match parsed.duplicates.is_empty() {
            true => Ok(parsed.tree),
            false => Err(MergeError::Twice),
        }
    }
}

struct Merge<'p> {
    ours: &'p Plain,
    theirs: &'p Plain,
    /// What the base says, and both sides.
    trees: [Tree; 3],
    /// The lines of the base, and of both sides.
    lines: [Vec<&'p str>; 3],
    /// What the result must say.
    wanted: Tree,
    /// How often each comment, by a digest, may stand in the result: at least, and at most.
    comments: BTreeMap<Print, (usize, usize)>,
}

impl<'p> Merge<'p> {
    fn new(
        base: Option<&'p Plain>,
        ours: &'p Plain,
        theirs: &'p Plain,
    ) -> Result<Self, MergeError> {
        let trees = [
            match base {
                Some(base) => base.unambiguous_tree()?,
                None => Tree {
                    documents: vec![Vec::new()],
                },
            },
            ours.unambiguous_tree()?,
            theirs.unambiguous_tree()?,
        ];
        let [before, own, other] = &trees;
        let wanted = values::merge(before, own, other).map_err(MergeError::Values)?;
        let lines = |plain: &'p Plain| -> Result<Vec<&'p str>, MergeError> {
            Ok(plain.text()?.split_inclusive('\n').collect())
        };
        Ok(Self {
            lines: [
                base.map(lines).transpose()?.unwrap_or_default(),
                lines(ours)?,
                lines(theirs)?,
            ],
            wanted,
            comments: allowed_comments(&trees),
            trees,
            ours,
            theirs,
        })
    }

    /// The first text that says what is wanted, or can be made to by changes in place.
    fn run(&self) -> Option<Plain> {
        let [base, ours, theirs] = &self.lines;
        let layouts = (0..8).map(|number| Layout {
            ours_from_end: number & 1 != 0,
            theirs_from_end: number & 2 != 0,
            neighbours_meet: number & 4 != 0,
        });
        let by_lines = layouts.flat_map(|layout| {
            let pieces = three_way(base, ours, theirs, layout);
            [Taken::Union, Taken::Both, Taken::Ours, Taken::Theirs]
                .map(|taken| self.ours.with_text(self.joined(&pieces, taken)))
        });
        let whole = [self.ours, self.theirs].map(|side| side.with_text(side.text.clone()));
        let by_entries = self.by_entries().into_iter();
        by_entries
            .chain(by_lines)
            .chain(whole)
            .find_map(|plain| self.mended(plain).filter(|plain| self.is_wanted(plain)))
    }

    /// The first document merged entry by entry, if there are no others.
    fn by_entries(&self) -> Option<Plain> {
        let [base, ours, theirs] = self.trees.each_ref().map(|tree| match &*tree.documents {
            [entries] => Some(entries.as_slice()),
            _ => None,
        });
        let before: Zeroizing<String> = Zeroizing::new(self.lines[0].concat());
        let (own, other) = (self.ours.text().ok()?, self.theirs.text().ok()?);
        let mut text = Zeroizing::new(String::with_capacity(own.len() + other.len()));
        entries::merge(
            Lines::of(&before, base?),
            Lines::of(own, ours?),
            Lines::of(other, theirs?),
            &mut text,
        )?;
        let text = std::mem::take(&mut *text).into_bytes();
        Some(self.ours.with_text(Zeroizing::new(text)))
    }

    fn joined(&self, pieces: &[Piece], taken: Taken) -> Zeroizing<Vec<u8>> {
        let [base, ours, theirs] = &self.lines;
        let length = self.ours.text.len() + self.theirs.text.len();
        let mut text = Zeroizing::new(Vec::with_capacity(length));
        let mut add = |lines: &[&str]| {
            for line in lines {
                text.extend_from_slice(line.as_bytes());
            }
        };
        for piece in pieces {
            match piece.clone() {
                Piece::Base(at) => add(&base[at]),
                Piece::Ours(at) => add(&ours[at]),
                Piece::Theirs(at) => add(&theirs[at]),
                Piece::Both(_, _, at) if taken == Taken::Theirs => add(&theirs[at]),
                Piece::Both(_, own, other) if taken == Taken::Union => {
                    let (own, other) = (&ours[own], &theirs[other]);
                    for part in union(own, other) {
                        match part {
                            Ok(at) => add(&own[at]),
                            Err(at) => add(&other[at]),
                        }
                    }
                }
                Piece::Both(before, own, other) => {
                    add(&ours[own]);
                    if taken == Taken::Both && before.is_empty() {
                        add(&theirs[other]);
                    }
                }
            }
        }
        text
    }

    /// The document with the values that are wanted, as far as each can be changed in its place.
    fn mended(&self, plain: Plain) -> Option<Plain> {
        let tree = plain.unambiguous_tree().ok()?;
        let changes = values::changes(&tree, &self.wanted)?;
        let mut plain = plain;
        for (path, new) in changes {
            plain = plain.changed_in_place(&Path::of(path), new.as_ref())?;
        }
        Some(plain)
    }

    fn is_wanted(&self, plain: &Plain) -> bool {
        let Ok(tree) = plain.unambiguous_tree() else {
            return false;
        };
        let found = counted(&tree);
        let all_there = self.comments.iter().all(|(text, (least, most))| {
            let count = found.get(text).copied().unwrap_or_default();
            (*least..=*most).contains(&count)
        });
        let none_else = found.keys().all(|text| self.comments.contains_key(text));
        all_there && none_else && values::is_same(&tree, &self.wanted)
    }
}

/// How often each comment stands in a document.
fn counted(tree: &Tree) -> BTreeMap<Print, usize> {
    fn in_map(entries: &[Entry], counts: &mut BTreeMap<Print, usize>) {
        for entry in entries {
            match entry {
                Entry::Comment(comment) => {
                    *counts.entry(values::of_text(&comment.text)).or_default() += 1
                }
                Entry::Pair(pair) => in_value(&pair.value, counts),
            }
        }
    }
    fn in_value(value: &Value, counts: &mut BTreeMap<Print, usize>) {
        match value {
            Value::Map(entries) => in_map(entries, counts),
            Value::Leaf(_) => {}
            Value::List(items) => {
                for item in items {
                    match item {
                        Item::Comment(comment) => {
                            *counts.entry(values::of_text(&comment.text)).or_default() += 1
                        }
                        Item::Value(value) => in_value(value, counts),
                    }
                }
            }
        }
    }
    let mut counts = BTreeMap::new();
    for document in &tree.documents {
        in_map(document, &mut counts);
    }
    counts
}

/// Comments that one side added or removed are added or removed; what both added may stand once or twice.
fn allowed_comments(trees: &[Tree; 3]) -> BTreeMap<Print, (usize, usize)> {
    let [before, own, other] = trees.each_ref().map(counted);
    let texts = before.keys().chain(own.keys()).chain(other.keys());
    texts
        .map(|text| {
            let count = |all: &BTreeMap<Print, usize>| all.get(text).copied().unwrap_or_default();
            let (b, o, t) = (count(&before), count(&own), count(&other));
            let sum = (o + t).saturating_sub(b);
            let range = match o == t {
                true => (o.min(sum), o.max(sum)),
                false => (sum, sum),
            };
            (*text, range)
        })
        .collect()
}
