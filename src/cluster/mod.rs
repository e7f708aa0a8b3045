//! A cluster, as its API server shows it: the only user of the crate kube.
//!
//! Objects travel as [`Value`]s, as they are: no type of any version of Kubernetes stands between. Each file is one step of
//! an apply; `cli/apply.rs` says in which order they are taken.

mod api;
mod apply;
mod applyset;
mod conflicts;
mod connect;
mod dry_run;
mod error;
mod extent;
mod hooks;
mod kubeconfig;
mod lock;
mod lookup;
mod members;
mod normal;
mod pods;
pub mod prune;
pub mod ready;
mod resources;
mod retry;
mod status;
mod transport;
mod wanted;

pub use api::{Api, Delete, FIELD_MANAGER, Patch};
pub use apply::{Applied, Event, Outcome, Stop, apply};
pub use applyset::ApplySet;
pub use conflicts::{Conflict, Owner};
pub use connect::{Cluster, Target};
pub use dry_run::{DryRun, Options, Predicted, dry_run};
pub use error::{Cause, Error, Reason};
pub use extent::{Extent, GroupKind};
pub use hooks::{Hook, HookEvent, HookFailure, hooks, run_hooks};
pub use lock::Lock;
pub use members::Members;
pub use normal::normal;
pub use pods::{Pod, PodDenied};
pub use resources::{Resource, Resources};
pub use retry::{Interrupted, PATIENCE};
pub use wanted::{Wanted, wanted};

use crate::finding::ObjectRef;
use crate::manifest;
use crate::value::Value;

/// What to call a live object.
pub fn reference(object: &Value) -> ObjectRef {
    manifest::reference(object, "")
}
