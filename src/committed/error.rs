//! Why committed manifests cannot be compared.

use std::io;
use std::path::{Path, PathBuf};

use crate::manifest;

/// Why committed manifests cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that could not be read.
    #[error("{} could not be read: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// A link in place of what was written: what it leads to may be anywhere.
    #[error("{} is a symbolic link: committed manifests are files", .0.display())]
    Link(PathBuf),
    /// What is no file, where one belongs.
    #[error("{} is not a file", .0.display())]
    Irregular(PathBuf),
    /// More than anybody commits.
    #[error("{} has more than {limit} files", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// How many there may be.
        limit: usize,
    },
    /// A CRD that cannot be divided into objects.
    #[error(transparent)]
    Manifest(#[from] manifest::Error),
}

impl Error {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), error }
    }

    /// The way out.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Link(_) => Some("links are not followed: remove it, or name the folder that it leads to"),
            Self::Irregular(_) => Some("remove it, and write the manifests again"),
            Self::TooMany { .. } => Some("name a folder that has committed manifests only"),
            Self::Io { .. } | Self::Manifest(_) => None,
        }
    }
}
