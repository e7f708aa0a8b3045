//! What can be wrong with an object.

use crate::value::Path;

/// What is wrong with an object, at which field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which check found it.
    pub check: Check,
    /// The field at fault. It may be missing: then its nearest parent is the place to show.
    pub path: Path,
    /// What is wrong, in a sentence.
    pub message: String,
}

/// The checks that objects are held to; each is a policy `schema/<name>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// There is no schema for its kind.
    UnknownKind,
    /// Its API is not served any more.
    RemovedApi,
    /// Its API will not be served for ever.
    DeprecatedApi,
    /// A field that its kind does not have.
    UnknownField,
    /// A field that its kind must have is not there.
    MissingField,
    /// A value of the wrong type, format or range.
    InvalidValue,
    /// A key is written more than once.
    DuplicateKey,
    /// A CEL rule of its CRD is false.
    CustomRule,
}

impl Check {
    /// All checks.
    pub const ALL: [Self; 8] = [
        Self::UnknownKind,
        Self::RemovedApi,
        Self::DeprecatedApi,
        Self::UnknownField,
        Self::MissingField,
        Self::InvalidValue,
        Self::DuplicateKey,
        Self::CustomRule,
    ];

    /// `unknown-kind`
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownKind => "unknown-kind",
            Self::RemovedApi => "removed-api",
            Self::DeprecatedApi => "deprecated-api",
            Self::UnknownField => "unknown-field",
            Self::MissingField => "missing-field",
            Self::InvalidValue => "invalid-value",
            Self::DuplicateKey => "duplicate-key",
            Self::CustomRule => "custom-rule",
        }
    }

    /// The check of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|check| check.name() == name)
    }
}
