//! `plimsoll check`: all releases of a project, as a gate in CI.

use super::check_args::CheckArgs;
use super::releases;
use super::{Stop, Streams};
use crate::finding::Fault;
use crate::gate::ExitStatus;
use crate::render::host::Source;

/// Check all releases that plimsoll.yaml lists
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    checks: CheckArgs,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    args.checks.check_outputs()?;
    let project = args.checks.project()?;
    let source = Source::system().map_err(|error| Fault::new(format!("no random numbers: {error}")))?;
    let checked = releases::check(&project, &args.checks.rules, source, streams)?;
    args.checks.conclude(&checked.report, streams)
}
