//! The releases of a project, rendered and judged: what `check` and both sides of `diff` have in common.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;

use super::rule_args::RuleArgs;
use super::{Stop, Streams};
use crate::chart::Capabilities;
use crate::check::{self, Charts, Job, Rendered, Subject};
use crate::finding::{Fault, Report};
use crate::policy::{Chosen, Profile};
use crate::project::{Project, Release};
use crate::render;
use crate::render::host::Source;
use crate::schema::Minor;
use crate::values::SchemaCheck;

/// What a check of a project came to.
pub(super) struct Checked {
    /// All findings, and the releases that could not be checked.
    pub report: Report,
    /// Those that could, with what they are called, in the order of the project.
    pub rendered: Vec<(String, Rendered)>,
}

/// Renders and judges all releases of a project.
///
/// # Errors
/// What concerns all of them. What concerns one is in the report.
pub(super) fn check(
    project: &Project,
    rules: &RuleArgs,
    source: Source,
    streams: &mut Streams<'_>,
) -> Result<Checked, Stop> {
    let releases = project.releases().map_err(Fault::from)?;
    if releases.is_empty() {
        let fault = Fault::new("there is nothing to check: the project has no releases");
        return Err(fault.help("list them under `releases` in plimsoll.yaml; docs/configuration.md tells how").into());
    }
    let charts = Charts::default();
    let jobs: Vec<(String, Job)> =
        releases.iter().map(|release| (release.label(), job(project, release, source))).collect();
    let progress = streams.progress("rendered", jobs.len());
    let outcomes = check::render_all(&jobs, &charts, &|| progress.inc(1));
    progress.finish_and_clear();
    let (mut rendered, mut failed) = (Vec::new(), Vec::new());
    let mut held: Vec<&Release> = Vec::new();
    for ((outcome, (label, _)), release) in outcomes.into_iter().zip(jobs).zip(&releases) {
        match outcome {
            Ok(done) => {
                rendered.push((label, done));
                held.push(release);
            }
            Err(reason) => failed.push(reason),
        }
    }
    let mut report = judge(&rendered, &held, project, rules)?;
    report.failed = failed;
    report.releases = Some(releases.len());
    Ok(Checked { report, rendered })
}

/// Judges the releases that were rendered, each by its own profiles.
fn judge(
    rendered: &[(String, Rendered)],
    releases: &[&Release],
    project: &Project,
    rules: &RuleArgs,
) -> Result<Report, Stop> {
    if rendered.is_empty() {
        return Ok(Report::default());
    }
    // The process ends soon: to give back every policy by itself would take as long as to read some.
    let catalogue = ManuallyDrop::new(rules.catalogue(project)?);
    let mut chosen: BTreeMap<Option<&[Profile]>, Chosen<'_>> = BTreeMap::new();
    for profiles in releases.iter().map(|release| release.profiles.as_deref()) {
        if !chosen.contains_key(&profiles) {
            chosen.insert(profiles, rules.choose(project, profiles, &catalogue)?);
        }
    }
    let ids: BTreeMap<_, _> = chosen.iter().map(|(profiles, chosen)| (*profiles, chosen.ids())).collect();
    let mut subjects = Vec::new();
    for ((label, rendered), release) in rendered.iter().zip(releases) {
        let subject = Subject::from(rendered).called(label);
        let version = release.kube_version.as_ref().map(|version| version.version.parse::<Minor>());
        let version = version.transpose().map_err(Fault::new)?;
        let held_to = ids.get(&release.profiles.as_deref());
        subjects.push(held_to.map_or(subject, |ids| subject.held_to(ids, version)));
    }
    let version = project.kube_version.as_ref().map(|version| version.version.parse::<Minor>());
    let all = Chosen::union(&catalogue, chosen.values());
    let rules = rules.rules(project, all, version.transpose().map_err(Fault::new)?)?;
    Ok(check::lint(&subjects, &rules)?)
}

/// What is to be rendered of a release.
fn job(project: &Project, release: &Release, source: Source) -> Job {
    let mut capabilities = Capabilities::default();
    if let Some(version) = release.kube_version.as_ref().or(project.kube_version.as_ref()) {
        capabilities.kube_version = version.clone();
    }
    capabilities.api_versions.extend(release.api_versions.iter().cloned());
    Job {
        root: project.root().to_path_buf(),
        chart: release.chart.clone(),
        release: render::Release {
            name: release.name.clone(),
            namespace: release.namespace.clone(),
            revision: 1,
            is_upgrade: false,
        },
        inputs: release.inputs.clone(),
        stdin: Vec::new(),
        capabilities,
        schema: SchemaCheck::Enforce,
        source: release.seed.map_or(source, Source::reproducible),
    }
}
