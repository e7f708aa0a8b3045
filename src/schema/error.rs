//! Why an object could not be held to a schema.

use crate::source::Location;

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
}
