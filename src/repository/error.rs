//! Why the dependencies of a chart cannot be had, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use super::address::AddressError;
use super::http::HttpError;
use super::index::IndexError;
use super::package::PackageError;
use super::registry::RegistryError;
use crate::chart;
use crate::semver;
use crate::source::Location;

/// Why the dependencies of a chart cannot be had. The texts are Helm's where Helm has a good one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An archive, or nothing at all.
    #[error("{} is no folder: only unpacked charts can be updated", .0.display())]
    NotAFolder(PathBuf),
    /// The chart itself cannot be loaded.
    #[error(transparent)]
    Chart(#[from] Box<chart::Error>),
    /// A dependency whose name cannot be that of a file.
    #[error("dependency {0:?} has no name that a chart can have")]
    Name(String),
    /// A version that is no constraint.
    #[error("dependency {name:?} has an invalid version/constraint format: {error}")]
    Constraint {
        /// The dependency.
        name: String,
        /// What is wrong.
        error: semver::Error,
    },
    /// `@name` or `alias:name`.
    #[error("dependency {name:?} is in the repository {repository:?}, and plimsoll keeps no list of repositories")]
    Alias {
        /// The dependency.
        name: String,
        /// As written.
        repository: String,
    },
    /// Something else than `http`, `https`, `oci` and `file`.
    #[error("dependency {name:?} is in the repository {repository:?}: {error}")]
    Repository {
        /// The dependency.
        name: String,
        /// As written.
        repository: String,
        /// What is wrong.
        error: AddressError,
    },
    /// A remote repository, and no network.
    #[error("dependency {name:?} is in the repository {repository:?}, which only `plimsoll deps` asks")]
    Remote {
        /// The dependency.
        name: String,
        /// As written.
        repository: String,
    },
    /// A `file://` repository that is not there.
    #[error("directory {} not found", .0.display())]
    NoFolder(PathBuf),
    /// A `file://` repository that cannot be loaded.
    #[error("dependency {name:?} in {} cannot be loaded: {error}", folder.display())]
    Local {
        /// The dependency.
        name: String,
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        error: Box<chart::Error>,
    },
    /// A `file://` dependency that cannot be packaged.
    #[error("dependency {name:?} cannot be packaged: {error}")]
    Package {
        /// The dependency.
        name: String,
        /// Why.
        #[source]
        error: PackageError,
    },
    /// A dependency without a repository that is not in `charts/`.
    #[error("dependency {name:?} names no repository, and charts/ holds no {name} {version}")]
    NotVendored {
        /// The dependency.
        name: String,
        /// The constraint.
        version: String,
    },
    /// A repository without the chart.
    #[error("{name} chart not found in repo {repository}")]
    NoChart {
        /// The dependency.
        name: String,
        /// As written.
        repository: String,
    },
    /// Charts of which no version fits.
    #[error(
        "can't get a valid version for {} subchart(s): {}. Make sure a matching chart version exists in the repo, or change the version constraint in Chart.yaml",
        .0.len(), .0.join(", ")
    )]
    NoVersion(Vec<String>),
    /// `--locked` without a lock file.
    #[error("there is no {0} to follow")]
    NoLock(&'static str),
    /// A lock file that is not of these dependencies.
    #[error(
        "the lock file ({lock}) is out of sync with the dependencies file ({dependencies}). Please update the dependencies"
    )]
    OutOfSync {
        /// `Chart.lock` or `requirements.lock`.
        lock: &'static str,
        /// `Chart.yaml` or `requirements.yaml`.
        dependencies: &'static str,
    },
    /// A lock file that cannot be written.
    #[error("{0} cannot be written: {1}")]
    Lock(&'static str, crate::yaml::WriteError),
    /// Dependencies that have no digest.
    #[error("{0} cannot be written: {1}")]
    Digests(&'static str, crate::json::Error),
    /// The network client cannot be set up.
    #[error("{0}")]
    Client(HttpError),
    /// A request that failed.
    #[error("{address}: {error}")]
    Http {
        /// What was asked for.
        address: String,
        /// Why.
        #[source]
        error: HttpError,
    },
    /// A repository's index that cannot be read.
    #[error("{address} is no index of a chart repository: {error}")]
    Index {
        /// Its address.
        address: String,
        /// Why.
        #[source]
        error: IndexError,
    },
    /// An address in an index.
    #[error("the index of {repository} has an address for {chart} that cannot be used, {url:?}: {error}")]
    Url {
        /// As written.
        repository: String,
        /// Its name and version.
        chart: String,
        /// As written.
        url: String,
        /// What is wrong.
        error: AddressError,
    },
    /// A registry that did not give what was wanted.
    #[error("{repository}: {error}")]
    Registry {
        /// The address.
        repository: String,
        /// Why.
        #[source]
        error: RegistryError,
    },
    /// An archive that is not the one in the index.
    #[error("{from} has the digest {found}, but its index promises {expected:?}")]
    Digest {
        /// Where it came from.
        from: String,
        /// Promised.
        expected: String,
        /// Computed.
        found: super::Digest,
    },
    /// An archive that is no chart.
    #[error("{from} is no chart: {error}")]
    Archive {
        /// Where it came from.
        from: String,
        /// Why.
        #[source]
        error: Box<chart::Error>,
    },
    /// An archive of another chart.
    #[error("{from} holds {found}, not {wanted}")]
    OtherChart {
        /// Where it came from.
        from: String,
        /// Its name and version.
        found: String,
        /// The name and version that were expected.
        wanted: String,
    },
    /// Two dependencies with the same name and version and different contents.
    #[error("two dependencies are both {0}, from different repositories and with different contents")]
    Conflict(String),
    /// A link where a file or folder of the chart should be.
    #[error("{} is a symbolic link: what it points to is left alone", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// `charts` is a file.
    #[error("{:?} is not a directory", path.display().to_string())]
    ChartsNoFolder {
        /// The file.
        path: PathBuf,
    },
    /// The file system refuses.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
}

impl Error {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), error }
    }

    /// The place in a file of the chart that is at fault.
    pub fn location(&self) -> Option<Location> {
        match self {
            Self::Chart(error) | Self::Local { error, .. } => error.location(),
            _ => None,
        }
    }

    /// The way out.
    pub fn help(&self) -> Option<String> {
        let unauthorized = |error: &HttpError| match error {
            HttpError::Unauthorized { with_login: false, host, secure, .. } => Some(format!(
                "say who asks: --login {host} --username NAME --password-stdin{}",
                if *secure { "" } else { ", and --plain-http to send the password without encryption" }
            )),
            HttpError::Transport(text) if text.contains("UnknownIssuer") => {
                Some("trust the server's certificates with --ca-file FILE".to_string())
            }
            _ => None,
        };
        match self {
            Self::Alias { .. } => Some(
                "write the address of the repository into Chart.yaml, as in `repository: https://charts.example.com/stable` or `oci://registry.example.com/charts`"
                    .into(),
            ),
            Self::Repository { .. } => Some(
                "write `https://…` for a chart repository, `oci://…` for a registry, `file://../folder` for a chart on disk, or nothing for a chart in charts/"
                    .into(),
            ),
            Self::NotVendored { .. } => {
                Some("put the chart into charts/, or write its `repository` into Chart.yaml".into())
            }
            Self::NoLock(_) | Self::OutOfSync { .. } => Some("run `plimsoll deps` without --locked".into()),
            Self::Http { error, .. } => unauthorized(error),
            Self::Registry { error: RegistryError::Http(HttpError::NotTls), .. } => {
                Some("if the registry is to be trusted without encryption, say --plain-http".into())
            }
            Self::Registry { error: RegistryError::Http(error) | RegistryError::Token { error, .. }, .. } => {
                unauthorized(error)
            }
            Self::Remote { .. } => Some("run `plimsoll deps CHART` first".into()),
            _ => None,
        }
    }
}
