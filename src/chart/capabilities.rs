//! What the cluster offers, as templates see it in `.Capabilities`.
//!
//! Source: Helm's `pkg/chart/common/capabilities.go`.

/// What the cluster offers: Helm's defaults where nobody asked one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// `.Capabilities.KubeVersion`
    pub kube_version: KubeVersion,
    /// `.Capabilities.APIVersions`: `apps/v1`, and `apps/v1/Deployment` where a cluster or a flag said so
    pub api_versions: Vec<String>,
    /// `.Capabilities.HelmVersion`
    pub helm_version: HelmVersion,
}

/// The version of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeVersion {
    /// As given, with a leading `v`: `v1.33.4-gke.1245000`
    pub version: String,
    /// `v1.33.4`: what constraints are checked against and what `.String` prints
    pub normalized: String,
    /// `1`
    pub major: String,
    /// `33`
    pub minor: String,
}

/// The Helm whose rendering this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmVersion {
    /// `.Version`
    pub version: String,
    /// `.GitCommit`
    pub git_commit: String,
    /// `.GitTreeState`
    pub git_tree_state: String,
    /// `.GoVersion`
    pub go_version: String,
    /// `.KubeClientVersion`
    pub kube_client_version: String,
}
