//! `matchConstraints` and `matchResources`: which objects a policy or a binding is about.

use super::Error;
use super::decode::Node;
use super::request::Request;
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
    /// Whether it is about the creation of objects: nothing else is judged here.
    creates: bool,
}

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

    /// Whether an object is meant when it is created: the group and version of the rule that says so.
    ///
    /// These are the object's own, or with `matchPolicy: Equivalent` some under which an API server could convert it.
    /// Here it is not converted: expressions see it as it was written. `namespace` is the one that it is created in.
    pub(super) fn matches<'a>(&self, request: &'a Request, namespace: Option<&Value>) -> Option<(&'a str, &'a str)> {
        // What is in no namespace and is none itself is not selected by a namespace's labels.
        let selected = namespace.is_none_or(|namespace| self.namespace_selector.selects(namespace))
            && self.object_selector.selects(&request.object);
        if !selected || UNSEEN.contains(&(&*request.group, &*request.resource)) {
            return None;
        }
        if self.first(&self.exclude, request).is_some() {
            return None;
        }
        if self.rules.is_empty() {
            return Some((&request.group, &request.version));
        }
        self.first(&self.rules, request)
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
            creates: operations.iter().any(|operation| operation == "*" || operation == "CREATE"),
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
            && self.creates
            && among(&self.groups, group)
            && among(&self.versions, version)
            && self.resources.iter().any(|known| is_about(known, &request.resource))
            && (self.names.is_empty() || self.names.contains(&request.name))
    }
}

/// Whether an entry of `resources` is about a resource itself: `pods`, `pods/*`, `*` and `*/*` are about pods,
/// `pods/exec` and `*/scale` are not.
fn is_about(known: &str, resource: &str) -> bool {
    let (known, subresource) = known.split_once('/').unwrap_or((known, ""));
    (known == "*" || known == resource) && (subresource.is_empty() || subresource == "*")
}
