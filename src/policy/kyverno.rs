//! Kyverno's `ValidatingPolicy`: the grammar of a `ValidatingAdmissionPolicy`, with its bindings' actions in it.
//!
//! A policy about pods holds for what makes pods too. As in Kyverno (`pkg/cel/autogen`), further policies are generated
//! from it, in whose texts `object.spec` is `object.spec.template.spec`.

use super::Error;
use super::decode::{Document, Node};
use super::error::ErrorKind;
use super::matching::MatchResources;
use crate::cel::{CompileError, CompileErrorKind};
use crate::finding::Severity;
use crate::value::{Map, Value};

/// The `apiVersion`s of its documents.
pub(super) const VERSIONS: [&str; 3] =
    ["policies.kyverno.io/v1", "policies.kyverno.io/v1beta1", "policies.kyverno.io/v1alpha1"];
/// The prefix of the annotations in which it describes its policies.
pub(super) const ANNOTATION: &str = "policies.kyverno.io/";

/// What makes pods: its group and resource, and the way to the pod in it.
const CONTROLLERS: [(&str, &str, &str); 6] = [
    ("apps", "daemonsets", "spec.template"),
    ("apps", "deployments", "spec.template"),
    ("apps", "replicasets", "spec.template"),
    ("apps", "statefulsets", "spec.template"),
    ("batch", "jobs", "spec.template"),
    ("batch", "cronjobs", "spec.jobTemplate.spec.template"),
];

/// Refuses a spec that says what is not known, and one that is about something else than objects.
pub(super) fn check(spec: &Node<'_>) -> Result<(), Error> {
    spec.only(&[
        "auditAnnotations",
        "autogen",
        "evaluation",
        "failurePolicy",
        "matchConditions",
        "matchConstraints",
        "validationActions",
        "validations",
        "variables",
        "webhookConfiguration",
    ])?;
    let Some(mode) = spec.get("evaluation").and_then(|evaluation| evaluation.get("mode")) else { return Ok(()) };
    match mode.text()? {
        "Kubernetes" => Ok(()),
        other => Err(mode.error(format!("only policies of the mode Kubernetes are evaluated, not {other}"))),
    }
}

/// How bad a violation is. What is denied is an error and what is warned of a warning; what is only reported is as bad as
/// `policies.kyverno.io/severity` says, but never refused.
pub(super) fn severity(metadata: &Node<'_>, spec: &Node<'_>) -> Result<Severity, Error> {
    let mut actions = Vec::new();
    for action in spec.list_of("validationActions")? {
        actions.push(action.is_one_of(&["Deny", "Warn", "Audit"])?);
    }
    let has = |action| actions.contains(&action);
    if actions.is_empty() || has("Deny") {
        return Ok(Severity::Error);
    }
    let notes = metadata.get("annotations");
    let rated = notes.map(|notes| notes.text_of(&format!("{ANNOTATION}severity"))).transpose()?.flatten();
    let is_bad = matches!(rated, Some("critical" | "high" | "medium"));
    Ok(if has("Warn") || is_bad { Severity::Warning } else { Severity::Info })
}

/// What is said of an expression that does not compile.
pub(super) fn compile_error(error: CompileError) -> ErrorKind {
    match error.kind {
        CompileErrorKind::Undeclared(_) => ErrorKind::KyvernoOnly(error.into()),
        _ => ErrorKind::Compile(error.into()),
    }
}

