//! Deletes what is no longer wanted, and waits until it is gone.
//!
//! In the reverse of Helm's install order, custom resources first: they must be gone before what serves their finalizers
//! goes. Three things stay, and are told: what `helm.sh/resource-policy: keep` says so of; Namespaces and
//! CustomResourceDefinitions, for with them goes what is in them and of them, whoever made it (kubectl prunes both, Helm
//! spares the definitions of crds/); and what a controller owns, which would make it again.

use std::fmt;
use std::time::{Duration, Instant};

use super::members::uid;
use super::ready::{self, NotReady};
use super::retry::until_answered;
use super::{Api, ApplySet, Delete, Error, GroupKind, Lock, Reason, reference};
use crate::finding::ObjectRef;
use crate::manifest;
use crate::value::Value;

/// How often it is asked whether objects are gone.
const INTERVAL: Duration = Duration::from_millis(250);

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
    /// It is gone; in a dry run: it would be.
    Deleted,
    /// It is being deleted, and was not gone in time.
    Going,
    /// It was not touched.
    Kept(Kept),
    /// It could not be deleted.
    Failed(Error),
    /// Its turn did not come: for what went wrong before, or for Ctrl-C.
    NotTried,
}

/// What became of all objects.
#[derive(Debug, Default)]
pub struct Pruned {
    /// In the order in which it became known.
    pub outcomes: Vec<(ObjectRef, Outcome)>,
    /// What was not gone in time, and why.
    pub not_gone: Option<NotReady>,
}

/// How objects of a release are deleted.
#[derive(Clone, Copy)]
pub struct Prune<'a> {
    /// The API.
    pub api: &'a Api,
    /// The release.
    pub set: &'a ApplySet,
    /// Its lock; without it the server is only asked whether it would.
    pub lock: Option<&'a Lock>,
    /// How long it may take until all are gone; zero does not wait.
    pub timeout: Duration,
    /// How long the server may be away before a request counts as lost.
    pub patience: Duration,
}

impl Pruned {
    /// Whether all are gone that do not stay.
    pub fn is_done(&self) -> bool {
        self.outcomes.iter().all(|(_, outcome)| matches!(outcome, Outcome::Deleted | Outcome::Kept(_)))
    }

    /// What is still there: it stays a member.
    pub fn left(&self) -> impl Iterator<Item = &ObjectRef> {
        let is_left = |(_, outcome): &&(ObjectRef, Outcome)| !matches!(outcome, Outcome::Deleted);
        self.outcomes.iter().filter(is_left).map(|(object, _)| object)
    }

    fn add(&mut self, object: ObjectRef, outcome: Outcome, tell: &mut dyn FnMut(&ObjectRef, &Outcome)) {
        tell(&object, &outcome);
        self.outcomes.push((object, outcome));
    }
}

impl Prune<'_> {
    /// Deletes members as they were seen, and tells of each what became of it as soon as that is known.
    pub async fn delete(&self, objects: &[Value], tell: &mut dyn FnMut(&ObjectRef, &Outcome)) -> Pruned {
        let mut pruned = Pruned::default();
        let start = Instant::now();
        let mut is_over = false;
        let (custom, others): (Vec<_>, Vec<_>) = in_order(objects).into_iter().partition(is_custom);
        for wave in [custom, others] {
            let mut going = Vec::new();
            for object in wave {
                let outcome = if let Some(kept) = Kept::of(object) {
                    Outcome::Kept(kept)
                } else if is_over || self.api.is_interrupted() {
                    is_over = true;
                    Outcome::NotTried
                } else {
                    match self.delete_one(object).await {
                        Ok(()) if self.lock.is_some() => {
                            going.push(object.clone());
                            continue;
                        }
                        Ok(()) => Outcome::Deleted,
                        Err(error) => {
                            // A refusal concerns one object; with anything else no other will work.
                            is_over = !matches!(error.reason, Reason::Status { .. });
                            Outcome::Failed(error)
                        }
                    }
                };
                pruned.add(reference(object), outcome, tell);
            }
            self.wait(&going, start, &mut pruned, tell).await;
            // What is left of a wave holds up the next.
            is_over |= pruned.not_gone.is_some();
        }
        pruned
    }

    async fn delete_one(&self, object: &Value) -> Result<(), Error> {
        let ObjectRef { api_version, kind, namespace, name } = reference(object);
        let resources = self.api.resources();
        let resource = resources.need(&api_version, &kind)?;
        let delete = Delete { dry_run: self.lock.is_none(), uid: Some(uid(object)), version: None };
        let request = async || {
            self.lock.map_or(Ok(()), Lock::check)?;
            self.api.delete(resource, namespace.as_deref(), &name, delete).await
        };
        until_answered(self.api, self.patience, request).await.map(|_| ())
    }

    /// Waits until objects are gone.
    async fn wait(
        &self,
        going: &[Value],
        start: Instant,
        pruned: &mut Pruned,
        tell: &mut dyn FnMut(&ObjectRef, &Outcome),
    ) {
        if going.is_empty() {
            return;
        }
        if self.timeout.is_zero() {
            going.iter().for_each(|object| pruned.add(reference(object), Outcome::Going, tell));
            return;
        }
        let timeout = self.timeout.saturating_sub(start.elapsed());
        let options = ready::Options { timeout, interval: INTERVAL, labels: self.set.selector() };
        let mut note = |event: ready::Event<'_>| {
            if let ready::Event::Done { object } = event {
                pruned.add(object.clone(), Outcome::Deleted, tell);
            }
        };
        let gone = ready::wait_gone(self.api, going, &options, &mut note).await;
        if let Err(not_gone) = gone {
            for pending in &not_gone.objects {
                pruned.add(pending.object.clone(), Outcome::Going, tell);
            }
            pruned.not_gone = Some(not_gone);
        }
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
pub fn in_order(objects: &[Value]) -> Vec<&Value> {
    let mut objects: Vec<&Value> = objects.iter().collect();
    objects.sort_by(|a, b| manifest::order::compare(kind(b), kind(a)));
    objects
}

/// Whether an object is of a kind without a place in the install order: most are of custom resources.
fn is_custom(object: &&Value) -> bool {
    !manifest::order::is_ordered(kind(object))
}

fn kind(object: &Value) -> &str {
    object.get("kind").and_then(Value::as_str).unwrap_or_default()
}
