//! What runs: Pods, and Jobs, which run to an end.

use super::fields::{conditions, line, number, text};
use super::{Status, Verdict, why};
use crate::value::Value;

pub(super) fn pod(object: &Value) -> Verdict {
    let conditions = conditions(object)?;
    let waits_for = |what: &str| {
        let because = why::of_pod(object).map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("{what}{because}")
    };
    match text(object, ["status", "phase"]) {
        "Succeeded" => Ok(()),
        "Failed" => Err(Status::Failed(why::of_pod(object).unwrap_or_else(|| "its phase is Failed".into()))),
        "Running" if conditions.iter().any(|one| one.holds("Ready")) => Ok(()),
        "Running" if why::is_crash_looping(object) => Err(Status::Failed(waits_for("it does not stay up"))),
        "Running" => Err(Status::InProgress(waits_for("it runs, but is not ready"))),
        "Pending" => Err(Status::InProgress(waits_for("it has not started"))),
        "" => Err(Status::InProgress("no node has it yet".into())),
        phase => Err(Status::InProgress(waits_for(&format!("its phase is {}", line(phase))))),
    }
}

/// Done, not only begun: what a Job does is what it is applied for.
pub(super) fn job(object: &Value) -> Verdict {
    for condition in conditions(object)? {
        if condition.holds("Complete") {
            return Ok(());
        }
        if condition.holds("Failed") {
            return Err(Status::Failed(condition.says()));
        }
    }
    let wanted = number(object, ["spec", "completions"], number(object, ["spec", "parallelism"], 1));
    let count = |field| number(object, ["status", field], 0);
    Err(Status::InProgress(if object.at(["spec", "suspend"]).and_then(Value::as_bool) == Some(true) {
        "it is suspended".into()
    } else if text(object, ["status", "startTime"]).is_empty() {
        "it has not started".into()
    } else {
        let failed = match count("failed") {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        format!("{} of {wanted} Pods done, {} running{failed}", count("succeeded"), count("active"))
    }))
}
