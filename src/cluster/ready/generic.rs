//! What holds of all kinds: deletion, `observedGeneration`, and the conditions Reconciling, Stalled and Ready.

use super::fields::{conditions, until};
use super::{Status, Verdict};
use crate::value::Value;

/// What is judged before an object's kind is.
pub(super) fn check(object: &Value) -> Verdict {
    if object.at(["metadata", "deletionTimestamp"]).is_some_and(|time| !matches!(time, Value::Null)) {
        return Err(Status::Terminating);
    }
    let generation = observed(object)?;
    for condition in conditions(object)? {
        // A change is not answered by what was said before it.
        let counts = ["Reconciling", "Stalled", "Ready"].contains(&condition.kind);
        until(!(counts && condition.is_older_than(generation)), not_seen)?;
        until(!condition.holds("Reconciling"), || condition.says())?;
        if condition.holds("Stalled") {
            return Err(Status::Failed(condition.says()));
        }
    }
    Ok(())
}

/// Whether the controller has seen the object as it now is, where it says what it has seen; and which generation that is.
fn observed(object: &Value) -> Result<i64, Status> {
    let generation = |path: [&str; 2]| match object.at(path) {
        Some(Value::Int(number)) => Ok(Some(*number)),
        None => Ok(None),
        Some(_) => Err(Status::InProgress(format!("its {} is no number", path.join(".")))),
    };
    let status_is_map = object.get("status").is_none_or(|status| matches!(status, Value::Map(_) | Value::Null));
    until(status_is_map, || "its status is no object".into())?;
    let Some(wanted) = generation(["metadata", "generation"])? else { return Ok(0) };
    let seen = generation(["status", "observedGeneration"])?;
    until(seen.is_none_or(|seen| seen == wanted), not_seen)?;
    Ok(wanted)
}

fn not_seen() -> String {
    "its controller has not seen the change yet".into()
}

/// A kind of which nothing else is known: by its condition Ready, where it has one.
pub(super) fn ready(object: &Value) -> Verdict {
    let conditions = conditions(object)?;
    // One of another status says nothing.
    let ready = conditions.iter().find(|one| one.kind == "Ready" && ["True", "False", "Unknown"].contains(&one.status));
    ready.map_or(Ok(()), |ready| until(ready.status == "True", || ready.says()))
}
