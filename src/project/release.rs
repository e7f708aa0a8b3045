//! A release as the project file has it.

use std::path::PathBuf;

use crate::chart::KubeVersion;
use crate::policy::Profile;
use crate::source::Location;
use crate::values::Inputs;

/// One release of the project. Paths begin where those of the command line do: at the root of the work tree that is
/// looked at, not in the project file's folder.
#[derive(Debug, Clone)]
pub struct Release {
    /// `.Release.Name`
    pub name: String,
    /// `.Release.Namespace`
    pub namespace: String,
    /// The chart: a folder or a .tgz.
    pub chart: PathBuf,
    /// Values files and what is set.
    pub inputs: Inputs,
    /// The profiles that its policies are chosen by, where those are not the project's.
    pub profiles: Option<Vec<Profile>>,
    /// The version of Kubernetes that it is meant for, where that is not the project's.
    pub kube_version: Option<KubeVersion>,
    /// What the cluster offers besides.
    pub api_versions: Vec<String>,
    /// Makes random functions reproducible.
    pub seed: Option<u64>,
    /// Where the project file has it.
    pub place: Location,
}

impl Release {
    /// What it is called where there are several: `namespace/name`. No two releases of a project have the same.
    pub fn label(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}
