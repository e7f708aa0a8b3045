//! What applying a release would come to: what `apply` and `diff --live` have in common.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::chart_args::ChartArgs;
use super::cluster_args::Destination;
use super::render::render;
use super::{Stop, Streams, target_args};
use crate::chart::Capabilities;
use crate::check::{self, Charts, Rendered, Rules, Subject};
use crate::cluster::prune::Kept;
use crate::cluster::{
    self, Api, ApplySet, Cluster, Conflict, DryRun, Hook, Members, Options, PATIENCE, Pod, PodDenied, Predicted, Wanted,
};
use crate::delta::{Base, Delta, Findings};
use crate::finding::{Fault, ObjectRef, Report};
use crate::json;
use crate::manifest::{self, Manifest};
use crate::report::plural;
use crate::source::SourceFile;
use crate::value::{self, Value};

/// What is meant: a release of a chart, or manifests.
#[derive(Debug, clap::Args)]
pub(super) struct LiveArgs {
    /// The release's name (the chart's where left out), and the chart; without a chart, -f names manifests
    #[arg(value_name = "[NAME] CHART")]
    pub name_and_chart: Vec<String>,
    /// The name of a release of manifests: without one, nothing is known of what it had before
    #[arg(long, value_name = "NAME", help_heading = "Release")]
    name: Option<String>,
    /// Take over fields that others manage, and objects of other releases
    #[arg(long, help_heading = "Apply")]
    force_conflicts: bool,
    /// Make the namespace of the release if it is not there
    #[arg(long, help_heading = "Apply")]
    create_namespace: bool,
    /// Leave what the release has no more
    #[arg(long, help_heading = "Apply")]
    pub no_prune: bool,
    /// Do not ask the cluster what it would make of the Pods of workloads
    #[arg(long, help_heading = "Apply")]
    no_pods: bool,
    #[command(flatten)]
    pub chart: ChartArgs,
}

/// A release as it was rendered, or manifests as they were read.
pub(super) struct Given {
    /// What the cluster knew of the release when it was read; none for manifests without a name.
    set: Option<ApplySet>,
    pub namespace: String,
    capabilities: Capabilities,
    rendered: Option<Rendered>,
    /// Plain manifests, or the CRDs of the chart.
    manifests: Vec<Manifest>,
}

/// What the cluster makes of it.
pub(super) struct Plan {
    /// What the cluster knows of the release, if that has a name.
    pub set: Option<ApplySet>,
    /// What is to be there.
    pub wanted: Vec<Wanted>,
    /// What the cluster says of each.
    pub dry_runs: Vec<DryRun>,
    /// What the release had, and has no more.
    pub orphans: Vec<Value>,
    /// What runs before and after.
    pub hooks: Vec<Hook>,
}

impl LiveArgs {
    /// How objects are applied.
    pub(super) fn options(&self) -> Options {
        Options { force: self.force_conflicts, pods: !self.no_pods, patience: PATIENCE }
    }

    /// Renders the chart, or reads the manifests.
    pub(super) fn given(&self, destination: &Destination, streams: &mut Streams<'_>) -> Result<Given, Stop> {
        let cluster = destination.asked()?;
        let release = |name: &str| cluster.run(ApplySet::read(cluster.api(), name, &destination.namespace));
        let given = Given {
            set: None,
            namespace: destination.namespace.clone(),
            capabilities: destination.capabilities.clone(),
            rendered: None,
            manifests: Vec::new(),
        };
        if self.name_and_chart.is_empty() {
            let manifests = self.read(streams)?;
            return Ok(Given { manifests, set: self.name.as_deref().map(release).transpose()?, ..given });
        }
        if self.name.is_some() {
            let fault = Fault::new("--name is given, and a chart");
            return Err(fault.help("the name of a chart's release stands before the chart").into());
        }
        if let Some(path) = self.name_and_chart.last().filter(|path| is_manifests(Path::new(path))) {
            let fault = Fault::new(format!("{path} is not a chart: it has no Chart.yaml"));
            return Err(fault.help(format!("manifests are named with -f: --name NAME -f {path}")).into());
        }
        let charts = Charts::default();
        let mut named = self.name_and_chart.clone();
        if let ([chart], None) = (named.as_slice(), &self.chart.name_template) {
            let name = charts.load(Path::new(""), Path::new(chart))?.name().to_owned();
            named.insert(0, name);
        }
        let mut job = self.chart.job(&named, destination, streams)?;
        let set = release(&job.release.name)?;
        job.release.is_upgrade |= set.exists();
        let rendered = render(&job, &charts, streams)?;
        for warning in &rendered.warnings {
            streams.warn(warning)?;
        }
        let crds = rendered.crds().into_iter().map(|(name, text)| (SourceFile::new(name, text), None));
        let manifests = manifest::read(crds).map_err(Fault::from)?;
        Ok(Given { set: Some(set), rendered: Some(rendered), manifests, ..given })
    }

