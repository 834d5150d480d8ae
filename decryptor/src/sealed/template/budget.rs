//! What one rendering may spend: steps, bytes made, output, nesting.

use super::error::{Bound, Problem};

/// What to do with a key that the map does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingKey {
    /// Renders `<no value>`, as Go does.
    #[default]
    Default,
    /// Fails the rendering.
    Error,
}

/// Bounds on the work of one rendering, or of several together, and how a missing key is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Nodes executed, functions called and elements produced.
    pub steps: u64,
    /// Bytes of the result.
    pub output: usize,
    /// Bytes of all values made on the way, whether or not they live on.
    pub memory: usize,
    /// Nesting of blocks, parentheses, template calls and values.
    pub depth: usize,
    /// How a key that the map lacks is treated.
    pub missing_key: MissingKey,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 1_000_000,
            output: 3 << 19,
            memory: 64 << 20,
            depth: 150,
            missing_key: MissingKey::Default,
        }
    }
}

/// What is left of the limits while a template runs.
pub(super) struct Budget {
    steps: u64,
    memory: usize,
    pub(super) depth: usize,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            steps: limits.steps,
            memory: limits.memory,
            depth: limits.depth,
        }
    }

    /// Says in `limits` what was not used.
    pub(super) fn leave(&self, limits: &mut Limits) {
        limits.steps = self.steps;
        limits.memory = self.memory;
    }

    /// Takes one step.
    pub(super) fn step(&mut self) -> Result<(), Problem> {
        self.steps(1)
    }

    /// Takes `count` steps.
    pub(super) fn steps(&mut self, count: usize) -> Result<(), Problem> {
        let left = u64::try_from(count)
            .ok()
            .and_then(|count| self.steps.checked_sub(count));
        self.steps = left.ok_or(Problem::Limit(Bound::Steps))?;
        Ok(())
    }

    /// Takes `count` bytes; to be asked before they are allocated.
    pub(super) fn bytes(&mut self, count: usize) -> Result<(), Problem> {
        self.memory = self
            .memory
            .checked_sub(count)
            .ok_or(Problem::Limit(Bound::Memory))?;
        Ok(())
    }

    /// Takes what a list or map of `count` elements costs; to be asked before it is allocated.
    pub(super) fn elements(&mut self, count: usize) -> Result<(), Problem> {
        self.steps(count)?;
        self.bytes(count.saturating_mul(32))
    }
}
