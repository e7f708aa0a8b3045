//! A cluster, as its API server shows it: the only user of the crate kube.
//!
//! Objects travel as [`Value`](crate::value::Value)s, as they are: no type of any version of Kubernetes stands between. Each file is one step of an
//! apply; `cli/apply.rs` says in which order they are taken.

mod api;
mod applyset;
mod connect;
mod error;
mod extent;
mod lock;
mod members;
mod prune;
mod resources;

pub use api::{Api, Delete, FIELD_MANAGER, Patch};
pub use applyset::ApplySet;
pub use connect::{Cluster, Target};
pub use error::{Cause, Error, Reason};
pub use extent::{Extent, GroupKind};
pub use lock::Lock;
pub use members::Members;
pub use prune::{Kept, Outcome, Prune};
pub use resources::{Resource, Resources};

use crate::finding::ObjectRef;
use crate::value::Value;

/// What to call a live object.
pub fn reference(object: &Value) -> ObjectRef {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    ObjectRef {
        api_version: text(object.get("apiVersion")),
        kind: text(object.get("kind")),
        namespace: object.at(["metadata", "namespace"]).and_then(Value::as_str).map(ToOwned::to_owned),
        name: text(object.at(["metadata", "name"])),
    }
}