    fn read(&self, streams: &mut Streams<'_>) -> Result<Vec<Manifest>, Stop> {
        if self.chart.values.is_empty() {
            let fault = Fault::new("neither a chart nor manifests are named");
            return Err(fault.help("for example: web ./chart, or -f manifests.yaml").into());
        }
        let mut files = Vec::new();
        for path in &self.chart.values {
            if Path::new(path).join("Chart.yaml").is_file() {
                let name = self.name.as_deref().unwrap_or("NAME");
                let fault = Fault::new(format!("{path} is a chart, and -f names manifests, or a chart's values"));
                return Err(fault.help(format!("give the chart without -f: {name} {path}")).into());
            }
            target_args::collect(Path::new(path), streams, &mut files)?;
        }
        Ok(check::read(files)?)
    }
}

/// Says what the server has warned of.
pub(super) fn tell_warnings(api: &Api, streams: &mut Streams<'_>) -> Result<(), Stop> {
    Ok(api.take_warnings().iter().try_for_each(|warning| streams.warn(warning))?)
}

/// Whether what is to be a chart is something else: a file of YAML or JSON, or a folder of such files.
fn is_manifests(path: &Path) -> bool {
    let is_text =
        |path: &Path| path.extension().is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known));
    if path.is_file() {
        return is_text(path);
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    !path.join("Chart.yaml").exists() && entries.map(|entry| entry.path()).any(|path| is_text(&path))
}

impl Given {
    /// As policies see it.
    pub(super) fn subject(&self) -> Subject<'_> {
        match &self.rendered {
            Some(rendered) => Subject::from(rendered),
            None => Subject::plain(&self.manifests, &self.namespace, &self.capabilities),
        }
    }

    /// All documents, the CRDs of the chart first.
    fn manifests(&self) -> Vec<&Manifest> {
        self.manifests.iter().chain(self.rendered.iter().flat_map(|rendered| &rendered.manifests)).collect()
    }

    /// `namespace/name`, as findings and changes name the release.
    fn label(&self) -> String {
        self.set.as_ref().map(|set| format!("{}/{}", set.namespace(), set.release())).unwrap_or_default()
    }
}

impl Plan {
    /// Asks the cluster what it would make of the objects.
    ///
    /// # Errors
    /// All objects that it would refuse, or that belong to somebody else.
    pub(super) fn make(cluster: &Cluster, given: &Given, args: &LiveArgs) -> Result<Self, Stop> {
        cluster.run(Self::ask(cluster.api(), given, args))
    }

    async fn ask(api: &Api, given: &Given, args: &LiveArgs) -> Result<Self, Stop> {
        let manifests = given.manifests();
        let set = given.set.clone();
        let labels: Vec<(&str, &str)> = set.iter().map(ApplySet::label).collect();
        let mut wanted = cluster::wanted(&manifests, &api.resources(), &given.namespace, &labels)?;
        if let Some(set) = &set {
            set.check_names(wanted.iter().map(|one| &one.reference))?;
        }
        let hooks = cluster::hooks(&manifests, &api.resources(), &given.namespace)?;
        if args.create_namespace {
            Wanted::add_namespace(&mut wanted, &api.resources(), &given.namespace)?;
        }
        let interrupted = |_| Fault::new("interrupted: nothing was changed");
        let dry_runs = cluster::dry_run(api, &wanted, args.options()).await.map_err(interrupted)?;
        let faults = refusals(&wanted, &dry_runs, given);
        if !faults.is_empty() {
            return Err(faults.into());
        }
        let mut plan = Self { set, wanted, dry_runs, orphans: Vec::new(), hooks };
        if plan.set.is_none() && !args.force_conflicts {
            for dry_run in &plan.dry_runs {
                if let (Some(live), Some(stored)) = (&dry_run.live, dry_run.stored()) {
                    ApplySet::check_stays(api, live, stored).await?;
                }
            }
        }
        if let Some(set) = &plan.set {
            for live in
                plan.dry_runs.iter().filter_map(|dry_run| dry_run.live.as_ref()).filter(|_| !args.force_conflicts)
            {
                set.check_member(api, live).await?;
            }
            if !args.no_prune {
                plan.orphans = Members::find(api, set).await?.orphans(&plan.wanted);
            }
        }
        Ok(plan)
    }

