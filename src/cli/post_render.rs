//! `plimsoll post-render`: manifests that pass through only where they are accepted, as Helm's post-renderers.

use super::check_args::CheckArgs;
use super::cluster_args::ClusterArgs;
use super::target_args::source;
use super::{Stop, Streams};
use crate::check::{self, Subject};
use crate::gate::ExitStatus;

/// Pass manifests from standard input to standard output where they are accepted
///
/// For `helm install --post-renderer`, and between two other programs. What comes in goes out byte for byte; findings
/// go to standard error. Where something is refused or could not be checked, nothing goes out. docs/ci.md tells what
/// Helm shows to a post-renderer, and what it does not.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    checks: CheckArgs,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let project = args.checks.project()?;
    let destination = args.cluster.destination(&project, None)?;
    let file = source("-", streams.stdin)?;
    let manifests = check::read(vec![file.clone()])?;
    let subject = Subject::plain(&manifests, &destination.namespace, &destination.capabilities);

    // Standard output is for manifests alone.
    let mut findings = Vec::new();
    let judging = &mut Streams {
        stdin: streams.stdin,
        stdout: &mut findings,
        stderr: streams.stderr,
        stdout_style: streams.stderr_style,
        stderr_style: streams.stderr_style,
        verbosity: streams.verbosity,
        is_watched: false,
        is_attended: false,
    };
    let status = args.checks.run(&[subject], &project, destination.version, judging)?;
    streams.stderr.write_all(&findings)?;
    if status == ExitStatus::Clean {
        streams.stdout.write_all(file.text.as_bytes())?;
    }
    Ok(status)
}
