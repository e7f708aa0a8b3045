//! What the API server's admission is asked: to create, change or delete an object, or to connect to one.

use std::sync::OnceLock;

use crate::kinds::{Kinds, Served, group_version};
use crate::value::{Map, Value};

/// What is to be done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `CREATE`
    Create,
    /// `UPDATE`
    Update,
    /// `DELETE`
    Delete,
    /// `CONNECT`: to a proxy, a shell or a port
    Connect,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Create, Self::Update, Self::Delete, Self::Connect];

    /// `CREATE`
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }
}

/// A request as policies see it.
///
/// A chart's objects are judged as their creation; what a webhook is asked is read from an `AdmissionReview`.
#[derive(Debug)]
pub struct Request {
    /// What is to be done.
    pub operation: Operation,
    /// The object as the API server decodes it: without null fields, with a head, and in its namespace. Null where it is
    /// deleted.
    pub object: Value,
    /// The object that is there; null where none is.
    pub old_object: Value,
    /// The API group of the resource, empty for the core group.
    pub group: String,
    /// The API version of the resource.
    pub version: String,
    /// `Deployment`
    pub kind: String,
    /// `deployments`
    pub resource: String,
    /// `scale`, or nothing
    pub subresource: String,
    /// `metadata.name`; empty where the API server is to make one up
    pub name: String,
    /// The namespace that it is in. As in the API server, the namespace of a Namespace is itself.
    pub namespace: String,
    /// Whether the object lives in a namespace.
    pub namespaced: bool,
    /// The groups and versions under which it could be read as well.
    pub equivalents: Vec<Served>,
    /// What only a request to a server has.
    asked: Asked,
    about: OnceLock<Value>,
}

/// What only a request to a server has.
#[derive(Debug, Default)]
struct Asked {
    /// The group and version of the kind, where it is not that of the resource: `deployments/scale` takes a `Scale` of
    /// `autoscaling/v1`.
    kind: Option<(String, String)>,
    /// Who asks.
    user: Option<Value>,
    /// `CreateOptions` and the like.
    options: Option<Value>,
    /// Whether nothing will be stored.
    dry_run: bool,
}

/// A request that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: expected {wanted}, found {found}")]
pub struct RequestError {
    /// The field: `request.operation`.
    path: String,
    wanted: &'static str,
    found: String,
}

impl Request {
    /// The request that creates an object in a release that is installed to a namespace.
    pub(super) fn create(object: &Value, release_namespace: &str, kinds: &Kinds<'_>) -> Self {
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
            operation: Operation::Create,
            object: admitted(object, if namespaced { namespace } else { "" }),
            old_object: Value::Null,
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            resource: kinds.resource(group, kind),
            subresource: String::new(),
            name: name.into(),
            namespace: namespace.into(),
            namespaced,
            equivalents: kinds.equivalents(group, kind),
            asked: Asked::default(),
            about: OnceLock::new(),
        }
    }

    /// Reads the `request` of an `AdmissionReview`.
    ///
    /// The resource is the one that was asked for (`requestResource`); `resource`, to which the API server has converted
    /// the object, is one of its equivalents.
    pub fn read(request: &Value) -> Result<Self, RequestError> {
        let fields = Fields(request);
        let [kind_group, kind_version, kind] = fields.triple("kind", "kind")?;
        let converted = fields.triple("resource", "resource")?;
        let [group, version, resource] =
            if fields.is_given("requestResource") { fields.triple("requestResource", "resource")? } else { converted };
        let [asked_group, asked_version, asked_kind] = if fields.is_given("requestKind") {
            fields.triple("requestKind", "kind")?
        } else {
            [kind_group, kind_version, kind]
        };
        let operation = fields.operation()?;
        let namespace = fields.text("namespace")?;
        let object = fields.object("object", matches!(operation, Operation::Create | Operation::Update))?;
        let old_object = fields.object("oldObject", operation == Operation::Update)?;
        let mut equivalents = Kinds::default().equivalents(group, asked_kind);
        let [other_group, other_version, _] = converted;
        if (other_group, other_version) != (group, version) {
            equivalents.push((other_group.to_owned().into(), other_version.to_owned().into()));
        }
        let is_other = (asked_group, asked_version) != (group, version);
        Ok(Self {
            operation,
            object: if operation == Operation::Delete { Value::Null } else { admitted(object, "") },
            old_object: admitted(old_object, ""),
            group: group.into(),
            version: version.into(),
            kind: asked_kind.into(),
            resource: resource.into(),
            subresource: fields.text("subResource")?.into(),
            name: fields.text("name")?.into(),
            namespace: namespace.into(),
            namespaced: !namespace.is_empty() && (!group.is_empty() || resource != "namespaces"),
            equivalents,
            asked: Asked {
                kind: is_other.then(|| (asked_group.to_owned(), asked_version.to_owned())),
                user: Some(fields.mapping("userInfo")?),
                options: Some(fields.mapping("options")?),
                dry_run: fields.flag("dryRun")?,
            },
            about: OnceLock::new(),
        })
    }

    /// The object that policies look at: the one that is there, where it is deleted.
    pub fn subject(&self) -> &Value {
        if self.object.as_map().is_some() { &self.object } else { &self.old_object }
    }

    /// Whether nothing will be stored.
    pub fn is_dry_run(&self) -> bool {
        self.asked.dry_run
    }

    /// The name of the user who asks; nothing where nobody does.
    pub fn user(&self) -> &str {
        self.asked.user.as_ref().and_then(|user| user.get("username")?.as_str()).unwrap_or_default()
    }

    /// Whether the object is a namespace.
    pub(super) fn is_namespace(&self) -> bool {
        self.group.is_empty() && self.resource == "namespaces"
    }

    /// The variable `request`, where a rule for the object's own version matched.
    ///
    /// Offline there is no user: an expression that asks for one cannot be evaluated.
    pub(super) fn about(&self) -> &Value {
        self.about.get_or_init(|| self.about_as(&self.group, &self.version))
    }

    /// The variable `request`, where a rule for an equivalent group and version matched. Fields that the API server
    /// leaves out when they are empty are missing here too, and `uid` is empty as there (`CreateAdmissionRequest`).
    pub(super) fn about_as(&self, group: &str, version: &str) -> Value {
        let named = |group: &str, version: &str, what: &str, name: &str| {
            text_map([("group", group), ("version", version), (what, name)])
        };
        let kind = |group: &str, version: &str| match &self.asked.kind {
            Some((group, version)) => named(group, version, "kind", &self.kind),
            None => named(group, version, "kind", &self.kind),
        };
        let mut request = vec![
            ("uid", "".into()),
            ("kind", kind(group, version)),
            ("resource", named(group, version, "resource", &self.resource)),
            ("requestKind", kind(&self.group, &self.version)),
            ("requestResource", named(&self.group, &self.version, "resource", &self.resource)),
            ("operation", self.operation.name().into()),
            ("dryRun", self.asked.dry_run.into()),
        ];
        let texts = [
            ("name", &self.name),
            ("namespace", &self.namespace),
            ("subResource", &self.subresource),
            ("requestSubResource", &self.subresource),
        ];
        request.extend(
            texts.into_iter().filter(|(_, text)| !text.is_empty()).map(|(key, text)| (key, text.as_str().into())),
        );
        request.extend(self.asked.user.clone().map(|user| ("userInfo", user)));
        request.extend(self.asked.options.clone().map(|options| ("options", options)));
        request.into_iter().collect::<Map>().into()
    }
}

