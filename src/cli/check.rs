//! `plimsoll check`: all releases of a project, as a gate in CI.

use std::path::Path;

use super::check_args::CheckArgs;
use super::manifests;
use super::releases;
use super::{Stop, Streams};
use crate::committed::Staleness;
use crate::finding::Fault;
use crate::gate::ExitStatus;
use crate::render::host::Source;

/// Check all releases that plimsoll.yaml lists
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write committed manifests that are stale, and remove those that are left over
    #[arg(long, help_heading = "Output")]
    update: bool,

    #[command(flatten)]
    checks: CheckArgs,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    args.checks.check_outputs()?;
    let project = args.checks.project()?;
    let source = Source::system().map_err(|error| Fault::new(format!("no random numbers: {error}")))?;
    let checked = releases::check(Path::new(""), &project, &args.checks.rules, source, streams)?;
    let status = args.checks.conclude(&checked.report, streams)?;
    // What belongs to a release that was not rendered is not known.
    let Some(output) = project.output.as_ref().filter(|_| checked.report.failed.is_empty()) else { return Ok(status) };
    let drifts = manifests::of_project(Path::new(""), output, &checked.rendered)?;
    if args.update {
        for drift in &drifts {
            let verb = if drift.staleness == Staleness::LeftOver { "removed" } else { "wrote" };
            streams.note(&format!("{verb} {}", drift.path.display()))?;
        }
        manifests::update(&output.folder, drifts)?;
        return Ok(status);
    }
    Ok(status.max(args.checks.conclude_drift(&drifts, "`plimsoll check --update` writes them", streams)?))
}
