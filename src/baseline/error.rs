//! What can be wrong with a baseline.

use thiserror::Error as ThisError;

use crate::finding::Fault;
use crate::source::Location;
use crate::value::Path;

/// A baseline that cannot be used.
#[derive(Debug, Clone, ThisError)]
#[error("{location}: {kind}")]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where in the file.
    pub location: Location,
}

/// The ways in which it is wrong.
#[derive(Debug, Clone, ThisError)]
pub enum ErrorKind {
    /// It is not there.
    #[error("there is no such baseline")]
    Missing,
    /// It could not be read.
    #[error("{0}")]
    File(String),
    /// It is not YAML, or more than one document of it.
    #[error("{0}")]
    Text(String),
    /// It is of a newer form.
    #[error("the baseline is of version {0}, and this plimsoll knows version 1")]
    Newer(i64),
    /// It is not of the form.
    #[error("{}{}{reason}", .path, if .path.0.is_empty() { "" } else { ": " })]
    Form {
        /// What is wrong, from the root.
        path: Path,
        /// What was expected, and what was found.
        reason: String,
    },
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let fault = Self::new(error.to_string());
        match error.kind {
            ErrorKind::Missing => fault.help("`plimsoll check --write-baseline` writes one"),
            ErrorKind::File(_) => fault,
            ErrorKind::Newer(_) => fault.label(error.location, "here").help("update plimsoll"),
            ErrorKind::Text(_) => fault
                .label(error.location, "here")
                .help("where a merge went wrong, take one side, and run `plimsoll check --update`"),
            ErrorKind::Form { .. } => fault
                .label(error.location, "here")
                .help("docs/baseline.md describes the file, schemas/baseline.schema.json too"),
        }
    }
}
