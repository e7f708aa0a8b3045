//! Asking for many objects at once: one list for those of a resource and namespace.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt};

use super::wait::Goal;
use crate::cluster::retry::AT_ONCE;
use crate::cluster::{Api, Error, Resource, reference};
use crate::finding::ObjectRef;
use crate::value::Value;

/// An object that is asked for again and again.
pub(super) struct Watched {
    /// How people call it.
    pub object: ObjectRef,
    /// Where it is.
    resource: Resource,
    /// Which one of its name.
    uid: Option<String>,
    /// As it was when it was last seen.
    pub last: Value,
}

impl Watched {
    /// What is to be asked for.
    ///
    /// # Errors
    /// The server has no such kind.
    pub async fn of(api: &Api, object: &Value) -> Result<Self, Error> {
        let mut reference = reference(object);
        let (api_version, kind) = (&reference.api_version, &reference.kind);
        let resource = match api.resources().of(api_version, kind) {
            Some(resource) => resource.clone(),
            // Its definition came a moment ago.
            None => {
                api.refresh().await?;
                let found = api.resources().of(api_version, kind).cloned();
                found
                    .ok_or_else(|| Error::malformed(&format!("{api_version} {kind}"), &"the server has no such kind"))?
            }
        };
        reference.namespace = reference.namespace.filter(|_| resource.is_namespaced);
        let uid = object.at(["metadata", "uid"]).and_then(Value::as_str).map(str::to_owned);
        Ok(Self { object: reference, resource, uid, last: object.clone() })
    }

    /// Whether it may be otherwise again once it is ready. Kubernetes' own kinds that have no status never get one, and a
    /// Job that is done may be cleaned up.
    pub fn may_change(&self) -> bool {
        let group = self.resource.group.as_str();
        let is_custom = group.contains('.') && !group.ends_with(".k8s.io");
        let is_job = (group, self.resource.kind.as_str()) == ("batch", "Job");
        !is_job && (is_custom || self.last.get("status").is_some())
    }

    /// Whether this is it, and no other of its name.
    fn is(&self, found: &Value) -> bool {
        let uid = found.at(["metadata", "uid"]).and_then(Value::as_str);
        self.uid.is_none() || self.uid.as_deref() == uid
    }
}

/// Asks for some of the objects, and hands over what each is now; nothing where it is gone.
///
/// # Errors
/// The first list that was not to be had; objects of the others are handed over all the same.
pub(super) async fn ask(
    api: &Api,
    goal: Goal,
    watched: &[Watched],
    round: impl IntoIterator<Item = usize>,
    labels: &str,
    mut found: impl FnMut(usize, Option<Value>),
) -> Result<(), Error> {
    let mut lists: BTreeMap<(&Resource, Option<&str>), Vec<usize>> = BTreeMap::new();
    for index in round {
        if let Some(one) = watched.get(index) {
            lists.entry((&one.resource, one.object.namespace.as_deref())).or_default().push(index);
        }
    }
    let answers = stream::iter(lists)
        .map(|((resource, namespace), members)| async move { (members, api.list(resource, namespace, labels).await) });
    let mut answers = answers.buffer_unordered(AT_ONCE);
    let mut outcome = Ok(());
    while let Some((members, answer)) = answers.next().await {
        match answer {
            Ok(objects) => {
                let mut by_name: BTreeMap<&str, &Value> = BTreeMap::new();
                for object in &objects {
                    if let Some(name) = object.at(["metadata", "name"]).and_then(Value::as_str) {
                        by_name.insert(name, object);
                    }
                }
                for index in members {
                    let Some(one) = watched.get(index) else { continue };
                    let same = by_name.get(one.object.name.as_str()).filter(|object| one.is(object));
                    found(index, same.map(|object| (*object).clone()));
                }
            }
            // The definition of their kind is gone, and they with it. But one that was just made may not be served
            // by each API server yet.
            Err(error) if goal == Goal::Gone && error.is_not_found() => {
                members.into_iter().for_each(|index| found(index, None));
            }
            Err(error) if outcome.is_ok() => outcome = Err(error),
            Err(_) => {}
        }
    }
    outcome
}
