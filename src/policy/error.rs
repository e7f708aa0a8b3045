//! What can go wrong with policies. A violation is none of this: it is data.

use thiserror::Error as ThisError;

use crate::cel::{CompileError, EvalError};
use crate::schema;
use crate::source::Location;

/// A policy that cannot be used, or an expression that cannot be evaluated.
#[derive(Debug, Clone, ThisError)]
#[error("{}{kind}", policy.as_ref().map(|id| format!("policy {id}: ")).unwrap_or_default())]
pub struct Error {
    /// The policy's id, where it is known.
    pub policy: Option<String>,
    /// What went wrong.
    pub kind: ErrorKind,
    /// Where in the policy's file.
    pub location: Location,
}

/// The ways in which it goes wrong.
#[derive(Debug, Clone, ThisError)]
pub enum ErrorKind {
    /// The file is not YAML.
    #[error("{0}")]
    Yaml(String),
    /// The document is not a policy.
    #[error("{0}")]
    Document(String),
    /// An expression does not compile.
    #[error("{0}")]
    Compile(Box<CompileError>),
    /// An expression of a Kyverno policy uses what Kubernetes' CEL does not have.
    #[error("{0}: only what Kubernetes' own CEL has is known here, not Kyverno's functions and variables")]
    KyvernoOnly(Box<CompileError>),
    /// An expression has no value.
    #[error("{error}")]
    Evaluate {
        /// Why.
        error: Box<EvalError>,
        /// The object that was being checked, by its index among those of all releases.
        object: Option<usize>,
    },
    /// An object could not be held to a schema.
    #[error("{error}")]
    Schema {
        /// Why.
        error: Box<schema::Error>,
        /// The object that was being checked, by its index among those of all releases.
        object: Option<usize>,
    },
    /// A file could not be read.
    #[error("{0}")]
    File(String),
}

impl Error {
    /// An error at a place.
    pub fn new(kind: ErrorKind, location: Location) -> Self {
        Self { policy: None, kind, location }
    }

    /// The error as one of a policy.
    pub fn of(mut self, policy: &str) -> Self {
        self.policy.get_or_insert_with(|| policy.to_owned());
        self
    }
}
