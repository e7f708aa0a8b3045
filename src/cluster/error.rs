//! Why a cluster could not be asked, or did not do what it was asked for.

use std::fmt;
use std::time::Duration;

use super::GroupKind;
use crate::finding::Fault;

/// Why a request came to nothing.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What is wrong, with the server's text where it has one.
    pub message: String,
    /// The way out.
    pub help: Option<String>,
    /// What kind of failure it is.
    pub reason: Reason,
    /// When to ask again, where the server says so.
    pub retry_after: Option<Duration>,
}

/// A kind of failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// There is no kubeconfig that could be used.
    Kubeconfig,
    /// The server is not there, is not trusted, or did not answer in time: it is not known whether it did what was asked.
    Connection,
    /// The server said no.
    Status {
        /// The HTTP status.
        code: u16,
        /// `NotFound`, `Conflict`, `Forbidden`, …
        reason: String,
        /// `details.causes`
        causes: Vec<Cause>,
    },
    /// What came is no answer.
    Malformed,
    /// What is there belongs to somebody else, or somebody else is at work on it.
    Taken,
    /// Ctrl-C.
    Interrupted,
}

/// One of `details.causes` of a Status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// `FieldManagerConflict`, `FieldValueRequired`, …
    pub reason: String,
    /// The field: `.spec.replicas`, or `spec.replicas`
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl Error {
    /// Whether there is no such object.
    pub fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// Whether an object was refused because its namespace is not there.
    pub fn is_without_namespace(&self, namespace: &str) -> bool {
        self.is_not_found() && self.message.contains(&format!("namespaces \"{namespace}\" not found"))
    }

    /// Whether it is somebody else's.
    pub fn is_taken(&self) -> bool {
        self.reason == Reason::Taken
    }

    /// The HTTP status, where the server said no.
    pub fn code(&self) -> Option<u16> {
        match &self.reason {
            Reason::Status { code, .. } => Some(*code),
            _ => None,
        }
    }

    pub(super) fn new(message: impl Into<String>, reason: Reason) -> Self {
        Self { message: message.into(), help: None, reason, retry_after: None }
    }

    pub(super) fn runtime(error: std::io::Error) -> Self {
        Self::new(format!("no threads for requests: {error}"), Reason::Connection)
    }

    pub(super) fn kubeconfig(message: impl Into<String>) -> Self {
        Self::new(message, Reason::Kubeconfig)
    }

    pub(super) fn connection(message: impl Into<String>) -> Self {
        Self::new(message, Reason::Connection)
    }

    pub(super) fn not_established(name: &str, after: Duration) -> Self {
        let message = format!("the CRD {name} is stored, but the server does not serve it after {after:?}");
        let help = format!("`kubectl describe crd {name}` says why: mostly another CRD has one of its names");
        Self { help: Some(help), ..Self::new(message, Reason::Malformed) }
    }

    pub(super) fn malformed(path: &str, error: &dyn fmt::Display) -> Self {
        Self::new(format!("{path}: {error}"), Reason::Malformed)
    }

    pub(super) fn taken(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..Self::new(message, Reason::Taken) }
    }

    pub(super) fn no_resource(api_version: &str, kind: &str) -> Self {
        Self::new(format!("the API server has no {kind} of {api_version}"), Reason::Malformed)
    }

    pub(super) fn stale(kind: &GroupKind) -> Self {
        let message =
            format!("it is not known which objects of {kind} there are: the server of that group does not answer");
        let help = "kubectl get apiservices says why";
        Self::new(message, Reason::Connection).help(help)
    }

    pub(super) fn lost(message: &str) -> Self {
        Self::taken(message, "somebody else may be at work on it now: see what they do, then run again")
    }

    pub(super) fn interrupted() -> Self {
        Self::new("interrupted", Reason::Interrupted)
    }

    /// The same error with a way out.
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let fault = Self::new(error.message);
        match error.help {
            Some(help) => fault.help(help),
            None => fault,
        }
    }
}
