//! The objects that carry the label of a release.

use std::collections::{BTreeSet, HashSet};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::retry::AT_ONCE;
use super::wanted::{Key, Wanted};
use super::{Api, ApplySet, Error, FIELD_MANAGER, GroupKind, Resource, reference};
use crate::value::Value;

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
    pub fn orphans(&self, wanted: &[Wanted]) -> Vec<Value> {
        let wanted: HashSet<Key> = wanted.iter().map(Wanted::key).collect();
        let is_going = |object: &Value| object.at(["metadata", "deletionTimestamp"]).is_some();
        let is_orphan = |object: &&Value| !is_going(object) && !wanted.contains(&Key::of(&reference(object)));
        self.objects.iter().filter(is_orphan).cloned().collect()
    }
}

pub(super) fn uid(object: &Value) -> &str {
    object.at(["metadata", "uid"]).and_then(Value::as_str).unwrap_or_default()
}

/// Whether an object is there because it was applied. Controllers copy labels, of a Service to its Endpoints, and what they
/// make is theirs to delete. Where nobody knows who owns the fields (they may be left out of a backup), the label counts.
fn was_applied(object: &Value) -> bool {
    let owners = object.at(["metadata", "managedFields"]).and_then(Value::as_list).unwrap_or_default();
    let text = |owner: &Value, key| owner.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_ours = |owner: &Value| text(owner, "manager") == FIELD_MANAGER && text(owner, "operation") == "Apply";
    owners.is_empty() || owners.iter().any(is_ours)
}
