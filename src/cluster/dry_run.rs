//! What the server would store, object by object, before anything is sent in earnest.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio::time::sleep;

use super::conflicts::Conflict;
use super::pods::{self, Pod, Workload};
use super::retry::{AT_ONCE, Interrupted, unless_interrupted, until_answered};
use super::wanted::{Foundation, Key, Wanted};
use super::{Api, Error, Patch, Resource};
use crate::finding::ObjectRef;
use crate::manifest;
use crate::value::Value;

/// How objects are applied.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Whether fields are taken from other managers.
    pub force: bool,
    /// Whether the server is asked what it would make of the Pods of workloads.
    pub pods: bool,
    /// How long a server may be away before a request counts as lost.
    pub patience: Duration,
}

/// What the server says of an object before it is applied.
#[derive(Debug, Clone)]
pub struct DryRun {
    /// What is there now.
    pub live: Option<Value>,
    /// What applying would come to.
    pub predicted: Predicted,
}

/// What applying an object would come to.
#[derive(Debug, Clone)]
pub enum Predicted {
    /// It would be stored.
    Stored {
        /// As this.
        object: Value,
        /// A Pod of it, where it is a workload and Pods are asked for.
        pod: Option<Pod>,
    },
    /// It cannot be told before this other object is applied: its namespace, its CRD, its account, its role.
    Later(ObjectRef),
    /// Others manage fields of it, and want them otherwise.
    Conflicts(Vec<Conflict>),
    /// The server would refuse it.
    Refused(Error),
}

/// How long what an object has waited for may take to be seen by all parts of a server.
const SETTLING: Duration = Duration::from_secs(5);

/// Asks the server what it has, and what it would store, of each object. The answers are in the order of the objects, as
/// [`wanted`](super::wanted()) has it.
///
/// # Errors
/// Ctrl-C. What the server refuses is in the answers.
pub async fn dry_run(api: &Api, wanted: &[Wanted], options: Options) -> Result<Vec<DryRun>, Interrupted> {
    let mut missing = Missing::default();
    let (foundations, others) = wanted.split_at(wanted.partition_point(|one| one.foundation() != Foundation::None));
    let foundations: Vec<&Wanted> = foundations.iter().collect();
    let others: Vec<&Wanted> = others.iter().collect();
    let mut all = ask(api, &foundations, &mut missing, options).await?;
    all.extend(ask(api, &others, &mut missing, options).await?);
    Ok(all)
}

/// Asks again for objects that had to wait; what they waited for is there now.
pub(super) async fn ask_again(
    api: &Api,
    wanted: &[&Wanted],
    missing: &mut Missing,
    options: Options,
) -> Result<Vec<DryRun>, Interrupted> {
    let start = Instant::now();
    loop {
        let answers = ask(api, wanted, missing, options).await?;
        if start.elapsed() > SETTLING || !answers.iter().any(DryRun::may_settle) {
            return Ok(answers);
        }
        unless_interrupted(api, sleep(Duration::from_millis(200))).await?;
    }
}

async fn ask(
    api: &Api,
    wanted: &[&Wanted],
    missing: &mut Missing,
    options: Options,
) -> Result<Vec<DryRun>, Interrupted> {
    let known = &*missing;
    let asked = wanted.iter().map(|one| async move {
        match known.needed(one) {
            Some(first) => DryRun { live: None, predicted: Predicted::Later(first) },
            None => one.dry_run(api, options).await,
        }
    });
    let mut answers = unless_interrupted(api, stream::iter(asked).buffered(AT_ONCE).collect::<Vec<_>>()).await?;
    for (one, answer) in wanted.iter().zip(&answers) {
        missing.note(one, answer);
    }
    if options.pods {
        add_pods(api, wanted, &mut answers, options).await?;
    }
    for (one, answer) in wanted.iter().zip(&mut answers) {
        if let Some(first) = missing.missed(one, answer) {
            answer.predicted = Predicted::Later(first);
        }
    }
    Ok(answers)
}

async fn add_pods(api: &Api, wanted: &[&Wanted], answers: &mut [DryRun], options: Options) -> Result<(), Interrupted> {
    let workload = |(index, (one, answer)): (usize, (&&Wanted, &DryRun))| {
        let object = answer.stored()?;
        let template = pods::template(&one.resource, object)?.clone();
        Some((index, one.namespace()?.to_owned(), one.reference.name.clone(), template))
    };
    let found: Vec<_> = wanted.iter().zip(answers.iter()).enumerate().filter_map(workload).collect();
    let workloads: Vec<Workload<'_>> =
        found.iter().map(|(_, namespace, name, template)| Workload { namespace, name, template }).collect();
    let pods = unless_interrupted(api, pods::pods(api, &workloads, options.patience)).await?;
    for ((index, ..), found) in found.iter().zip(pods) {
        if let Some(Predicted::Stored { pod, .. }) = answers.get_mut(*index).map(|answer| &mut answer.predicted) {
            *pod = Some(found);
        }
    }
    Ok(())
}

impl Wanted {
    async fn dry_run(&self, api: &Api, options: Options) -> DryRun {
        let (resource, name) = (&self.resource, self.reference.name.as_str());
        let is_named = self.is_named();
        let live = async || match is_named {
            true => api.get(resource, self.namespace(), name).await,
            false => Ok(None),
        };
        let patch = Patch { dry_run: true, force: options.force, ..Patch::default() };
        let stored = async || match is_named {
            true => api.apply(resource, self.namespace(), name, &self.value, patch).await,
            false => api.create(resource, self.namespace(), &self.value, true).await,
        };
        let (live, stored) =
            tokio::join!(until_answered(api, options.patience, live), until_answered(api, options.patience, stored));
        let live = match live {
            Ok(live) => live,
            Err(error) => return DryRun { live: None, predicted: Predicted::Refused(error) },
        };
        let predicted = match stored {
            Ok(object) => Predicted::Stored { object, pod: None },
            Err(error) => Predicted::of(error, live.as_ref(), self),
        };
        DryRun { live, predicted }
    }

