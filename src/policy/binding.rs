//! `ValidatingAdmissionPolicyBinding`: where a policy holds, with which parameters, and how hard.

use super::Error;
use super::decode::{Document, Node};
use super::matching::{MatchResources, Namespace, UnknownNamespace};
use super::request::Request;
use super::selector::Selector;
use crate::finding::Severity;
use crate::kinds::{Kinds, group_version};
use crate::value::Value;

/// `spec.paramKind` of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamKind {
    api_version: String,
    kind: String,
}

/// A binding.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The `metadata.name` of the policy.
    pub policy: String,
    /// How bad a violation is: the strongest of `validationActions`.
    pub severity: Severity,
    resources: Option<MatchResources>,
    params: Option<ParamRef>,
}

#[derive(Debug, Clone)]
struct ParamRef {
    name: Option<String>,
    selector: Selector,
    namespace: Option<String>,
    /// `parameterNotFoundAction: Deny`
    needed: bool,
}

impl ParamKind {
    pub(super) fn read(node: &Node<'_>) -> Result<Self, Error> {
        node.only(&["apiVersion", "kind"])?;
        let text = |key| {
            let node = node.need(key)?;
            match node.text()? {
                "" => Err(node.error(format!("{key} must not be empty"))),
                text => Ok(text.to_owned()),
            }
        };
        Ok(Self { api_version: text("apiVersion")?, kind: text("kind")? })
    }

    /// Whether an object is of this kind.
    pub fn is_of(&self, object: &Value) -> bool {
        let is = |key, wanted: &str| object.get(key).and_then(Value::as_str) == Some(wanted);
        is("apiVersion", &self.api_version) && is("kind", &self.kind)
    }

    fn group(&self) -> &str {
        group_version(&self.api_version).0
    }
}

impl std::fmt::Display for ParamKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.api_version, self.kind)
    }
}

impl Binding {
    /// Reads a binding, with the checks that the API server makes when one is created.
    pub(super) fn read(document: &Document) -> Result<Self, Error> {
        let spec = document.root().need("spec")?;
        spec.only(&["policyName", "paramRef", "matchResources", "validationActions"])?;
        let actions = spec.list_of("validationActions")?;
        let mut severity = None;
        for action in &actions {
            severity = severity.max(Some(match action.is_one_of(&["Deny", "Warn", "Audit"])? {
                "Deny" => Severity::Error,
                "Warn" => Severity::Warning,
                _ => Severity::Info,
            }));
        }
        let texts = spec.texts_of("validationActions")?;
        let has = |action: &str| texts.iter().filter(|text| *text == action).count();
        if has("Deny") > 0 && has("Warn") > 0 {
            return Err(spec.need("validationActions")?.error("validationActions must not have both Deny and Warn"));
        }
        if let Some(twice) = texts.iter().find(|action| has(action) > 1) {
            return Err(spec.need("validationActions")?.error(format!("validationActions has {twice} twice")));
        }
        Ok(Self {
            policy: spec.need("policyName")?.text()?.to_owned(),
            severity: severity.ok_or_else(|| spec.error("spec.validationActions must name Deny, Warn or Audit"))?,
            resources: spec.get("matchResources").map(|node| MatchResources::read(&node)).transpose()?,
            params: spec.get("paramRef").map(|node| ParamRef::read(&node)).transpose()?,
        })
    }

    /// Whether an object that the policy is about is one that the binding is about.
    pub(super) fn matches(&self, request: &Request, namespace: Namespace<'_>) -> Result<bool, UnknownNamespace> {
        let Some(resources) = &self.resources else { return Ok(true) };
        Ok(resources.matches(request, namespace)?.is_some())
    }

    /// The parameters that an object is judged with, each by itself; one that is null where none are asked for.
    ///
    /// `Err` is the API server's text for a request that it denies because of the binding (`CollectParams`). Parameters
    /// that were written without a namespace are in any.
    pub(super) fn params<'a>(
        &self,
        kind: Option<&ParamKind>,
        candidates: &'a [Value],
        request: &Request,
    ) -> Result<Vec<&'a Value>, &'static str> {
        let (Some(kind), Some(wanted)) = (kind, &self.params) else { return Ok(vec![&Value::Null]) };
        let namespaced = Kinds::default().is_namespaced(kind.group(), &kind.kind);
        let namespace = match (namespaced, &wanted.namespace) {
            (false, Some(_)) => return Err("paramRef.namespace must not be provided for a cluster-scoped `paramKind`"),
            (false, None) => None,
            (true, Some(namespace)) => Some(namespace),
            // The scope of custom kinds is not known.
            (true, None) if request.namespace.is_empty() && kind.group().is_empty() => {
                return Err("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources");
            }
            (true, None) => Some(&request.namespace).filter(|namespace| !namespace.is_empty()),
        };
        let text = |object: &'a Value, key| object.at(["metadata", key]).and_then(Value::as_str);
        let found: Vec<&Value> = candidates
            .iter()
            .filter(|object| wanted.name.as_deref().is_none_or(|name| text(object, "name") == Some(name)))
            .filter(|object| wanted.selector.selects(object))
            .filter(|object| match (namespace, text(object, "namespace")) {
                (Some(wanted), Some(found)) => wanted == found,
                _ => true,
            })
            .collect();
        if found.is_empty() && wanted.needed {
            return Err("no params found for policy binding with `Deny` parameterNotFoundAction");
        }
        Ok(found)
    }
}

impl ParamRef {
    fn read(node: &Node<'_>) -> Result<Self, Error> {
        node.only(&["name", "namespace", "selector", "parameterNotFoundAction"])?;
        let name = node.text_of("name")?.filter(|name| !name.is_empty());
        match (name, node.get("selector")) {
            (Some(_), Some(selector)) => {
                return Err(selector.error("paramRef has a name, so it cannot have a selector"));
            }
            (None, None) => return Err(node.error("paramRef needs a name or a selector")),
            _ => {}
        }
        node.need("parameterNotFoundAction")?;
        Ok(Self {
            name: name.map(str::to_owned),
            selector: Selector::read_from(node, "selector")?,
            namespace: node.text_of("namespace")?.filter(|name| !name.is_empty()).map(str::to_owned),
            needed: node.one_of("parameterNotFoundAction", &["Allow", "Deny"])? == Some("Deny"),
        })
    }
}
