//! Which objects belong to a release: the ApplySet convention (KEP-3659), as kubectl keeps it.
//!
//! A set has a parent, a ConfigMap in the namespace of the release: whoever applies needs no right to read Secrets for it.
//! Members carry a label with the id of the set, and the parent says in which kinds and namespaces they are found. Before
//! an apply it is widened to what is and what will be, so that an apply that ends in the middle loses none of them; after
//! pruning it is narrowed to what is left.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::retry::{PATIENCE, until_answered};
use super::{Api, Delete, Error, Extent, GroupKind, Patch, Resource, reference};
use crate::finding::ObjectRef;
use crate::value::{Map, Value};

/// The label of a parent: the id of its set.
const ID: &str = "applyset.kubernetes.io/id";
/// The label of a member: the id of its set.
const PART_OF: &str = "applyset.kubernetes.io/part-of";
/// The annotation of a parent that says which tool it belongs to: `plimsoll/v0.1.0`.
const TOOLING: &str = "applyset.kubernetes.io/tooling";
/// The annotation of a parent that says of which kinds members are: `ConfigMap,Deployment.apps`.
const KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";
/// The annotation of a parent that says in which other namespaces members are.
const NAMESPACES: &str = "applyset.kubernetes.io/additional-namespaces";

/// What is ours.
const TOOL: &str = "plimsoll";
const TOOLING_VALUE: &str = concat!("plimsoll/v", env!("CARGO_PKG_VERSION"));
/// The owner of the parent's fields, named as kubectl names its own.
const FIELD_MANAGER: &str = "plimsoll-applyset";

/// How often the parent is tried to be written, where others write to it at the same time.
const ATTEMPTS: usize = 5;

/// The objects of a release.
#[derive(Debug, Clone)]
pub struct ApplySet {
    release: String,
    namespace: String,
    name: String,
    id: String,
    parent: Option<Parent>,
}

/// The parent as it was last seen.
#[derive(Debug, Clone)]
struct Parent {
    uid: String,
    version: String,
    tooling: String,
    extent: Extent,
}

impl ApplySet {
    /// Reads what the cluster knows of a release; nothing, where it is not there yet.
    ///
    /// # Errors
    /// A parent of another tool, or one that no tool has written so; what a request comes to.
    pub async fn read(api: &Api, release: &str, namespace: &str) -> Result<Self, Error> {
        let mut set = Self::new(release, namespace);
        set.parent = set.fetch(api).await?;
        Ok(set)
    }

    fn new(release: &str, namespace: &str) -> Self {
        let name = format!("plimsoll-{release}");
        let id = id(&name, namespace, "ConfigMap", "");
        Self { release: release.to_owned(), namespace: namespace.to_owned(), name, id, parent: None }
    }

    /// The name of the release.
    pub fn release(&self) -> &str {
        &self.release
    }

    /// The name of its parent, and of its lock.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The namespace of the release.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Whether the release was applied before.
    pub fn exists(&self) -> bool {
        self.parent.is_some()
    }

    /// The label selector of its members.
    pub fn selector(&self) -> String {
        format!("{PART_OF}={}", self.id)
    }

    /// Where its members are.
    pub(super) fn extent(&self) -> Option<&Extent> {
        self.parent.as_ref().map(|parent| &parent.extent)
    }

