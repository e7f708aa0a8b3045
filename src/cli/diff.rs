//! `plimsoll diff`: what a change does to all releases of a project.

use std::collections::HashSet;
use std::mem::{self, ManuallyDrop};
use std::path::Path;

use super::live::{LiveArgs, Plan, tell_warnings};
use super::output_args::OutputArgs;
use super::releases::{self, Checked};
use super::rule_args::RuleArgs;
use super::{Stop, Streams};
use crate::baseline::Baseline;
use crate::check::{self, Subject};
use crate::delta::{Delta, FailedOn, Findings, Side};
use crate::finding::{Failed, Fault, Finding};
use crate::gate::ExitStatus;
use crate::git::{Base, Checkout};
use crate::parallel;
use crate::project::{Project, Release};
use crate::report::delta::{self, Format};

/// Show what a change does: to manifests, to findings, and to who can do what
///
/// With --base, compares the work tree with the commit at which it left REV, as a pull request does: what others have added
/// to REV since then is not this change's doing. Each side is rendered and judged by its own plimsoll.yaml.
///
/// With --live, compares what a cluster has of a release with what it would have after `plimsoll apply`, which takes the
/// same arguments; nothing is applied. In both, only new findings refuse.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("with").args(["base", "live"]).required(true))]
pub(super) struct Args {
    /// The revision to compare with: a branch, a tag or a commit
    #[arg(
        long,
        value_name = "REV",
        conflicts_with_all = ["live", "LiveArgs", "ChartArgs", "ClusterArgs", "ConnectArgs"]
    )]
    base: Option<String>,
    /// Compare with what a cluster has
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    output: OutputArgs<Format>,
    #[command(flatten)]
    release: LiveArgs,
    #[command(flatten)]
    rules: RuleArgs,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    args.output.check()?;
    match &args.base {
        Some(revision) => with_revision(args, revision, streams),
        None => with_cluster(args, streams),
    }
}

/// Compares what a cluster has of a release with what it would have.
fn with_cluster(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let project = args.rules.select.project()?;
    let destination = args.release.chart.destination(&project, true)?;
    let cluster = destination.asked()?;
    let given = args.release.given(&destination, streams)?;
    let catalogue = ManuallyDrop::new(args.rules.catalogue(&project)?);
    let chosen = args.rules.choose(&project, None, &catalogue)?;
    let mut rules = args.rules.rules(&project, chosen, destination.version)?;
    let plan = Plan::make(cluster, &given, &args.release)?;
    tell_warnings(cluster.api(), streams)?;
    let delta = plan.delta(cluster.context(), &given, Some(&mut rules))?;
    let is_dull = delta.is_empty();
    args.output.write(is_dull, streams, |format, style, out| delta::write(&delta, format, style, out))?;
    Ok(args.rules.judge_delta(&delta))
}

/// Compares the work tree with a revision.
fn with_revision(args: &Args, revision: &str, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let Some(file) = args.rules.select.project_file() else { return Err(releases::nothing().into()) };
    let project = Project::load(Path::new(""), file).map_err(Fault::from)?;
    let releases = project.releases().map_err(Fault::from)?;
    // That all are gone is no proof of safety.
    if releases.is_empty() {
        return Err(releases::nothing().into());
    }
    let base = Base::open(Path::new("."), revision).and_then(Base::merge_base).map_err(Fault::from)?;
    // Both sides draw the same random values: only what the change does differs.
    let source = releases::source()?;
    let progress = streams.progress("checking", releases.len());
    let check =
        |project: &Project, releases: &[Release]| releases::check(project, releases, &args.rules, source, &progress);
    // Neither side uses all cores all the time, and the older one is first read from git.
    let before = || -> Result<_, Stop> {
        let older = Older::read(&base, file, &project)?;
        progress.inc_length(older.releases.len() as u64);
        let checked = check(&older.project, &older.releases).map_err(|stop| stop_of_base(&base, stop))?;
        Ok((older, checked))
    };
    let (after, before) = parallel::both(|| check(&project, &releases), before);
    progress.finish_and_clear();
    let ((older, mut before), mut after) = (before?, after?);
    older.checkout.warnings().iter().try_for_each(|warning| streams.warn(warning))?;
    before.tell(streams)?;
    after.tell(streams)?;
    let was = &older.project;
    if let Some(path) = was.baseline.as_ref().filter(|path| was.root().join(path).exists()) {
        Baseline::load(was.root(), path).map_err(|error| of_base(&base, error))?.mark(&mut before.report);
    }
    if let Some(path) = &project.baseline {
        Baseline::load(project.root(), path).map_err(Fault::from)?.mark(&mut after.report);
    }
    // To remove the older files takes a while.
    let ((), delta) = parallel::both(|| drop(older.checkout), || delta(&base, before, after));
    let delta = delta?;
    let is_dull = delta.is_empty();
    args.output.write(is_dull, streams, |format, style, out| delta::write(&delta, format, style, out))?;
    Ok(args.rules.judge_delta(&delta))
}

