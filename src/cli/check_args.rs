//! The arguments that say how findings are judged and printed.

use std::mem::ManuallyDrop;
use std::time::Instant;

use super::output_args::OutputArgs;
use super::rule_args::RuleArgs;
use super::{Stop, Streams};
use crate::check::{self, Subject};
use crate::committed::Drift;
use crate::finding::{Finding, Report};
use crate::gate::ExitStatus;
use crate::project::Project;
use crate::report::{self, Format};
use crate::schema::Minor;

/// Which policies, and what becomes of their findings.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Check")]
pub(super) struct CheckArgs {
    #[command(flatten)]
    output: OutputArgs<Format>,
    #[command(flatten)]
    pub rules: RuleArgs,
}

impl CheckArgs {
    /// What the project file says.
    pub(super) fn project(&self) -> Result<Project, Stop> {
        self.rules.select.project()
    }

    /// Whether all can be printed as asked: to be known before the work.
    pub(super) fn check_outputs(&self) -> Result<(), Stop> {
        Ok(self.output.check()?)
    }

    /// Checks, prints and judges.
    pub(super) fn run(
        &self,
        subjects: &[Subject<'_>],
        project: &Project,
        version: Option<Minor>,
        streams: &mut Streams<'_>,
    ) -> Result<ExitStatus, Stop> {
        self.check_outputs()?;
        let start = Instant::now();
        // The process ends with this: to give back every policy by itself would take as long as to read some.
        let catalogue = ManuallyDrop::new(self.rules.catalogue(project)?);
        let rules = self.rules.rules(project, self.rules.choose(project, None, &catalogue)?, version)?;
        streams.took("read policies and schemas", start.elapsed())?;
        let start = Instant::now();
        let report = check::lint(subjects, &rules)?;
        streams.took("checked", start.elapsed())?;
        self.conclude(&report, streams)
    }

    /// Says what a command came to, where no program reads it.
    pub(super) fn note(&self, note: &str, streams: &mut Streams<'_>) -> Result<(), Stop> {
        if !streams.is_quiet() {
            writeln!(self.output.aside(streams)?.1, "{note}")?;
        }
        Ok(())
    }

    /// Prints and judges committed manifests; `help` says how to write them.
    pub(super) fn conclude_drift(
        &self,
        drifts: &[Drift],
        help: &str,
        streams: &mut Streams<'_>,
    ) -> Result<ExitStatus, Stop> {
        if !drifts.is_empty() {
            let (style, out) = self.output.aside(streams)?;
            report::drift::write(drifts, style, out)?;
            writeln!(out, "{help}")?;
        }
        Ok(self.rules.judge_drift(drifts))
    }

    /// Prints and judges.
    pub(super) fn conclude(&self, report: &Report, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
        let is_all_well =
            report.failed.is_empty() && report.stale == 0 && !report.findings.iter().any(Finding::is_open);
        self.output.write(is_all_well, streams, |format, style, out| report::write(report, format, style, out))?;
        Ok(self.rules.judge(report))
    }
}
