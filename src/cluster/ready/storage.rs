//! Storage: claims.

use super::Verdict;
use super::fields::{line, text, until};
use crate::value::Value;

pub(super) fn claim(object: &Value) -> Verdict {
    let phase = text(object, ["status", "phase"]);
    until(phase == "Bound", || match phase {
        "" | "Pending" => "it is not bound to a volume yet".to_owned(),
        _ => format!("it is not bound to a volume: its phase is {}", line(phase)),
    })
}
