//! `plimsoll check`: all releases of a project, as a gate in CI.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::check_args::CheckArgs;
use super::files::write_all;
use super::manifests;
use super::releases::{self, Checked};
use super::{Stop, Streams};
use crate::baseline::Baseline;
use crate::committed::{Drift, Staleness};
use crate::finding::{Fault, Report};
use crate::gate::ExitStatus;
use crate::project::{Project, Release};
use crate::report::plural;

/// Check all releases that plimsoll.yaml lists
///
/// Renders each, holds it to schemas and policies, and all of them together to those of a fleet. Where `output` of
/// plimsoll.yaml says that manifests are committed, they must be what is rendered. A release that could not be checked is
/// a failure of the whole.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Findings in this file were there before, and refuse nothing; `baseline` of plimsoll.yaml where left out
    #[arg(long, value_name = "FILE", help_heading = "Baseline")]
    baseline: Option<PathBuf>,
    /// Write all that is found now to the baseline
    #[arg(long, help_heading = "Baseline")]
    write_baseline: bool,
    /// Take out of the baseline what is found no more; write committed manifests that are stale, and remove those that are
    /// left over
    #[arg(long, conflicts_with = "write_baseline")]
    update: bool,
    #[command(flatten)]
    checks: CheckArgs,
}

/// From how many findings on the way to a baseline is told: fewer are mended sooner than listed.
const MANY: usize = 10;

/// The file of what was there before, and what is in it.
struct Past<'a> {
    path: &'a Path,
    baseline: Baseline,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    args.checks.check_outputs()?;
    let project = args.checks.project()?;
    let past = args.past(&project)?;
    let listed = project.releases().map_err(Fault::from)?;
    if listed.is_empty() {
        return Err(releases::nothing().into());
    }
    let progress = streams.progress("checking", listed.len());
    let checked = releases::check(&project, &listed, &args.checks.rules, releases::source()?, &progress);
    progress.finish_and_clear();
    let mut checked = checked?;
    checked.tell(streams)?;
    let warnings: BTreeSet<&String> = checked.report.warnings.iter().collect();
    warnings.into_iter().try_for_each(|warning| streams.warn(warning))?;
    if let Some(past) = &past {
        let labels = listed.iter().map(Release::label).collect();
        args.know(past, &labels, &mut checked.report, streams)?;
    }
    let drifts = args.drifts(&project, &checked)?;
    checked.report.stale = if args.update { 0 } else { drifts.len() };
    let status = args.checks.conclude(&checked.report, streams)?;
    if past.is_none() && checked.report.findings.iter().filter(|finding| finding.is_open()).count() >= MANY {
        let hint = "to refuse only what is new: plimsoll check --write-baseline --baseline plimsoll-baseline.yaml";
        args.checks.note(hint, streams)?;
    } else if args.write_baseline && project.baseline.is_none() && checked.report.failed.is_empty() {
        args.checks.note("next: name it in plimsoll.yaml, as `baseline`", streams)?;
    }
    Ok(status.max(args.settle(&project, drifts, streams)?))
}

impl Args {
    /// What is known already, before any work: a file that cannot be read must not be told of after it.
    fn past<'a>(&'a self, project: &'a Project) -> Result<Option<Past<'a>>, Fault> {
        let path = self.baseline.as_deref().or(project.baseline.as_deref());
        let missing = |what: &str| Err(Fault::new(format!("there is {what}")));
        match path {
            None if self.write_baseline => missing("no file to write the baseline to").map_err(|fault| {
                fault.help("name it: --baseline plimsoll-baseline.yaml, or `baseline` in plimsoll.yaml")
            }),
            None if self.update && project.output.is_none() => missing("nothing to update").map_err(|fault| {
                fault.help("say in plimsoll.yaml which file is the `baseline`, or where `output` is committed")
            }),
            None => Ok(None),
            Some(_) if self.update && !self.checks.rules.are_the_projects() => {
                let fault =
                    Fault::new("the baseline is not updated by a run of some policies: what others found would go");
                Err(fault.help("leave out --profile, --policy, --exclude and --no-schemas"))
            }
            Some(path) if self.write_baseline => Ok(Some(Past { path, baseline: Baseline::default() })),
            Some(path) => Ok(Some(Past { path, baseline: Baseline::load(Path::new(""), path)? })),
        }
    }

    /// Marks what was there before, and writes the baseline where that is asked for.
    fn know(
        &self,
        past: &Past<'_>,
        releases: &BTreeSet<String>,
        report: &mut Report,
        streams: &mut Streams<'_>,
    ) -> Result<(), Stop> {
        let Past { path, baseline } = past;
        let write = |baseline: &Baseline| {
            let files = BTreeMap::from([(path.to_path_buf(), baseline.to_yaml())]);
            write_all(&files, path.display())
        };
        if self.write_baseline {
            // Of releases that could not be checked it is not known what was there.
            if !report.failed.is_empty() {
                return Ok(streams.warn("no baseline is written: not all releases could be checked")?);
            }
            let baseline = Baseline::of(report);
            write(&baseline)?;
            baseline.mark(report);
            let wrote = format!("wrote {} to {}", plural(baseline.len(), "finding"), path.display());
            return self.checks.note(&wrote, streams);
        }
        baseline.mark(report);
        if self.update {
            let updated = baseline.updated(report, releases);
            if updated.to_yaml() != baseline.to_yaml() {
                write(&updated)?;
                let done = match baseline.len() - updated.len() {
                    0 => "lowered severities in".to_owned(),
                    gone => format!("took {} out of", plural(gone, "finding")),
                };
                self.checks.note(&format!("{done} {}", path.display()), streams)?;
            }
        } else if self.checks.rules.are_the_projects() {
            report.findings.extend(baseline.outdated(report, releases));
        }
        Ok(())
    }

    /// Which committed manifests are not what was rendered. With a release that was not, nobody knows what belongs to it.
    fn drifts(&self, project: &Project, checked: &Checked) -> Result<Vec<Drift>, Fault> {
        match &project.output {
            Some(output) if checked.report.failed.is_empty() => {
                manifests::of_project(project.root(), output, &checked.rendered)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Shows committed manifests that are stale, or writes them.
    fn settle(&self, project: &Project, drifts: Vec<Drift>, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
        let Some(output) = &project.output else { return Ok(ExitStatus::Clean) };
        if !self.update {
            let help = "`plimsoll check --update` writes them; releases that differ every time need a `seed`";
            return self.checks.conclude_drift(&drifts, help, streams);
        }
        let said = |drift: &Drift| {
            let done = if drift.staleness == Staleness::LeftOver { "removed" } else { "wrote" };
            format!("{done} {}", drift.path.display())
        };
        let said: Vec<String> = drifts.iter().map(said).collect();
        manifests::update(&output.folder, drifts)?;
        said.iter().try_for_each(|said| self.checks.note(said, streams))?;
        Ok(ExitStatus::Clean)
    }
}
