//! Kinds that there is no schema for, and what was meant.

use super::bundle::{Bundle, Kind};
use super::{Check, Error, Minor, Problem, words};
use crate::suggest::nearest;
use crate::value::{Path, Value};

/// What to say of a kind that a version of Kubernetes does not have.
///
/// # Errors
/// The bundle does not have the version, or is broken.
pub(super) fn unknown(version: Minor, api_version: &str, kind: &str) -> Result<Problem, Error> {
    let all: Vec<Kind> = Bundle::embedded()?.kinds(version)?.collect();
    let problem = |field: &str, message: String| Problem {
        check: Check::UnknownKind,
        path: Path::default().key(field),
        message: format!("Kubernetes {version} has no {api_version} {kind}: {message}"),
    };
    let of_kind: Vec<&str> = all.iter().filter(|known| known.kind == kind).map(|known| known.api_version).collect();
    if !of_kind.is_empty() {
        return Ok(problem("apiVersion", format!("its apiVersion is {}", of_kind.join(" or "))));
    }
    let of_version = all.iter().filter(|known| known.api_version == api_version);
    if let Some(meant) = nearest(kind, of_version.clone().map(|known| known.kind)) {
        return Ok(problem("kind", format!("did you mean {meant}?")));
    }
    let all_kinds = || all.iter().map(|known| known.kind);
    if is_builtin(api_version)
        && let Some(meant) = nearest(kind, all_kinds()).and_then(|meant| all.iter().find(|known| known.kind == meant))
    {
        return Ok(problem("kind", format!("did you mean {} {}?", meant.api_version, meant.kind)));
    }
    let custom = "give its CustomResourceDefinition with --crds, or a folder of schemas with --schema-location";
    Ok(problem("kind", custom.to_owned()))
}

/// What to say of a `List` that is judged itself. It is no kind of the API: kubectl, and whoever calls us, takes its items
/// out, once.
pub(super) fn still_a_list(list: &Value) -> Vec<Problem> {
    let problem =
        |check, field: &str, message: String| vec![Problem { check, path: Path::default().key(field), message }];
    match list.get("items") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::List(items)) if items.is_empty() => Vec::new(),
        Some(Value::List(_)) => {
            let message = "a List inside a List is sent to the API server whole, which has no such kind: put its items into \
                           the outer one";
            problem(Check::UnknownKind, "kind", message.to_owned())
        }
        Some(other) => {
            let message = format!("`items` must be a list, found {}", words::show(other));
            problem(Check::InvalidValue, "items", message)
        }
    }
}

/// Whether only Kubernetes itself has kinds of this version.
fn is_builtin(api_version: &str) -> bool {
    match api_version.split_once('/') {
        Some((group, _)) => !group.contains('.') || group.ends_with(".k8s.io"),
        None => true,
    }
}
