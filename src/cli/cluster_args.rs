//! The arguments that say where objects are meant to go.

use super::Stop;
use crate::chart::{Capabilities, KubeVersion};
use crate::finding::Fault;
use crate::project::Project;
use crate::schema::Minor;

/// The namespace of a release, and what its cluster is said to be.
#[derive(Debug, clap::Args)]
pub(super) struct ClusterArgs {
    /// The namespace of the release
    #[arg(short, long, value_name = "NAME", default_value = "default", help_heading = "Release")]
    pub namespace: String,
    /// Pretend that the cluster is of this Kubernetes version
    #[arg(long, value_name = "VERSION", help_heading = "Cluster")]
    kube_version: Option<String>,
    /// Pretend that the cluster offers these API versions too (repeatable)
    #[arg(short, long, value_name = "VERSION", value_delimiter = ',', help_heading = "Cluster")]
    api_versions: Vec<String>,
}

impl ClusterArgs {
    /// The version of Kubernetes that is named.
    pub(super) fn minor(&self, project: &Project) -> Result<Option<Minor>, Stop> {
        let named = self.kube_version.is_some() || project.kube_version.is_some();
        let version = named.then(|| self.capabilities(project)).transpose()?;
        let minor = version.map(|capabilities| capabilities.kube_version.version.parse()).transpose();
        Ok(minor.map_err(|error: String| Fault::new(error))?)
    }

    /// What the cluster is said to offer.
    pub(super) fn capabilities(&self, project: &Project) -> Result<Capabilities, Stop> {
        let mut capabilities = Capabilities::default();
        if let Some(version) = &project.kube_version {
            capabilities.kube_version = version.clone();
        }
        if let Some(version) = &self.kube_version {
            capabilities.kube_version = kube_version(version)?;
        }
        capabilities.api_versions.extend(self.api_versions.iter().cloned());
        Ok(capabilities)
    }
}

/// Reads `--kube-version`.
pub(super) fn kube_version(text: &str) -> Result<KubeVersion, Fault> {
    text.parse::<KubeVersion>().map_err(|error| {
        Fault::new(format!("invalid kube version '{text}': {error}")).help("for example: --kube-version 1.34")
    })
}
