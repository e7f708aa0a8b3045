//! `matchConstraints`: which objects a policy is about.

use super::Error;
use super::decode::Node;
use super::kinds;
use crate::value::Value;

/// `spec.matchConstraints`.
#[derive(Debug, Clone, Default)]
pub struct MatchConstraints {
    namespace_selector: Selector,
    object_selector: Selector,
    rules: Vec<ResourceRule>,
    exclude: Vec<ResourceRule>,
}

/// One of `resourceRules` and `excludeResourceRules`.
#[derive(Debug, Clone)]
struct ResourceRule {
    groups: Vec<String>,
    versions: Vec<String>,
    resources: Vec<String>,
    operations: Vec<String>,
    names: Vec<String>,
    scope: Scope,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Any,
    Cluster,
    Namespaced,
}

/// A label selector. The empty one selects everything.
#[derive(Debug, Clone, Default)]
pub struct Selector {
    labels: Vec<(String, String)>,
    expressions: Vec<Requirement>,
}

#[derive(Debug, Clone)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

/// An object as matching sees it.
pub struct Candidate<'a> {
    /// The object.
    pub object: &'a Value,
    /// The API group.
    pub group: &'a str,
    /// The API version.
    pub version: &'a str,
    /// `deployments`
    pub resource: &'a str,
    /// `metadata.name`
    pub name: &'a str,
    /// Whether it lives in a namespace.
    pub namespaced: bool,
    /// The labels of its namespace; its own if it is a namespace.
    pub namespace_labels: Option<&'a Value>,
}

impl MatchConstraints {
    /// Reads `matchConstraints`.
    pub fn read(node: &Node<'_>) -> Result<Self, Error> {
        node.only(&["namespaceSelector", "objectSelector", "resourceRules", "excludeResourceRules", "matchPolicy"])?;
        if let Some(policy) = node.get("matchPolicy")
            && !["Exact", "Equivalent"].contains(&policy.text()?)
        {
            return Err(policy.error("matchPolicy must be Exact or Equivalent"));
        }
        let rules = |key| node.list_of(key)?.iter().map(ResourceRule::read).collect::<Result<Vec<_>, _>>();
        let constraints = Self {
            namespace_selector: Selector::read(node.get("namespaceSelector"))?,
            object_selector: Selector::read(node.get("objectSelector"))?,
            rules: rules("resourceRules")?,
            exclude: rules("excludeResourceRules")?,
        };
        if constraints.rules.is_empty() {
            return Err(node.error("matchConstraints needs at least one of resourceRules"));
        }
        Ok(constraints)
    }

    /// Whether the policy is about an object that is being created.
    pub fn matches(&self, candidate: &Candidate<'_>) -> bool {
        let any = |rules: &[ResourceRule]| rules.iter().any(|rule| rule.matches(candidate));
        // Only objects with a namespace, and namespaces, are selected by their namespace's labels.
        let in_namespace =
            candidate.namespace_labels.is_none_or(|labels| self.namespace_selector.selects(Some(labels)));
        in_namespace
            && any(&self.rules)
            && !any(&self.exclude)
            && self.object_selector.selects(candidate.object.at(["metadata", "labels"]))
    }
}

impl ResourceRule {
    fn read(node: &Node<'_>) -> Result<Self, Error> {
        node.only(&["apiGroups", "apiVersions", "resources", "operations", "resourceNames", "scope"])?;
        let needed = |key| {
            node.need(key)?;
            match node.texts_of(key)? {
                texts if texts.is_empty() => Err(node.error(format!("{key} must not be empty"))),
                texts => Ok(texts),
            }
        };
        let operations = needed("operations")?;
        if let Some(unknown) = operations
            .iter()
            .find(|operation| !["*", "CREATE", "UPDATE", "DELETE", "CONNECT"].contains(&operation.as_str()))
        {
            return Err(node.error(format!("unknown operation {unknown}")));
        }
        let scope = match node.text_of("scope")? {
            None | Some("*") => Scope::Any,
            Some("Cluster") => Scope::Cluster,
            Some("Namespaced") => Scope::Namespaced,
            Some(_) => return Err(node.error("scope must be Cluster, Namespaced or *")),
        };
        Ok(Self {
            groups: needed("apiGroups")?,
            versions: needed("apiVersions")?,
            resources: needed("resources")?,
            operations,
            names: node.texts_of("resourceNames")?,
            scope,
        })
    }

    fn matches(&self, candidate: &Candidate<'_>) -> bool {
        let among = |known: &[String], wanted: &str| known.iter().any(|known| known == "*" || known == wanted);
        let scope = match self.scope {
            Scope::Any => true,
            Scope::Cluster => !candidate.namespaced,
            Scope::Namespaced => candidate.namespaced,
        };
        scope
            && among(&self.groups, candidate.group)
            && among(&self.versions, candidate.version)
            && self.resources.iter().any(|known| known == "*" || known == "*/*" || known == candidate.resource)
            && among(&self.operations, "CREATE")
            && (self.names.is_empty() || self.names.iter().any(|name| name == candidate.name))
    }
}

impl Selector {
    fn read(node: Option<Node<'_>>) -> Result<Self, Error> {
        let Some(node) = node else { return Ok(Self::default()) };
        node.only(&["matchLabels", "matchExpressions"])?;
        let mut expressions = Vec::new();
        for expression in node.list_of("matchExpressions")? {
            expression.only(&["key", "operator", "values"])?;
            let operator = match expression.need("operator")?.text()? {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                _ => return Err(expression.error("operator must be In, NotIn, Exists or DoesNotExist")),
            };
            let key = expression.need("key")?.text()?.to_owned();
            expressions.push(Requirement { key, operator, values: expression.texts_of("values")? });
        }
        Ok(Self { labels: node.pairs_of("matchLabels")?, expressions })
    }

    /// Whether a map of labels meets all requirements.
    pub fn selects(&self, labels: Option<&Value>) -> bool {
        let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        self.labels.iter().all(|(key, value)| label(key) == Some(value))
            && self.expressions.iter().all(|requirement| {
                let found = label(&requirement.key);
                let among = found.is_some_and(|found| requirement.values.iter().any(|value| value == found));
                match requirement.operator {
                    Operator::In => among,
                    Operator::NotIn => !among,
                    Operator::Exists => found.is_some(),
                    Operator::DoesNotExist => found.is_none(),
                }
            })
    }
}

/// The group, version, kind and resource of an object.
pub fn identity(object: &Value) -> (&str, &str, &str, String) {
    let text = |key| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let (group, version) = kinds::group_version(text("apiVersion"));
    let kind = text("kind");
    (group, version, kind, kinds::resource(kind))
}
