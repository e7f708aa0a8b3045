//! `matchConstraints` and `matchResources`: which objects a policy or a binding is about.

use super::Error;
use super::decode::Node;
use super::request::{Operation, Request};
use super::selector::Selector;
use crate::value::Value;

/// `spec.matchConstraints` of a policy, `spec.matchResources` of a binding.
#[derive(Debug, Clone, Default)]
pub struct MatchResources {
    namespace_selector: Selector,
    object_selector: Selector,
    rules: Vec<ResourceRule>,
    exclude: Vec<ResourceRule>,
    exact: bool,
}

/// One of `resourceRules` and `excludeResourceRules`.
#[derive(Debug, Clone)]
struct ResourceRule {
    groups: Vec<String>,
    versions: Vec<String>,
    resources: Vec<String>,
    names: Vec<String>,
    scope: Scope,
    operations: Vec<Operation>,
}

/// The namespace that an object is in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Namespace<'a> {
    /// The object is in none and is none.
    None,
    /// It is this one.
    Known(&'a Value),
    /// Nothing but its name is known, and what follows from that.
    Named(&'a Value),
}

impl<'a> Namespace<'a> {
    /// What is known of it.
    #[cfg(feature = "rego")]
    pub fn object(self) -> Option<&'a Value> {
        match self {
            Self::None => None,
            Self::Known(namespace) | Self::Named(namespace) => Some(namespace),
        }
    }
}

/// Whether the rules are about an object turns on labels of a namespace that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it selects namespaces by their labels, and the API server sends a webhook no Namespace")]
pub(super) struct UnknownNamespace;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Any,
    Cluster,
    Namespaced,
}

/// Resources that no policy sees: without them a cluster could not be used (the API server's `exclusion`).
const UNSEEN: &[(&str, &str)] = &[
    ("authentication.k8s.io", "selfsubjectreviews"),
    ("authentication.k8s.io", "tokenreviews"),
    ("authorization.k8s.io", "localsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authorization.k8s.io", "subjectaccessreviews"),
];

impl MatchResources {
    /// Reads either field.
    pub fn read(node: &Node<'_>) -> Result<Self, Error> {
        node.only(&["namespaceSelector", "objectSelector", "resourceRules", "excludeResourceRules", "matchPolicy"])?;
        let rules = |key| node.list_of(key)?.iter().map(ResourceRule::read).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            namespace_selector: Selector::read_from(node, "namespaceSelector")?,
            object_selector: Selector::read_from(node, "objectSelector")?,
            rules: rules("resourceRules")?,
            exclude: rules("excludeResourceRules")?,
            exact: node.one_of("matchPolicy", &["Equivalent", "Exact"])? == Some("Exact"),
        })
    }

    /// Whether no rule says which resources are meant: then all are.
    pub fn has_no_rules(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether it is about pods and nothing else, all of them: what Kyverno asks before it extends a policy to what makes
    /// pods (`CanAutoGen`).
    pub fn is_about_all_pods(&self) -> bool {
        let [rule] = self.rules.as_slice() else { return false };
        rule.groups == [""]
            && rule.versions == ["v1"]
            && rule.resources == ["pods"]
            && rule.names.is_empty()
            && self.exclude.is_empty()
            && self.object_selector.is_empty()
    }

    /// The resources that it is about, without their subresources; `*` is all of them.
    pub fn resources(&self) -> Vec<&str> {
        let resources = self.rules.iter().flat_map(|rule| &rule.resources);
        let resources = resources.map(|resource| resource.split_once('/').map_or(resource.as_str(), |(name, _)| name));
        if self.rules.is_empty() { vec!["*"] } else { resources.collect() }
    }

    /// Whether a request is meant: the group and version of the rule that says so.
    ///
    /// These are the object's own, or with `matchPolicy: Equivalent` some under which an API server could convert it.
    /// Here it is not converted: expressions see it as it was written.
    pub(super) fn matches<'a>(
        &self,
        request: &'a Request,
        namespace: Namespace<'_>,
    ) -> Result<Option<(&'a str, &'a str)>, UnknownNamespace> {
        let selected = match namespace {
            // What is in no namespace and is none itself is not selected by a namespace's labels.
            Namespace::None => Some(true),
            Namespace::Known(namespace) => Some(self.namespace_selector.selects(namespace)),
            Namespace::Named(namespace) => self.namespace_selector.may_select(namespace),
        };
        let is_unseen = UNSEEN.contains(&(&*request.group, &*request.resource));
        if selected == Some(false) || is_unseen || !self.selects_object(request) {
            return Ok(None);
        }
        if self.first(&self.exclude, request).is_some() {
            return Ok(None);
        }
        let own = || (request.group.as_str(), request.version.as_str());
        let found = if self.rules.is_empty() { Some(own()) } else { self.first(&self.rules, request) };
        if found.is_some() && selected.is_none() { Err(UnknownNamespace) } else { Ok(found) }
    }

    /// Whether the object is selected, or the one that is there.
    fn selects_object(&self, request: &Request) -> bool {
        let selects = |object: &Value| object.as_map().is_some() && self.object_selector.selects(object);
        self.object_selector.is_empty() || selects(&request.object) || selects(&request.old_object)
    }

    /// The group and version under which one of the rules is about an object; its own are tried first.
    fn first<'a>(&self, rules: &[ResourceRule], request: &'a Request) -> Option<(&'a str, &'a str)> {
        let own = (request.group.as_str(), request.version.as_str());
        if rules.iter().any(|rule| rule.matches(request, own)) {
            return Some(own);
        }
        let equivalents = request.equivalents.iter().filter(|_| !self.exact);
        let equivalents = equivalents.map(|(group, version)| (group.as_ref(), version.as_ref()));
        rules.iter().find_map(|rule| equivalents.clone().find(|served| rule.matches(request, *served)))
    }
}

