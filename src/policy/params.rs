//! What users may set of a policy: its severity, and the keys of the ConfigMap that lies beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Policy;
use crate::finding::Severity;
use crate::value::{Map, Value};

/// A parameter that a policy does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy {policy} has no parameter {key:?}; {}", keys(.known))]
pub struct NoSuchParam {
    policy: String,
    key: String,
    known: Vec<Arc<str>>,
}

fn keys(keys: &[Arc<str>]) -> String {
    if keys.is_empty() { "it has none".to_owned() } else { format!("it has {}", keys.join(", ")) }
}

impl Policy {
    /// The keys of `params.data`, and what they hold.
    pub fn params(&self) -> BTreeMap<&Arc<str>, &Value> {
        let data = self.params.iter().filter_map(|object| object.get("data")?.as_map());
        data.flat_map(Map::iter).collect()
    }

    /// The objects of its parameters.
    pub fn param_objects(&self) -> &[Value] {
        &self.params
    }

    /// Sets a key of `params.data`, in every object of parameters that has it.
    pub fn set_param(&mut self, key: &str, value: &str) -> Result<(), NoSuchParam> {
        let known: Vec<Arc<str>> = self.params().into_keys().cloned().collect();
        if !known.iter().any(|known| **known == *key) {
            return Err(NoSuchParam { policy: self.id.clone(), key: key.to_owned(), known });
        }
        for object in &mut self.params {
            let data = object.get("data").and_then(Value::as_map).filter(|data| data.get(key).is_some());
            if let (Some(map), Some(data)) = (object.as_map(), data) {
                let (mut map, mut data) = (map.clone(), data.clone());
                data.insert(key, value.into());
                map.insert("data", data.into());
                *object = map.into();
            }
        }
        Ok(())
    }

    /// Makes every violation as bad as the user says, whatever the policy and its bindings say.
    pub fn set_severity(&mut self, severity: Severity) {
        self.severity = severity;
        self.bindings.iter_mut().for_each(|binding| binding.severity = severity);
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Severity;
    use crate::policy::{Policy, Release, evaluate};
    use crate::source::SourceFile;
    use crate::yaml;

    const POLICY: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: replicas}
spec:
  paramKind: {apiVersion: v1, kind: ConfigMap}
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]
  validations:
  - expression: object.spec.replicas <= int(params.data.most)
---
apiVersion: v1
kind: ConfigMap
metadata: {name: replicas}
data: {most: "3", least: "1"}
"#;

    fn found(policy: &Policy) -> Vec<Severity> {
        let object = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: 5}}";
        let objects = [yaml::parse(object, yaml::Options::default()).unwrap()];
        let release = Release::plain("n", "v1.35.0", &objects);
        evaluate([policy], &[release]).unwrap().iter().map(|violation| violation.severity).collect()
    }

    #[test]
    fn parameters_and_severity_are_the_user_s() {
        let mut policy = Policy::read("a/b", &SourceFile::new("b.yaml", POLICY)).unwrap();
        assert_eq!(found(&policy), [Severity::Error]);
        policy.set_severity(Severity::Info);
        assert_eq!(found(&policy), [Severity::Info]);
        policy.set_param("most", "5").unwrap();
        assert_eq!(found(&policy), []);
        let error = policy.set_param("mots", "5").unwrap_err();
        assert_eq!(error.to_string(), r#"policy a/b has no parameter "mots"; it has least, most"#);
    }
}
