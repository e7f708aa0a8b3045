//! What keeps Pods running: Deployments, StatefulSets, DaemonSets, ReplicaSets, ReplicationControllers.

use super::fields::{conditions, number, text, until};
use super::{Status, Verdict};
use crate::value::Value;

/// The controller takes this for no deadline, and sets no condition Progressing then.
const NO_DEADLINE: i64 = i32::MAX as i64;

pub(super) fn deployment(object: &Value) -> Verdict {
    // Nothing happens before somebody resumes it.
    if object.at(["spec", "paused"]).and_then(Value::as_bool) == Some(true) {
        return Ok(());
    }
    let conditions = conditions(object)?;
    let deadline = number(object, ["spec", "progressDeadlineSeconds"], NO_DEADLINE);
    if let Some(late) =
        conditions.iter().find(|one| one.kind == "Progressing" && one.reason == "ProgressDeadlineExceeded")
    {
        return Err(Status::Failed(format!("it made no progress for {deadline} s: {}", late.says())));
    }
    let wanted = number(object, ["spec", "replicas"], 1);
    let count = |field| number(object, ["status", field], 0);
    let (all, updated) = (count("replicas"), count("updatedReplicas"));
    at_least(all, wanted, "replicas exist")?;
    at_least(updated, wanted, "replicas are updated")?;
    at_most(all, wanted)?;
    at_least(count("availableReplicas"), updated, "replicas are available")?;
    at_least(count("readyReplicas"), wanted, "replicas are ready")?;
    let has_progressed =
        conditions.iter().any(|one| one.holds("Progressing") && one.reason == "NewReplicaSetAvailable");
    until(has_progressed || deadline == NO_DEADLINE, || "its new ReplicaSet is not available yet".into())?;
    until(conditions.iter().any(|one| one.holds("Available")), || "too few replicas are available".into())
}

pub(super) fn stateful_set(object: &Value) -> Verdict {
    if is_updated_by_hand(object) {
        return Ok(());
    }
    let wanted = number(object, ["spec", "replicas"], 1);
    let count = |field| number(object, ["status", field], 0);
    at_least(count("replicas"), wanted, "replicas exist")?;
    at_least(count("readyReplicas"), wanted, "replicas are ready")?;
    at_most(count("replicas"), wanted)?;
    if let Some(Value::Int(kept)) = object.at(["spec", "updateStrategy", "rollingUpdate", "partition"])
        && *kept != -1
    {
        return at_least(count("updatedReplicas"), wanted.saturating_sub(*kept), "replicas are updated");
    }
    at_least(count("currentReplicas"), wanted, "replicas are of the current revision")?;
    let is_same = text(object, ["status", "currentRevision"]) == text(object, ["status", "updateRevision"]);
    until(is_same, || "not all replicas are of the new revision yet".into())
}

pub(super) fn daemon_set(object: &Value) -> Verdict {
    for path in [["metadata", "generation"], ["status", "observedGeneration"]] {
        until(object.at(path).is_some(), || "its controller has not seen it yet".into())?;
    }
    let wanted = number(object, ["status", "desiredNumberScheduled"], -1);
    until(wanted != -1, || "its controller has not counted the nodes yet".into())?;
    let count = |field| number(object, ["status", field], 0);
    at_least(count("currentNumberScheduled"), wanted, "nodes have a Pod")?;
    if !is_updated_by_hand(object) {
        at_least(count("updatedNumberScheduled"), wanted, "nodes have an updated Pod")?;
    }
    at_least(count("numberAvailable"), wanted, "nodes have an available Pod")?;
    at_least(count("numberReady"), wanted, "nodes have a ready Pod")
}

pub(super) fn replica_set(object: &Value) -> Verdict {
    if let Some(failure) = conditions(object)?.iter().find(|one| one.holds("ReplicaFailure")) {
        return Err(Status::InProgress(failure.says()));
    }
    let wanted = number(object, ["spec", "replicas"], 1);
    let count = |field| number(object, ["status", field], 0);
    at_least(count("fullyLabeledReplicas"), wanted, "replicas have all labels")?;
    at_least(count("availableReplicas"), wanted, "replicas are available")?;
    at_least(count("readyReplicas"), wanted, "replicas are ready")?;
    at_most(count("replicas"), wanted)
}

/// Whether Pods are only updated when somebody deletes them.
fn is_updated_by_hand(object: &Value) -> bool {
    text(object, ["spec", "updateStrategy", "type"]) == "OnDelete"
}

fn at_least(count: i64, wanted: i64, what: &str) -> Verdict {
    until(count >= wanted, || format!("{count} of {wanted} {what}"))
}

fn at_most(count: i64, wanted: i64) -> Verdict {
    let surplus = count.saturating_sub(wanted);
    until(surplus <= 0, || match surplus {
        1 => "1 replica too many".to_owned(),
        _ => format!("{surplus} replicas too many"),
    })
}
