//! Charts: what is in a folder or an archive, and what a cluster must offer to it.
//!
//! A [`Chart`] is immutable and cheap to clone: releases that use it share its files, and what a release changes
//! (which subcharts are enabled, under which names) is a new `Chart` around the same files.

mod archive;
mod capabilities;
mod directory;
mod error;
mod ignore;
mod load;
mod metadata;
mod pattern;
pub mod values_file;

use std::sync::Arc;

use crate::semver::{Constraint, Version};
use crate::source::SourceFile;
use crate::value::Value;

pub use archive::{ArchiveError, MAX_CHART_SIZE, MAX_FILE_SIZE, MAX_FILES, is_gzip, unpack_any};
pub use capabilities::{Capabilities, HelmVersion, KubeVersion, KubeVersionError};
pub use error::Error;
pub use ignore::IgnoreError;
pub use load::{load, load_below};
pub use metadata::{Dependency, Lock, Maintainer, Metadata, MetadataError};
pub use pattern::{BadPattern, path_match};
pub use values_file::ValuesFileError;

/// A chart and its subcharts.
#[derive(Debug, Clone)]
pub struct Chart {
    /// What Chart.yaml says. In a release, an aliased subchart has its alias as `name`.
    pub metadata: Arc<Metadata>,
    /// The text of Chart.yaml.
    pub chart_yaml: Arc<SourceFile>,
    /// What Chart.lock (or requirements.lock) says.
    pub lock: Option<Arc<Lock>>,
    /// Everything below `templates/`, in the order of loading. The native dialect's end in `.j2`.
    pub templates: Arc<[File]>,
    /// Everything else that `.Files` shows, `crds/` included.
    pub files: Arc<[File]>,
    /// The chart's own values, all documents of values.yaml merged: always a map. In a release, with what
    /// `import-values` brought.
    pub values: Value,
    /// The text of values.yaml.
    pub values_yaml: Option<Arc<SourceFile>>,
    /// values.schema.json.
    pub schema: Option<File>,
    /// The subcharts below `charts/`; in a release only the enabled ones.
    pub dependencies: Vec<Arc<Chart>>,
    /// What Helm warns of when it loads the chart.
    pub warnings: Arc<[String]>,
}

/// A file of a chart.
#[derive(Debug, Clone)]
pub struct File {
    /// The path inside the chart, with `/`: `templates/deployment.yaml`.
    pub name: Arc<str>,
    /// What is in it.
    pub content: Content,
}

/// The bytes of a file.
#[derive(Debug, Clone)]
pub enum Content {
    /// UTF-8. The source's name is the path that the user knows: `charts/web/templates/deployment.yaml`.
    Text(Arc<SourceFile>),
    /// Anything else.
    Binary(Arc<[u8]>),
}

/// A chart that is for another version of Kubernetes. The text is Helm's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("chart requires kubeVersion: {constraint} which is incompatible with Kubernetes {version}")]
pub struct KubeVersionMismatch {
    /// What Chart.yaml says.
    pub constraint: String,
    /// The version that there is.
    pub version: String,
}

impl Chart {
    /// The chart's name.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Whether it only offers named templates to others (`type: library`).
    pub fn is_library(&self) -> bool {
        self.metadata.kind == "library"
    }

    /// Checks the constraint on Kubernetes, if the chart has one.
    ///
    /// # Errors
    ///
    /// Where the version does not meet it, or it is none.
    pub fn check_kube_version(&self, capabilities: &Capabilities) -> Result<(), KubeVersionMismatch> {
        let (constraint, kube) = (&self.metadata.kube_version, &capabilities.kube_version);
        let allowed = constraint.is_empty()
            || matches!(
                (constraint.parse::<Constraint>(), kube.effective().parse::<Version>()),
                (Ok(constraint), Ok(version)) if constraint.allows(&version)
            );
        let mismatch = || KubeVersionMismatch { constraint: constraint.clone(), version: kube.version.clone() };
        if allowed { Ok(()) } else { Err(mismatch()) }
    }

    /// The names of the dependencies that Chart.yaml has and `charts/` has not.
    pub fn missing_dependencies(&self) -> Vec<String> {
        let has = |name: &str| self.dependencies.iter().any(|subchart| subchart.name() == name);
        self.metadata.dependencies.iter().map(|d| d.name.clone()).filter(|name| !has(name)).collect()
    }

    /// The files of `crds/` that are manifests, without those of subcharts.
    ///
    /// Source: Helm's `pkg/chart/v2/chart.go`, `CRDObjects`.
    pub fn crds(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| {
            file.name.starts_with("crds/")
                && file.name.rsplit('/').next().and_then(|base| base.rsplit_once('.')).is_some_and(|(_, extension)| {
                    ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
                })
        })
    }
}

impl File {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::Text(source) => source.text.as_bytes(),
            Content::Binary(bytes) => bytes,
        }
    }

    /// The text with its name, if it is UTF-8.
    pub fn source(&self) -> Option<&Arc<SourceFile>> {
        match &self.content {
            Content::Text(source) => Some(source),
            Content::Binary(_) => None,
        }
    }
}
