//! The arguments that say where objects are meant to go.

use super::Stop;
use crate::chart::{Capabilities, KubeVersion};
use crate::cluster::Cluster;
use crate::finding::Fault;
use crate::project::Project;
use crate::schema::Minor;

/// The namespace of a release, and what its cluster is said to be.
#[derive(Debug, clap::Args)]
pub(super) struct ClusterArgs {
    /// The namespace of the release; that of the context where a cluster is asked, else `default`
    #[arg(short, long, value_name = "NAME", help_heading = "Release")]
    namespace: Option<String>,
    /// Pretend that the cluster is of this Kubernetes version
    #[arg(long, value_name = "VERSION", help_heading = "Cluster")]
    kube_version: Option<String>,
    /// Pretend that the cluster offers these API versions too (repeatable)
    #[arg(short, long, value_name = "VERSION", value_delimiter = ',', help_heading = "Cluster")]
    api_versions: Vec<String>,
}

/// Where objects go.
#[derive(Debug)]
pub(super) struct Destination {
    /// The namespace of the release.
    pub namespace: String,
    /// What the cluster offers, or is said to offer.
    pub capabilities: Capabilities,
    /// The version of Kubernetes that objects are held to, where one is known.
    pub version: Option<Minor>,
    /// The cluster, where one is asked.
    pub cluster: Option<Cluster>,
}

impl Destination {
    /// Lets Ctrl-C end a command that only reads.
    pub(super) fn only_read(self) -> Self {
        self.cluster.iter().for_each(Cluster::end_at_interrupt);
        self
    }

    /// The cluster of a command that asks one always.
    pub(super) fn asked(&self) -> Result<&Cluster, Stop> {
        self.cluster.as_ref().ok_or_else(|| Fault::new("no cluster is asked").into())
    }
}

impl ClusterArgs {
    /// Where objects go: flags say more than the cluster, and that more than the project.
    pub(super) fn destination(&self, project: &Project, cluster: Option<Cluster>) -> Result<Destination, Stop> {
        let mut capabilities = cluster.as_ref().map(Cluster::capabilities).unwrap_or_default();
        let pretended = self.kube_version.as_deref().map(kube_version).transpose()?;
        let version = pretended.or_else(|| project.kube_version.clone().filter(|_| cluster.is_none()));
        let is_known = version.is_some() || cluster.is_some();
        if let Some(version) = version {
            capabilities.kube_version = version;
        }
        capabilities.api_versions.extend(self.api_versions.iter().cloned());
        let minor = is_known.then(|| capabilities.kube_version.version.parse()).transpose();
        let namespace = self.namespace.as_deref();
        let namespace = namespace.or_else(|| cluster.as_ref().map(|cluster| cluster.api().default_namespace()));
        Ok(Destination {
            namespace: namespace.unwrap_or("default").to_owned(),
            version: minor.map_err(|error: String| Fault::new(error))?,
            capabilities,
            cluster,
        })
    }
}

/// Reads `--kube-version`.
pub(super) fn kube_version(text: &str) -> Result<KubeVersion, Fault> {
    text.parse::<KubeVersion>().map_err(|error| {
        Fault::new(format!("invalid kube version '{text}': {error}")).help("for example: --kube-version 1.34")
    })
}
