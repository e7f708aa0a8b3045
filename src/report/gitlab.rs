//! GitLab's Code Quality report, which merge requests compare with that of the target branch.
//!
//! <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>

use std::io::{self, Write};

use serde::Serialize;

use super::groups;
use super::{json, place, printable};
use crate::finding::{Report, Severity};
use crate::fingerprint::Fingerprint;
use crate::source::Location;

#[derive(Serialize)]
struct Row {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: At,
}

#[derive(Serialize)]
struct At {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

/// Prints what is open, and releases that could not be checked.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let groups = groups::at_places(report.findings.iter().filter(|finding| finding.is_open()));
    let fingerprints = groups::fingerprints(&groups);
    let found = groups.iter().zip(&fingerprints).map(|(group, fingerprint)| Row {
        description: printable(&group.sentence()),
        check_name: printable(&group.finding.policy),
        fingerprint: fingerprint.digest(),
        severity: match group.finding.severity {
            Severity::Error => "critical",
            Severity::Warning => "minor",
            Severity::Info => "info",
        },
        location: place::of(group.finding).into(),
    });
    let failed = groups::of_faults(&report.failed);
    let failed = failed.iter().enumerate().map(|(number, group)| Row {
        description: printable(&group.sentence()),
        check_name: "could-not-be-checked".to_owned(),
        fingerprint: of_fault(group.fault.message.clone(), number).digest(),
        severity: "blocker",
        location: group.fault.labels.first().map(|(location, _)| location).into(),
    });
    let rows: Vec<Row> = failed.chain(found).collect();
    json::print(&rows, out)
}

/// No policy has an id without a slash in it.
fn of_fault(message: String, number: usize) -> Fingerprint {
    Fingerprint { release: None, policy: "could-not-be-checked".to_owned(), object: None, field: Some(message), number }
}

impl From<Option<&Location>> for At {
    fn from(location: Option<&Location>) -> Self {
        let Some(location) = location else {
            return Self { path: place::NOWHERE.to_owned(), lines: Lines { begin: 1, end: 1 } };
        };
        let (start, end) = place::region(location);
        Self { path: place::path(location).into_owned(), lines: Lines { begin: start.line, end: end.line } }
    }
}