    /// What the cluster would store that is refused, though what it was given is not.
    pub(super) fn slipped_in(&self, given: &Given, rules: &mut Rules<'_>) -> Result<Report, Vec<Fault>> {
        slipped_in(given, rules, self.wanted.iter().zip(&self.dry_runs))
    }

    /// What changes in the cluster; with rules, in findings too.
    ///
    /// # Errors
    /// As of [`check::compare`].
    pub(super) fn delta(
        &self,
        context: &str,
        given: &Given,
        rules: Option<&mut Rules<'_>>,
    ) -> Result<Delta, Vec<Fault>> {
        let [before, after] = self.sides()?;
        let label = given.label();
        let of = |manifests| given.subject().called(&label).with_manifests(manifests);
        let (old, new) = (Some(of(&before)).filter(|_| !before.is_empty()), of(&after));
        let findings = rules.map(|rules| check::compare_findings(old, new, rules)).transpose()?.unwrap_or_default();
        let (mut objects, access) = check::compare(old.as_slice(), &[new])?;
        // Offline, what has no namespace is taken to be in that of the release.
        for one in objects.iter_mut().filter(|one| !self.is_namespaced(&one.object)) {
            one.object.namespace = None;
        }
        let Findings { new, mended, silenced, unchanged } = findings;
        let base = Base::Live { context: context.to_owned() };
        Ok(Delta { base, releases: 1, objects, access, new, mended, silenced, unchanged, ..Delta::default() })
    }

    /// Whether the cluster has objects of this kind in namespaces.
    fn is_namespaced(&self, object: &ObjectRef) -> bool {
        let is_kind = |other: &ObjectRef| (&other.api_version, &other.kind) == (&object.api_version, &object.kind);
        let wanted = self.wanted.iter().find(|one| is_kind(&one.reference)).map(|one| one.resource.is_namespaced);
        let orphan =
            || self.orphans.iter().map(cluster::reference).find(is_kind).map(|other| other.namespace.is_some());
        wanted.or_else(orphan).unwrap_or(true)
    }

    /// The objects as they are, those that are to go too (what is kept does not); and as they will be.
    fn sides(&self) -> Result<[Vec<Manifest>; 2], Vec<Fault>> {
        let live = self.wanted.iter().zip(&self.dry_runs);
        let live =
            live.filter_map(|(one, dry_run)| Some((one.reference.clone(), cluster::normal(dry_run.live.as_ref()?))));
        let gone = self.orphans.iter().filter(|object| Kept::of(object).is_none());
        let gone = gone.map(|object| (cluster::reference(object), cluster::normal(object)));
        let before: Vec<(ObjectRef, Value)> = live.chain(gone).collect();
        let stored = |(one, dry_run): (&Wanted, &DryRun)| {
            (one.reference.clone(), cluster::normal(dry_run.stored().unwrap_or(&one.value)))
        };
        let after: Vec<(ObjectRef, Value)> = self.wanted.iter().zip(&self.dry_runs).map(stored).collect();
        Ok([manifests_of(&before, "live")?, manifests_of(&after, "to be")?])
    }
}