impl ResourceRule {
    fn read(node: &Node<'_>) -> Result<Self, Error> {
        node.only(&["apiGroups", "apiVersions", "resources", "operations", "resourceNames", "scope"])?;
        let needed = |key| {
            let list = node.need(key)?;
            match node.texts_of(key)? {
                texts if texts.is_empty() => Err(list.error(format!("{key} must not be empty"))),
                texts if texts.len() > 1 && texts.iter().any(|text| text == "*") && key != "resources" => {
                    Err(list.error(format!("{key} has \"*\", which must stand alone")))
                }
                texts => Ok(texts),
            }
        };
        let operations = needed("operations")?;
        for operation in node.list_of("operations")? {
            operation.is_one_of(&["*", "CREATE", "UPDATE", "DELETE", "CONNECT"])?;
        }
        let operations = Operation::ALL
            .into_iter()
            .filter(|known| operations.iter().any(|operation| operation == "*" || operation == known.name()));
        let resources = needed("resources")?;
        if resources.len() > 1 && resources.iter().any(|resource| resource == "*/*") {
            return Err(node.need("resources")?.error("resources has \"*/*\", which must stand alone"));
        }
        let scope = match node.one_of("scope", &["*", "Cluster", "Namespaced"])? {
            Some("Cluster") => Scope::Cluster,
            Some("Namespaced") => Scope::Namespaced,
            _ => Scope::Any,
        };
        Ok(Self {
            groups: needed("apiGroups")?,
            versions: needed("apiVersions")?,
            resources,
            names: node.texts_of("resourceNames")?,
            scope,
            operations: operations.collect(),
        })
    }

    fn matches(&self, request: &Request, (group, version): (&str, &str)) -> bool {
        let among = |known: &[String], wanted: &str| known.iter().any(|known| known == "*" || known == wanted);
        let scope = match self.scope {
            Scope::Any => true,
            Scope::Cluster => !request.namespaced,
            Scope::Namespaced => request.namespaced,
        };
        scope
            && self.operations.contains(&request.operation)
            && among(&self.groups, group)
            && among(&self.versions, version)
            && self.resources.iter().any(|known| is_about(known, &request.resource, &request.subresource))
            && (self.names.is_empty() || self.names.contains(&request.name))
    }
}

/// Whether an entry of `resources` is about a resource, or a subresource: `pods`, `pods/*`, `*` and `*/*` are about pods,
/// `pods/exec`, `pods/*`, `*/exec` and `*/*` about `pods/exec`.
fn is_about(known: &str, resource: &str, subresource: &str) -> bool {
    let (known, below) = known.split_once('/').unwrap_or((known, ""));
    (known == "*" || known == resource) && (below == "*" || below == subresource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subresources_are_named_or_meant_by_a_star() {
        let cases = [
            ("pods", "pods", "", true),
            ("pods", "pods", "exec", false),
            ("pods/exec", "pods", "exec", true),
            ("pods/exec", "pods", "", false),
            ("pods/*", "pods", "", true),
            ("pods/*", "pods", "exec", true),
            ("*/scale", "deployments", "scale", true),
            ("*/scale", "deployments", "", false),
            ("*", "deployments", "", true),
            ("*", "deployments", "scale", false),
            ("*/*", "deployments", "scale", true),
            ("services", "pods", "", false),
        ];
        for (known, resource, subresource, wanted) in cases {
            assert_eq!(is_about(known, resource, subresource), wanted, "{known}: {resource}/{subresource}");
        }
    }
}
