//! Policies: files that Kubernetes itself understands, evaluated offline.
//!
//! An object policy is a `ValidatingAdmissionPolicy`; what relates objects to each other or to values is a
//! `ReleasePolicy` with the same grammar, and what relates releases is a `FleetPolicy` ([`document`]). A Kyverno
//! `ValidatingPolicy` is read as well, and Rego with the feature `rego`. Expressions are CEL ([`cel`](crate::cel)); a validation that is false is traced to the fields
//! that made it so ([`evaluate()`]).

mod binding;
mod brought;
pub mod catalogue;
mod decode;
pub mod document;
mod environment;
mod error;
pub mod evaluate;
pub mod examples;
pub mod exemption;
mod field;
mod file;
mod fleet;
mod kyverno;
mod matching;
mod params;
pub mod reach;
#[cfg(feature = "rego")]
mod rego;
mod request;
pub mod review;
mod schemas;
pub mod selection;
mod selector;
mod spec;

pub use brought::brought;
pub use catalogue::{Catalogue, Entry};
pub use document::{Policy, PolicyKind};
pub use error::{Error, ErrorKind};
pub use evaluate::{Blamed, Source, Subject, Violation, evaluate};
pub use fleet::Release;
pub use params::NoSuchParam;
pub use request::{Operation, Request, RequestError};
pub use selection::{Chosen, Param, Pattern, Profile, Selection, SelectionError};
pub use spec::{KUBERNETES_MINOR, Reason};
