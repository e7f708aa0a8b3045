//! Kinds that there is no schema for, and what was meant.

use std::borrow::Cow;

use super::{Check, Head, Minor, Problem, words};
use crate::suggest::nearest;
use crate::value::{Path, Value};

/// What to say of a kind that there is no schema of, where `known` are the versions and kinds that there are. All kinds of
/// Kubernetes are among them where a version of it is given.
pub(super) fn unknown(head: Head, of: Option<Minor>, known: &[(Cow<'_, str>, &str)]) -> Problem {
    let Head { api_version, kind } = head;
    let builtin = of.filter(|_| is_builtin(api_version));
    let what = match builtin {
        Some(version) => format!("Kubernetes {version} has no {api_version} {kind}"),
        None => format!("there is no schema of {api_version} {kind}"),
    };
    let problem = |field: &str, hint: &str| Problem {
        check: Check::UnknownKind,
        path: Path::default().key(field),
        message: format!("{what}{hint}"),
    };
    let of_kind: Vec<&str> = known.iter().filter(|known| known.1 == kind).map(|known| &*known.0).collect();
    if !of_kind.is_empty() {
        return problem("apiVersion", &format!(": its apiVersion is {}", of_kind.join(" or ")));
    }
    let of_version = known.iter().filter(|known| known.0 == api_version);
    if let Some(meant) = nearest(kind, of_version.map(|known| known.1)) {
        return problem("kind", &format!(": did you mean {meant}?"));
    }
    let meant = nearest(kind, known.iter().map(|known| known.1));
    let meant = meant.and_then(|meant| known.iter().find(|known| known.1 == meant));
    match (builtin, meant) {
        (Some(_), Some((api_version, kind))) => problem("kind", &format!(": did you mean {api_version} {kind}?")),
        (Some(_), None) => problem("kind", ""),
        (None, _) => problem(
            "kind",
            ": give its CustomResourceDefinition with --crds, or a folder of schemas with --schema-location",
        ),
    }
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