/// What a cluster would store of some objects that is refused, though what it was given is not.
///
/// # Errors
/// What cannot be judged: a Pod that the cluster did not show.
pub(super) fn slipped_in<'p>(
    given: &Given,
    rules: &mut Rules<'_>,
    answers: impl Iterator<Item = (&'p Wanted, &'p DryRun)>,
) -> Result<Report, Vec<Fault>> {
    let (mut sent, mut stored, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for (one, dry_run) in answers {
        let Predicted::Stored { object, pod } = &dry_run.predicted else { continue };
        sent.push((one.reference.clone(), one.value.clone()));
        stored.push((one.reference.clone(), object.clone()));
        match pod {
            None => {}
            Some(Pod::Stored { given, stored: made }) => {
                let reference = ObjectRef { api_version: "v1".into(), kind: "Pod".into(), ..one.reference.clone() };
                sent.push((reference.clone(), given.clone()));
                stored.push((reference, made.clone()));
            }
            Some(Pod::Denied(why, error)) => faults.push(denied(&one.reference, *why, error)),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if stored.is_empty() {
        return Ok(Report::default());
    }
    let (sent, stored) = (manifests_of(&sent, "as given")?, manifests_of(&stored, "as the cluster would store it")?);
    check::slipped_in(given.subject().with_manifests(&sent), given.subject().with_manifests(&stored), rules)
}

fn manifests_of(objects: &[(ObjectRef, Value)], whose: &str) -> Result<Vec<Manifest>, Vec<Fault>> {
    check::manifests(objects.iter().map(|(reference, value)| (reference, value)), whose)
}

/// What the cluster has against the objects. That there is no such namespace is said once.
fn refusals(wanted: &[Wanted], dry_runs: &[DryRun], given: &Given) -> Vec<Fault> {
    let mut homeless: BTreeMap<&str, usize> = BTreeMap::new();
    let mut faults = Vec::new();
    for (one, dry_run) in wanted.iter().zip(dry_runs) {
        match (&dry_run.predicted, one.namespace()) {
            (Predicted::Refused(error), Some(namespace)) if error.is_without_namespace(namespace) => {
                *homeless.entry(namespace).or_default() += 1;
            }
            (Predicted::Refused(error), _) => faults.push(given.about(one, error)),
            (Predicted::Conflicts(conflicts), _) => faults.push(given.conflict(one, conflicts)),
            (Predicted::Stored { .. } | Predicted::Later(_), _) => {}
        }
    }
    let homeless = homeless.into_iter().map(|(namespace, count)| {
        let fault = Fault::new(format!("there is no namespace {namespace} for {}", plural(count, "object")));
        match namespace == given.namespace {
            true => fault.help("make it with --create-namespace, or name another with --namespace"),
            false => fault.help("make it first, or add it to what is applied"),
        }
    });
    homeless.chain(faults).collect()
}

impl Given {
    /// An error with the object that it is about, and where that was written.
    pub(super) fn about(&self, one: &Wanted, error: &cluster::Error) -> Fault {
        let fault = Fault::from(error.clone()).about(&one.reference);
        // Of what the server did not even look at, nothing is wrong.
        if error.code().is_none() {
            return fault;
        }
        one.locate(fault, &error.fields(&one.value), &self.manifests())
    }

    /// The fields of an object that others manage, and where they were written.
    pub(super) fn conflict(&self, one: &Wanted, conflicts: &[Conflict]) -> Fault {
        let fields: Vec<value::Path> = conflicts.iter().map(|conflict| conflict.path.clone()).collect();
        one.locate(conflict(&one.reference, conflicts), &fields, &self.manifests())
    }
}

/// The fields of an object that others manage.
fn conflict(object: &ObjectRef, conflicts: &[Conflict]) -> Fault {
    let shown = |value: &Option<Value>| {
        let text = value.as_ref().map(|value| json::to_json_raw(value).unwrap_or_default());
        text.unwrap_or_else(|| "nothing".to_owned())
    };
    let fields = conflicts.iter().map(|conflict| {
        let Conflict { field, owner, live, wanted, .. } = conflict;
        format!("\n  {field}: {} by {owner}, wanted {}", shown(live), shown(wanted))
    });
    let count = plural(conflicts.len(), "field");
    let are = if conflicts.len() == 1 { "is" } else { "are" };
    let fault = Fault::new(format!("{object}: {count} {are} managed by others{}", fields.collect::<String>()));
    fault.help("leave the fields out of what is applied, or take them over with --force-conflicts")
}

/// Why nobody knows what would become of the Pods of a workload.
fn denied(object: &ObjectRef, why: PodDenied, error: &cluster::Error) -> Fault {
    let what = match why {
        PodDenied::Forbidden | PodDenied::Quota => "what its Pods would be is not known",
        PodDenied::Refused => "its Pods would be refused",
    };
    Fault::from(error.clone()).about(format_args!("{object}: {what}"))
}
