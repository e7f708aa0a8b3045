//! The pipeline, load to report. Start reading here.

mod charts;
mod compare;
mod exempt;
mod explain;
mod fault;
mod fleet;
mod releases;
mod stored;

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

pub use charts::Charts;
pub use compare::compare;
pub use releases::render_all;
pub use stored::{compare_findings, manifests, slipped_in};

use fleet::Fleet;
use jiff::civil::Date;

use crate::bounded;
use crate::chart::{self, Capabilities, Chart};
use crate::finding::{Fault, Report};
use crate::manifest::{self, Manifest, Object};
use crate::policy::exemption::{Exemption, Honoured};
use crate::policy::{self, Chosen, PolicyKind, reach};
use crate::render::host::{Lookup, Source};
use crate::render::{Release, RenderedFile, Scope, Templates};
use crate::schema::{Minor, Schemas};
use crate::source::SourceFile;
use crate::value::{Path, Value};
use crate::values::{self, Inputs, Resolved, SchemaCheck, Supplied};

/// Which release of which chart is meant.
#[derive(Debug, Clone)]
pub struct Job {
    /// Where the paths of the chart and of values files begin: nowhere else than they say, where it is empty.
    pub root: PathBuf,
    /// A folder or a .tgz.
    pub chart: PathBuf,
    /// Its name and namespace.
    pub release: Release,
    /// Values files and flags.
    pub inputs: Inputs,
    /// What standard input had, for the values file `-`.
    pub stdin: Vec<u8>,
    /// What the cluster offers.
    pub capabilities: Capabilities,
    /// Whether values must meet values.schema.json.
    pub schema: SchemaCheck,
    /// Randomness and time for template functions.
    pub source: Source,
    /// The cluster that `lookup` asks; nothing is found where there is none.
    pub cluster: Option<Arc<dyn Lookup>>,
}

/// A rendered release.
#[derive(Debug)]
pub struct Rendered {
    /// The documents, in Helm's order.
    pub manifests: Vec<Manifest>,
    /// What Helm warns of.
    pub warnings: Vec<String>,
    resolved: Resolved,
    templates: Arc<Templates>,
    release: Release,
    capabilities: Capabilities,
    source: Source,
    cluster: Option<Arc<dyn Lookup>>,
}

/// What policies are evaluated on: a rendered release, or plain manifests.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    manifests: &'a [Manifest],
    namespace: &'a str,
    capabilities: &'a Capabilities,
    rendered: Option<&'a Rendered>,
    /// Whether the manifests are what was rendered: then findings are led back to templates.
    is_as_rendered: bool,
    /// What it is called in findings.
    label: Option<&'a str>,
    /// The ids of the policies that it is held to, where those are not all.
    chosen: Option<&'a HashSet<&'a str>>,
    /// The version of Kubernetes whose schemas it is held to, where that is not the one of all.
    version: Option<Minor>,
}

/// What a release is held to.
#[derive(Debug)]
pub struct Rules<'a> {
    /// The policies.
    pub chosen: Chosen<'a>,
    /// What the project exempts.
    pub exemptions: &'a [Exemption],
    /// The schemas that objects are held to.
    pub schemas: Schemas,
    /// Which exemptions count.
    pub honoured: Honoured,
    /// The day on which exemptions hold or are expired.
    pub today: Date,
}

/// Renders a release of a chart.
///
/// # Errors
/// All that keeps it from being rendered; of templates every one that fails.
pub fn render(job: &Job, charts: &Charts) -> Result<Rendered, Vec<Fault>> {
    let supplied = Supplied::read(&job.inputs, &|name| job.read_values(name)).map_err(one)?;
    let chart = charts.load(&job.root, &job.chart)?;
    job.release.check_name().map_err(one)?;
    let resolved =
        values::resolve_with(&chart, &supplied, &job.capabilities, job.schema, &charts.schemas).map_err(one)?;
    let templates = charts.parse(&resolved.chart)?;
    let mut rendered = Rendered {
        manifests: Vec::new(),
        warnings: resolved.warnings.clone(),
        resolved,
        templates,
        release: job.release.clone(),
        capabilities: job.capabilities.clone(),
        source: job.source,
        cluster: job.cluster.clone(),
    };
    rendered.manifests = match manifest::read(rendered.print(false, rendered.source)?) {
        Ok(manifests) => manifests,
        // Whatever is wrong with the text, its source map leads to the template.
        Err(_) => rendered.traced()?,
    };
    Ok(rendered)
}

