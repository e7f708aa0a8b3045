//! From findings to the exit status, defined once for all commands.

use crate::committed::Drift;
use crate::delta::Delta;
use crate::finding::{Finding, Report, Severity};

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitStatus {
    /// 0: everything was checked, and nothing is at or above the threshold.
    Clean,
    /// 1: a finding at or above the threshold, or committed output that is stale.
    Refused,
    /// 2: the work could not be done: bad usage, a chart that does not render, a policy that does not compile.
    Failed,
}

/// The least severity that refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum FailOn {
    /// Errors refuse.
    #[default]
    Error,
    /// Warnings refuse too.
    Warning,
    /// Nothing refuses: only report. What could not be checked still fails.
    Never,
}

impl ExitStatus {
    /// The number for the operating system.
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// Judges a report. What could not be checked is worse than anything that was found.
pub fn judge(report: &Report, fail_on: FailOn) -> ExitStatus {
    if report.failed.is_empty() { status(&report.findings, fail_on) } else { ExitStatus::Failed }
}

/// Judges a change by what is new.
pub fn judge_delta(delta: &Delta, fail_on: FailOn) -> ExitStatus {
    if delta.failed.is_empty() { status(&delta.new, fail_on) } else { ExitStatus::Failed }
}

fn status(findings: &[Finding], fail_on: FailOn) -> ExitStatus {
    let threshold = match fail_on {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
        FailOn::Never => return ExitStatus::Clean,
    };
    let refuses = |finding: &Finding| finding.is_open() && finding.severity >= threshold;
    if findings.iter().any(refuses) { ExitStatus::Refused } else { ExitStatus::Clean }
}

/// Judges committed manifests: those that are not what is rendered are not what was checked.
pub fn judge_drift(drifts: &[Drift], fail_on: FailOn) -> ExitStatus {
    if drifts.is_empty() || fail_on == FailOn::Never { ExitStatus::Clean } else { ExitStatus::Refused }
}
