//! Waiting until objects are ready, or gone.

use std::time::Duration;

use tokio::time::{self, MissedTickBehavior};

use super::not_ready::{NotReady, Pending, Reason};
use super::poll::{self, Watched};
use super::{Status, status, why};
use crate::cluster::retry::{is_passing, until_answered};
use crate::cluster::{Api, Error};
use crate::finding::ObjectRef;
use crate::value::Value;

/// How often in a row the server may refuse to answer: just after a start it may know neither its roles nor its kinds.
const REFUSALS: usize = 5;

/// How long and how often it is looked.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long to wait at most.
    pub timeout: Duration,
    /// The time between two looks. One look asks for one list of each resource and namespace that something is waited for in.
    pub interval: Duration,
    /// Labels that all objects have (a selector as kubectl takes it): what lists are narrowed down by. Empty for none.
    pub labels: String,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// All are ready.
    Ready,
    /// None is there any more.
    Gone,
}

/// How an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is there.
    Is(Status),
    /// It is gone, or another one has its name.
    Gone,
}

/// What is told while waiting.
#[derive(Debug)]
pub enum Event<'a> {
    /// An object is not yet as it is to be; told again when its state changes.
    Waits {
        /// Which.
        object: &'a ObjectRef,
        /// How it is.
        state: &'a State,
    },
    /// An object is as it is to be, which may change again while others are waited for.
    Done {
        /// Which.
        object: &'a ObjectRef,
    },
    /// The server does not answer; it is asked again. Told once.
    Unreachable(&'a Error),
    /// The server answers again.
    Reachable,
}

