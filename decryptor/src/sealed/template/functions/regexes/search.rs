//! Matches in a text that may hold any bytes: what is not UTF-8 is matched as U+FFFD, a byte at a time.

use std::borrow::Cow;

use super::super::super::error::Problem;
use super::super::super::signature::Context;
use super::super::super::unicode::{characters, decode, push};
use crate::go_pattern::Pattern;

/// Where groups begin and end; the whole match is the first.
pub(super) type Groups = Vec<Option<(usize, usize)>>;

/// The whole match.
pub(super) fn bounds(groups: &Groups) -> (usize, usize) {
    groups.first().copied().flatten().unwrap_or((0, 0))
}

/// A text to be searched. Positions are those of the text as it is shown to the pattern.
pub(super) struct Subject<'t> {
    text: &'t [u8],
    shown: Cow<'t, [u8]>,
    /// For each shown position the one in the text, if they differ.
    origins: Vec<usize>,
}

impl<'t> Subject<'t> {
    pub(super) fn new(context: &mut Context<'_>, text: &'t [u8]) -> Result<Self, Problem> {
        if str::from_utf8(text).is_ok() {
            return Ok(Self {
                text,
                shown: Cow::Borrowed(text),
                origins: Vec::new(),
            });
        }
        context.budget.bytes(text.len().saturating_mul(32))?;
        let (mut shown, mut origins) = (Vec::with_capacity(text.len() * 3), Vec::new());
        for (at, c, _) in characters(text) {
            push(&mut shown, c);
            origins.resize(shown.len(), at);
        }
        origins.push(text.len());
        Ok(Self {
            text,
            shown: Cow::Owned(shown),
            origins,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.shown.len()
    }

    /// The bytes of the text between two positions.
    pub(super) fn part(&self, (start, end): (usize, usize)) -> &'t [u8] {
        let origin = |at: usize| self.origins.get(at).copied().unwrap_or(at);
        &self.text[origin(start)..origin(end)]
    }

    /// The width of the character at a position; 0 at the end.
    pub(super) fn width_at(&self, at: usize) -> usize {
        self.shown
            .get(at..)
            .and_then(decode)
            .map_or(0, |(_, width)| width)
    }

    /// The first match from `at` on. Matches never begin or end within a character.
    pub(super) fn search(
        &self,
        context: &mut Context<'_>,
        pattern: &Pattern,
        at: usize,
    ) -> Result<Option<Groups>, Problem> {
        let mut from = at;
        loop {
            let left = self.len() - from;
            context.budget.steps(left / 256)?;
            let captures = pattern.regex.captures_at(&self.shown, from);
            let groups: Option<Groups> = captures.map(|captures| {
                captures
                    .iter()
                    .map(|group| group.map(|group| (group.start(), group.end())))
                    .collect()
            });
            let Some(groups) = groups else {
                context
                    .budget
                    .steps(left.saturating_mul(pattern.cost) / 4096)?;
                return Ok(None);
            };
            let (start, end) = bounds(&groups);
            context
                .budget
                .steps(1 + (end - from).saturating_mul(pattern.cost) / 4096)?;
            if start != end || !self.splits_character(start) {
                return Ok(Some(groups));
            }
            from = start + 1;
        }
    }

    /// Up to `most` matches, all if it is negative; none that is empty and touches the one before.
    pub(super) fn all(
        &self,
        context: &mut Context<'_>,
        pattern: &Pattern,
        most: i64,
    ) -> Result<Vec<(usize, usize)>, Problem> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let (mut found, mut at, mut last_end) = (Vec::new(), 0, None);
        while found.len() < most && at <= self.len() {
            let Some(groups) = self.search(context, pattern, at)? else {
                break;
            };
            let (start, end) = bounds(&groups);
            let touches = end == at && Some(start) == last_end;
            at = if end == at {
                at + self.width_at(at).max(1)
            } else {
                end
            };
            last_end = Some(end);
            if !touches {
                context.budget.elements(1)?;
                found.push((start, end));
            }
        }
        Ok(found)
    }

    /// Whether a position lies within a character; all that is shown is UTF-8.
    fn splits_character(&self, at: usize) -> bool {
        self.shown.get(at).is_some_and(|byte| byte & 0xc0 == 0x80)
    }
}
