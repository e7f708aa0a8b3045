//! Files of policies: in each a policy, bindings, and objects with parameters.

use std::sync::Arc;

use super::Error;
use super::binding::Binding;
use super::decode::{Document, documents};
use super::document::{Policy, PolicyKind};
use crate::source::SourceFile;
use crate::value::Value;

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct File {
    /// The policy.
    pub policy: Option<Policy>,
    bindings: Vec<(Binding, Document)>,
    params: Vec<Document>,
}

impl File {
    /// Reads a file; `id` is that of its policy.
    pub fn read(id: &str, file: &Arc<SourceFile>) -> Result<Self, Error> {
        let mut found = Self::default();
        for document in documents(file).map_err(|error| error.of(id))? {
            found.add(id, document).map_err(|error| error.of(id))?;
        }
        Ok(found)
    }

    fn add(&mut self, id: &str, document: Document) -> Result<(), Error> {
        let root = document.root();
        if root.value.as_map().is_none() {
            return Err(root.wrong("a mapping"));
        }
        let (version, kind) = (root.need("apiVersion")?.text()?, root.need("kind")?.text()?);
        if let Some(policy) = PolicyKind::of(version, kind) {
            if self.policy.is_some() {
                return Err(root.error("a file holds one policy: the file's name is its id"));
            }
            root.only(&["apiVersion", "kind", "metadata", "spec"])?;
            root.need("metadata")?.only(&["name", "labels", "annotations"])?;
            self.policy = Some(Policy::from_document(id, policy, document)?);
            return Ok(());
        }
        match (version.split_once('/').map_or("", |(group, _)| group), kind) {
            ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding") => {
                root.only(&["apiVersion", "kind", "metadata", "spec"])?;
                self.bindings.push((Binding::read(&document)?, document));
            }
            // They change objects: there is nothing to judge.
            ("admissionregistration.k8s.io", "MutatingAdmissionPolicy" | "MutatingAdmissionPolicyBinding") => {}
            ("admissionregistration.k8s.io" | "plimsoll.dev", _) => {
                let known = "admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy and \
                             ValidatingAdmissionPolicyBinding, plimsoll.dev/v1 ReleasePolicy and FleetPolicy";
                return Err(root.error(format!("{version} {kind} is no policy; known are {known}")));
            }
            _ => self.params.push(document),
        }
        Ok(())
    }
}

/// Gives the policies of files that lie together the bindings and parameters that lie beside them.
///
/// A policy that is bound chooses from the parameters of all files; one that is not is judged with each of its own file.
/// The files are returned in their order.
pub(super) fn assemble(files: Vec<File>) -> Result<Vec<Option<Policy>>, Error> {
    let (mut policies, mut bindings, mut params) = (Vec::new(), Vec::new(), Vec::new());
    for file in files {
        let own = params.len()..params.len() + file.params.len();
        policies.push((file.policy, own));
        bindings.extend(file.bindings);
        params.extend(file.params);
    }
    for (binding, document) in bindings {
        let bound = policies.iter_mut().filter_map(|(policy, _)| policy.as_mut());
        let bound = bound.filter(|policy| policy.kind == PolicyKind::Object && policy.name == binding.policy);
        let before = bound.map(|policy| policy.bindings.push(binding.clone())).count();
        if before == 0 {
            let name = document.root().need("spec")?.need("policyName")?;
            return Err(name.error(format!("no ValidatingAdmissionPolicy here has the name {}", binding.policy)));
        }
    }
    let mut used = vec![false; params.len()];
    for (policy, own) in &mut policies {
        let Some(policy) = policy else { continue };
        let Some(kind) = policy.param_kind.clone() else { continue };
        for (index, document) in params.iter().enumerate() {
            let object = document.root().value;
            if kind.is_of(object) {
                used[index] = true;
                if own.contains(&index) || !policy.bindings.is_empty() {
                    policy.params.push(object.clone());
                }
            }
        }
        if policy.bindings.is_empty() && policy.params.is_empty() {
            let message = format!("there are no parameters: add a {kind} to this file, or a binding to the folder");
            return Err(policy.error(&["spec", "paramKind"], message));
        }
    }
    match params.iter().zip(used).find(|(_, used)| !used) {
        None => Ok(policies.into_iter().map(|(policy, _)| policy).collect()),
        Some((document, _)) => {
            let root = document.root();
            let text = |key| root.value.get(key).and_then(Value::as_str).unwrap_or_default();
            let what = format!("{} {}", text("apiVersion"), text("kind"));
            Err(root.error(format!("{what} is no policy, no binding, and no policy's paramKind names it")))
        }
    }
}
