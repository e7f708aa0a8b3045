//! Files of policies: in each a policy, bindings, and objects with parameters.

use std::sync::Arc;

use super::Error;
use super::binding::Binding;
use super::decode::{Document, documents};
use super::document::{Policy, PolicyKind};
#[cfg(feature = "rego")]
use super::rego;
use crate::source::SourceFile;
use crate::value::Value;

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct File {
    /// The policy.
    pub policy: Option<Policy>,
    bindings: Vec<(Binding, Document)>,
    params: Vec<Document>,
    #[cfg(feature = "rego")]
    rego: InRego,
}

/// What a file holds of policies in Rego.
#[cfg(feature = "rego")]
#[derive(Debug, Default)]
struct InRego {
    id: String,
    file: Option<rego::RegoFile>,
    template: Option<rego::Template>,
    constraint: Option<rego::Constraint>,
}

/// What is said of Rego by a binary that cannot evaluate it.
#[cfg(not(feature = "rego"))]
const NO_REGO: &str = "this binary was built without Rego: cargo install plimsoll --features rego";

impl File {
    /// Reads a file; `id` is that of its policy.
    pub fn read(id: &str, file: &Arc<SourceFile>) -> Result<Self, Error> {
        if file.name.ends_with(".rego") {
            let mut found = Self::new(id);
            found.add_rego(id, file)?;
            return Ok(found);
        }
        Self::of_documents(id, documents(file).map_err(|error| error.of(id))?)
    }

    /// The same of the documents of a file.
    pub fn of_documents(id: &str, documents: Vec<Document>) -> Result<Self, Error> {
        let mut found = Self::new(id);
        for document in documents {
            found.add(id, document).map_err(|error| error.of(id))?;
        }
        Ok(found)
    }

    #[cfg(feature = "rego")]
    fn new(id: &str) -> Self {
        Self { rego: InRego { id: id.to_owned(), ..InRego::default() }, ..Self::default() }
    }

    #[cfg(not(feature = "rego"))]
    fn new(_: &str) -> Self {
        Self::default()
    }

    #[cfg(feature = "rego")]
    fn add_rego(&mut self, id: &str, file: &Arc<SourceFile>) -> Result<(), Error> {
        self.rego.file = Some(rego::RegoFile::read(id, file)?);
        Ok(())
    }

    #[cfg(not(feature = "rego"))]
    fn add_rego(&mut self, id: &str, file: &Arc<SourceFile>) -> Result<(), Error> {
        let place = crate::source::Location::new(file.clone(), crate::source::Span::default());
        Err(Error::new(super::ErrorKind::Document(NO_REGO.into()), place).of(id))
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
            #[cfg(feature = "rego")]
            ("templates.gatekeeper.sh", "ConstraintTemplate") => {
                self.rego.template = Some(rego::Template::read(&document)?)
            }
            #[cfg(feature = "rego")]
            ("constraints.gatekeeper.sh", _) => {
                if self.rego.constraint.is_some() {
                    return Err(root.error("a file holds one constraint: the file's name is its id"));
                }
                self.rego.constraint = Some(rego::Constraint::read(document)?);
            }
            #[cfg(not(feature = "rego"))]
            ("templates.gatekeeper.sh" | "constraints.gatekeeper.sh", _) => return Err(root.error(NO_REGO)),
            ("kyverno.io" | "policies.kyverno.io", _) => {
                let message = format!("{version} {kind} is not evaluated; of Kyverno's kinds only ValidatingPolicy is");
                return Err(root.error(message));
            }
            _ => self.params.push(document),
        }
        Ok(())
    }
}

/// Makes policies of the Rego of files that lie together.
#[cfg(feature = "rego")]
fn assemble_rego(files: &mut [File]) -> Result<(), Error> {
    let mut found: Vec<InRego> = files.iter_mut().map(|file| std::mem::take(&mut file.rego)).collect();
    let templates: Vec<_> = found.iter_mut().filter_map(|rego| rego.template.take()).collect();
    let constraints = found.iter_mut().enumerate();
    let constraints = constraints.filter_map(|(index, rego)| Some((index, rego.id.clone(), rego.constraint.take()?)));
    let mut policies = rego::bind(&templates, constraints.collect())?;
    let sources: Vec<_> = found.into_iter().map(|rego| rego.file).collect();
    policies.extend(rego::conftest(&sources));
    for (index, policy) in policies {
        if let Some(file) = files.get_mut(index) {
            file.policy = Some(policy);
        }
    }
    Ok(())
}

/// Gives the policies of files that lie together the bindings and parameters that lie beside them.
///
/// A policy that is bound chooses from the parameters of all files; one that is not is judged with each of its own file.
/// The files are returned in their order.
pub(super) fn assemble(
    #[cfg_attr(not(feature = "rego"), expect(unused_mut))] mut files: Vec<File>,
) -> Result<Vec<Option<Policy>>, Error> {
    #[cfg(feature = "rego")]
    assemble_rego(&mut files)?;
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

#[cfg(all(test, not(feature = "rego")))]
mod tests {
    use crate::policy::Policy;
    use crate::source::SourceFile;

    #[test]
    fn rego_is_refused_where_it_cannot_be_evaluated() {
        let template = "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate";
        for (name, text) in [("a.rego", "package main"), ("a.yaml", template)] {
            let error = Policy::read("a", &SourceFile::new(name, text)).unwrap_err().to_string();
            assert!(error.ends_with("built without Rego: cargo install plimsoll --features rego"), "{error}");
        }
    }
}
