//! `plimsoll render`: what `helm template` does, and with `--check` what it does not.

use std::mem::ManuallyDrop;
use std::time::Instant;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::chart_args::ChartArgs;
use super::check_args::CheckArgs;
use super::ignored_args::IgnoredArgs;
use super::manifests::{self, ManifestArgs};
use super::{Stop, Streams};
use crate::check::{self, Charts, Job, Rendered};
use crate::finding::Fault;
use crate::gate::ExitStatus;
use crate::manifest::{self, Stream};
use crate::render::host::Source;

/// Print a chart's manifests, or check them with --check
///
/// Takes the arguments of `helm template` and prints the same bytes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The release's name (release-name where left out), and the chart: a folder or a .tgz
    #[arg(value_name = "[NAME] CHART")]
    name_and_chart: Vec<String>,

    /// Print no manifests, but validate and lint them
    #[arg(long, help_heading = "Check")]
    check: bool,

    /// Print CRDs too
    #[arg(long, help_heading = "Output")]
    include_crds: bool,
    /// Print only the manifests of these templates (repeatable; `*` stops at slashes)
    #[arg(short, long, value_name = "PATH", help_heading = "Output")]
    show_only: Vec<String>,
    /// Leave out hooks
    #[arg(long, help_heading = "Output")]
    no_hooks: bool,
    /// Leave out test hooks
    #[arg(long, help_heading = "Output")]
    skip_tests: bool,
    /// With `server`, ask the cluster of the current context where no other is named
    #[arg(
        long,
        value_name = "WHERE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "client",
        value_parser = dry_runs(),
        help_heading = "Cluster"
    )]
    dry_run: Option<String>,
    /// Helm's older name of --dry-run=server
    #[arg(long, hide = true)]
    validate: bool,
    #[command(flatten)]
    folder: ManifestArgs,
    #[command(flatten)]
    chart: ChartArgs,
    #[command(flatten)]
    checks: CheckArgs,
    #[command(flatten)]
    ignored: IgnoredArgs,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let project = args.checks.project()?;
    let destination = args.chart.destination(&project, args.asks_server())?.only_read();
    let job = args.chart.job(&args.name_and_chart, &destination, streams)?;
    // The process ends with this: to give back every value by itself would take as long as to load the chart.
    let rendered = ManuallyDrop::new(render(&job, &Charts::default(), streams)?);
    for warning in &rendered.warnings {
        streams.warn(warning)?;
    }
    let options = Stream { no_hooks: args.no_hooks, skip_tests: args.skip_tests };
    if args.check {
        let status = args.checks.run(&[check::Subject::from(&*rendered)], &project, destination.version, streams)?;
        let Some((folder, manifests)) = args.folder.manifests(&rendered, args.include_crds, options)? else {
            return Ok(status);
        };
        let drifts = manifests.compare(&folder)?;
        let varies = !drifts.is_empty() && args.chart.seed.is_none() && rendered.depends_on(Source::reproducible(0));
        return Ok(status.max(args.checks.conclude_drift(&drifts, manifests::help(varies), streams)?));
    }
    if let Some((folder, manifests)) = args.folder.manifests(&rendered, args.include_crds, options)? {
        return manifests.write(&folder, streams);
    }
    let crds = if args.include_crds { rendered.crds() } else { Vec::new() };
    let output = manifest::print(&crds, &rendered.manifests, options);
    let output = manifest::show_only(&output, &args.show_only).map_err(|pattern| {
        Fault::new(format!("could not find template {pattern} in chart"))
            .help("name a template by its path in the chart, for example templates/deployment.yaml")
    })?;
    streams.stdout.write_all(output.as_bytes())?;
    Ok(ExitStatus::Clean)
}

impl Args {
    fn asks_server(&self) -> bool {
        self.validate || self.dry_run.as_deref() == Some("server")
    }
}

/// What Helm takes: it always is a dry run, so the older values mean nothing more.
fn dry_runs() -> impl TypedValueParser<Value = String> {
    let older = ["true", "unset"].map(|value| PossibleValue::new(value).hide(true));
    PossibleValuesParser::new(["client", "server"].map(PossibleValue::new).into_iter().chain(older))
}

/// Renders a chart.
pub(super) fn render(job: &Job, known: &Charts, streams: &mut Streams<'_>) -> Result<Rendered, Stop> {
    let start = Instant::now();
    let rendered = check::render(job, known)?;
    streams.took(&format!("rendered {} from {}", job.release.name, job.chart.display()), start.elapsed())?;
    Ok(rendered)
}
