//! `plimsoll check`: all releases of a project, as a gate in CI.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::check_args::CheckArgs;
use super::files::write_all;
use super::manifests;
use super::releases::{self, Checked};
use super::{Stop, Streams};
use crate::baseline::Baseline;
use crate::committed::Staleness;
use crate::finding::{Fault, Report};
use crate::gate::ExitStatus;
use crate::project::{Project, Release};
use crate::render::host::Source;
use crate::report::plural;

/// Check all releases that plimsoll.yaml lists
///
/// Renders each, holds it to schemas and policies, and all of them together to those of a fleet. A release that could not
/// be checked is a failure of the whole.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Findings in this file were there before, and refuse nothing; `baseline` of plimsoll.yaml where left out
    #[arg(long, value_name = "FILE", help_heading = "Baseline")]
    baseline: Option<PathBuf>,
    /// Write all that is found now to the baseline
    #[arg(long, help_heading = "Baseline")]
    write_baseline: bool,
    /// Take out of the baseline what is found no more, write committed manifests that are stale, and remove those that
    /// are left over
    #[arg(long, conflicts_with = "write_baseline")]
    update: bool,

    #[command(flatten)]
    checks: CheckArgs,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    args.checks.check_outputs()?;
    let project = args.checks.project()?;
    let listed = project.releases().map_err(Fault::from)?;
    if listed.is_empty() {
        return Err(releases::nothing().into());
    }
    let source = Source::system().map_err(|error| Fault::new(format!("no random numbers: {error}")))?;
    let mut checked = releases::check(&project, &listed, &args.checks.rules, source, streams)?;
    let warnings: BTreeSet<String> = checked.report.warnings.iter().cloned().collect();
    warnings.iter().try_for_each(|warning| streams.warn(warning))?;
    let labels = listed.iter().map(Release::label).collect();
    args.known(&project, &labels, &mut checked.report, streams)?;
    let status = args.checks.conclude(&checked.report, streams)?;
    Ok(status.max(args.drift(&project, &checked, streams)?))
}

impl Args {
    /// Compares committed manifests with what was rendered, or makes them the same.
    fn drift(&self, project: &Project, checked: &Checked, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
        let Some(output) = &project.output else { return Ok(ExitStatus::Clean) };
        if !checked.report.failed.is_empty() {
            // What belongs to a release that was not rendered is not known.
            return Ok(ExitStatus::Failed);
        }
        let drifts = manifests::of_project(Path::new(""), output, &checked.rendered)?;
        if !self.update {
            return self.checks.conclude_drift(&drifts, "`plimsoll check --update` writes them", streams);
        }
        let said: Vec<String> = drifts
            .iter()
            .map(|drift| {
                let done = if drift.staleness == Staleness::LeftOver { "removed" } else { "wrote" };
                format!("{done} {}", drift.path.display())
            })
            .collect();
        manifests::update(&output.folder, drifts)?;
        said.iter().try_for_each(|said| streams.note(said))?;
        Ok(ExitStatus::Clean)
    }

    /// Marks what the baseline knows, and writes it where that is asked for.
    fn known(
        &self,
        project: &Project,
        releases: &BTreeSet<String>,
        report: &mut Report,
        streams: &mut Streams<'_>,
    ) -> Result<(), Stop> {
        let Some(path) = self.baseline.as_ref().or(project.baseline.as_ref()) else {
            if self.write_baseline || self.update && project.output.is_none() {
                let fault = Fault::new("it is not said which file the baseline is");
                return Err(fault
                    .help("name it: --baseline plimsoll-baseline.yaml, or `baseline` in plimsoll.yaml")
                    .into());
            }
            return Ok(());
        };
        let write = |baseline: &Baseline| {
            let files = BTreeMap::from([(path.clone(), baseline.to_yaml())]);
            write_all(&files).map_err(|error| Fault::new(format!("{} could not be written: {error}", path.display())))
        };
        if self.write_baseline {
            if !report.failed.is_empty() {
                let fault = Fault::new("no baseline is written: not all releases could be checked");
                let reasons = report.failed.iter().flat_map(|failed| failed.faults.clone());
                return Err(Stop::Faults(reasons.chain([fault]).collect()));
            }
            let baseline = Baseline::of(report);
            write(&baseline)?;
            streams.note(&format!("wrote {} to {}", plural(baseline.len(), "finding"), path.display()))?;
            baseline.mark(report);
            return Ok(());
        }
        let baseline = Baseline::load(Path::new(""), path).map_err(Fault::from)?;
        baseline.mark(report);
        if self.update {
            let updated = baseline.updated(report, releases);
            write(&updated)?;
            let gone = baseline.len() - updated.len();
            streams.note(&format!("took {} out of {}", plural(gone, "finding"), path.display()))?;
        } else if self.checks.rules.are_the_projects() {
            report.findings.extend(baseline.outdated(report, releases));
        }
        Ok(())
    }
}
