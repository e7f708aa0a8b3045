//! Kinds that there is no schema for, and what was meant.

use super::bundle::{Bundle, Kind};
use super::{Check, Error, Minor, Problem};
use crate::suggest::nearest;
use crate::value::Path;

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

/// Whether only Kubernetes itself has kinds of this version.
fn is_builtin(api_version: &str) -> bool {
    match api_version.split_once('/') {
        Some((group, _)) => !group.contains('.') || group.ends_with(".k8s.io"),
        None => true,
    }
}
