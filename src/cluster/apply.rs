//! Applying objects: kind by kind, what others need first, and no further than the first failure.
//!
//! What kubectl's client-side apply or Helm has written before is theirs (`kubectl-client-side-apply`, `helm`). Wanted
//! otherwise it is a conflict, and with `force` ours. Wanted the same it has two owners: no longer wanted, it stays until
//! the other gives it up. Nobody's managedFields are rewritten, as kubectl does with its own of old.

use std::cell::Cell;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio::time::sleep;

use super::conflicts::Conflict;
use super::dry_run::{DryRun, Missing, Options, Predicted, ask_again};
use super::normal::normal;
use super::retry::{AT_ONCE, unless_interrupted, until_answered};
use super::wanted::{Foundation, Wanted};
use super::{Api, Error, Patch, Reason, Resource};
use crate::value::Value;

/// What became of an object.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It was not there, and is as this.
    Created(Value),
    /// It was there otherwise, and is as this.
    Configured(Value),
    /// It was there as it should be.
    Unchanged(Value),
    /// Others manage fields of it; it is as it was.
    Conflicts(Vec<Conflict>),
    /// The server refused it; it is as it was.
    Failed(Error),
    /// It was sent, and no answer came: it is not known whether it was stored.
    Unknown(Error),
    /// It was not sent.
    NotTried,
}

/// What becomes known while objects are applied, by their indices.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// An object was sent, and this is what became of it.
    Done(usize, &'a Outcome),
    /// A CRD is stored; its resources are waited for.
    Waiting(usize),
}

/// Why not all objects were applied.
#[derive(Debug)]
pub enum Stop<R> {
    /// One of them failed: see the outcomes.
    Failed,
    /// Ctrl-C.
    Interrupted,
    /// What could be looked at only later was refused.
    Refused(R),
}

/// What became of all objects.
#[derive(Debug)]
pub struct Applied<R> {
    /// In the order of the objects.
    pub outcomes: Vec<Outcome>,
    /// Why there is not more; none if all were applied.
    pub stopped: Option<Stop<R>>,
}

/// How long a CRD may take until it is served.
const ESTABLISHING: Duration = Duration::from_secs(60);

/// Applies objects that were dry-run: those of one kind at once, the kinds one after the other, CRDs and namespaces first.
///
/// Objects that had to wait for others are dry-run as soon as those are there, before anything else is sent, and shown to
/// `check` by their indices: if it refuses one, nothing more is applied. Nor is it after a failure or Ctrl-C: what is on its
/// way then is waited for. A request that gets no answer is sent again: it may be applied twice without harm.
pub async fn apply<R>(
    api: &Api,
    wanted: &[Wanted],
    dry_runs: &[DryRun],
    options: Options,
    mut check: impl AsyncFnMut(&[(usize, DryRun)]) -> Result<(), R>,
    mut progress: impl FnMut(Event<'_>),
) -> Applied<R> {
    let mut run = Run::new(api, wanted, dry_runs, options);
    let stopped = run.all(&mut check, &mut progress).await.err();
    Applied { outcomes: run.outcomes, stopped }
}

struct Run<'a> {
    api: &'a Api,
    wanted: &'a [Wanted],
    options: Options,
    live: Vec<Option<Value>>,
    outcomes: Vec<Outcome>,
    missing: Missing,
    /// The objects that wait for others.
    waiting: Vec<(usize, crate::finding::ObjectRef)>,
}

impl<'a> Run<'a> {
    fn new(api: &'a Api, wanted: &'a [Wanted], dry_runs: &[DryRun], options: Options) -> Self {
        let waits = |(index, dry_run): (usize, &DryRun)| match &dry_run.predicted {
            Predicted::Later(first) => Some((index, first.clone())),
            _ => None,
        };
        Self {
            api,
            wanted,
            options,
            live: dry_runs.iter().map(|dry_run| dry_run.live.clone()).collect(),
            outcomes: vec![Outcome::NotTried; wanted.len()],
            missing: Missing::of(wanted, dry_runs),
            waiting: dry_runs.iter().enumerate().filter_map(waits).collect(),
        }
    }