/// The fields of an `AdmissionRequest`.
struct Fields<'a>(&'a Value);

impl<'a> Fields<'a> {
    fn error(key: &str, wanted: &'static str, found: Option<&Value>) -> RequestError {
        let found = match found {
            None => "nothing".to_owned(),
            Some(Value::String(text)) => format!("{:?}", text.chars().take(40).collect::<String>()),
            Some(value) => value.type_name().to_owned(),
        };
        RequestError { path: format!("request.{key}"), wanted, found }
    }

    /// A field that is not null.
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !matches!(value, Value::Null))
    }

    fn is_given(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// A text, which may be left out.
    fn text(&self, key: &str) -> Result<&'a str, RequestError> {
        match self.get(key) {
            None => Ok(""),
            Some(Value::String(text)) => Ok(text),
            found => Err(Self::error(key, "a text", found)),
        }
    }

    fn flag(&self, key: &str) -> Result<bool, RequestError> {
        match self.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            found => Err(Self::error(key, "true or false", found)),
        }
    }

    /// A mapping; an empty one where it is left out.
    fn mapping(&self, key: &str) -> Result<Value, RequestError> {
        match self.get(key) {
            None => Ok(Map::default().into()),
            Some(value @ Value::Map(_)) => Ok(value.clone()),
            found => Err(Self::error(key, "a mapping", found)),
        }
    }

    /// A group, a version, and a kind or resource.
    fn triple(&self, key: &str, last: &str) -> Result<[&'a str; 3], RequestError> {
        let found = self.get(key);
        let text = |name: &str| found.and_then(|value| value.get(name)).and_then(Value::as_str);
        match (text("version"), text(last)) {
            // The core group is often left out.
            (Some(version), Some(name)) if !name.is_empty() => Ok([text("group").unwrap_or_default(), version, name]),
            _ => Err(Self::error(
                key,
                if last == "kind" { "group, version and kind" } else { "group, version and resource" },
                found,
            )),
        }
    }

    fn operation(&self) -> Result<Operation, RequestError> {
        let text = self.get("operation").and_then(Value::as_str);
        let known = Operation::ALL.into_iter().find(|operation| Some(operation.name()) == text);
        known.ok_or_else(|| Self::error("operation", "CREATE, UPDATE, DELETE or CONNECT", self.get("operation")))
    }

    /// An object; null where it is left out and may be.
    fn object(&self, key: &str, is_needed: bool) -> Result<&'a Value, RequestError> {
        match self.get(key) {
            None if !is_needed => Ok(&Value::Null),
            Some(object @ Value::Map(_)) => Ok(object),
            found => Err(Self::error(key, "an object", found)),
        }
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