    /// Whether it has a name, and the server need not make one up.
    pub(super) fn is_named(&self) -> bool {
        self.value.at(["metadata", "name"]).is_some()
    }

    /// The objects that it may not be made without, wherever they come from.
    fn may_need(&self, pod: Option<&Value>) -> Vec<Key> {
        let key = |group: &str, kind: &str, namespace: Option<&str>, name: &str| Key {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        };
        let text = |value: &Value, keys: [&str; 2]| value.at(keys).and_then(Value::as_str).map(str::to_owned);
        let mut keys = Vec::new();
        if let (Some(kind), Some(name)) =
            (text(&self.value, ["roleRef", "kind"]), text(&self.value, ["roleRef", "name"]))
        {
            let namespace = self.namespace().filter(|_| kind == "Role");
            keys.push(key("rbac.authorization.k8s.io", &kind, namespace, &name));
        }
        if let Some(pod) = pod {
            for field in ["serviceAccountName", "serviceAccount"] {
                keys.extend(text(pod, ["spec", field]).map(|name| key("", "ServiceAccount", self.namespace(), &name)));
            }
            let class = text(pod, ["spec", "priorityClassName"]);
            keys.extend(class.map(|name| key("scheduling.k8s.io", "PriorityClass", None, &name)));
        }
        keys
    }
}

impl DryRun {
    /// What would be stored, if it would.
    pub fn stored(&self) -> Option<&Value> {
        match &self.predicted {
            Predicted::Stored { object, .. } => Some(object),
            _ => None,
        }
    }

    /// What the server had against it, or its Pod.
    fn refusal(&self) -> Option<&Error> {
        match &self.predicted {
            Predicted::Refused(error) | Predicted::Stored { pod: Some(Pod::Denied(_, error)), .. } => Some(error),
            _ => None,
        }
    }

    fn may_settle(&self) -> bool {
        self.refusal().is_some_and(|error| matches!(error.code(), Some(400 | 403 | 404 | 422)))
    }
}

impl Predicted {
    pub(super) fn of(error: Error, live: Option<&Value>, wanted: &Wanted) -> Self {
        let conflicts = Conflict::of(&error, live, &wanted.value);
        if conflicts.is_empty() { Self::Refused(error) } else { Self::Conflicts(conflicts) }
    }
}

/// What is wanted and is not there yet.
#[derive(Debug, Default)]
pub(super) struct Missing {
    objects: HashMap<Key, ObjectRef>,
    /// CRDs that are not there as they will be, by the resources that they add.
    definitions: Vec<(Resource, ObjectRef)>,
}

impl Missing {
    /// What some dry runs have found.
    pub fn of(wanted: &[Wanted], answers: &[DryRun]) -> Self {
        let mut missing = Self::default();
        wanted.iter().zip(answers).for_each(|(one, answer)| missing.note(one, answer));
        missing
    }

    fn note(&mut self, one: &Wanted, answer: &DryRun) {
        if answer.live.is_none() {
            self.objects.insert(one.key(), one.reference.clone());
        }
        let spec = |object: Option<&Value>| object.and_then(|object| object.get("spec")).cloned();
        let is_definition = one.foundation() == Foundation::Definition;
        if is_definition && (answer.live.is_none() || spec(answer.live.as_ref()) != spec(answer.stored())) {
            let added = Resource::defined_by(&one.value).into_iter();
            self.definitions.extend(added.map(|resource| (resource, one.reference.clone())));
        }
    }

    /// Something is there now.
    pub fn came(&mut self, one: &Wanted) {
        self.objects.remove(&one.key());
        self.definitions.retain(|(_, definition)| *definition != one.reference);
    }

    /// Whether an object need not wait any longer for another one.
    pub fn has(&self, waited_for: &ObjectRef) -> bool {
        let of_definition = |(_, definition): &(Resource, ObjectRef)| definition == waited_for;
        self.objects.values().any(|object| object == waited_for) || self.definitions.iter().any(of_definition)
    }

    /// What an object cannot be asked for without: its namespace or its CRD.
    fn needed(&self, one: &Wanted) -> Option<ObjectRef> {
        let namespace = one.namespace().map(|namespace| Key {
            group: String::new(),
            kind: "Namespace".to_owned(),
            namespace: None,
            name: namespace.to_owned(),
        });
        let is_its = |(resource, _): &&(Resource, ObjectRef)| {
            (&resource.group, &resource.kind) == (&one.resource.group, &one.resource.kind)
        };
        let definition = self.definitions.iter().find(is_its).map(|(_, definition)| definition);
        definition.or_else(|| self.objects.get(&namespace?)).cloned()
    }

    /// What an object was refused for, if that may be: something else that is not there, and is applied before it.
    fn missed(&self, one: &Wanted, answer: &DryRun) -> Option<ObjectRef> {
        answer.refusal().filter(|error| matches!(error.code(), Some(403 | 404)))?;
        let pod = if one.resource.kind == "Pod" && one.resource.group.is_empty() {
            Some(&one.value)
        } else {
            pods::template(&one.resource, &one.value)
        };
        let mut keys = one.may_need(pod).into_iter();
        let is_before = |key: &Key| manifest::order::compare(&key.kind, &one.resource.kind).is_lt();
        keys.find_map(|key| self.objects.get(&key).filter(|_| is_before(&key))).cloned()
    }
}
