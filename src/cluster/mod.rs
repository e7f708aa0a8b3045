//! A cluster, as its API server shows it: the only user of the crate kube.
//!
//! Objects travel as [`Value`](crate::value::Value)s, as they are: no type of any version of Kubernetes stands between. Each file is one step of an
//! apply; `cli/apply.rs` says in which order they are taken.

mod api;
mod apply;
mod conflicts;
mod connect;
mod dry_run;
mod error;
mod lookup;
mod normal;
mod pods;
mod resources;
mod retry;
mod wanted;

pub use api::{Api, Delete, FIELD_MANAGER, Patch};
pub use apply::{Applied, Event, Outcome, Stop, apply};
pub use conflicts::{Conflict, Owner};
pub use connect::{Cluster, Target};
pub use dry_run::{DryRun, Options, Predicted, dry_run};
pub use error::{Cause, Error, Reason};
pub use normal::normal;
pub use pods::{Pod, PodDenied};
pub use resources::{Resource, Resources};
pub use retry::Interrupted;
pub use wanted::{Wanted, wanted};
