//! Deletes what is no longer wanted, and waits until it is gone.
//!
//! In the reverse of Helm's install order, custom resources first: they must be gone before what serves their finalizers
//! goes. Three things stay, and are told: what `helm.sh/resource-policy: keep` says so of; Namespaces and
//! CustomResourceDefinitions, for with them goes what is in them and of them, whoever made it (kubectl prunes both, Helm
//! spares the definitions of crds/); and what a controller owns, which would make it again.

use std::fmt;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};
use tokio::time::sleep;

use super::members::uid;
use super::{Api, Delete, Error, GroupKind, Lock, Reason, reference};
use crate::finding::ObjectRef;
use crate::manifest::order;
use crate::value::Value;

/// How often it is asked whether objects are gone, at first and at last.
const FIRST_GLANCE: Duration = Duration::from_millis(50);
const LAST_GLANCE: Duration = Duration::from_secs(2);
/// How many objects are asked for at once.
const AT_ONCE: usize = 8;

/// Why an object stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// `helm.sh/resource-policy: keep`
    Policy,
    /// A Namespace.
    Namespace,
    /// A CustomResourceDefinition.
    Definition,
    /// Another object owns it.
    Owned,
}

/// What became of an object.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is gone; with `dry_run`: it would be.
    Deleted,
    /// It was not touched.
    Kept(Kept),
    /// It is deleted, but not gone in time: these finalizers hold it, if any.
    Waits(Vec<String>),
    /// It could not be deleted.
    Failed(Error),
    /// The work ended before its turn, by Ctrl-C or for what went wrong before.
    Untried,
}

/// How objects are deleted.
pub struct Prune<'a> {
    /// The API.
    pub api: &'a Api,
    /// The lock of the release; none for a dry run.
    pub lock: Option<&'a Lock>,
    /// How long it may take until all are gone.
    pub timeout: Duration,
    /// Whether the server only says whether it would.
    pub dry_run: bool,
}

