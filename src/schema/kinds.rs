//! Kinds that there is no schema for, and what was meant.

use std::borrow::Cow;

use super::bundle::Bundle;
use super::crd::CustomResources;
use super::{Check, Error, Head, Minor, Problem, words};
use crate::suggest::nearest;
use crate::value::{Path, Value};

/// What to say of a kind that a version of Kubernetes does not have.
///
/// # Errors
/// The bundle does not have the version, or is broken.
pub(super) fn unknown(version: Minor, head: Head<'_>, custom: &CustomResources) -> Result<Problem, Error> {
    let Head { api_version, kind } = head;
    let own = Bundle::embedded()?.kinds(version)?.map(|known| (Cow::from(known.api_version), known.kind));
    let custom = custom.kinds().map(|(group, version, kind)| (format!("{group}/{version}").into(), kind));
    let all: Vec<(Cow<str>, &str)> = own.chain(custom).collect();
    let problem = |field: &str, message: String| Problem {
        check: Check::UnknownKind,
        path: Path::default().key(field),
        message: format!("there is no {api_version} {kind} in Kubernetes {version}: {message}"),
    };
    let of_kind: Vec<&str> = all.iter().filter(|(_, known)| *known == kind).map(|(version, _)| &**version).collect();
    if !of_kind.is_empty() {
        return Ok(problem("apiVersion", format!("its apiVersion is {}", of_kind.join(" or "))));
    }
    let of_version = all.iter().filter(|(version, _)| version == api_version).map(|(_, kind)| *kind);
    if let Some(meant) = nearest(kind, of_version) {
        return Ok(problem("kind", format!("did you mean {meant}?")));
    }
    if is_builtin(api_version)
        && let Some(meant) = nearest(kind, all.iter().map(|(_, kind)| *kind))
        && let Some((version, _)) = all.iter().find(|(_, kind)| *kind == meant)
    {
        return Ok(problem("kind", format!("did you mean {version} {meant}?")));
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
