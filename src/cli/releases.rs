//! The releases of a project, rendered and judged: what `check` and both sides of `diff` have in common.

use std::collections::{BTreeMap, HashMap, HashSet, btree_map};
use std::io;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::rule_args::RuleArgs;
use super::{Stop, Streams};
use crate::chart::{Capabilities, KubeVersion};
use crate::check::{self, Charts, Job, Rendered, Subject};
use crate::finding::{Fault, Report};
use crate::policy::{Chosen, Profile};
use crate::project::{Project, Release};
use crate::render;
use crate::render::host::Source;
use crate::report::plural;
use crate::schema::Minor;
use crate::values::SchemaCheck;

/// Why nothing was checked.
pub(super) fn nothing() -> Fault {
    Fault::new("there is nothing to check: no plimsoll.yaml lists any release")
        .help("`plimsoll init` writes one from what is in this folder")
}

/// The randomness and time that all releases of a run have in common.
pub(super) fn source() -> Result<Source, Fault> {
    Source::system().map_err(|error| Fault::new(format!("no random numbers: {error}")))
}

/// What a check of releases came to.
pub(super) struct Checked {
    /// All findings, and the releases that could not be checked.
    pub report: Report,
    /// Those that could, with what they are called, in the order of the project.
    pub rendered: Vec<(String, Rendered)>,
    /// The ids of the policies that each of these is held to.
    held_to: HashMap<String, Arc<HashSet<String>>>,
    /// How long it took to render, and to judge.
    took: [Duration; 2],
}

/// Renders and judges releases of a project.
///
/// # Errors
/// What concerns all of them. What concerns one is in the report.
pub(super) fn check(
    project: &Project,
    releases: &[Release],
    rules: &RuleArgs,
    source: Source,
    progress: &ProgressBar,
) -> Result<Checked, Stop> {
    let start = Instant::now();
    let jobs: Vec<(String, Job)> =
        releases.iter().map(|release| (release.label(), job(project, release, source))).collect();
    // The process ends soon: to give back every chart by itself would take as long as to read it.
    let charts = ManuallyDrop::new(Charts::default());
    let outcomes = check::render_all(&jobs, &charts, &|| progress.inc(1));
    let rendering = start.elapsed();
    let start = Instant::now();
    let mut checked = Checked {
        report: Report::default(),
        rendered: Vec::new(),
        held_to: HashMap::new(),
        took: [rendering, Duration::ZERO],
    };
    let (mut judged, mut failed): (Vec<&Release>, _) = (Vec::new(), Vec::new());
    for ((outcome, (label, _)), release) in outcomes.into_iter().zip(jobs).zip(releases) {
        match outcome {
            Ok(rendered) => {
                checked.rendered.push((label, rendered));
                judged.push(release);
            }
            Err(reason) => failed.push(reason),
        }
    }
    if !judged.is_empty() {
        checked.judge(&judged, project, rules)?;
    }
    checked.report.failed = failed;
    checked.report.releases = Some(releases.len());
    checked.took = [rendering, start.elapsed()];
    Ok(checked)
}

impl Checked {
    /// What was rendered, as policies see it.
    pub(super) fn subjects(&self) -> impl Iterator<Item = Subject<'_>> {
        self.rendered.iter().map(|(label, rendered)| Subject::from(rendered).called(label))
    }

    /// Says how long it took, to who wants to know.
    pub(super) fn tell(&self, streams: &mut Streams<'_>) -> io::Result<()> {
        let [rendering, judging] = self.took;
        let releases = plural(self.report.releases.unwrap_or_default(), "release");
        streams.took(&format!("rendered {releases}"), rendering)?;
        streams.took("checked them", judging)
    }

    /// The releases that could not be checked.
    pub(super) fn failed(&self) -> impl Iterator<Item = &str> {
        self.report.failed.iter().map(|failed| failed.release.as_str())
    }

    /// Whether a release, or for a finding of all of them any, is held to a policy.
    pub(super) fn is_held_to(&self, release: Option<&str>, policy: &str) -> bool {
        match release {
            Some(release) => self.held_to.get(release).is_some_and(|ids| ids.contains(policy)),
            None => self.held_to.values().any(|ids| ids.contains(policy)),
        }
    }

    /// Judges the releases that were rendered, each by its own profiles.
    fn judge(&mut self, releases: &[&Release], project: &Project, rules: &RuleArgs) -> Result<(), Stop> {
        let catalogue = ManuallyDrop::new(rules.catalogue(project)?);
        let mut chosen: BTreeMap<Option<&[Profile]>, Chosen<'_>> = BTreeMap::new();
        for profiles in releases.iter().map(|release| release.profiles.as_deref()) {
            if let btree_map::Entry::Vacant(vacant) = chosen.entry(profiles) {
                vacant.insert(rules.choose(project, profiles, &catalogue)?);
            }
        }
        let ids: BTreeMap<_, _> = chosen.iter().map(|(profiles, chosen)| (*profiles, chosen.ids())).collect();
        let minor = |version: &Option<KubeVersion>| {
            let version = version.as_ref().map(|version| version.version.parse::<Minor>());
            version.transpose().map_err(|error: String| Fault::new(error))
        };
        let mut subjects = Vec::new();
        for (subject, release) in self.subjects().zip(releases) {
            let held_to = ids.get(&release.profiles.as_deref());
            let version = minor(&release.kube_version)?;
            subjects.push(held_to.map_or(subject, |ids| subject.held_to(ids, version)));
        }
        let all = Chosen::union(&catalogue, chosen.values());
        let report = check::lint(&subjects, &rules.rules(project, all, minor(&project.kube_version)?)?)?;
        let owned = |ids: &HashSet<&str>| Arc::new(ids.iter().map(|id| (*id).to_owned()).collect::<HashSet<_>>());
        let owned: BTreeMap<_, _> = ids.iter().map(|(profiles, ids)| (*profiles, owned(ids))).collect();
        let held_to = self.rendered.iter().zip(releases).filter_map(|((label, _), release)| {
            Some((label.clone(), owned.get(&release.profiles.as_deref())?.clone()))
        });
        self.held_to = held_to.collect();
        self.report = report;
        Ok(())
    }
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
        cluster: None,
    }
}
