//! The policies that a release brings itself: those that are bound hold for its objects too.

use super::Error;
use super::binding::Binding;
use super::decode::Document;
use super::document::{Policy, PolicyKind};
use crate::kinds::group_version;
use crate::manifest::{Manifest, Object};
use crate::value::Value;

/// What the ids of such policies begin with.
pub const RELEASE: &str = "release/";

/// Why a violation of such a policy matters, where the policy does not say.
const RATIONALE: &str = "The release brings this policy and binds it: once it is in the cluster, the API server judges by \
                         it every object that is applied.";
/// How to mend a violation, where the policy does not say.
const REMEDIATION: &str = "Change the object so that the policy's expression holds, or the policy, or its binding.";

/// The ValidatingAdmissionPolicies among the objects of a release that are bound in it, under the ids `release/<name>`.
///
/// Parameters are looked for in the release too.
///
/// # Errors
/// What the API server would refuse, as it could not be installed: placed in the rendered text.
pub fn brought(objects: &[Object], manifests: &[Manifest]) -> Result<Vec<Policy>, Error> {
    let mut policies = Vec::new();
    let mut bindings = Vec::new();
    for object in objects {
        let (group, _) = group_version(&object.reference.api_version);
        let Some(manifest) = manifests.get(object.manifest).filter(|_| group == "admissionregistration.k8s.io") else {
            continue;
        };
        let id = format!("{RELEASE}{}", object.reference.name);
        let document = Document::of_manifest(manifest, object);
        match object.reference.kind.as_str() {
            "ValidatingAdmissionPolicy" => {
                let policy = Policy::from_document(&id, PolicyKind::Object, document);
                let policy = policy.map_err(|error| error.of(&id))?;
                policy.check()?;
                policies.push(policy);
            }
            "ValidatingAdmissionPolicyBinding" => {
                bindings.push(Binding::read(&document).map_err(|error| error.of(&id))?);
            }
            _ => {}
        }
    }
    for policy in &mut policies {
        policy.bindings.extend(bindings.iter().filter(|binding| binding.policy == policy.name).cloned());
        if let Some(kind) = &policy.param_kind {
            let params = objects.iter().filter(|object| kind.is_of(&object.value));
            policy.params.extend(params.map(placed));
        }
        for (text, otherwise) in [(&mut policy.rationale, RATIONALE), (&mut policy.remediation, REMEDIATION)] {
            if text.is_empty() {
                otherwise.clone_into(text);
            }
        }
    }
    policies.retain(|policy| !policy.bindings.is_empty());
    Ok(policies)
}

/// The object with the namespace that it will have.
fn placed(object: &Object) -> Value {
    let (Some(map), Some(namespace)) = (object.value.as_map(), &object.reference.namespace) else {
        return object.value.clone();
    };
    let mut map = map.clone();
    let mut metadata = map.get("metadata").and_then(Value::as_map).cloned().unwrap_or_default();
    metadata.insert("namespace", namespace.as_str().into());
    map.insert("metadata", metadata.into());
    map.into()
}