/// Waits until all objects are ready, at the same time: as they were returned when they were applied.
///
/// It ends early where one has failed, or is deleted meanwhile, and at Ctrl-C. A server that does not answer is waited for,
/// too.
///
/// # Errors
/// What is not ready, how it is, and why, as far as the cluster says.
pub async fn wait(
    api: &Api,
    objects: &[Value],
    options: &Options,
    events: &mut dyn FnMut(Event<'_>),
) -> Result<(), NotReady> {
    Wait::until(Goal::Ready, api, objects, options, events).await
}

/// Waits until no object is there any more: as they were when they were deleted. One that was made anew is another one.
///
/// # Errors
/// What is still there, and by which finalizers.
pub async fn wait_gone(
    api: &Api,
    objects: &[Value],
    options: &Options,
    events: &mut dyn FnMut(Event<'_>),
) -> Result<(), NotReady> {
    Wait::until(Goal::Gone, api, objects, options, events).await
}

struct Wait<'a> {
    goal: Goal,
    api: &'a Api,
    options: &'a Options,
    watched: Vec<Watched>,
    states: Vec<State>,
    /// What was last told of each.
    told: Vec<Option<State>>,
    /// The last error, where the last look met one, and how many looks in a row were refused.
    trouble: Option<Error>,
    refusals: usize,
}

impl Goal {
    fn is_reached(self, state: &State) -> bool {
        match self {
            Self::Ready => *state == State::Is(Status::Current),
            Self::Gone => *state == State::Gone,
        }
    }

    /// Whether waiting longer is of no use.
    fn is_missed(self, state: &State) -> bool {
        self == Self::Ready && matches!(state, State::Gone | State::Is(Status::Failed(_) | Status::Terminating))
    }
}

impl<'a> Wait<'a> {
    async fn until(
        goal: Goal,
        api: &'a Api,
        objects: &[Value],
        options: &'a Options,
        events: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), NotReady> {
        let mut wait = Self {
            goal,
            api,
            options,
            watched: Vec::with_capacity(objects.len()),
            states: objects.iter().map(|object| State::Is(status(object))).collect(),
            told: vec![None; objects.len()],
            trouble: None,
            refusals: 0,
        };
        let reason = tokio::select! {
            biased;
            () = api.interrupted() => Reason::Interrupted,
            outcome = wait.look_again_and_again(objects, events) => match outcome {
                Ok(()) => return Ok(()),
                Err(reason) => reason,
            },
            () = time::sleep(options.timeout) => Reason::Timeout(options.timeout),
        };
        Err(wait.not_ready(reason).await)
    }

    async fn look_again_and_again(
        &mut self,
        objects: &[Value],
        events: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), Reason> {
        for object in objects {
            let found = until_answered(self.api, self.options.timeout, async || Watched::of(self.api, object).await);
            self.watched.push(found.await.map_err(Reason::Refused)?);
        }
        let mut looks = time::interval(self.options.interval.max(Duration::from_millis(10)));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // What is ready is looked at again when all is: everything has to be ready at once.
        let mut is_whole = true;
        loop {
            looks.tick().await;
            self.look(is_whole, events).await?;
            let is_done = self.trouble.is_none() && self.states.iter().all(|state| self.goal.is_reached(state));
            if is_done && (is_whole || self.goal == Goal::Gone) {
                return Ok(());
            }
            is_whole = is_done;
        }
    }

    /// Looks once: at all objects, or at those that are not as they are to be.
    async fn look(&mut self, is_whole: bool, events: &mut dyn FnMut(Event<'_>)) -> Result<(), Reason> {
        let round: Vec<usize> = (self.watched.iter().zip(&self.states).enumerate())
            .filter(|(_, (one, state))| match self.goal {
                Goal::Ready => !self.goal.is_reached(state) || is_whole && one.may_change(),
                Goal::Gone => !self.goal.is_reached(state),
            })
            .map(|(index, _)| index)
            .collect();
        let mut seen = Vec::new();
        let see = |index, now| seen.push((index, now));
        let answer = poll::ask(self.api, self.goal, &self.watched, round, &self.options.labels, see).await;
        for (index, now) in seen {
            if let Some(state) = self.states.get_mut(index) {
                *state = now.as_ref().map_or(State::Gone, |object| State::Is(status(object)));
            }
            if let (Some(one), Some(now)) = (self.watched.get_mut(index), now) {
                one.last = now;
            }
        }
        let noted = self.note(answer, events).await;
        self.tell(events);
        noted?;
        match self.states.iter().any(|state| self.goal.is_missed(state)) {
            true => Err(Reason::Failed),
            false => Ok(()),
        }
    }

    /// Tells what has changed.
    fn tell(&mut self, events: &mut dyn FnMut(Event<'_>)) {
        for ((one, state), told) in self.watched.iter().zip(&self.states).zip(&mut self.told) {
            if told.as_ref() != Some(state) {
                events(match self.goal.is_reached(state) {
                    true => Event::Done { object: &one.object },
                    false => Event::Waits { object: &one.object, state },
                });
                *told = Some(state.clone());
            }
        }
    }

    /// Takes note of whether the server has answered.
    async fn note(&mut self, answer: Result<(), Error>, events: &mut dyn FnMut(Event<'_>)) -> Result<(), Reason> {
        let Err(error) = answer else {
            if self.trouble.take().is_some() {
                events(Event::Reachable);
            }
            self.refusals = 0;
            return Ok(());
        };
        self.refusals = if is_passing(self.api, &error).await { 0 } else { self.refusals + 1 };
        if self.refusals >= REFUSALS {
            return Err(Reason::Refused(error));
        }
        if self.trouble.is_none() {
            events(Event::Unreachable(&error));
        }
        self.trouble = Some(error);
        Ok(())
    }

    /// What the wait came to: with causes, unless somebody wants it to end.
    async fn not_ready(self, reason: Reason) -> NotReady {
        let of = |(one, state): (Watched, State)| (Pending { object: one.object, state, causes: Vec::new() }, one.last);
        let total = self.states.len();
        let goal = self.goal;
        let pending = self.watched.into_iter().zip(self.states).filter(|(_, state)| !goal.is_reached(state));
        let mut pending: Vec<(Watched, State)> = pending.collect();
        pending.sort_by_key(|(_, state)| !goal.is_missed(state));
        let (mut objects, last): (Vec<Pending>, Vec<Value>) = pending.into_iter().map(of).unzip();
        match goal {
            Goal::Ready if reason.wants_causes() && self.trouble.is_none() => {
                why::explain(self.api, &mut objects, &last).await;
            }
            Goal::Ready => {}
            Goal::Gone => why::name_finalizers(&mut objects, &last),
        }
        NotReady { goal, reason, total, objects, unreachable: self.trouble }
    }
}