    /// Makes sure that a release does not have the objects that tell what it has.
    ///
    /// # Errors
    /// One of the objects is the parent, or the lock.
    pub fn check_names<'a>(&self, wanted: impl IntoIterator<Item = &'a ObjectRef>) -> Result<(), Error> {
        let own = [GroupKind::new("v1", "ConfigMap"), GroupKind::new("coordination.k8s.io/v1", "Lease")];
        let is_own = |object: &&ObjectRef| {
            object.name == self.name
                && object.namespace.as_ref().is_none_or(|namespace| *namespace == self.namespace)
                && own.contains(&GroupKind::new(&object.api_version, &object.kind))
        };
        wanted.into_iter().find(is_own).map_or(Ok(()), |object| {
            let message = format!("{object} is where plimsoll keeps what belongs to the release {}", self.release);
            Err(Error::taken(message, "give the object of the chart another name"))
        })
    }

    /// The label of its members.
    pub fn label(&self) -> (&'static str, &str) {
        (PART_OF, &self.id)
    }

    /// Makes sure that a live object does not belong to another set.
    ///
    /// # Errors
    /// It does: says to which.
    pub async fn check_member(&self, api: &Api, live: &Value) -> Result<(), Error> {
        let Some(other) = self.other(live) else { return Ok(()) };
        let object = reference(live);
        let whose = whose(api, other, [object.namespace.as_deref(), Some(&self.namespace)]).await;
        let message = format!("{object} belongs to {whose}, not to the release {}", self.release);
        Err(Error::taken(message, "leave it to one of the two; or take it over with --force-conflicts"))
    }

    /// Makes sure that an object that is applied without a release stays in the one that it is in: left behind there, it
    /// would be deleted with nothing.
    ///
    /// # Errors
    /// It would leave it: says which.
    pub async fn check_stays(api: &Api, live: &Value, stored: &Value) -> Result<(), Error> {
        let id = |object: &Value| object.at(["metadata", "labels", PART_OF]).and_then(Value::as_str).map(str::to_owned);
        let Some(left) = id(live).filter(|_| id(stored).is_none()) else { return Ok(()) };
        let object = reference(live);
        let whose = whose(api, &left, [object.namespace.as_deref(), None]).await;
        let message = format!("{object} belongs to {whose}, and would leave it");
        Err(Error::taken(message, "name the release with --name; or take it out of it with --force-conflicts"))
    }

    /// The id of the other set that an object is a member of.
    fn other<'a>(&self, object: &'a Value) -> Option<&'a str> {
        object.at(["metadata", "labels", PART_OF]).and_then(Value::as_str).filter(|id| *id != self.id)
    }

    /// Before an apply: makes sure that the parent is there, and covers what is to come beside what is.
    ///
    /// # Errors
    /// As [`narrow`](Self::narrow).
    pub async fn widen(&mut self, api: &Api, coming: &Extent) -> Result<(), Error> {
        let extent = self.extent().map_or_else(|| coming.clone(), |current| current.union(coming));
        self.write(api, extent).await
    }

    /// After all that is no longer wanted is gone: makes the parent cover what is left and nothing else.
    ///
    /// # Errors
    /// Somebody else has changed what the parent covers since it was read; what a request comes to.
    pub async fn narrow(&mut self, api: &Api, left: &Extent) -> Result<(), Error> {
        self.write(api, left.clone()).await
    }

    /// After all members are gone: deletes the parent.
    ///
    /// # Errors
    /// What a request comes to.
    pub async fn delete(&mut self, api: &Api) -> Result<(), Error> {
        if let Some(parent) = &self.parent {
            let resource = config_maps(api)?;
            let delete = Delete { uid: Some(&parent.uid), ..Delete::default() };
            let request = async || api.delete(&resource, Some(&self.namespace), &self.name, delete).await;
            until_answered(api, PATIENCE, request).await?;
            self.parent = None;
        }
        Ok(())
    }

    /// Writes the parent, unless it is so already. By `resourceVersion` it must still be the one that was seen.
    async fn write(&mut self, api: &Api, mut extent: Extent) -> Result<(), Error> {
        extent.namespaces.insert(self.namespace.clone());
        let resource = config_maps(api)?;
        let patch = Patch { force: true, manager: FIELD_MANAGER, ..Patch::default() };
        for _ in 0..ATTEMPTS {
            if self.parent.as_ref().is_some_and(|known| known.extent == extent && known.tooling == TOOLING_VALUE) {
                return Ok(());
            }
            let object = self.object(&extent)?;
            let request = async || api.apply(&resource, Some(&self.namespace), &self.name, &object, patch).await;
            match until_answered(api, PATIENCE, request).await {
                Ok(stored) => self.parent = Some(self.parse(&stored)?),
                Err(error) if error.code() == Some(409) => {
                    let seen = self.fetch(api).await?;
                    let now = seen.as_ref().map(|parent| &parent.extent);
                    // Written by us, where the answer was lost; or others wrote what is theirs.
                    if now != Some(&extent) && now != self.extent() {
                        return Err(self.changed());
                    }
                    self.parent = seen;
                }
                Err(error) => return Err(error),
            }
        }
        Err(self.changed())
    }

    async fn fetch(&self, api: &Api) -> Result<Option<Parent>, Error> {
        let resource = config_maps(api)?;
        let request = async || api.get(&resource, Some(&self.namespace), &self.name).await;
        let found = until_answered(api, PATIENCE, request).await?;
        found.map(|object| self.parse(&object)).transpose()
    }

    /// Reads a parent, and refuses what kubectl refuses.
    fn parse(&self, object: &Value) -> Result<Parent, Error> {
        let text = |keys: &[&str]| object.at(keys.iter().copied()).and_then(Value::as_str);
        let refuse = |reason: String| {
            let message = format!("ConfigMap {}/{} is there and {reason}", self.namespace, self.name);
            Error::taken(message, "call the release otherwise; or see whose it is, and delete it")
        };
        let annotation = |name| text(&["metadata", "annotations", name]);
        let tooling = annotation(TOOLING).ok_or_else(|| refuse(format!("has no annotation {TOOLING}")))?;
        let tool = tooling.rsplit_once('/').map_or(tooling, |(tool, _)| tool);
        if tool != TOOL {
            return Err(refuse(format!("is managed by {tool:?}, not by {TOOL}")));
        }
        match text(&["metadata", "labels", ID]) {
            None => return Err(refuse(format!("has no label {ID}"))),
            Some(id) if id != self.id => {
                return Err(refuse(format!("has the label {ID} of another: {id:?}, not {:?}", self.id)));
            }
            Some(_) => {}
        }
        let kinds = annotation(KINDS).ok_or_else(|| refuse(format!("has no annotation {KINDS}")))?;
        let extent = Extent::parse(kinds, annotation(NAMESPACES).unwrap_or_default());
        let mut extent = extent.map_err(|error| refuse(format!("says not where objects are: {error}")))?;
        extent.namespaces.insert(self.namespace.clone());
        let own = |key| text(&["metadata", key]).unwrap_or_default().to_owned();
        Ok(Parent { uid: own("uid"), version: own("resourceVersion"), tooling: tooling.to_owned(), extent })
    }

    fn object(&self, extent: &Extent) -> Result<Value, Error> {
        let [kinds, namespaces] = extent.print(&self.namespace).map_err(|error| {
            let message = format!("the release {} is too large to keep track of: {error}", self.release);
            Error::taken(message, "make several releases of it")
        })?;
        let mut metadata = vec![
            ("name", Value::from(self.name.as_str())),
            ("namespace", self.namespace.as_str().into()),
            ("labels", map([(ID, self.id.as_str().into())])),
            (
                "annotations",
                map([(TOOLING, TOOLING_VALUE.into()), (KINDS, kinds.into()), (NAMESPACES, namespaces.into())]),
            ),
        ];
        if let Some(parent) = &self.parent {
            metadata.push(("resourceVersion", parent.version.as_str().into()));
        }
        Ok(map([("apiVersion", "v1".into()), ("kind", "ConfigMap".into()), ("metadata", map(metadata))]))
    }

    fn changed(&self) -> Error {
        let message = format!("somebody else has changed ConfigMap {}/{} meanwhile", self.namespace, self.name);
        Error::taken(message, format!("run again: what belongs to {} is read anew", self.release))
    }
}

