//! What the cluster offers, as templates see it in `.Capabilities`.
//!
//! Source: Helm's `pkg/chart/common/capabilities.go`.

use std::str::FromStr;

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
    /// `v1.33.4`; empty where a cluster said the version, which Helm leaves as it is
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

/// What client-go v0.35.1 and apiextensions register, in the order of `PrioritizedVersionsAllGroups`.
const API_VERSIONS: &[&str] = &[
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "autoscaling/v2beta1",
    "autoscaling/v2beta2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha1",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];

/// A text that is no version of Kubernetes. The texts are apimachinery's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KubeVersionError {
    /// No number at the start.
    #[error("could not parse {0:?} as version")]
    NoVersion(String),
    /// Only one number.
    #[error("illegal version string {0:?}")]
    Short(String),
    /// `v01.2`
    #[error("illegal zero-prefixed version component {component:?} in {version:?}")]
    ZeroPrefix {
        /// The number.
        component: String,
        /// The whole.
        version: String,
    },
    /// A number with more than 64 bits.
    #[error(
        "illegal non-numeric version component {component:?} in {version:?}: strconv.ParseUint: parsing {component:?}: value out of range"
    )]
    Number {
        /// The number.
        component: String,
        /// The whole.
        version: String,
    },
}

/// Those of Helm 4.1.4, which asks no cluster: Kubernetes 1.35.
impl Default for Capabilities {
    fn default() -> Self {
        let kube_version = KubeVersion {
            version: "v1.35.0".into(),
            normalized: "v1.35.0".into(),
            major: "1".into(),
            minor: "35".into(),
        };
        let helm_version = HelmVersion {
            version: "v4.1.4".into(),
            git_commit: "05fa37973dc9e42b76e1d2883494c87174b6074f".into(),
            git_tree_state: "clean".into(),
            go_version: "go1.25.9".into(),
            kube_client_version: "v1.35".into(),
        };
        Self { kube_version, api_versions: API_VERSIONS.iter().map(ToString::to_string).collect(), helm_version }
    }
}

impl KubeVersion {
    /// What constraints are checked against and what `.String` prints: `v1.33.4`.
    pub fn effective(&self) -> &str {
        if self.normalized.is_empty() { &self.version } else { &self.normalized }
    }
}

impl FromStr for KubeVersion {
    type Err = KubeVersionError;

    /// Reads what `--kube-version` takes: at least two numbers, perhaps a `v` before them, anything after them.
    ///
    /// Source: `ParseGeneric` of k8s.io/apimachinery's `pkg/util/version`.
    fn from_str(text: &str) -> Result<Self, KubeVersionError> {
        let start = text.trim_start();
        let start = start.strip_prefix('v').unwrap_or(start);
        let end = start.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(start.len());
        // `1.2..3` is `1.2` and something after it.
        let numbers = start[..end].split("..").next().unwrap_or_default().trim_end_matches('.');
        if !numbers.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(KubeVersionError::NoVersion(text.to_string()));
        }
        let components: Vec<&str> = numbers.split('.').collect();
        let [major, minor, ..] = components[..] else { return Err(KubeVersionError::Short(text.to_string())) };
        if major.len() > 1 && major.starts_with('0') {
            return Err(KubeVersionError::ZeroPrefix { component: major.to_string(), version: text.to_string() });
        }
        let mut normalized = Vec::new();
        for component in &components {
            let number: u64 = component.parse().map_err(|_| KubeVersionError::Number {
                component: component.to_string(),
                version: text.to_string(),
            })?;
            normalized.push(number.to_string());
        }
        Ok(Self {
            version: if text.starts_with('v') { text.to_string() } else { format!("v{text}") },
            major: normalized[0].clone(),
            minor: minor.parse::<u64>().unwrap_or_default().to_string(),
            normalized: format!("v{}", normalized.join(".")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubernetes_versions() {
        for (text, version, normalized, minor) in [
            ("1.21", "v1.21", "v1.21", "21"),
            ("v1.19.5", "v1.19.5", "v1.19.5", "19"),
            ("1.33.4-gke.1245000", "v1.33.4-gke.1245000", "v1.33.4", "33"),
            ("1.021.x", "v1.021.x", "v1.21", "21"),
        ] {
            let parsed: KubeVersion = text.parse().unwrap();
            assert_eq!((&*parsed.version, &*parsed.normalized, &*parsed.minor), (version, normalized, minor));
        }
        for (text, error) in [
            ("x", "could not parse \"x\" as version"),
            ("1", "illegal version string \"1\""),
            ("01.2", "illegal zero-prefixed version component \"01\" in \"01.2\""),
        ] {
            assert_eq!(text.parse::<KubeVersion>().unwrap_err().to_string(), error);
        }
    }
}
