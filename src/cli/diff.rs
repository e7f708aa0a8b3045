//! `plimsoll diff`: what a change does to all releases of a project.

use std::collections::HashSet;
use std::mem;
use std::path::Path;

use super::releases::{self, Checked};
use super::rule_args::RuleArgs;
use super::{Stop, Streams};
use crate::check::{self, Subject};
use crate::delta::{Delta, FailedOn, Findings, Side};
use crate::finding::{Failed, Fault, Finding};
use crate::gate::ExitStatus;
use crate::git::Base;
use crate::project::{self, Project};
use crate::report::delta::{self, Format};

/// Show what a change does: to manifests, to findings, and to who can do what
///
/// Compares the work tree with the commit at which it left REV, as a pull request does: what others have added to REV
/// since then is not this change's doing. Each side is rendered and judged by its own plimsoll.yaml. Only new findings
/// refuse.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The revision to compare with: a branch, a tag or a commit
    #[arg(long, value_name = "REV")]
    base: String,
    /// How the change is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    rules: RuleArgs,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let select = &args.rules.select;
    let file = select.project_file().unwrap_or(Path::new(project::FILE));
    let project = Project::load(Path::new(""), file).map_err(Fault::from)?;
    let base = Base::open(Path::new("."), &args.base).and_then(Base::merge_base).map_err(Fault::from)?;
    let mut checkout = base.checkout(&[file.to_path_buf()]).map_err(Fault::from)?;
    let is_new = !checkout.root().join(file).exists();
    let older = match is_new {
        false => Project::load(checkout.root(), file).map_err(Fault::from)?,
        true => project.clone().at(checkout.root()),
    };
    checkout.add(&older.paths()).map_err(Fault::from)?;
    checkout.warnings().iter().try_for_each(|warning| streams.warn(warning))?;

    // Both sides draw the same random values: only what the change does differs.
    let source = releases::source()?;
    let releases = project.releases().map_err(Fault::from)?;
    let mut releases_before = match older.releases() {
        Ok(releases) => releases,
        // This change says for the first time what is released: not all of it has been there.
        Err(_) if is_new => Vec::new(),
        Err(error) => return Err(Fault::from(error).into()),
    };
    releases_before.retain(|release| !is_new || checkout.root().join(&release.chart).exists());
    if releases.is_empty() && releases_before.is_empty() {
        return Err(releases::nothing().into());
    }
    let before = releases::check(&older, &releases_before, &args.rules, source, streams)?;
    let after = releases::check(&project, &releases, &args.rules, source, streams)?;
    let delta = delta(&base, before, after)?;
    delta::write(&delta, args.format, streams.stdout_style, streams.stdout)?;
    Ok(args.rules.judge_delta(&delta))
}

/// What lies between two sides that were checked. Of a release that failed on one of them only its findings are told.
fn delta(base: &Base, mut before: Checked, mut after: Checked) -> Result<Delta, Stop> {
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
    let on = |side, failed: Vec<Failed>| failed.into_iter().map(move |failed| FailedOn { side, failed });
    Ok(Delta {
        base: base.revision().to_owned(),
        commit: base.commit().to_owned(),
        added: new.iter().filter(|label| !was.contains(label)).cloned().collect(),
        removed: old.iter().filter(|label| !is.contains(label)).cloned().collect(),
        releases: after.report.releases.unwrap_or_default(),
        objects,
        new: found,
        mended,
        silenced,
        unchanged,
        access,
        failed: on(Side::Before, before.report.failed).chain(on(Side::After, after.report.failed)).collect(),
    })
}
