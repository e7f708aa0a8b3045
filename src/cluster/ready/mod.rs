//! When an object is ready, and waiting for that.
//!
//! Source: kstatus (`github.com/fluxcd/cli-utils/pkg/kstatus/status`), which Helm 4 and Flux wait by. `tests/ready.rs` holds
//! [`status`] to its recorded answers, and says where and why it differs. One file a group of kinds.

mod extensions;
mod fields;
mod generic;
mod network;
mod not_ready;
mod pods;
mod poll;
mod runs;
mod storage;
mod wait;
mod why;
mod workloads;

pub use not_ready::{NotReady, Pending, Reason};
pub use wait::{Event, Goal, Options, State, wait, wait_gone};

use crate::kinds;
use crate::value::Value;

/// How far a cluster is with an object. Texts are for people, and partly the cluster's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It is as it was asked for.
    Current,
    /// It will be, as far as one can see. What is waited for: `2 of 3 replicas are available`.
    InProgress(String),
    /// It will not be, unless somebody mends it. What went wrong.
    Failed(String),
    /// It is being deleted.
    Terminating,
}

/// Nothing where an object is ready, else its status.
type Verdict = Result<(), Status>;

/// The status of an object as the server has it, by its kind and by the conditions that all controllers may set.
///
/// What cannot be read (a condition that is no object, a number that is a text) is in progress: it is not known to be ready.
pub fn status(object: &Value) -> Status {
    match generic::check(object).and_then(|()| of_its_kind(object)) {
        Ok(()) => Status::Current,
        Err(status) => status,
    }
}

fn of_its_kind(object: &Value) -> Verdict {
    let text = |key| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let (group, _) = kinds::group_version(text("apiVersion"));
    match (group, text("kind")) {
        ("apps", "Deployment") => workloads::deployment(object),
        ("apps", "StatefulSet") => workloads::stateful_set(object),
        ("apps", "DaemonSet") => workloads::daemon_set(object),
        ("apps", "ReplicaSet") | ("", "ReplicationController") => workloads::replica_set(object),
        ("", "Pod") => runs::pod(object),
        ("batch", "Job") => runs::job(object),
        ("", "PersistentVolumeClaim") => storage::claim(object),
        ("", "Service") => network::service(object),
        ("networking.k8s.io", "Ingress") => network::ingress(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => extensions::definition(object),
        ("apiregistration.k8s.io", "APIService") => extensions::api_service(object),
        // Ready whatever conditions they may have.
        ("", "ConfigMap" | "Secret") | ("batch", "CronJob") | ("policy", "PodDisruptionBudget") => Ok(()),
        _ => generic::ready(object),
    }
}