/// The id of the set of a parent.
fn id(name: &str, namespace: &str, kind: &str, group: &str) -> String {
    let hash = Sha256::digest(format!("{name}.{namespace}.{kind}.{group}"));
    format!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(hash))
}

/// The ConfigMap that is the parent of a set, where one is in these namespaces and may be read.
/// What a set is called.
async fn whose(api: &Api, id: &str, namespaces: [Option<&str>; 2]) -> String {
    match find_parent(api, id, namespaces).await {
        Some((namespace, name)) => match name.strip_prefix("plimsoll-") {
            Some(release) => format!("the release {release} in the namespace {namespace}"),
            None => format!("the set of ConfigMap {namespace}/{name}"),
        },
        None => format!("another set, {id}"),
    }
}

async fn find_parent(api: &Api, id: &str, namespaces: [Option<&str>; 2]) -> Option<(String, String)> {
    let config_maps = config_maps(api).ok()?;
    for namespace in namespaces.into_iter().flatten() {
        let found = api.list(&config_maps, Some(namespace), &format!("{ID}={id}")).await.unwrap_or_default();
        if let Some(parent) = found.first() {
            return Some((namespace.to_owned(), reference(parent).name));
        }
    }
    None
}

fn config_maps(api: &Api) -> Result<Resource, Error> {
    api.resources().need("v1", "ConfigMap").cloned()
}

fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    entries.into_iter().collect::<Map>().into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// tests/cluster/applyset.rs compares with kubectl itself.
    #[test]
    fn an_id_tells_the_parent() {
        let expected = "applyset-MkAFBoRRuqYu6_h7Y28rHZkOlGzUQ0NMjoFaBmA8Lgs-v1";
        assert_eq!(id("plimsoll-web", "default", "ConfigMap", ""), expected);
    }

    /// An id is the value of a label, and no two parents have the same.
    #[test]
    fn ids_are_values_of_labels() {
        let mut seen = HashSet::new();
        for length in 0..200 {
            for namespace in ["default", "", "kube-system", "å"] {
                let id = id(&"x".repeat(length), namespace, "ConfigMap", "");
                let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
                assert!(id.len() <= 63 && id.bytes().all(is_word), "{id}");
                assert!(seen.insert(id));
            }
        }
    }
}
