//! Changes to a text, gathered and made at once.

use std::borrow::Cow;
use std::ops::Range;

use zeroize::Zeroizing;

/// Changes to a text, each in its place.
#[derive(Default)]
pub(crate) struct Edits {
    changes: Vec<Change>,
    /// The new texts, one behind the other, in blocks that never move: no copies of secrets stay behind.
    blocks: Vec<Zeroizing<String>>,
    /// Whether anyone may see them: then they need not be overwritten.
    is_public: bool,
}

struct Change {
    at: Range<usize>,
    /// Where its new text stands.
    block: usize,
    new: Range<usize>,
}

impl Edits {
    /// Those that make an encrypted text.
    pub(crate) fn public() -> Self {
        Self {
            is_public: true,
            ..Self::default()
        }
    }

    /// Puts a text in a place.
    pub(crate) fn push<'n>(&mut self, at: Range<usize>, text: impl Into<Cow<'n, str>>) {
        match text.into() {
            Cow::Borrowed(text) => self.add(at, text),
            Cow::Owned(text) => self.add(at, &Zeroizing::new(text)),
        }
    }

    fn add(&mut self, at: Range<usize>, text: &str) {
        const FIRST: usize = 1 << 10;
        const LARGEST: usize = 1 << 18;
        let fits = |block: &Zeroizing<String>| block.capacity() - block.len() >= text.len();
        if !self.blocks.last().is_some_and(fits) {
            // Few changes take little, many go where they are given back at once.
            let next = self.blocks.last().map(|block| 4 * block.capacity());
            let least = next.map_or(FIRST, |next| next.min(LARGEST));
            let block = String::with_capacity(text.len().max(least));
            self.blocks.push(Zeroizing::new(block));
        }
        let block = self.blocks.len() - 1;
        let start = self.blocks[block].len();
        self.blocks[block].push_str(text);
        self.changes.push(Change {
            at,
            block,
            new: start..start + text.len(),
        });
    }

    /// Takes over those of another part of the text.
    pub(crate) fn append(&mut self, mut other: Self) {
        if self.changes.is_empty() {
            *self = other;
            return;
        }
        let before = self.blocks.len();
        self.blocks.append(&mut other.blocks);
        self.changes.reserve_exact(other.changes.len());
        self.changes
            .extend(other.changes.into_iter().map(|change| Change {
                block: before + change.block,
                ..change
            }));
    }

    /// Whether no two of them overlap: applied, each would count.
    pub(crate) fn are_apart(&self) -> bool {
        let mut places: Vec<&Range<usize>> = self.changes.iter().map(|change| &change.at).collect();
        places.sort_by_key(|at| (at.start, at.end));
        places.windows(2).all(|pair| pair[0].end <= pair[1].start)
    }

    /// The text with all changes made. Where two overlap, the first in the text counts.
    pub(crate) fn apply(mut self, text: &str) -> Zeroizing<String> {
        self.changes.sort_by_key(|change| change.at.start);
        let mut done = 0;
        self.changes.retain(|change| {
            let counts = change.at.start >= done;
            if counts {
                done = change.at.end;
            }
            counts
        });
        let grown: usize = self.changes.iter().map(|change| change.new.len()).sum();
        let replaced: usize = self.changes.iter().map(|change| change.at.len()).sum();
        // Exact: with less, copies of secrets would stay behind; and all of it is overwritten in the end, used or not.
        let length = text.len() - replaced + grown;
        let mut out = Zeroizing::new(String::with_capacity(length));
        let mut done = 0;
        for Change { at, block, new } in &self.changes {
            out.push_str(&text[done..at.start]);
            out.push_str(&self.blocks[*block][new.clone()]);
            done = at.end;
        }
        out.push_str(&text[done..]);
        if self.is_public {
            for block in &mut self.blocks {
                drop(std::mem::take(&mut **block));
            }
        }
        out
    }
}
