//! An object on its way into a cluster: as the API server's admission sees its creation.

use std::sync::OnceLock;

use crate::kinds::{Kinds, Served, group_version};
use crate::value::{Map, Value};

/// The request to create an object.
#[derive(Debug)]
pub(super) struct Request {
    /// The object as the API server decodes it: without null fields, with a head, and in its namespace.
    pub object: Value,
    /// The API group, empty for the core group.
    pub group: String,
    /// The API version.
    pub version: String,
    /// `Deployment`
    pub kind: String,
    /// `deployments`
    pub resource: String,
    /// `metadata.name`
    pub name: String,
    /// The namespace that it is created in. As in the API server, the namespace of a Namespace is itself.
    pub namespace: String,
    /// Whether objects of the kind live in a namespace.
    pub namespaced: bool,
    /// The groups and versions under which it could be read as well.
    pub equivalents: Vec<Served>,
    about: OnceLock<Value>,
}

impl Request {
    /// The request that creates an object in a release that is installed to a namespace.
    pub fn new(object: &Value, release_namespace: &str, kinds: &Kinds<'_>) -> Self {
        let text = |key| object.get(key).and_then(Value::as_str).unwrap_or_default();
        let (group, version) = group_version(text("apiVersion"));
        let kind = text("kind");
        let name = meta(object, "name").unwrap_or_default();
        let namespaced = kinds.is_namespaced(group, kind);
        let namespace = if namespaced {
            meta(object, "namespace").unwrap_or(release_namespace)
        } else if is_namespace(group, kind) {
            name
        } else {
            ""
        };
        Self {
            object: admitted(object, if namespaced { namespace } else { "" }),
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            resource: kinds.resource(group, kind),
            name: name.into(),
            namespace: namespace.into(),
            namespaced,
            equivalents: kinds.equivalents(group, kind),
            about: OnceLock::new(),
        }
    }

    /// Whether the object is a namespace.
    pub fn is_namespace(&self) -> bool {
        is_namespace(&self.group, &self.kind)
    }

    /// The variable `request`, where a rule for the object's own version matched.
    ///
    /// There is no user: an expression that asks for one cannot be evaluated.
    pub fn about(&self) -> &Value {
        self.about.get_or_init(|| self.about_as(&self.group, &self.version))
    }

    /// The variable `request`, where a rule for an equivalent group and version matched. Fields that the API server
    /// leaves out when they are empty are missing here too (`CreateAdmissionRequest`).
    pub fn about_as(&self, group: &str, version: &str) -> Value {
        let named = |group: &str, version: &str, what: &str, name: &str| {
            text_map([("group", group), ("version", version), (what, name)])
        };
        let mut request = Map::default();
        request.insert("uid", "".into());
        request.insert("kind", named(group, version, "kind", &self.kind));
        request.insert("resource", named(group, version, "resource", &self.resource));
        request.insert("requestKind", named(&self.group, &self.version, "kind", &self.kind));
        request.insert("requestResource", named(&self.group, &self.version, "resource", &self.resource));
        for (key, text) in [("name", &self.name), ("namespace", &self.namespace)] {
            if !text.is_empty() {
                request.insert(key, text.as_str().into());
            }
        }
        request.insert("operation", "CREATE".into());
        request.insert("dryRun", false.into());
        request.into()
    }
}

fn is_namespace(group: &str, kind: &str) -> bool {
    group.is_empty() && kind == "Namespace"
}

/// A text of the metadata that is not empty.
fn meta<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.at(["metadata", key]).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A mapping of texts.
pub(super) fn text_map<const N: usize>(entries: [(&str, &str); N]) -> Value {
    entries.into_iter().map(|(key, value)| (key, value.into())).collect::<Map>().into()
}

fn admitted(object: &Value, namespace: &str) -> Value {
    let placed = namespace.is_empty() || meta(object, "namespace").is_some();
    // Most objects have none, and to see that takes less than to build them anew.
    let object = if has_nulls(object) { without_nulls(object) } else { None }.unwrap_or_else(|| object.clone());
    let Some(map) = object.as_map() else { return object };
    let has_text = |key| map.get(key).and_then(Value::as_str).is_some();
    let metadata = map.get("metadata").and_then(Value::as_map);
    if placed && has_text("apiVersion") && has_text("kind") && metadata.is_some() {
        return object;
    }
    let mut metadata = metadata.cloned().unwrap_or_default();
    if !placed {
        metadata.insert("namespace", namespace.into());
    }
    let mut map = map.clone();
    for key in ["apiVersion", "kind"] {
        if !has_text(key) {
            map.insert(key, "".into());
        }
    }
    map.insert("metadata", metadata.into());
    map.into()
}

fn has_nulls(value: &Value) -> bool {
    match value {
        Value::List(items) => items.iter().any(has_nulls),
        Value::Map(map) => map.iter().any(|(_, value)| matches!(value, Value::Null) || has_nulls(value)),
        _ => false,
    }
}

/// The value without null fields, as the API server decodes it; `None` if it has none.
fn without_nulls(value: &Value) -> Option<Value> {
    match value {
        Value::List(items) => {
            let changed: Vec<Option<Value>> = items.iter().map(without_nulls).collect();
            if changed.iter().all(Option::is_none) {
                return None;
            }
            let items = items.iter().zip(changed).map(|(item, changed)| changed.unwrap_or_else(|| item.clone()));
            Some(items.collect::<Vec<_>>().into())
        }
        Value::Map(map) => {
            let mut changed = false;
            let mut kept = Vec::with_capacity(map.len());
            for (key, value) in map.iter() {
                if matches!(value, Value::Null) {
                    changed = true;
                    continue;
                }
                let inner = without_nulls(value);
                changed |= inner.is_some();
                kept.push((key.clone(), inner.unwrap_or_else(|| value.clone())));
            }
            changed.then(|| kept.into_iter().collect::<Map>().into())
        }
        _ => None,
    }
}
