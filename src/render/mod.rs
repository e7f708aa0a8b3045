//! Charts and values to text: Go templates and Jinja.

pub mod any;
pub mod functions;
pub mod glob;
pub mod gotemplate;
pub mod host;
pub mod jinja;
pub mod objects;
pub mod print;
pub mod strconv;

use std::sync::Arc;

use crate::chart::{Capabilities, Chart};
use crate::source::{SourceFile, SourceMap};
use crate::value::Value;

/// A release as its templates see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// `.Release.Name`
    pub name: String,
    /// `.Release.Namespace`
    pub namespace: String,
    /// `.Release.Revision`, from 1
    pub revision: i64,
    /// `.Release.IsUpgrade`; an install where it is not
    pub is_upgrade: bool,
}

/// A name that no release may have. The texts are Helm's (`ValidateReleaseName`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// None at all.
    #[error("release name check failed: release name \"\": no name provided")]
    Missing,
    /// No DNS name, or too long.
    #[error(
        "release name check failed: release name {0:?}: invalid release name, must match regex \
         ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ \
         and the length must not be longer than 53"
    )]
    Invalid(String),
}

impl Release {
    /// Checks the name: labels of small letters, digits and inner hyphens, 53 bytes at most.
    pub fn check_name(&self) -> Result<(), NameError> {
        match self.name.as_bytes() {
            [] => Err(NameError::Missing),
            name if name.len() <= 53 && name.split(|byte| *byte == b'.').all(is_label) => Ok(()),
            _ => Err(NameError::Invalid(self.name.clone())),
        }
    }
}

/// Whether this is a DNS label, whatever its length: small letters, digits and inner hyphens.
pub fn is_label(label: &[u8]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    label.first().is_some_and(is_word)
        && label.last().is_some_and(is_word)
        && label.iter().all(|byte| is_word(byte) || *byte == b'-')
}

/// What a template became.
#[derive(Debug, Clone)]
pub struct RenderedFile {
    /// The template's name as Helm prints it: `workspace/templates/deployment.yaml`.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// What wrote each byte of it, where that was asked for.
    pub map: Option<SourceMap>,
}

/// The templates of a chart and its subcharts, of both dialects, parsed once for any number of releases.
#[derive(Debug)]
pub struct Templates {
    go: gotemplate::Templates,
    jinja: Vec<Native>,
}

/// The native templates of one chart of the tree.
#[derive(Debug)]
struct Native {
    /// The subcharts on the way to it, from the root's child on.
    path: Vec<String>,
    engine: jinja::Engine,
}

/// What a render depends on beside the templates.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The chart as the release sees it.
    pub chart: &'a Chart,
    /// `.Values` of the root chart.
    pub values: &'a Value,
    /// The release.
    pub release: &'a Release,
    /// What the cluster offers.
    pub capabilities: &'a Capabilities,
    /// Randomness and time.
    pub source: host::Source,
    /// What `lookup` asks; nothing is found where there is none.
    pub cluster: Option<&'a Arc<dyn host::Lookup>>,
    /// Whether every file gets a source map.
    pub trace: bool,
}

/// Templates that do not parse, or do not render.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// In Helm's dialect.
    #[error(transparent)]
    Go(#[from] gotemplate::Error),
    /// In the native dialect.
    #[error(transparent)]
    Jinja(#[from] jinja::Error),
}

impl Templates {
    /// Parses the templates of a chart as a release sees it. What ends in `.j2` is native, the rest is Helm's.
    pub fn parse(chart: &Chart) -> Result<Self, Error> {
        let mut jinja = Vec::new();
        collect(chart, chart.name().to_owned(), &mut Vec::new(), &mut jinja)?;
        Ok(Self { go: gotemplate::Templates::parse(chart)?, jinja })
    }

    /// Renders one release: every template that is no partial, in the order of their names.
    pub fn render<'a>(&self, scope: &Scope<'a>) -> Result<Vec<RenderedFile>, Error> {
        let scope_of_helm = gotemplate::Scope {
            chart: scope.chart,
            values: scope.values,
            release: scope.release,
            capabilities: scope.capabilities,
            host: &|| scope.source.host_within(0, scope.cluster.cloned()),
        };
        let mut files = self.go.render(&scope_of_helm, scope.trace)?;
        let nothing = Value::Map(Default::default());
        for (number, native) in self.jinja.iter().enumerate() {
            let below = |chart: &'a Chart, name: &String| {
                chart.dependencies.iter().map(|subchart| &**subchart).find(|subchart| subchart.name() == name)
            };
            let chart = native.path.iter().try_fold(scope.chart, below).unwrap_or(scope.chart);
            let scope_of_chart = jinja::Scope {
                values: scope.values.at(native.path.iter().map(String::as_str)).unwrap_or(&nothing),
                release: scope.release,
                chart: &chart.metadata,
                capabilities: scope.capabilities,
                files: &chart.files,
                host: &|| scope.source.host_within(number + 1, scope.cluster.cloned()),
            };
            files.extend(native.engine.render(&scope_of_chart, scope.trace)?);
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files.retain(|file| !file.name.ends_with("NOTES.txt") && !file.name.ends_with("NOTES.txt.j2"));
        Ok(files)
    }
}

fn collect(chart: &Chart, name: String, path: &mut Vec<String>, found: &mut Vec<Native>) -> Result<(), Error> {
    let templates: Vec<_> = chart
        .templates
        .iter()
        .filter(|file| file.name.ends_with(".j2"))
        .map(|file| {
            let name = format!("{name}/{}", file.name);
            let lossy = || SourceFile::new(name.clone(), String::from_utf8_lossy(file.bytes()));
            jinja::Template { source: file.source().cloned().unwrap_or_else(lossy), name }
        })
        .collect();
    if !templates.is_empty() {
        found.push(Native { path: path.clone(), engine: jinja::Engine::new(&templates)? });
    }
    for subchart in &chart.dependencies {
        path.push(subchart.name().to_owned());
        collect(subchart, format!("{name}/charts/{}", subchart.name()), path, found)?;
        path.pop();
    }
    Ok(())
}
