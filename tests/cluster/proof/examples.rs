//! What is judged: the objects of the examples beside the policies, and what plimsoll itself says of them.

use plimsoll::json;
use plimsoll::policy::examples::Examples;
use plimsoll::policy::{Catalogue, Policy, PolicyKind, Release, evaluate};
use plimsoll::value::Numbers;
use serde_json::Value;

use super::complete::complete;
use super::exported::LABEL;

/// An object of an example.
pub struct Case<'a> {
    pub policy: &'a Policy,
    /// The example's name.
    pub example: String,
    /// The version of Kubernetes that the example is about: `1.35`.
    pub version: String,
    pub namespace: String,
    /// The object, made whole.
    pub object: Value,
    /// What plimsoll finds in it.
    pub offline: Vec<String>,
}

impl Case<'_> {
    /// `images/tag: latest, in a CronJob and an init container: CronJob clean`
    pub fn name(&self) -> String {
        let text = |pointer: &str| self.object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        format!("{}: {}: {} {}", self.policy.id, self.example, text("/kind"), text("/metadata/name"))
    }
}

/// An object with the label that sends it to some policies.
pub fn labelled(object: &Value, label: &str) -> Value {
    let mut object = object.clone();
    object["metadata"]["labels"][LABEL] = label.into();
    object
}

/// The policies that have an exported form.
pub fn object_policies(catalogue: &Catalogue) -> Vec<&Policy> {
    catalogue.policies().filter(|policy| policy.kind == PolicyKind::Object).collect()
}

/// Every object of every example of every policy for single objects.
pub fn cases(catalogue: &Catalogue) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for entry in catalogue.entries().iter().filter(|entry| entry.policy.kind == PolicyKind::Object) {
        let (policy, examples) = (&entry.policy, Examples::read(&entry.examples().unwrap()).unwrap());
        for example in examples.pass.iter().chain(&examples.fail) {
            let releases = example.releases();
            let [release] = releases.as_slice() else { panic!("{}: one release", example.name) };
            let written: Vec<Value> = release.objects.iter().map(to_json).collect();
            let mut whole = written.clone();
            whole.iter_mut().for_each(complete);
            let judge = |objects: &[Value]| judge(&[policy], release.namespace, release.kube_version, objects);
            for (index, (offline, of_whole)) in judge(&written).into_iter().zip(judge(&whole)).enumerate() {
                // What is wrong may be that something is missing: then it is not added.
                let object = if of_whole == offline { &whole[index] } else { &written[index] };
                let namespace = object.pointer("/metadata/namespace").and_then(Value::as_str);
                cases.push(Case {
                    policy,
                    example: example.name.clone(),
                    version: release.kube_version.to_owned(),
                    namespace: namespace.unwrap_or(release.namespace).to_owned(),
                    object: object.clone(),
                    offline: offline.into_iter().map(|(_, message)| message).collect(),
                });
            }
        }
    }
    cases
}

/// What plimsoll finds in each of some objects: the ids of policies, and messages.
pub fn judge<'p>(
    policies: &[&'p Policy],
    namespace: &str,
    version: &str,
    objects: &[Value],
) -> Vec<Vec<(&'p str, String)>> {
    let objects: Vec<_> =
        objects.iter().map(|object| json::parse(object.to_string(), Numbers::Exact).unwrap()).collect();
    let release = Release::plain(namespace, version, &objects);
    let mut found = vec![Vec::new(); objects.len()];
    for policy in policies {
        match evaluate([*policy], std::slice::from_ref(&release)) {
            Ok(violations) => {
                for violation in violations {
                    found[violation.object.unwrap()].push((policy.id.as_str(), violation.message));
                }
            }
            Err(error) => found.iter_mut().for_each(|found| found.push((policy.id.as_str(), error.to_string()))),
        }
    }
    found
}

pub fn to_json(value: &plimsoll::value::Value) -> Value {
    serde_json::from_str(&json::to_json_raw(value).unwrap()).unwrap()
}
