//! `plimsoll lint`: charts and plain manifests against policies.

use super::check_args::CheckArgs;
use super::target_args::TargetArgs;
use super::{Stop, Streams};
use crate::gate::ExitStatus;

/// Check charts, files and folders of plain manifests, or `-`
///
/// Each chart is a release; several are judged one by one and together, as a fleet. Plain manifests are one release.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    checks: CheckArgs,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let project = args.checks.project()?;
    let destination = args.target.destination(&project)?;
    args.target.with(&destination, streams, |subjects, streams| {
        args.checks.run(subjects, &project, destination.version, streams)
    })
}