    async fn all<R>(
        &mut self,
        check: &mut impl AsyncFnMut(&[(usize, DryRun)]) -> Result<(), R>,
        progress: &mut impl FnMut(Event<'_>),
    ) -> Result<(), Stop<R>> {
        let mut start = 0;
        for phase in self.wanted.chunk_by(|a, b| a.compare(b).is_eq()) {
            let indices = start..start + phase.len();
            start = indices.end;
            self.look_again(indices.end, check).await?;
            self.phase(indices.clone(), progress).await?;
            for (index, one) in indices.zip(phase) {
                self.serve(index, one, progress).await?;
                self.missing.came(one);
            }
        }
        Ok(())
    }

    /// Dry-runs what need not wait any longer, and in any case what is before `end`: its turn has come.
    async fn look_again<R>(
        &mut self,
        end: usize,
        check: &mut impl AsyncFnMut(&[(usize, DryRun)]) -> Result<(), R>,
    ) -> Result<(), Stop<R>> {
        let is_due = |(index, first): &(usize, _)| *index < end || !self.missing.has(first);
        let (due, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting).into_iter().partition(is_due);
        self.waiting = waiting;
        if due.is_empty() {
            return Ok(());
        }
        let objects: Vec<&Wanted> = due.iter().filter_map(|(index, _)| self.wanted.get(*index)).collect();
        let answers = ask_again(self.api, &objects, &mut self.missing, self.options).await;
        let mut seen = Vec::new();
        let mut has_failed = false;
        for ((index, _), answer) in due.into_iter().zip(answers.map_err(|_| Stop::Interrupted)?) {
            match answer.predicted {
                Predicted::Later(first) => self.waiting.push((index, first)),
                Predicted::Stored { .. } => seen.push((index, answer)),
                Predicted::Conflicts(conflicts) => {
                    has_failed = true;
                    self.outcomes[index] = Outcome::Conflicts(conflicts);
                }
                Predicted::Refused(error) => {
                    has_failed = true;
                    self.outcomes[index] = Outcome::Failed(error);
                }
            }
        }
        if has_failed {
            return Err(Stop::Failed);
        }
        check(&seen).await.map_err(Stop::Refused)?;
        for (index, answer) in seen {
            self.live[index] = answer.live;
        }
        Ok(())
    }

    /// Sends the objects of one kind.
    async fn phase<R>(
        &mut self,
        indices: std::ops::Range<usize>,
        progress: &mut impl FnMut(Event<'_>),
    ) -> Result<(), Stop<R>> {
        let has_failed = Cell::new(false);
        let send = |index: usize| {
            let (api, options, has_failed) = (self.api, self.options, &has_failed);
            let (one, live) = (&self.wanted[index], self.live[index].as_ref());
            async move {
                if has_failed.get() || api.is_interrupted() {
                    return (index, Outcome::NotTried);
                }
                let outcome = one.send(api, live, options).await;
                if outcome.stored().is_none() {
                    has_failed.set(true);
                }
                (index, outcome)
            }
        };
        let mut done = stream::iter(indices.map(send)).buffer_unordered(AT_ONCE);
        let mut outcomes = Vec::new();
        while let Some((index, outcome)) = done.next().await {
            if !matches!(outcome, Outcome::NotTried) {
                progress(Event::Done(index, &outcome));
            }
            outcomes.push((index, outcome));
        }
        drop(done);
        for (index, outcome) in outcomes {
            self.outcomes[index] = outcome;
        }
        match (has_failed.get(), self.api.is_interrupted()) {
            (true, _) => Err(Stop::Failed),
            (false, true) => Err(Stop::Interrupted),
            (false, false) => Ok(()),
        }
    }

    /// Waits until the resources of a CRD are there.
    async fn serve<R>(
        &mut self,
        index: usize,
        one: &Wanted,
        progress: &mut impl FnMut(Event<'_>),
    ) -> Result<(), Stop<R>> {
        let is_new = self.missing.has(&one.reference);
        if one.foundation() != Foundation::Definition || !is_new {
            return Ok(());
        }
        progress(Event::Waiting(index));
        let served = unless_interrupted(self.api, one.wait_until_served(self.api, self.options)).await;
        match served.map_err(|_| Stop::Interrupted)? {
            Ok(()) => Ok(()),
            Err(error) => {
                self.outcomes[index] = Outcome::Failed(error);
                Err(Stop::Failed)
            }
        }
    }
}

impl Wanted {
    async fn send(&self, api: &Api, live: Option<&Value>, options: Options) -> Outcome {
        let patch = Patch { force: options.force, ..Patch::default() };
        let (resource, name) = (&self.resource, self.reference.name.as_str());
        let request = async || api.apply(resource, self.namespace(), name, &self.value, patch).await;
        match until_answered(api, options.patience, request).await {
            Ok(stored) => match live {
                None => Outcome::Created(stored),
                Some(live) if normal(live) == normal(&stored) => Outcome::Unchanged(stored),
                Some(_) => Outcome::Configured(stored),
            },
            Err(error) if error.reason == Reason::Connection => Outcome::Unknown(error),
            Err(error) => match Predicted::of(error, live, self) {
                Predicted::Conflicts(conflicts) => Outcome::Conflicts(conflicts),
                Predicted::Refused(error) => Outcome::Failed(error),
                Predicted::Stored { .. } | Predicted::Later(_) => Outcome::NotTried,
            },
        }
    }

    /// Waits until a CRD is established, and what it adds is among the resources of the server.
    async fn wait_until_served(&self, api: &Api, options: Options) -> Result<(), Error> {
        let start = Instant::now();
        let added = Resource::defined_by(&self.value);
        loop {
            let get = async || api.get(&self.resource, None, &self.reference.name).await;
            let live = until_answered(api, options.patience, get).await?;
            if live.is_some_and(|live| is_established(&live)) {
                until_answered(api, options.patience, async || api.refresh().await).await?;
                let resources = api.resources();
                let is_there = |one: &Resource| resources.of(&one.api_version(), &one.kind).is_some();
                if added.iter().all(is_there) {
                    return Ok(());
                }
            }
            if start.elapsed() > ESTABLISHING {
                return Err(Error::not_established(&self.reference.name, ESTABLISHING));
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

fn is_established(definition: &Value) -> bool {
    let conditions = definition.at(["status", "conditions"]).and_then(Value::as_list).unwrap_or_default();
    let is = |condition: &Value, key, text| condition.get(key).and_then(Value::as_str) == Some(text);
    conditions.iter().any(|condition| is(condition, "type", "Established") && is(condition, "status", "True"))
}

impl Outcome {
    /// What is stored, if it was applied.
    pub fn stored(&self) -> Option<&Value> {
        match self {
            Self::Created(stored) | Self::Configured(stored) | Self::Unchanged(stored) => Some(stored),
            _ => None,
        }
    }
}
