//! Custom resources, as an API server that has their CustomResourceDefinitions treats them.

mod declare;
mod defaulting;
mod definition;
mod document;
mod field_path;
mod formats;
mod keywords;
mod lists;
mod node;
mod rule;
mod rules;
mod schema;
mod structure;
mod trail;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use definition::Definition;

use document::Unknown;
use node::{Flaw, Node};
use trail::Trail;

use super::Error;
use crate::source::Location;
use crate::value::{Path, Value};

/// The custom resources of CRDs, by group and kind. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct CustomResources {
    groups: Arc<BTreeMap<Arc<str>, BTreeMap<Arc<str>, Versions>>>,
}

/// The versions of a kind that are served.
type Versions = BTreeMap<Arc<str>, Arc<Definition>>;

impl CustomResources {
    /// Adds the resource of a CRD (`apiextensions.k8s.io`, `v1` or `v1beta1`), unless one of the same group and kind is
    /// there. Only the head of the CRD is read: the schema of a version waits until it is needed.
    ///
    /// `location` is the place of the CRD, a whole document where it can be.
    ///
    /// # Errors
    /// The head of the CRD is broken.
    pub fn add(&mut self, crd: &Value, location: &Location) -> Result<(), Error> {
        let head = Head::read(crd).map_err(|flaw| definition::unusable(crd, location, &flaw))?;
        let versions = head.versions.into_iter().map(|(name, schema)| {
            (name, Arc::new(Definition::new(crd.clone(), location.clone(), schema, head.unknown)))
        });
        let groups = Arc::make_mut(&mut self.groups);
        groups.entry(head.group).or_default().entry(head.kind).or_insert_with(|| versions.collect());
        Ok(())
    }

    /// The definition of a kind, if its version is served.
    pub fn find(&self, group: &str, version: &str, kind: &str) -> Option<&Definition> {
        Some(self.groups.get(group)?.get(kind)?.get(version)?)
    }

    /// All groups, versions and kinds that are served, in order.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.groups.iter().flat_map(|(group, kinds)| {
            kinds
                .iter()
                .flat_map(move |(kind, versions)| versions.keys().map(move |version| (&**group, &**version, &**kind)))
        })
    }
}

/// Whether an object is a CRD.
pub(super) fn is_crd(object: &Value) -> bool {
    let text = |key| object.get(key).and_then(Value::as_str).unwrap_or_default();
    text("kind") == "CustomResourceDefinition" && text("apiVersion").starts_with("apiextensions.k8s.io/")
}

/// What a CRD says besides its schemas.
struct Head {
    group: Arc<str>,
    kind: Arc<str>,
    /// The names of the versions that are served, and the ways to their schemas
    versions: Vec<(Arc<str>, Path)>,
    unknown: Unknown,
}

impl Head {
    fn read(crd: &Value) -> Result<Self, Flaw> {
        let root = Path::default();
        let at = Trail::Root(&root);
        let node = Node::new(crd, &at)?;
        let is_old = match &**node.need("apiVersion")? {
            "apiextensions.k8s.io/v1" => false,
            "apiextensions.k8s.io/v1beta1" => true,
            other => return Err(node.flaw("apiVersion", format!("expected apiextensions.k8s.io/v1, found {other}"))),
        };
        // What v1beta1 takes for granted.
        let scope = Arc::from("Namespaced");
        let of_spec = at.key("spec");
        let spec = Node::new(crd.get("spec").unwrap_or(&Value::Null), &of_spec)?;
        let of_names = of_spec.key("names");
        let names = Node::new(spec.get("names").unwrap_or(&Value::Null), &of_names)?;
        let scope = spec.need("scope").or_else(|flaw| if is_old { Ok(&scope) } else { Err(flaw) })?;
        if !matches!(&**scope, "Cluster" | "Namespaced") {
            return Err(spec.flaw("scope", format!("must be Cluster or Namespaced, found {scope:?}")));
        }
        let (group, plural) = (spec.need("group")?, names.need("plural")?);
        let name = format!("{plural}.{group}");
        if crd.at(["metadata", "name"]).and_then(Value::as_str) != Some(&name) {
            let path = at.key("metadata").key("name").path();
            return Err(Flaw { path, message: format!("must be {name}: the plural, a dot and the group") });
        }
        // Before v1, unknown fields stayed where nothing else was said.
        let preserves = spec.flag("preserveUnknownFields")?.unwrap_or(is_old);
        if preserves && !is_old {
            let message = "must not be true; use `x-kubernetes-preserve-unknown-fields: true` in the schema";
            return Err(spec.flaw("preserveUnknownFields", message));
        }
        Ok(Self {
            group: group.clone(),
            kind: names.need("kind")?.clone(),
            versions: if is_old { old_versions(&spec)? } else { versions(&spec, None)? },
            unknown: if preserves { Unknown::AllKept } else { Unknown::Refused },
        })
    }
}

/// The versions that are served. `common` is the way to the schema of those that have none of their own.
fn versions(spec: &Node<'_>, common: Option<&Path>) -> Result<Vec<(Arc<str>, Path)>, Flaw> {
    let list = spec.at.key("versions");
    let mut names: Vec<Arc<str>> = Vec::new();
    let mut served = Vec::new();
    let mut stored = 0;
    for (i, version) in spec.list("versions")?.iter().enumerate() {
        let at = list.index(i);
        let node = Node::new(version, &at)?;
        let name = node.need("name")?;
        if names.contains(name) {
            return Err(node.flaw("name", format!("the version {name} is there twice")));
        }
        names.push(name.clone());
        stored += usize::from(node.flag("storage")? == Some(true));
        if node.flag("served")? == Some(true) {
            let own = at.key("schema").key("openAPIV3Schema").path();
            let path = common.filter(|_| node.get("schema").is_none()).cloned().unwrap_or(own);
            served.push((name.clone(), path));
        }
    }
    if stored != 1 {
        return Err(spec.flaw("versions", format!("exactly one version must be the one that is stored, not {stored}")));
    }
    Ok(served)
}

/// The versions of a CRD of v1beta1: listed, or the one of `spec.version`, which is served.
fn old_versions(spec: &Node<'_>) -> Result<Vec<(Arc<str>, Path)>, Flaw> {
    let common = spec.at.key("validation").key("openAPIV3Schema").path();
    match spec.text("version")? {
        Some(version) if spec.list("versions")?.is_empty() => Ok(vec![(version.clone(), common)]),
        _ => versions(spec, Some(&common)),
    }
}

/// A value of a CRD in a document for the validator.
fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::String(text) => serde_json::Value::String(text.to_string()),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(map) => map.iter().map(|(key, value)| (key.to_string(), json(value))).collect(),
    }
}
