//! The objects that carry the label of a release.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::{Api, ApplySet, Error, FIELD_MANAGER, GroupKind, Resource, reference};
use crate::finding::ObjectRef;
use crate::value::Value;

/// How many lists are asked for at once.
const AT_ONCE: usize = 8;

/// What a release has in the cluster.
#[derive(Debug, Clone, Default)]
pub struct Members {
    /// The objects, each once, in the order of their kinds, namespaces and names.
    pub objects: Vec<Value>,
    /// Kinds that the release had objects of, and that the server no longer has: their objects went with them.
    pub gone: Vec<GroupKind>,
}

impl Members {
    /// Finds the members of a set in the kinds and namespaces that its parent names.
    ///
    /// # Errors
    /// A list that is not allowed, or a kind whose server does not answer: then it is not known what there is.
    pub async fn find(api: &Api, set: &ApplySet) -> Result<Self, Error> {
        let (Some(extent), resources) = (set.extent(), api.resources()) else { return Ok(Self::default()) };
        let mut members = Self::default();
        let mut lists: Vec<(&Resource, Option<&str>)> = Vec::new();
        for kind in &extent.kinds {
            match resources.preferred(&kind.group, &kind.kind) {
                Some(resource) if resource.is_namespaced => {
                    lists.extend(extent.namespaces.iter().map(|namespace| (resource, Some(namespace.as_str()))));
                }
                Some(resource) => lists.push((resource, None)),
                None if resources.stale().any(|group| group == kind.group) => return Err(Error::stale(kind)),
                None => members.gone.push(kind.clone()),
            }
        }
        let selector = set.selector();
        let found = lists.into_iter().map(|(resource, namespace)| api.list(resource, namespace, &selector));
        let found: Vec<Vec<Value>> = stream::iter(found).buffered(AT_ONCE).try_collect().await?;
        // Some objects are served under two groups.
        let mut seen = BTreeSet::new();
        let is_new = |object: &Value| seen.insert(uid(object).to_owned());
        members.objects = found.into_iter().flatten().filter(was_applied).filter(is_new).collect();
        Ok(members)
    }

    /// Those that are not wanted any more, and do not go away by themselves already.
    pub fn orphans(&self, wanted: &[ObjectRef]) -> Vec<Value> {
        let is_wanted = |object: &Value| {
            let live = reference(object);
            wanted.iter().any(|wanted| is_same(&live, wanted))
        };
        let is_going = |object: &Value| object.at(["metadata", "deletionTimestamp"]).is_some();
        self.objects.iter().filter(|object| !is_going(object) && !is_wanted(object)).cloned().collect()
    }
}

pub(super) fn uid(object: &Value) -> &str {
    object.at(["metadata", "uid"]).and_then(Value::as_str).unwrap_or_default()
}

/// Whether two names are those of one object, in whatever version. An object without a namespace may be named with that
/// of its release.
fn is_same(live: &ObjectRef, wanted: &ObjectRef) -> bool {
    let kind = |object: &ObjectRef| GroupKind::new(&object.api_version, &object.kind);
    let elsewhere = live.namespace.is_some() && wanted.namespace.is_some() && live.namespace != wanted.namespace;
    live.name == wanted.name && !elsewhere && kind(live) == kind(wanted)
}

/// Whether an object is there because it was applied. Controllers copy labels, of a Service to its Endpoints, and what they
/// make is theirs to delete. Where nobody knows who owns the fields (they may be left out of a backup), the label counts.
fn was_applied(object: &Value) -> bool {
    let owners = object.at(["metadata", "managedFields"]).and_then(Value::as_list).unwrap_or_default();
    let text = |owner: &Value, key| owner.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_ours = |owner: &Value| text(owner, "manager") == FIELD_MANAGER && text(owner, "operation") == "Apply";
    owners.is_empty() || owners.iter().any(is_ours)
}
