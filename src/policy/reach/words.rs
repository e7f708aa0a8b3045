//! What people call those who reach something, what they reach, and each step of the way.

use super::edge::{Among, Edge, Hop, Target, TargetKind, Via, Who};
use super::{Graph, Object, Subject};

/// `container ide of Deployment alice/workspace`
pub fn who(graph: &Graph<'_>, who: Who<'_>) -> String {
    match who {
        Who::Container(object, _, name) => format!("container {name} of {}", owner(graph, object)),
        Who::Pods(object) => format!("pods of {}", owner(graph, object)),
        Who::Controller(object) => format!("controller of {}", owner(graph, object)),
        Who::Subject(subject) => self::subject(subject),
    }
}

/// `Deployment alice/workspace`
pub fn owner(graph: &Graph<'_>, object: usize) -> String {
    graph.objects().get(object).map_or_else(String::new, named)
}

/// `Deployment alice/workspace`, `ClusterRole view`
pub fn named(object: &Object<'_>) -> String {
    match object.namespace {
        "" => format!("{} {}", object.kind, object.name),
        namespace => format!("{} {namespace}/{}", object.kind, object.name),
    }
}

/// `ServiceAccount alice/builder`
pub fn subject(subject: Subject<'_>) -> String {
    match subject {
        Subject::Account(namespace, name) => format!("ServiceAccount {namespace}/{name}"),
        Subject::User(name) => format!("user {name}"),
        Subject::Group(name) => format!("group {name}"),
    }
}

/// `Secret alice/registry`, `every Secret of namespace alice`
pub fn target(target: &Target<'_>) -> String {
    let kind = target.kind.name();
    match (target.name, target.namespace) {
        (Some(name), Some(namespace)) => format!("{kind} {namespace}/{name}"),
        (Some(name), None) => format!("{kind} {name} of every namespace"),
        (None, namespace) => {
            let of = namespace.map_or_else(|| "the cluster".to_owned(), |name| format!("namespace {name}"));
            match (target.among, target.kind) {
                (Among::All, _) => format!("every {kind} of {of}"),
                (Among::Pods, _) => format!("every {kind} that a pod of {of} uses"),
                (Among::Accounts, _) => format!("every {kind} that a ServiceAccount of {of} may use by name"),
                (Among::Node, _) => format!("every {kind} that a pod of the same node uses"),
            }
        }
    }
}

/// One step: `token of ServiceAccount alice/builder`, `may create jobs`.
fn hop(hop: &Hop<'_>, is_last: bool, target: &Target<'_>) -> String {
    let may = match hop.allows {
        ("*", "*") => "may do everything".to_owned(),
        (verb, resource) => format!("may {verb} {resource}"),
    };
    // At the end of the way it is said already whose rights are had.
    let becomes = hop.becomes.filter(|_| !is_last);
    let becomes = becomes.map(|becomes| format!(" as {}", subject(becomes))).unwrap_or_default();
    let mounts = match (target.kind, target.name) {
        (TargetKind::Secret, Some(_)) if is_last => " that mount it",
        (TargetKind::Secret, None) if is_last => " that mount them",
        _ => "",
    };
    match hop.via {
        Via::Env => "environment variable".to_owned(),
        Via::EnvFrom => "environment".to_owned(),
        Via::Volume => "mounted volume".to_owned(),
        Via::ImagePull => "for pulling images".to_owned(),
        Via::Driver => "for the driver of a volume".to_owned(),
        Via::Tls => "for serving TLS".to_owned(),
        Via::Listed => "listed under secrets".to_owned(),
        Via::Token => match hop.becomes.filter(|_| !is_last) {
            Some(becomes) => format!("token of {}", subject(becomes)),
            None => "token".to_owned(),
        },
        Via::Rbac => may,
        Via::CreatePods => format!("{may}, so run pods{mounts}{becomes}"),
        Via::EphemeralContainers => format!("{may}, so add containers to pods{mounts}{becomes}"),
        Via::Exec => format!("{may}, so enter pods{becomes}"),
        Via::TokenRequest | Via::Impersonate => format!("{may}{becomes}"),
        Via::TokenSecret if hop.allows.0.is_empty() => match hop.becomes.filter(|_| !is_last) {
            Some(becomes) => format!("the token of {}", subject(becomes)),
            None => "the token in it".to_owned(),
        },
        Via::TokenSecret => format!("{may} and read them, so make one for a token{becomes}"),
        Via::Escalate => format!("{may}, so take every right"),
        Via::ProcessNamespace => "sees the processes of another container".to_owned(),
        Via::Node => "is not kept from its node".to_owned(),
    }
}

/// The whole way of an edge.
pub fn route(route: &[&Hop<'_>], edge: &Edge<'_>) -> String {
    let last = route.len().saturating_sub(1);
    let steps = route.iter().enumerate().map(|(index, step)| hop(step, index == last, &edge.target));
    steps.collect::<Vec<_>>().join(" → ")
}
