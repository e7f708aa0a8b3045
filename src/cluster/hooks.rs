//! Hooks of charts: objects that run before and after the others are applied.
//!
//! Source: helm.sh/helm/v4 `pkg/action/hooks.go`. As there, they run one after the other, by weight and name; of Jobs and
//! Pods the end is waited for; and they belong to no ApplySet, so that nobody prunes them.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::conflicts::Conflict;
use super::dry_run::{DryRun, Missing, Options, Predicted, ask_again};
use super::retry::until_answered;
use super::wanted::{Foundation, Given, Wanted};
use super::{Api, Delete, Error, Patch, Resource, Resources, pods, ready};
use crate::finding::Fault;
use crate::manifest::Manifest;
use crate::value::{Map, Value};

/// A hook.
#[derive(Debug, Clone)]
pub struct Hook {
    /// The object; it may have a `generateName` in place of a name.
    pub wanted: Wanted,
    /// When it runs: `pre-install`, `post-upgrade`, …
    pub events: Vec<&'static str>,
    weight: i64,
    deletion: Deletion,
}

/// When a hook's object is deleted.
#[derive(Debug, Clone, Copy, Default)]
struct Deletion {
    before: bool,
    succeeded: bool,
    failed: bool,
}

/// What is told while hooks run.
#[derive(Debug)]
pub enum HookEvent<'a> {
    /// A hook begins.
    Runs(&'a Hook),
    /// Its Job or Pod is waited for.
    Waits(ready::Event<'a>),
    /// It has succeeded.
    Done(&'a Hook),
}

/// Why a hook did not do its work.
#[derive(Debug)]
pub enum HookFailure<R> {
    /// The server refused a request.
    Server(Error),
    /// Others manage fields of its object, which is there already.
    Conflicts(Vec<Conflict>),
    /// It failed, or has not come to an end in time.
    NotDone(ready::NotReady),
    /// What the server would store was refused.
    Refused(R),
    /// Ctrl-C.
    Interrupted,
}

/// The hooks among manifests, in the order in which they run; tests are none, for nobody has asked for them.
///
/// # Errors
/// All hooks that cannot be applied, as for [`wanted`](super::wanted()).
pub fn hooks(manifests: &[&Manifest], resources: &Resources, namespace: &str) -> Result<Vec<Hook>, Vec<Fault>> {
    let given = Given::all(manifests, namespace);
    let defined: Vec<Resource> = given.iter().flat_map(Given::defined).collect();
    let mut hooks = Vec::new();
    let mut faults = Vec::new();
    for given in &given {
        let events: Vec<&str> =
            given.manifest.hook.iter().flatten().copied().filter(|event| *event != "test").collect();
        if events.is_empty() {
            continue;
        }
        match given.wanted(resources, &defined, &[]) {
            Ok(wanted) => hooks.push(Hook::new(wanted, events)),
            Err(fault) => faults.push(*fault),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    hooks.sort_by(|a, b| (a.weight, &a.wanted.reference.name).cmp(&(b.weight, &b.wanted.reference.name)));
    Ok(hooks)
}

/// Runs the hooks of an event, one after the other, up to the first that fails.
///
/// Each is dry-run when its turn comes, as what it needs may be the work of another one, and shown to `check`.
///
/// # Errors
/// Which hook did not do its work, and why.
pub async fn run_hooks<'h, R>(
    api: &Api,
    hooks: &'h [Hook],
    event: &str,
    options: Options,
    waiting: &ready::Options,
    mut check: impl AsyncFnMut(&Hook, &DryRun) -> Result<(), R>,
    progress: &mut dyn FnMut(HookEvent<'_>),
) -> Result<(), (&'h Hook, HookFailure<R>)> {
    let run = Run { api, options, waiting };
    let mut done: Vec<(&Hook, Value)> = Vec::new();
    let mut failed = None;
    for hook in hooks.iter().filter(|hook| hook.events.contains(&event)) {
        progress(HookEvent::Runs(hook));
        let mut made = None;
        match run.hook(hook, &mut made, &mut check, progress).await {
            Ok(()) => {
                progress(HookEvent::Done(hook));
                done.extend(made.map(|made| (hook, made)));
            }
            Err(failure) => {
                if let Some(made) = made.filter(|_| hook.deletion.failed) {
                    // What it failed of is said; that it is left over, the next run sees.
                    let _ = run.delete::<R>(hook, &made, progress).await;
                }
                failed = Some((hook, failure));
                break;
            }
        }
    }
    for (hook, made) in done.iter().rev().filter(|(hook, _)| hook.deletion.succeeded) {
        match run.delete(hook, made, progress).await {
            Err(failure) if failed.is_none() => return Err((hook, failure)),
            _ => {}
        }
    }
    failed.map_or(Ok(()), Err)
}

impl Hook {
    fn new(wanted: Wanted, events: Vec<&'static str>) -> Self {
        let annotation = |name| wanted.value.at(["metadata", "annotations", name]).and_then(Value::as_str);
        let weight = annotation("helm.sh/hook-weight").and_then(|weight| weight.trim().parse().ok()).unwrap_or(0);
        let policies: Vec<String> = annotation("helm.sh/hook-delete-policy")
            .unwrap_or("before-hook-creation")
            .split(',')
            .map(|policy| policy.trim().to_lowercase())
            .collect();
        let has = |policy: &str| policies.iter().any(|known| known == policy);
        // Never CRDs: with them all of their objects would go.
        let may = wanted.foundation() != Foundation::Definition;
        let deletion = Deletion {
            before: may && has("before-hook-creation"),
            succeeded: may && has("hook-succeeded"),
            failed: may && has("hook-failed"),
        };
        Self { wanted, events, weight, deletion }
    }

    fn name(&self) -> Option<&str> {
        Some(self.wanted.reference.name.as_str()).filter(|_| self.wanted.is_named())
    }

    /// The same object under a name that nobody has: what is there under its own is deleted before.
    fn anew(&self) -> Value {
        let map = |value: Option<&Value>| value.and_then(Value::as_map).cloned().unwrap_or_default();
        let mut metadata: Map = map(self.wanted.value.get("metadata"));
        if metadata.remove("name").is_some() {
            metadata.insert("generateName", format!("{}-", self.wanted.reference.name).into());
        }
        let mut fields = map(Some(&self.wanted.value));
        fields.insert("metadata", metadata.into());
        fields.into()
    }
}

struct Run<'a> {
    api: &'a Api,
    options: Options,
    waiting: &'a ready::Options,
}

impl Run<'_> {
    /// Runs a hook; what it has made is known even if it fails afterwards.
    async fn hook<R>(
        &self,
        hook: &Hook,
        made: &mut Option<Value>,
        check: &mut impl AsyncFnMut(&Hook, &DryRun) -> Result<(), R>,
        progress: &mut dyn FnMut(HookEvent<'_>),
    ) -> Result<(), HookFailure<R>> {
        let seen = self.dry_run(hook).await?;
        check(hook, &seen).await.map_err(HookFailure::Refused)?;
        if let (true, Some(live)) = (hook.deletion.before, &seen.live) {
            self.delete(hook, live, progress).await?;
        }
        if self.api.is_interrupted() {
            return Err(HookFailure::Interrupted);
        }
        let stored = self.send(hook, seen.live.as_ref()).await?;
        *made = Some(stored.clone());
        self.wait(hook, stored, progress).await
    }

    async fn dry_run<R>(&self, hook: &Hook) -> Result<DryRun, HookFailure<R>> {
        let one = &hook.wanted;
        let live = match hook.name() {
            Some(name) => {
                let get = async || self.api.get(&one.resource, one.namespace(), name).await;
                until_answered(self.api, self.options.patience, get).await.map_err(HookFailure::Server)?
            }
            None => None,
        };
        let is_anew = hook.name().is_none() || hook.deletion.before && live.is_some();
        let mut asked = one.clone();
        if is_anew {
            asked.value = hook.anew();
        }
        let answers = ask_again(self.api, &[&asked], &mut Missing::default(), self.options).await;
        let answer = answers.map_err(|_| HookFailure::Interrupted)?.pop();
        match answer.map(|answer| answer.predicted) {
            Some(Predicted::Stored { object, pod }) => {
                let object = pods::named(&object, &one.reference.name);
                Ok(DryRun { live, predicted: Predicted::Stored { object, pod } })
            }
            Some(Predicted::Conflicts(conflicts)) => Err(HookFailure::Conflicts(conflicts)),
            Some(Predicted::Refused(error)) => Err(HookFailure::Server(error)),
            // Nothing is missing where nothing is waited for.
            Some(Predicted::Later(_)) | None => Err(HookFailure::Interrupted),
        }
    }

    async fn send<R>(&self, hook: &Hook, live: Option<&Value>) -> Result<Value, HookFailure<R>> {
        let one = &hook.wanted;
        let Some(name) = hook.name() else {
            // Not twice: each would make another object.
            return self
                .api
                .create(&one.resource, one.namespace(), &one.value, false)
                .await
                .map_err(HookFailure::Server);
        };
        let patch = Patch { dry_run: false, force: self.options.force, ..Patch::default() };
        let apply = async || self.api.apply(&one.resource, one.namespace(), name, &one.value, patch).await;
        until_answered(self.api, self.options.patience, apply).await.map_err(|error| {
            match Predicted::of(error, live, one) {
                Predicted::Conflicts(conflicts) => HookFailure::Conflicts(conflicts),
                Predicted::Refused(error) => HookFailure::Server(error),
                Predicted::Stored { .. } | Predicted::Later(_) => HookFailure::Interrupted,
            }
        })
    }

    /// Waits for the end of a Job or a Pod; of other objects there is nothing to wait for.
    async fn wait<R>(
        &self,
        hook: &Hook,
        mut object: Value,
        progress: &mut dyn FnMut(HookEvent<'_>),
    ) -> Result<(), HookFailure<R>> {
        let resource = &hook.wanted.resource;
        let is_pod = match (resource.group.as_str(), resource.kind.as_str()) {
            ("", "Pod") => true,
            ("batch", "Job") => false,
            _ => return Ok(()),
        };
        let start = Instant::now();
        loop {
            let left = self.waiting.timeout.saturating_sub(start.elapsed());
            let waiting = ready::Options { timeout: left, labels: String::new(), ..self.waiting.clone() };
            let mut events = |event: ready::Event<'_>| progress(HookEvent::Waits(event));
            let objects = [object];
            ready::wait(self.api, &objects, &waiting, &mut events).await.map_err(HookFailure::NotDone)?;
            let [last] = objects;
            object = last;
            // A Pod that runs and is ready has not come to its end.
            let name = object.at(["metadata", "name"]).and_then(Value::as_str).unwrap_or_default();
            let get = async || self.api.get(resource, hook.wanted.namespace(), name).await;
            let live = until_answered(self.api, self.options.patience, get).await.map_err(HookFailure::Server)?;
            let phase = live.as_ref().and_then(|live| live.at(["status", "phase"])).and_then(Value::as_str);
            if !is_pod || phase == Some("Succeeded") {
                return Ok(());
            }
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Deletes what a hook has made, now or when it ran before, and waits until it is gone.
    async fn delete<R>(
        &self,
        hook: &Hook,
        object: &Value,
        progress: &mut dyn FnMut(HookEvent<'_>),
    ) -> Result<(), HookFailure<R>> {
        let text = |field| object.at(["metadata", field]).and_then(Value::as_str);
        let (resource, namespace) = (&hook.wanted.resource, hook.wanted.namespace());
        let delete = Delete { uid: text("uid"), ..Delete::default() };
        let name = text("name").unwrap_or_default();
        let request = async || self.api.delete(resource, namespace, name, delete).await;
        until_answered(self.api, self.options.patience, request).await.map_err(HookFailure::Server)?;
        let mut events = |event: ready::Event<'_>| progress(HookEvent::Waits(event));
        let objects = [object.clone()];
        ready::wait_gone(self.api, &objects, self.waiting, &mut events).await.map_err(HookFailure::NotDone)
    }
}
