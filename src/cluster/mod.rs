//! A cluster, as its API server shows it: the only user of the crate kube.
//!
//! Objects travel as [`Value`](crate::value::Value)s, as they are: no type of any version of Kubernetes stands between. Each file is one step of an
//! apply; `cli/apply.rs` says in which order they are taken.

mod api;
mod connect;
mod error;
pub mod ready;
mod resources;

pub use api::{Api, Delete, FIELD_MANAGER, Patch};
pub use connect::{Cluster, Target};
pub use error::{Cause, Error, Reason};
pub use resources::{Resource, Resources};
