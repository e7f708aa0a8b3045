//! What adds kinds to a server: CustomResourceDefinitions and APIServices.

use super::fields::{conditions, until};
use super::{Status, Verdict};
use crate::value::Value;

pub(super) fn definition(object: &Value) -> Verdict {
    for condition in conditions(object)? {
        let is_refused = match condition.kind {
            "NamesAccepted" => condition.status == "False",
            "Established" => condition.status == "False" && condition.reason != "Installing",
            _ => false,
        };
        if is_refused {
            return Err(Status::Failed(condition.says()));
        }
        if condition.holds("Established") {
            return Ok(());
        }
    }
    Err(Status::InProgress("it is not established yet".into()))
}

/// Available: as long as it is not, nobody can ask for its kinds.
pub(super) fn api_service(object: &Value) -> Verdict {
    let conditions = conditions(object)?;
    let available = conditions.iter().find(|one| one.kind == "Available");
    until(available.is_some_and(|one| one.status == "True"), || match available {
        Some(not) => format!("it is not available: {}", not.says()),
        None => "it is not available yet".into(),
    })
}
