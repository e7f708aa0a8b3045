//! Bounds on walks over values. A template can build a list that holds another many times over (so that forty lines
//! stand for 2^40 elements), nest deeper than any stack, and put a map into itself.

use super::{Failure, MAX_RESULT};

/// Nesting that no honest template reaches.
const MAX_DEPTH: usize = 1_000;

/// What an element is taken to weigh, beside its text.
const ELEMENT: usize = 16;

/// How much of a walk is left.
pub(super) struct Walk {
    bytes: usize,
    depth: usize,
}

impl Default for Walk {
    fn default() -> Self {
        Self { bytes: MAX_RESULT, depth: 0 }
    }
}

impl Walk {
    /// Goes into a list or map of so many elements. Where a walk ends early there is no need to [`leave`](Self::leave).
    pub(super) fn enter(&mut self, elements: usize) -> Result<(), Failure> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Failure::new(format!("the value is nested more than {MAX_DEPTH} deep")));
        }
        self.charge(elements.saturating_mul(ELEMENT).saturating_add(ELEMENT))
    }

    /// Comes out again.
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Counts text.
    pub(super) fn charge(&mut self, bytes: usize) -> Result<(), Failure> {
        self.bytes = self
            .bytes
            .checked_sub(bytes)
            .ok_or_else(|| Failure::new(format!("the value is larger than {} MiB", MAX_RESULT >> 20)))?;
        Ok(())
    }
}
