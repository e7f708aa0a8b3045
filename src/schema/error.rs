//! Why an object could not be held to a schema.

use std::io;
use std::path::Path;

use crate::source::Location;

use super::Minor;

/// A schema that cannot be used, or a version that there is none for.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The place in a file, where a file is at fault.
    pub location: Option<Location>,
}

/// What can be wrong.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ErrorKind {
    /// A schema, a CRD or a file of them that cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// The schemas that the binary carries are not whole.
    #[error("the schemas of Kubernetes in this binary are broken: {0}")]
    Bundle(String),
    /// There are no schemas of this version of Kubernetes.
    #[error(
        "there are no schemas of Kubernetes {version} in this binary, which has those of {oldest} to {newest}: name a folder \
         of them with --schema-location, or leave schemas out with --no-schemas"
    )]
    UnknownVersion {
        /// The version that was asked for.
        version: Minor,
        /// The oldest version that there is.
        oldest: Minor,
        /// The newest version that there is.
        newest: Minor,
    },
}

impl Error {
    /// A schema or file that cannot be used, at no place in it.
    pub(super) fn unusable(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Unusable(message.into()), location: None }
    }

    /// A file that the system does not let us read.
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self::unusable(format!("{} cannot be read: {error}", path.display()))
    }
}
