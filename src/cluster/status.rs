//! What the server says to what it did not do: a Status, put into words with the way out.

use std::time::Duration;

use super::kubeconfig::Place;
use super::{Cause, Error, Reason};
use crate::json;
use crate::value::{Numbers, Value};

/// The most of an answer that is no Status, which may be a page of what stands before the server.
const MAX_TEXT: usize = 200;

/// What is wrong, from the HTTP status, the header `Retry-After` and the body of an answer.
pub(super) fn error(place: &Place, path: &str, code: u16, retry_after: Option<Duration>, body: &str) -> Error {
    let status = json::parse(body, Numbers::Exact).unwrap_or(Value::Null);
    let text = |value: &Value, key| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let causes = status.at(["details", "causes"]).and_then(Value::as_list).unwrap_or_default();
    let causes = causes.iter().map(|cause| Cause {
        reason: text(cause, "reason"),
        field: text(cause, "field"),
        message: text(cause, "message"),
    });
    let causes: Vec<Cause> = causes.collect();
    let (said, kind) = (text(&status, "message"), text(&status, "reason"));
    let message = match code {
        401 => format!("{place} does not take the credentials of user `{}`", place.user),
        _ if said.is_empty() => no_status(place, path, code, body),
        422 if causes.len() > 1 => listed(&said, &causes),
        _ => said.clone(),
    };
    let named = text(status.get("details").unwrap_or(&Value::Null), "name");
    let is_namespace = status.at(["details", "kind"]).and_then(Value::as_str) == Some("namespaces");
    let help = match code {
        400 | 500 if said.contains("failed calling webhook") => Some(webhook(place, &said)),
        400 | 500 if said.contains("unknown field") || said.contains("field not declared in schema") => {
            Some("the cluster's schema has no such field: is it misspelt, or of another version of the API?".to_owned())
        }
        401 => Some(sign_in(place)),
        403 => Some(forbidden(place, &said)),
        404 if is_namespace => {
            Some(format!("create it first: {}", place.kubectl(&format!("create namespace {named}"))))
        }
        409 if kind == "Conflict" && causes.is_empty() => {
            Some("somebody else has changed it meanwhile: run again".to_owned())
        }
        409 if said.contains("is being terminated") => Some("wait until it is gone, then run again".to_owned()),
        413 => Some("an API server takes objects of up to 3 MiB, etcd of 1.5 MiB: make several of it".to_owned()),
        429 | 502 | 503 | 504 => {
            Some("the server is overloaded, or starts or ends just now: run again a little later".to_owned())
        }
        _ => None,
    };
    let error = Error { retry_after, ..Error::new(message, Reason::Status { code, reason: kind, causes }) };
    match help {
        Some(help) => error.help(help),
        None => error,
    }
}

/// What an answer that is no Status says.
fn no_status(place: &Place, path: &str, code: u16, body: &str) -> String {
    let line = body.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let text: String = line.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect();
    // A page is not of an API server.
    match text.as_str() {
        "" => format!("{place} answered {path} with HTTP status {code}"),
        page if page.starts_with('<') => {
            format!(
                "{place} answered {path} with HTTP status {code} and a page, as what stands before an API server does"
            )
        }
        text => format!("{place} answered {path} with HTTP status {code}: {text}"),
    }
}

/// `… is invalid`, and each field with what is wrong with it on a line of its own.
fn listed(said: &str, causes: &[Cause]) -> String {
    let head =
        said.split_once(" is invalid: ").map_or_else(|| said.to_owned(), |(head, _)| format!("{head} is invalid:"));
    let line = |cause: &Cause| match cause.field.as_str() {
        "" | "<nil>" => format!("\n- {}", cause.message),
        field => format!("\n- {field}: {}", cause.message),
    };
    head + &causes.iter().map(line).collect::<String>()
}

fn sign_in(place: &Place) -> String {
    let Place { source, user, program, .. } = place;
    match program {
        Some((program, _)) => {
            format!("sign in anew with what `{program}` belongs to; see `{}`", place.kubectl("auth whoami"))
        }
        None if place.context.is_none() => format!("{source} may be deleted, or its token be of another cluster"),
        None => format!(
            "the token or certificate of `{user}` in {source} may be expired or of another cluster: get it anew"
        ),
    }
}

/// What would allow it: RBAC's rule where RBAC has refused.
fn forbidden(place: &Place, said: &str) -> String {
    if said.contains("User \"system:anonymous\"") {
        return format!(
            "the server takes you for nobody: user `{}` in {} has no credentials that it knows",
            place.user, place.source
        );
    }
    let policy = |kind: &str| format!("see {kind} of the cluster; `plimsoll policy list` names what is checked before");
    if let Some(denied) = Denied::parse(said) {
        return denied.help(place);
    }
    if said.contains("exceeded quota") || said.contains("must specify limits") || said.contains("maximum ") {
        return format!(
            "ask for less, or have the limits of the namespace raised: {}",
            place.kubectl("get resourcequotas,limitranges --all-namespaces")
        );
    }
    if said.contains("violates PodSecurity") {
        return "the namespace's label `pod-security.kubernetes.io/enforce` says so: mend the Pod".to_owned();
    }
    if said.contains("ValidatingAdmissionPolicy") {
        return policy("the ValidatingAdmissionPolicies");
    }
    if said.contains("denied the request") {
        return policy("the ValidatingWebhookConfigurations");
    }
    if said.contains("because it is being terminated") {
        return "the namespace is being deleted: wait until it is gone, then create it anew".to_owned();
    }
    format!("see what is allowed: {}", place.kubectl("auth can-i --list"))
}