/// What is wrong with the base, not with the change.
fn of_base(base: &Base, error: impl Into<Fault>) -> Fault {
    error.into().about(format_args!("at {}", base.revision()))
}

fn stop_of_base(base: &Base, stop: Stop) -> Stop {
    match stop {
        Stop::Faults(faults) => Stop::Faults(faults.into_iter().map(|fault| of_base(base, fault)).collect()),
        Stop::Io(error) => Stop::Io(error),
    }
}

/// The project as it was.
struct Older {
    project: Project,
    releases: Vec<Release>,
    /// Its files.
    checkout: Checkout,
}

impl Older {
    /// Reads the project from git, with all files that it names.
    fn read(base: &Base, file: &Path, now: &Project) -> Result<Self, Fault> {
        let mut checkout = base.checkout(&[file.to_path_buf()])?;
        if checkout.root().join(file).exists() {
            let project = Project::load(checkout.root(), file).map_err(|error| of_base(base, error))?;
            checkout.add(&project.paths()).map_err(|error| of_base(base, error))?;
            let releases = project.releases().map_err(|error| of_base(base, error))?;
            return Ok(Self { project, releases, checkout });
        }
        // This change says for the first time what is released: not all of it has been there.
        let project = now.clone().at(checkout.root());
        checkout.add(&project.paths())?;
        let mut releases = project.releases().unwrap_or_default();
        releases.retain(|release| checkout.root().join(&release.chart).exists());
        Ok(Self { project, releases, checkout })
    }
}

/// What lies between two sides that were checked. Of a release that failed on one of them only its findings are told.
fn delta(base: &Base, before: Checked, after: Checked) -> Result<Delta, Stop> {
    // The process ends soon: to give back every manifest by itself would take as long as to compare them.
    let (mut before, mut after) = (ManuallyDrop::new(before), ManuallyDrop::new(after));
    let failed: HashSet<String> = before.failed().chain(after.failed()).map(str::to_owned).collect();
    let known = |subjects: &mut Vec<Subject<'_>>| {
        subjects.retain(|subject| subject.label().is_none_or(|label| !failed.contains(label)))
    };
    let (mut old, mut new): (Vec<_>, Vec<_>) = (before.subjects().collect(), after.subjects().collect());
    known(&mut old);
    known(&mut new);
    let (objects, access) = check::compare(&old, &new)?;
    let labels = |subjects: &[Subject<'_>]| -> Vec<String> {
        subjects.iter().filter_map(Subject::label).map(str::to_owned).collect()
    };
    let (old, new) = (labels(&old), labels(&new));
    let (was, is): (HashSet<&String>, HashSet<&String>) = (old.iter().collect(), new.iter().collect());

    let (found_before, found_after) = (mem::take(&mut before.report.findings), mem::take(&mut after.report.findings));
    let judges = |finding: &Finding| {
        let release = finding.release.as_deref();
        let is_gone = finding.release.as_ref().is_some_and(|label| !is.contains(label));
        is_gone || !before.is_held_to(release, &finding.policy) || after.is_held_to(release, &finding.policy)
    };
    let is_known = |finding: &Finding| finding.release.as_ref().is_none_or(|label| !failed.contains(label));
    let Findings { new: found, mended, silenced, unchanged } =
        Findings::compare(found_before, found_after, judges, is_known);
    let (failed_before, failed_after) = (mem::take(&mut before.report.failed), mem::take(&mut after.report.failed));
    let on = |side, failed: Vec<Failed>| failed.into_iter().map(move |failed| FailedOn { side, failed });
    Ok(Delta {
        base: crate::delta::Base::Revision { name: base.revision().to_owned(), commit: base.commit().to_owned() },
        added: new.iter().filter(|label| !was.contains(label)).cloned().collect(),
        removed: old.iter().filter(|label| !is.contains(label)).cloned().collect(),
        releases: after.report.releases.unwrap_or_default(),
        objects,
        new: found,
        mended,
        silenced,
        unchanged,
        access,
        failed: on(Side::Before, failed_before).chain(on(Side::After, failed_after)).collect(),
    })
}
