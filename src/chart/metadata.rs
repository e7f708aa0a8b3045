//! Chart.yaml, and Chart.lock.
//!
//! Source: Helm's `pkg/chart/v2/metadata.go` and `dependency.go`.

use std::sync::Arc;

use crate::value::Value;

/// What Chart.yaml says about a chart. What it does not say is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// `name`
    pub name: String,
    /// `home`: a web page
    pub home: String,
    /// `sources`: addresses of source code
    pub sources: Vec<String>,
    /// `version`: a semantic version, perhaps with a leading `v`
    pub version: String,
    /// `description`
    pub description: String,
    /// `keywords`
    pub keywords: Vec<String>,
    /// `maintainers`
    pub maintainers: Vec<Maintainer>,
    /// `icon`: an address
    pub icon: String,
    /// `apiVersion`: `v1` or `v2`
    pub api_version: String,
    /// `condition`
    pub condition: String,
    /// `tags`
    pub tags: String,
    /// `appVersion`
    pub app_version: String,
    /// `deprecated`
    pub deprecated: bool,
    /// `annotations`, sorted
    pub annotations: Vec<(Arc<str>, Arc<str>)>,
    /// `kubeVersion`: a constraint
    pub kube_version: String,
    /// `dependencies`, or those of a version 1 chart's requirements.yaml
    pub dependencies: Vec<Dependency>,
    /// `type`: empty, `application` or `library`
    pub kind: String,
}

/// A person who looks after a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Maintainer {
    /// `name`
    pub name: String,
    /// `email`
    pub email: String,
    /// `url`
    pub url: String,
}

/// A chart that another one needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dependency {
    /// `name`, as in the dependency's own Chart.yaml
    pub name: String,
    /// `version`: a constraint, in a lock file one version
    pub version: String,
    /// `repository`: an address
    pub repository: String,
    /// `condition`: comma-separated values paths, the first that is a boolean decides
    pub condition: String,
    /// `tags`
    pub tags: Vec<String>,
    /// `enabled`
    pub enabled: bool,
    /// `import-values`: strings, or maps with `child` and `parent`
    pub import_values: Vec<Value>,
    /// `alias`
    pub alias: String,
}

/// What Chart.lock says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lock {
    /// `generated`: when
    pub generated: String,
    /// `digest` of the dependencies
    pub digest: String,
    /// `dependencies`, each with its exact version
    pub dependencies: Vec<Dependency>,
}

/// What Helm refuses in a Chart.yaml.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("validation: {0}")]
pub struct MetadataError(pub String);
