//! Which findings are new, which are mended, and which only count no more.

use std::collections::{HashMap, HashSet};

use crate::finding::Finding;
use crate::fingerprint::Fingerprint;

/// The findings of two sides, each in the order of its side.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// They count on the new side and did not on the old one.
    pub new: Vec<Finding>,
    /// They were there on the old side, in its baseline or not, and are gone.
    pub mended: Vec<Finding>,
    /// They do not count on the new side though nothing was mended: somebody answers for them now, they are in the baseline
    /// now, or the policy is evaluated no more.
    pub silenced: Vec<Finding>,
    /// They count on both sides, as they are on the new one.
    pub unchanged: Vec<Finding>,
}

impl Findings {
    /// Compares two sides. `judges` tells whether the new side still looks for what the old side found; `is_known` whether
    /// the new side knows what became of it at all.
    pub fn compare(
        before: Vec<Finding>,
        after: Vec<Finding>,
        judges: impl Fn(&Finding) -> bool,
        is_known: impl Fn(&Finding) -> bool,
    ) -> Self {
        let before: Vec<(Fingerprint, Finding)> = Fingerprint::all(&before).into_iter().zip(before).collect();
        let counted: HashMap<&Fingerprint, bool> =
            before.iter().map(|(fingerprint, finding)| (fingerprint, finding.is_open())).collect();
        let mut found = Self::default();
        let mut seen = HashSet::new();
        for (fingerprint, finding) in Fingerprint::all(&after).into_iter().zip(after) {
            match (counted.get(&fingerprint), finding.is_open()) {
                (Some(true), true) => found.unchanged.push(finding),
                (_, true) => found.new.push(finding),
                (Some(false), false) => {}
                (_, false) => found.silenced.push(finding),
            }
            seen.insert(fingerprint);
        }
        let gone = before.into_iter().filter(|(fingerprint, _)| !seen.contains(fingerprint));
        for (_, finding) in gone.filter(|(_, finding)| finding.exemption.is_none() && is_known(finding)) {
            if judges(&finding) {
                found.mended.push(finding);
            } else if finding.is_open() {
                found.silenced.push(finding);
            }
        }
        found
    }
}