impl Prune<'_> {
    /// Deletes objects as they were seen. `told` gets each one as soon as it is known what became of it; all are returned in
    /// that order.
    pub async fn delete(
        &self,
        objects: &[Value],
        told: &mut dyn FnMut(&ObjectRef, &Outcome),
    ) -> Vec<(ObjectRef, Outcome)> {
        let mut outcomes = Vec::new();
        let mut tell = |object: &Value, outcome: Outcome| {
            let object = reference(object);
            told(&object, &outcome);
            outcomes.push((object, outcome));
        };
        let deadline = Instant::now() + self.timeout;
        let mut is_over = false;
        let (custom, others): (Vec<_>, Vec<_>) = in_order(objects).into_iter().partition(|object| is_custom(object));
        for wave in [custom, others] {
            let mut going = Vec::new();
            for object in wave {
                if let Some(kept) = Kept::of(object) {
                    tell(object, Outcome::Kept(kept));
                } else if is_over || self.api.is_interrupted() {
                    is_over = true;
                    tell(object, Outcome::Untried);
                } else {
                    match self.delete_one(object).await {
                        Ok(()) if self.dry_run => tell(object, Outcome::Deleted),
                        Ok(()) => going.push(object),
                        Err(error) => {
                            // Nothing else will work then; a refusal concerns one object.
                            is_over = !matches!(error.reason, Reason::Status { .. });
                            tell(object, Outcome::Failed(error));
                        }
                    }
                }
            }
            // What is left of a wave holds up the next.
            is_over |= !self.wait(going, deadline, &mut tell).await;
        }
        outcomes
    }

    async fn delete_one(&self, object: &Value) -> Result<(), Error> {
        if let Some(lock) = self.lock {
            lock.check()?;
        }
        let ObjectRef { api_version, kind, namespace, name } = reference(object);
        let resources = self.api.resources();
        let resource = resources.need(&api_version, &kind)?;
        let delete = Delete { dry_run: self.dry_run, uid: Some(uid(object)), version: None };
        self.api.delete(resource, namespace.as_deref(), &name, delete).await.map(|_| ())
    }

    /// Waits until objects are gone. Returns whether all are.
    async fn wait(&self, mut going: Vec<&Value>, deadline: Instant, tell: &mut impl FnMut(&Value, Outcome)) -> bool {
        let (mut glance, mut all_gone) = (FIRST_GLANCE, true);
        while !going.is_empty() {
            let is_last = Instant::now() >= deadline || self.api.is_interrupted();
            let looks = going.iter().map(|object| self.look(object));
            let found: Vec<_> = stream::iter(looks).buffered(AT_ONCE).collect().await;
            let mut left = Vec::new();
            for (object, found) in going.into_iter().zip(found) {
                let outcome = match found {
                    Ok(None) => Outcome::Deleted,
                    Ok(Some(found)) if is_last => Outcome::Waits(finalizers(&found)),
                    Err(error) if is_last || matches!(error.reason, Reason::Status { .. }) => Outcome::Failed(error),
                    // A server that is not there may come back.
                    Ok(Some(_)) | Err(_) => {
                        left.push(object);
                        continue;
                    }
                };
                all_gone &= matches!(outcome, Outcome::Deleted);
                tell(object, outcome);
            }
            going = left;
            if !going.is_empty() {
                tokio::select! {
                    () = sleep(glance.min(deadline.saturating_duration_since(Instant::now()))) => {}
                    () = self.api.interrupted() => {}
                }
                glance = (glance * 2).min(LAST_GLANCE);
            }
        }
        all_gone
    }

    /// An object as it is now; none where it is gone, also if another one has its name.
    async fn look(&self, object: &Value) -> Result<Option<Value>, Error> {
        let ObjectRef { api_version, kind, namespace, name } = reference(object);
        let resources = self.api.resources();
        let found = self.api.get(resources.need(&api_version, &kind)?, namespace.as_deref(), &name).await?;
        Ok(found.filter(|found| uid(found) == uid(object)))
    }
}

impl Kept {
    /// Why an object would stay, if it does.
    pub fn of(object: &Value) -> Option<Self> {
        let policy = object.at(["metadata", "annotations", "helm.sh/resource-policy"]).and_then(Value::as_str);
        let owners = object.at(["metadata", "ownerReferences"]).and_then(Value::as_list).unwrap_or_default();
        let ObjectRef { api_version, kind, .. } = reference(object);
        // As Helm reads it.
        if policy.is_some_and(|policy| policy.trim().eq_ignore_ascii_case("keep")) {
            Some(Self::Policy)
        } else if owners.iter().any(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true)) {
            Some(Self::Owned)
        } else {
            let kind = GroupKind::new(&api_version, &kind).to_string();
            match kind.as_str() {
                "Namespace" => Some(Self::Namespace),
                "CustomResourceDefinition.apiextensions.k8s.io" => Some(Self::Definition),
                _ => None,
            }
        }
    }
}

/// What is said of an object that stays.
impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Policy => "its annotation helm.sh/resource-policy says so",
            Self::Namespace => "all that is in it would go with it",
            Self::Definition => "all objects of its kind would go with it",
            Self::Owned => "a controller owns it",
        })
    }
}

/// What is installed last comes first; of one kind the order stays.
pub(super) fn in_order(objects: &[Value]) -> Vec<&Value> {
    let mut objects: Vec<&Value> = objects.iter().collect();
    objects.sort_by(|a, b| order::compare(kind(b), kind(a)));
    objects
}

fn is_custom(object: &Value) -> bool {
    order::is_unknown(kind(object))
}

fn kind(object: &Value) -> &str {
    object.get("kind").and_then(Value::as_str).unwrap_or_default()
}

fn finalizers(object: &Value) -> Vec<String> {
    let finalizers = object.at(["metadata", "finalizers"]).and_then(Value::as_list).unwrap_or_default();
    finalizers.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}