fn webhook(place: &Place, said: &str) -> String {
    let name = said.split('"').nth(1).unwrap_or_default();
    let list = place.kubectl("get validatingwebhookconfigurations,mutatingwebhookconfigurations");
    format!("the webhook {name} of the cluster does not answer, and its `failurePolicy` refuses then: see {list}")
}

/// What RBAC has refused: `User "alice" cannot list resource "pods" in API group "" in the namespace "x"`.
#[derive(Debug, PartialEq, Eq)]
struct Denied<'t> {
    verb: &'t str,
    /// `deployments/status`; of a path that is no resource nothing.
    resource: &'t str,
    group: &'t str,
    namespace: Option<&'t str>,
}

impl<'t> Denied<'t> {
    fn parse(said: &'t str) -> Option<Self> {
        let (_, rest) = said.split_once("\" cannot ")?;
        let (verb, rest) = rest.split_once(" resource \"")?;
        let (resource, rest) = rest.split_once("\" in API group \"")?;
        let (group, rest) = rest.split_once('"')?;
        let namespace = rest.split_once("in the namespace \"").and_then(|(_, rest)| rest.split_once('"'));
        let is_word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-./*".contains(c));
        let denied = Self { verb, resource, group, namespace: namespace.map(|(name, _)| name) };
        [verb, resource, group, denied.namespace.unwrap_or_default()].into_iter().all(is_word).then_some(denied)
    }

    fn help(&self, place: &Place) -> String {
        let Self { verb, resource, group, namespace } = self;
        let (role, scope) = match namespace {
            Some(namespace) => (format!("a Role in the namespace {namespace}"), format!(" --namespace {namespace}")),
            None => ("a ClusterRole".to_owned(), String::new()),
        };
        let (plural, sub) = match resource.split_once('/') {
            Some((plural, sub)) => (plural, format!(" --subresource {sub}")),
            None => (*resource, String::new()),
        };
        let full = if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") };
        let question = place.kubectl(&format!("auth can-i {verb} {full}{sub}{scope}"));
        format!(
            "{role} with this rule allows it:\n  - apiGroups: [\"{group}\"]\n    resources: [{resource}]\n    verbs: \
             [{verb}]\nto see whether it is allowed: {question}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: u16, status: &str) -> String {
        let place = Place {
            url: "https://10.0.0.1:6443".into(),
            context: Some("prod".into()),
            user: "alice".into(),
            source: "/home/alice/.kube/config".into(),
            program: None,
        };
        let error = error(&place, "/api/v1/namespaces/shop/configmaps", code, None, status);
        format!("{code}: {}\n=> {}\n", error.message, error.help.unwrap_or_default())
    }

    #[test]
    fn a_status_is_put_into_words() {
        let status = |message: &str, reason: &str, details: &str| {
            format!(r#"{{"kind": "Status", "message": {message:?}, "reason": "{reason}", "details": {{{details}}}}}"#)
        };
        let invalid = r#"Deployment.apps "web" is invalid: [spec.replicas: Invalid value: -1: must be at least 0, spec.selector: Required value]"#;
        let causes = r#""causes": [{"field": "spec.replicas", "message": "Invalid value: -1: must be at least 0"},
            {"field": "spec.selector", "message": "Required value"}]"#;
        let said = [
            told(401, &status("Unauthorized", "Unauthorized", "")),
            told(
                403,
                &status(
                    r#"pods "a" is forbidden: User "alice" cannot patch resource "pods/status" in API group "" in the namespace "shop""#,
                    "Forbidden",
                    "",
                ),
            ),
            told(
                403,
                &status(
                    r#"namespaces is forbidden: User "alice" cannot list resource "namespaces" in API group "" at the cluster scope"#,
                    "Forbidden",
                    "",
                ),
            ),
            told(
                403,
                &status(
                    r#"deployments.apps "a" is forbidden: User "alice" cannot patch resource "deployments/scale" in API group "apps" in the namespace "shop""#,
                    "Forbidden",
                    "",
                ),
            ),
            // A name that is none is not put into a command.
            told(
                403,
                &status(
                    r#"x is forbidden: User "alice" cannot get resource "x; rm -rf ~" in API group "" at the cluster scope"#,
                    "Forbidden",
                    "",
                ),
            ),
            told(
                403,
                &status(
                    r#"pods "a" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2"#,
                    "Forbidden",
                    "",
                ),
            ),
            told(
                403,
                &status(
                    r#"pods "a" is forbidden: violates PodSecurity "restricted:latest": privileged"#,
                    "Forbidden",
                    "",
                ),
            ),
            told(
                403,
                &status(
                    r#"configmaps "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"#,
                    "Forbidden",
                    "",
                ),
            ),
            told(
                403,
                &status(
                    r#"unable to create new content in namespace shop because it is being terminated"#,
                    "Forbidden",
                    "",
                ),
            ),
            told(404, &status(r#"namespaces "shop" not found"#, "NotFound", r#""name": "shop", "kind": "namespaces""#)),
            told(
                409,
                &status(
                    r#"Operation cannot be fulfilled on configmaps "a": the object has been modified"#,
                    "Conflict",
                    "",
                ),
            ),
            told(422, &status(invalid, "Invalid", causes)),
            told(429, "Too many requests, please try again later.\n"),
            told(
                500,
                &status(
                    r#"Internal error occurred: failed calling webhook "check.example.com": failed to call webhook: Post "https://x": dial tcp: connection refused"#,
                    "InternalError",
                    "",
                ),
            ),
            told(
                500,
                &status(
                    r#"failed to create typed patch object (shop/a; /v1, Kind=ConfigMap): .date: field not declared in schema"#,
                    "",
                    "",
                ),
            ),
            told(503, "<html>\u{1b}[31m</html>"),
            told(504, ""),
        ];
        insta::with_settings!({snapshot_path => "../../snapshots/cluster", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!("status", said.join("\n"));
        });
    }
}
