//! Manifests that are committed: which files they are in, and whether those are stale.

use std::path::PathBuf;

/// Where the manifests of the releases are committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The folder, from where the command line's paths begin.
    pub folder: PathBuf,
    /// How it is divided.
    pub layout: Layout,
}

/// How manifests are divided into files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// A file for each release: `<namespace>/<release>.yaml`
    #[default]
    Release,
    /// A file for each object: `<namespace>/<release>/<kind>-<name>.yaml`
    Object,
}