/// The documents that are generated from a policy for what makes pods; none if it is not about pods alone.
pub(super) fn generated(document: &Document) -> Result<Vec<Document>, Error> {
    let root = document.root();
    let spec = root.need("spec")?;
    let Some(constraints) = spec.get("matchConstraints") else { return Ok(Vec::new()) };
    if !MatchResources::read(&constraints)?.is_about_all_pods() {
        return Ok(Vec::new());
    }
    let wanted = spec.get("autogen").and_then(|autogen| autogen.get("podControllers"));
    let wanted = wanted.filter(|pods| pods.get("controllers").is_some());
    let wanted = wanted.map(|pods| pods.texts_of("controllers")).transpose()?;
    // As in Kyverno, a name that it does not know is none: `Deployment` is not `deployments`.
    let is_wanted = |resource: &str| wanted.as_ref().is_none_or(|names| names.iter().any(|name| name == resource));
    let mut documents = Vec::new();
    for template in ["spec.template", "spec.jobTemplate.spec.template"] {
        let controllers = CONTROLLERS.iter().filter(|(_, resource, at)| *at == template && is_wanted(resource));
        let controllers: Vec<(&str, &str)> = controllers.map(|(group, resource, _)| (*group, *resource)).collect();
        if controllers.is_empty() {
            continue;
        }
        let mut changed = map(&rewritten(spec.value, template));
        changed.insert("matchConstraints", extended(constraints.value, &controllers));
        let mut policy = map(root.value);
        policy.insert("spec", changed.into());
        documents.push(document.rewritten(policy.into()));
    }
    Ok(documents)
}

/// The constraints of a policy about pods for what makes them. Of the others only the namespaces' selector is kept.
fn extended(constraints: &Value, controllers: &[(&str, &str)]) -> Value {
    let rule = constraints.get("resourceRules").and_then(Value::as_list).and_then(<[Value]>::first);
    let operations = rule.and_then(|rule| rule.get("operations"));
    let rules = controllers.iter().map(|(group, resource)| {
        let list = |text: &str| Value::from(vec![Value::from(text)]);
        let mut rule = Map::default();
        rule.insert("apiGroups", list(group));
        rule.insert("apiVersions", list("v1"));
        rule.insert("resources", list(resource));
        rule.insert("operations", operations.cloned().unwrap_or_default());
        Value::from(rule)
    });
    let mut extended = Map::default();
    extended.insert("resourceRules", rules.collect::<Vec<_>>().into());
    if let Some(selector) = constraints.get("namespaceSelector") {
        extended.insert("namespaceSelector", selector.clone());
    }
    extended.into()
}

/// A value in whose texts the fields of a pod are those of a template.
fn rewritten(value: &Value, template: &str) -> Value {
    match value {
        Value::List(items) => items.iter().map(|item| rewritten(item, template)).collect::<Vec<_>>().into(),
        Value::Map(map) => {
            map.iter().map(|(key, value)| (key.clone(), rewritten(value, template))).collect::<Map>().into()
        }
        value => match value.as_str() {
            Some(text) => in_template(text, template).into(),
            None => value.clone(),
        },
    }
}

/// A text in which `object.spec` and `object.metadata` are those of a template; but the namespace is the object's own.
fn in_template(text: &str, template: &str) -> String {
    let mut text = text.to_owned();
    for (object, field) in
        [("object", "spec"), ("oldObject", "spec"), ("object", "metadata"), ("oldObject", "metadata")]
    {
        let (pod, own) = (format!("{object}.{template}.{field}"), format!("{object}.{field}"));
        let mut parts = text.split(&own);
        let mut changed = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let rest = part.strip_prefix(".namespace");
            let is_own = rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
            changed.push_str(if is_own { &own } else { &pod });
            changed.push_str(part);
        }
        text = changed;
    }
    text
}

fn map(value: &Value) -> Map {
    value.as_map().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_rewritten_as_kyverno_rewrites_them() {
        let cases = [
            ("object.spec.containers.all(c, true)", "object.spec.template.spec.containers.all(c, true)"),
            ("has(object.metadata.labels)", "has(object.spec.template.metadata.labels)"),
            ("object.metadata.namespace != 'a'", "object.metadata.namespace != 'a'"),
            ("object.metadata.namespaceFoo", "object.spec.template.metadata.namespaceFoo"),
            ("oldObject.spec == object.spec", "oldObject.spec.template.spec == object.spec.template.spec"),
            ("object.?spec.hostNetwork", "object.?spec.hostNetwork"),
            ("namespaceObject.metadata.name", "namespaceObject.metadata.name"),
        ];
        for (text, wanted) in cases {
            assert_eq!(in_template(text, "spec.template"), wanted);
        }
        assert_eq!(
            in_template("object.spec", "spec.jobTemplate.spec.template"),
            "object.spec.jobTemplate.spec.template.spec"
        );
    }
}
