//! What deleting the objects of a release came to.

use crate::cluster::prune::{Outcome, Pruned};
use crate::finding::Fault;
use crate::report::plural;

/// What is told of an object at once.
pub(super) fn word(outcome: &Outcome, dry_run: bool) -> Option<&'static str> {
    match outcome {
        Outcome::Deleted if dry_run => Some("would delete"),
        Outcome::Deleted => Some("deleted"),
        Outcome::Going => Some("deleting"),
        Outcome::Kept(_) | Outcome::Failed(_) | Outcome::NotTried => None,
    }
}

/// Why not all is gone, and how to go on: by running `command` again.
pub(super) fn faults(pruned: &Pruned, command: &str) -> Vec<Fault> {
    let failed = pruned.outcomes.iter().filter_map(|(object, outcome)| match outcome {
        Outcome::Failed(error) => Some(Fault::from(error.clone()).about(format_args!("{object} could not be deleted"))),
        _ => None,
    });
    let mut faults: Vec<Fault> = failed.chain(pruned.not_gone.clone().map(Fault::from)).collect();
    let not_tried = pruned.outcomes.iter().filter(|(_, outcome)| matches!(outcome, Outcome::NotTried)).count();
    if not_tried > 0 {
        let are = if not_tried == 1 { "is" } else { "are" };
        let fault = Fault::new(format!("{} {are} as before: their turn did not come", plural(not_tried, "object")));
        faults.push(fault.help(format!("{command} again to go on")));
    }
    faults
}
