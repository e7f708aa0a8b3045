//! The pipeline, load to report. Start reading here.

mod explain;
mod fault;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use crate::chart::{self, Capabilities, Chart};
use crate::finding::{Fault, Report};
use crate::manifest::{self, Manifest, Object};
use crate::policy::{self, Policy, reach};
use crate::render::host::Source;
use crate::render::{Release, Scope, Templates};
use crate::source::SourceFile;
use crate::value::{Map, Value};
use crate::values::{self, Inputs, Resolved, SchemaCheck, Supplied};

/// The most bytes of a values file, and of a file for `--set-file`.
const MAX_VALUES: u64 = 64 << 20;

/// Which release of which chart is meant.
#[derive(Debug, Clone)]
pub struct Job {
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
}

/// A rendered release.
#[derive(Debug)]
pub struct Rendered {
    /// The documents, in Helm's order.
    pub manifests: Vec<Manifest>,
    /// What Helm warns of.
    pub warnings: Vec<String>,
    resolved: Resolved,
    templates: Templates,
    release: Release,
    capabilities: Capabilities,
    source: Source,
}

/// What policies are evaluated on: a rendered release, or plain manifests.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    manifests: &'a [Manifest],
    namespace: &'a str,
    capabilities: &'a Capabilities,
    rendered: Option<&'a Rendered>,
}

/// Loads a chart and renders a release of it.
///
/// # Errors
/// All that keeps it from being rendered; of templates every one that fails.
pub fn render(job: &Job) -> Result<Rendered, Vec<Fault>> {
    let supplied = Supplied::read(&job.inputs, &|name| job.read_values(name)).map_err(one)?;
    let chart = chart::load(&job.chart).map_err(one)?;
    job.release.check_name().map_err(one)?;
    let resolved = values::resolve(&chart, &supplied, &job.capabilities, job.schema).map_err(one)?;
    let templates = Templates::parse(&resolved.chart).map_err(fault::of_render)?;
    let mut rendered = Rendered {
        manifests: Vec::new(),
        warnings: resolved.warnings.clone(),
        resolved,
        templates,
        release: job.release.clone(),
        capabilities: job.capabilities.clone(),
        source: job.source,
    };
    rendered.manifests = match rendered.run(false) {
        Ok(manifests) => manifests,
        // Whatever is wrong with the text, its source map leads to the template.
        Err(_) => rendered.run(true)?,
    };
    Ok(rendered)
}

/// Reads plain manifests, in the order given.
pub fn read(files: Vec<Arc<SourceFile>>) -> Result<Vec<Manifest>, Vec<Fault>> {
    manifest::read(files.into_iter().map(|file| (file, None))).map_err(one)
}

/// Evaluates policies, and leads what they find back to templates and values.
///
/// # Errors
/// Whatever could not be checked; also where there was nothing to check.
pub fn lint(subject: &Subject<'_>, policies: &[&Policy]) -> Result<Report, Vec<Fault>> {
    let objects = subject.objects()?;
    let values: Vec<Value> = objects.iter().map(|object| object.value.clone()).collect();
    let violations = policy::evaluate(policies.iter().copied(), &subject.release(&values))
        .map_err(|error| one(fault::of_policy(&error, &objects)))?;
    let findings = explain::findings(subject, &objects, &violations)?;
    let warnings = subject.rendered.map(|rendered| rendered.warnings.clone()).unwrap_or_default();
    Ok(Report { findings, objects: objects.len(), policies: policies.len(), warnings })
}

/// Finds who can read which Secret, and hands over the graph with its objects and where they are.
///
/// # Errors
/// An object that no API server would take; more relations than anybody could read; also where there is no object.
pub fn reach<T>(
    subject: &Subject<'_>,
    then: impl FnOnce(&reach::Graph<'_>, &[Object], &[Manifest]) -> T,
) -> Result<T, Vec<Fault>> {
    let objects = subject.objects()?;
    let values: Vec<Value> = objects.iter().map(|object| object.value.clone()).collect();
    let release = subject.release(&values);
    let member = reach::Member { name: release.name, namespace: release.namespace, objects: &values };
    let graph = reach::Graph::new(&[member]);
    let graph = graph.map_err(|error| one(fault::of_reach(&error, &objects, subject.manifests)))?;
    Ok(then(&graph, &objects, subject.manifests))
}

impl Job {
    fn read_values(&self, name: &str) -> io::Result<Vec<u8>> {
        if name == "-" {
            return Ok(self.stdin.clone());
        }
        let mut bytes = Vec::new();
        File::open(name)?.take(MAX_VALUES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_VALUES {
            return Err(io::Error::other(format!("larger than {} MiB", MAX_VALUES >> 20)));
        }
        Ok(bytes)
    }
}

impl Rendered {
    /// The CRDs of the chart and its subcharts, as name and text.
    pub fn crds(&self) -> Vec<(String, String)> {
        let mut crds = Vec::new();
        collect_crds(&self.resolved.chart, self.resolved.chart.name().to_owned(), &mut crds);
        crds
    }

    /// Renders; the same text every time, whatever random functions the templates call.
    fn run(&self, trace: bool) -> Result<Vec<Manifest>, Vec<Fault>> {
        let scope = Scope {
            chart: &self.resolved.chart,
            values: &self.resolved.values,
            release: &self.release,
            capabilities: &self.capabilities,
            source: self.source,
            trace,
        };
        let files = self.templates.render(&scope).map_err(fault::of_render)?;
        let files = files.into_iter().map(|file| (SourceFile::new(file.name, file.text), file.map.map(Arc::new)));
        manifest::read(files).map_err(one)
    }
}

impl<'a> Subject<'a> {
    /// Manifests that no chart of ours rendered. Objects without a namespace belong to the one given.
    pub fn plain(manifests: &'a [Manifest], namespace: &'a str, capabilities: &'a Capabilities) -> Self {
        Self { manifests, namespace, capabilities, rendered: None }
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

    fn release(&self, objects: &'a [Value]) -> policy::Release<'a> {
        static NOTHING: LazyLock<Value> = LazyLock::new(|| Map::default().into());
        policy::Release {
            name: self.rendered.map_or("", |rendered| &rendered.release.name),
            namespace: self.namespace,
            kube_version: &self.capabilities.kube_version.version,
            values: self.rendered.map_or(&NOTHING, |rendered| &rendered.resolved.values),
            supplied: self.rendered.map_or(&NOTHING, |rendered| &rendered.resolved.supplied),
            objects,
        }
    }
}

impl<'a> From<&'a Rendered> for Subject<'a> {
    fn from(rendered: &'a Rendered) -> Self {
        Self {
            manifests: &rendered.manifests,
            namespace: &rendered.release.namespace,
            capabilities: &rendered.capabilities,
            rendered: Some(rendered),
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