/// Reads plain manifests, in the order given.
pub fn read(files: Vec<Arc<SourceFile>>) -> Result<Vec<Manifest>, Vec<Fault>> {
    manifest::read(files.into_iter().map(|file| (file, None))).map_err(one)
}

/// Evaluates policies on releases, and leads what they find back to templates and values.
///
/// # Errors
/// Whatever could not be checked; also where there was nothing to check.
pub fn lint(subjects: &[Subject<'_>], rules: &Rules<'_>) -> Result<Report, Vec<Fault>> {
    let fleet = Fleet::new(subjects)?;
    let policies = &rules.chosen.policies;
    let asks_schemas = policies.iter().any(|policy| policy.kind == PolicyKind::Schema);
    let asked = fleet.ask(asks_schemas.then_some(&rules.schemas))?;
    let violations = policy::evaluate(policies.iter().copied(), &fleet.releases(&asked))
        .map_err(|error| one(fault::of_policy(&error, &fleet.objects)))?;
    let findings = explain::findings(&fleet, rules, violations)?;
    let warnings =
        subjects.iter().filter_map(|subject| subject.rendered).flat_map(|rendered| rendered.warnings.clone());
    let evaluated = policies.iter().copied().chain(asked.brought());
    let found_by = explain::rules(&findings, evaluated);
    let profiles = rules.chosen.profiles.iter().map(ToString::to_string).collect();
    Ok(Report {
        rules: found_by,
        findings,
        objects: fleet.objects.len(),
        policies: policies.len() + asked.brought().count(),
        profiles,
        warnings: warnings.collect(),
        ..Report::default()
    })
}

/// Finds who can read which Secret in releases taken together. The graph is handed over with what tells where a field
/// of an object was rendered, or its nearest parent if it is missing.
///
/// # Errors
/// An object that no API server would take; more relations than anybody could read; also where there is no object.
pub fn reach<T>(
    subjects: &[Subject<'_>],
    then: impl FnOnce(&reach::Graph<'_>, &reach::Locate<'_>) -> T,
) -> Result<T, Vec<Fault>> {
    let fleet = Fleet::new(subjects)?;
    let values = fleet.values();
    let members = fleet.members(&values);
    let locate = |object: usize, field: &Path| {
        let (found, subject) = (fleet.objects.get(object)?, subjects.get(fleet.owner(object))?);
        Some(subject.manifests.get(found.manifest)?.locate(&found.prefix.join(field)))
    };
    let graph = reach::Graph::new(&members).map_err(|error| one(fault::of_reach(&error, &fleet.objects, &locate)))?;
    Ok(then(&graph, &locate))
}

impl Job {
    fn read_values(&self, name: &str) -> io::Result<Vec<u8>> {
        if name == "-" {
            return Ok(self.stdin.clone());
        }
        bounded::read(&self.root.join(name), values::MAX_FILE)
    }
}

impl Rendered {
    /// The CRDs of the chart and its subcharts, as name and text.
    pub fn crds(&self) -> Vec<(String, String)> {
        let mut crds = Vec::new();
        collect_crds(&self.resolved.chart, self.resolved.chart.name().to_owned(), &mut crds);
        crds
    }

    /// Its manifests again, with source maps.
    fn traced(&self) -> Result<Vec<Manifest>, Vec<Fault>> {
        manifest::read(self.print(true, self.source)?).map_err(one)
    }

    /// The release.
    pub fn release(&self) -> &Release {
        &self.release
    }

    /// Whether another source of randomness and time makes another text: then committed manifests are stale every time.
    pub fn depends_on(&self, other: Source) -> bool {
        let texts = |source| {
            let files = self.print(false, source).ok()?;
            Some(files.into_iter().map(|(file, _)| file.text.to_string()).collect::<Vec<_>>())
        };
        texts(self.source) != texts(other)
    }

    /// Renders; the same text every time from the same source, whatever random functions the templates call.
    fn print(&self, trace: bool, source: Source) -> Result<Vec<manifest::File>, Vec<Fault>> {
        let scope = Scope {
            chart: &self.resolved.chart,
            values: &self.resolved.values,
            release: &self.release,
            capabilities: &self.capabilities,
            source,
            cluster: self.cluster.as_ref(),
            trace,
        };
        let files = self.templates.render(&scope).map_err(fault::of_render)?;
        let named = |file: RenderedFile| (SourceFile::new(file.name, file.text), file.map.map(Arc::new));
        Ok(files.into_iter().map(named).collect())
    }
}

impl<'a> Subject<'a> {
    /// Manifests that no chart of ours rendered. Objects without a namespace belong to the one given.
    pub fn plain(manifests: &'a [Manifest], namespace: &'a str, capabilities: &'a Capabilities) -> Self {
        Self {
            manifests,
            namespace,
            capabilities,
            rendered: None,
            is_as_rendered: false,
            label: None,
            chosen: None,
            version: None,
        }
    }

    /// Calls it so in findings.
    #[must_use]
    pub fn called(self, label: &'a str) -> Self {
        Self { label: Some(label), ..self }
    }

    /// The same release with its objects as a cluster has them, or would have them.
    #[must_use]
    pub fn with_manifests(self, manifests: &'a [Manifest]) -> Self {
        Self { manifests, is_as_rendered: false, ..self }
    }

    /// What it is called in findings, if it has been said.
    pub fn label(&self) -> Option<&'a str> {
        self.label
    }

    /// Holds it to the policies with these ids only, and to the schemas of a version of Kubernetes.
    #[must_use]
    pub fn held_to(self, chosen: &'a HashSet<&'a str>, version: Option<Minor>) -> Self {
        Self { chosen: Some(chosen), version, ..self }
    }

    /// All objects; that there is at least one.
    fn objects(&self) -> Result<Vec<Object>, Vec<Fault>> {
        let of = |(index, manifest): (usize, &Manifest)| manifest.objects(index, self.namespace);
        let objects: Vec<Object> = self.manifests.iter().enumerate().flat_map(of).collect();
        if objects.is_empty() {
            let fault = Fault::new("there is nothing to check: no object was rendered or read");
            return Err(vec![
                fault.help("an empty result is no proof of safety; see whether a condition leaves all out"),
            ]);
        }
        Ok(objects)
    }

    fn release<'r>(&self, objects: &'r [Value]) -> policy::Release<'r>
    where
        'a: 'r,
    {
        let kube_version = &self.capabilities.kube_version.version;
        let plain = policy::Release::plain(self.namespace, kube_version, objects);
        match self.rendered {
            None => plain,
            Some(Rendered { release, resolved, .. }) => {
                policy::Release { name: &release.name, values: &resolved.values, supplied: &resolved.supplied, ..plain }
            }
        }
    }
}

impl<'a> From<&'a Rendered> for Subject<'a> {
    fn from(rendered: &'a Rendered) -> Self {
        Self {
            rendered: Some(rendered),
            is_as_rendered: true,
            ..Self::plain(&rendered.manifests, &rendered.release.namespace, &rendered.capabilities)
        }
    }
}

fn one(fault: impl Into<Fault>) -> Vec<Fault> {
    vec![fault.into()]
}

fn collect_crds(chart: &Chart, path: String, crds: &mut Vec<(String, String)>) {
    let text = |file: &chart::File| String::from_utf8_lossy(file.bytes()).into_owned();
    crds.extend(chart.crds().map(|file| (format!("{path}/{}", file.name), text(file))));
    for subchart in &chart.dependencies {
        collect_crds(subchart, format!("{path}/charts/{}", subchart.name()), crds);
    }
}
