//! The resources that a server has: `apps/v1 Deployment` is `deployments`, in a namespace.
//!
//! Source: aggregated discovery, `apidiscovery.k8s.io/v2` (Kubernetes 1.30 and newer).

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{Api, Error};
use crate::value::{Map, Value};

const DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// A resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// The group, empty for the core group.
    pub group: String,
    /// `v1`
    pub version: String,
    /// `Deployment`
    pub kind: String,
    /// `deployments`
    pub plural: String,
    /// Whether its objects live in a namespace.
    pub is_namespaced: bool,
    /// `get`, `list`, `patch`, …
    pub verbs: Vec<String>,
}

/// All resources, those of one group in the order of the versions that the server prefers.
#[derive(Debug, Clone, Default)]
pub struct Resources {
    all: Vec<Resource>,
    /// What Helm's `.Capabilities.APIVersions` has: `apps/v1`, and `apps/v1/Deployment`, kinds of subresources too.
    api_versions: BTreeSet<String>,
    /// The groups whose server did not answer: what they have is not known.
    stale: BTreeSet<String>,
}

impl Resources {
    pub(super) async fn read(api: &Api) -> Result<Self, Error> {
        let mut resources = Self::default();
        for path in ["/api", "/apis"] {
            let found = api.read(path, DISCOVERY).await?;
            if found.get("kind").and_then(Value::as_str) != Some("APIGroupDiscoveryList") {
                return Err(api.too_old());
            }
            for group in items(&found, "items") {
                resources.add(group);
            }
        }
        Ok(resources)
    }

    /// The resource of a kind that is needed.
    pub(super) fn need(&self, api_version: &str, kind: &str) -> Result<&Resource, Error> {
        self.of(api_version, kind).ok_or_else(|| Error::no_resource(api_version, kind))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.all.iter()
    }

    /// The resource of a kind.
    pub fn of(&self, api_version: &str, kind: &str) -> Option<&Resource> {
        self.all.iter().find(|resource| resource.kind == kind && resource.api_version() == api_version)
    }

    /// Whether there is any resource of an API version.
    pub fn has_version(&self, api_version: &str) -> bool {
        self.api_versions.contains(api_version)
    }

    /// The resource of a kind in the version that the server prefers.
    pub fn preferred(&self, group: &str, kind: &str) -> Option<&Resource> {
        self.all.iter().find(|resource| resource.kind == kind && resource.group == group)
    }

    /// The groups whose server did not answer.
    pub fn stale(&self) -> impl Iterator<Item = &str> {
        self.stale.iter().map(String::as_str)
    }

    /// The API versions, and the kinds in them.
    ///
    /// Source: Helm's `GetVersionSet`, on what client-go's `SplitGroupsAndResources` makes of the same answers.
    pub fn api_versions(&self) -> impl Iterator<Item = &str> {
        self.api_versions.iter().map(String::as_str)
    }

    fn add(&mut self, group: &Value) {
        let name = text(group.at(["metadata", "name"]));
        for version in items(group, "versions") {
            if version.get("freshness").and_then(Value::as_str) == Some("Stale") {
                self.stale.insert(name.clone());
                continue;
            }
            let number = text(version.get("version"));
            let group_version = if name.is_empty() { number.clone() } else { format!("{name}/{number}") };
            for resource in items(version, "resources") {
                let kind = kind(resource);
                for kind in items(resource, "subresources").iter().map(self::kind).chain([kind.clone()]) {
                    if !kind.is_empty() {
                        self.api_versions.insert(format!("{group_version}/{kind}"));
                    }
                }
                // One without a kind is there for its subresources only.
                if !kind.is_empty() {
                    self.all.push(Resource {
                        group: name.clone(),
                        version: number.clone(),
                        kind,
                        plural: text(resource.get("resource")),
                        is_namespaced: resource.get("scope").and_then(Value::as_str) == Some("Namespaced"),
                        verbs: items(resource, "verbs").iter().map(|verb| text(Some(verb))).collect(),
                    });
                }
            }
            self.api_versions.insert(group_version);
        }
    }
}

impl Resource {
    /// `apps/v1`, or `v1`
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `deployments.apps`, as RBAC and kubectl name it.
    pub fn named(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// Where its objects are, or one of them.
    pub(super) fn path(&self, namespace: Option<&str>, name: Option<&str>) -> String {
        let root = if self.group.is_empty() { "/api/" } else { "/apis/" };
        let mut path = format!("{root}{}", self.api_version());
        if let Some(namespace) = namespace.filter(|_| self.is_namespaced) {
            let _ = write!(path, "/namespaces/{}", escape(namespace));
        }
        let _ = write!(path, "/{}", self.plural);
        if let Some(name) = name {
            let _ = write!(path, "/{}", escape(name));
        }
        path
    }

    pub(super) fn with_type(&self, item: &Value) -> Value {
        let mut map: Map = item.as_map().cloned().unwrap_or_default();
        map.insert("apiVersion", self.api_version().into());
        map.insert("kind", self.kind.as_str().into());
        map.into()
    }
}

fn kind(resource: &Value) -> String {
    text(resource.at(["responseKind", "kind"]))
}

fn items<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_list).unwrap_or_default()
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A segment of a path, or a value of a query: names come from charts.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => escaped.push(char::from(byte)),
            // `..` leads to another object.
            b'.' if !text.trim_matches('.').is_empty() => escaped.push('.'),
            _ => {
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}
