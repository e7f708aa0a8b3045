//! One thing that is possible on one side alone.

use crate::delta::AccessKind;
use crate::finding::Severity;
use crate::value::Path;

/// One thing that is possible on one side alone. Facts that differ in one of their items only are told together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fact {
    pub kind: AccessKind,
    pub severity: Severity,
    pub subject: String,
    pub phrase: Phrase,
    /// What stands in the two gaps of the phrase; the first may be empty.
    pub items: [String; 2],
    /// The object and the field that make it so; nothing where it is the lack of an object.
    pub at: Option<(usize, Path)>,
    /// The release that it is said of.
    pub release: Option<usize>,
}

/// Words around two lists of items: `can ‹get, list› ‹secrets› in namespace alice`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Phrase {
    pub start: String,
    pub middle: &'static str,
    pub end: String,
}

impl Phrase {
    pub fn new(start: impl Into<String>, middle: &'static str, end: impl Into<String>) -> Self {
        Self { start: start.into(), middle, end: end.into() }
    }
}
