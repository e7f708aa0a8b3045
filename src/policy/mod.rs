//! Policies: files that Kubernetes itself understands, evaluated offline.
//!
//! An object policy is a `ValidatingAdmissionPolicy`; what relates objects to each other or to values is a
//! `ReleasePolicy` with the same grammar ([`document`]). Expressions are CEL ([`cel`]); a validation that is false is
//! traced to the fields that made it so ([`evaluate()`]).

pub mod catalogue;
pub mod cel;
mod decode;
pub mod document;
mod error;
pub mod evaluate;
pub mod examples;
mod kinds;
mod matching;
pub mod reach;

pub use catalogue::{Catalogue, Entry};
pub use document::{Policy, PolicyKind};
pub use error::{Error, ErrorKind};
pub use evaluate::{Blamed, Release, Subject, Violation, evaluate};
