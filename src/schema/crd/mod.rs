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
mod version;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use definition::Definition;
pub(super) use formats::duration;
pub(super) use keywords::PATTERN;

use document::Unknown;
use node::{Flaw, Node};
use trail::Trail;
use version::Version;

use super::Error;
use crate::source::Location;
use crate::value::{Path, Value};

/// The custom resources of CRDs, by group and kind. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct CustomResources {
    groups: Arc<BTreeMap<Arc<str>, Kinds>>,
}

/// The kinds of a group.
type Kinds = BTreeMap<Arc<str>, Versions>;

/// The versions of a kind, by name.
type Versions = BTreeMap<Arc<str>, Arc<Definition>>;

impl CustomResources {
    /// Adds the resource of a CRD (`apiextensions.k8s.io`, `v1` or `v1beta1`), unless one of the same group and kind is
    /// there. All of its versions are checked, those that are not served too.
    ///
    /// `location` is the place of the CRD, a whole document where it can be.
    ///
    /// # Errors
    /// What an API server would refuse in the CRD: a name that is not made of the others, a schema that is not structural,
    /// a default that its schema refuses, a rule that does not compile.
    pub fn add(&mut self, crd: &Value, location: &Location) -> Result<(), Error> {
        let head = Head::read(crd).map_err(|flaw| definition::unusable(crd, location, &flaw))?;
        let definition = |version: Version| {
            (version.name.clone(), Arc::new(Definition::new(crd.clone(), location.clone(), version, head.unknown)))
        };
        let versions: Versions = head.versions.into_iter().map(definition).collect();
        for definition in versions.values() {
            definition.check()?;
        }
        let groups = Arc::make_mut(&mut self.groups);
        groups.entry(head.group).or_default().entry(head.kind).or_insert(versions);
        Ok(())
    }

    /// The definition of a kind, if its version is served.
    pub fn find(&self, group: &str, version: &str, kind: &str) -> Option<&Definition> {
        let definition = self.groups.get(group)?.get(kind)?.get(version)?;
        definition.is_served().then_some(&**definition)
    }

    /// All groups, versions and kinds that are served, in order.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.groups.iter().flat_map(|(group, kinds)| {
            kinds.iter().flat_map(move |(kind, versions)| {
                let served = versions.iter().filter(|(_, definition)| definition.is_served());
                served.map(move |(version, _)| (&**group, &**version, &**kind))
            })
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
    versions: Vec<Version>,
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
        if !group.contains('.') {
            return Err(spec.flaw("group", format!("must be a domain with a dot in it, found {group:?}")));
        }
        let name = format!("{plural}.{group}");
        if crd.at(["metadata", "name"]).and_then(Value::as_str) != Some(&name) {
            let path = at.key("metadata").key("name").path();
            return Err(Flaw { path, message: format!("must be {name}: the plural, a dot and the group") });
        }
        if !is_old && is_protected(group) {
            approved(&node)?;
        }
        // Before v1, unknown fields stayed where nothing else was said.
        let preserves = spec.flag("preserveUnknownFields")?.unwrap_or(is_old);
        if preserves && !is_old {
            let message = "must not be true; use `x-kubernetes-preserve-unknown-fields: true` in the schema";
            return Err(spec.flaw("preserveUnknownFields", message));
        }
        let kind = names.need("kind")?;
        let mut versions = if is_old { version::read_old(&spec)? } else { version::read(&spec, None)? };
        version::warn(&mut versions, group, kind);
        Ok(Self {
            group: group.clone(),
            kind: kind.clone(),
            versions,
            unknown: if preserves { Unknown::AllKept } else { Unknown::Refused },
        })
    }
}

/// Whether a group is of those that belong to Kubernetes.
fn is_protected(group: &str) -> bool {
    let below = |domain: &str| group.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    below("k8s.io") || below("kubernetes.io")
}

/// Checks that somebody takes responsibility for a CRD of a protected group.
///
/// Source: `GetAPIApprovalState` in apiextensions-apiserver's `pkg/apihelpers/helpers.go`.
fn approved(crd: &Node<'_>) -> Result<(), Flaw> {
    const ANNOTATION: &str = "api-approved.kubernetes.io";
    let (of_metadata, empty) = (crd.at.key("metadata"), Value::Map(Arc::default()));
    let metadata = Node::new(crd.get("metadata").unwrap_or(&empty), &of_metadata)?;
    let of_annotations = of_metadata.key("annotations");
    let annotations = Node::new(metadata.get("annotations").unwrap_or(&empty), &of_annotations)?;
    let is_url = |text: &str| {
        let host = |rest: &str| rest.split(['/', '?', '#']).next().is_some_and(|host| !host.is_empty());
        text.split_once("://").is_some_and(|(scheme, rest)| !scheme.is_empty() && host(rest))
    };
    match annotations.text(ANNOTATION)? {
        Some(text) if text.starts_with("unapproved") || is_url(text) => Ok(()),
        _ => {
            let message =
                "must be the URL of the approval, or begin with \"unapproved\": the group belongs to Kubernetes";
            Err(annotations.flaw(ANNOTATION, message))
        }
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
