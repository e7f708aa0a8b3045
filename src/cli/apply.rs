//! `plimsoll apply`: what passes the gate goes into a cluster, and nothing else does.

use std::mem::ManuallyDrop;
use std::ops::Range;
use std::time::Duration;

use super::check_args::CheckArgs;
use super::confirm::confirm;
use super::connect_args::timeout;
use super::live::{self, Given, LiveArgs, Plan, tell_warnings};
use super::progress::Progress;
use super::rule_args::RuleArgs;
use super::streams::Notes;
use super::{Stop, Streams, pruned};
use crate::check::{self, Rules};
use crate::cluster::prune::{self, Prune};
use crate::cluster::{
    self, Applied, ApplySet, Cluster, DryRun, Event, Extent, Hook, HookEvent, HookFailure, Lock, Members, Outcome,
    PATIENCE, Predicted, Wanted, ready,
};
use crate::finding::{Fault, ObjectRef, Report};
use crate::gate::ExitStatus;
use crate::report::{delta, plural};
use crate::value::Value;

/// Apply a chart, or manifests, to a cluster: what the gate refuses is not let through
///
/// What is rendered is checked, and what the cluster would store of it is checked again. Then the changes are shown, and
/// applied on the server (field manager `plimsoll`) in Helm's order of kinds; what the release has no more is deleted, and
/// it is waited until all is ready. A second apply changes nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Do not ask whether to go on
    #[arg(short, long, help_heading = "Apply")]
    yes: bool,
    /// Show what would change, and stop
    #[arg(long, help_heading = "Apply")]
    dry_run: bool,
    /// Run no hooks
    #[arg(long, help_heading = "Apply")]
    no_hooks: bool,
    /// How long to wait until all is ready: 90s, 10m; 0 waits only for hooks
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = timeout, help_heading = "Apply")]
    timeout: Duration,

    #[command(flatten)]
    live: LiveArgs,
    #[command(flatten)]
    checks: CheckArgs,
}

/// How often it is looked whether objects are ready.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a hook may take where nothing is said of that.
const HOOK: Duration = Duration::from_secs(300);

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    args.checks.check_outputs()?;
    let project = args.checks.project()?;
    let destination = args.live.chart.destination(&project, true)?;
    let cluster = destination.asked()?;
    let given = args.live.given(&destination, streams)?;
    // The process ends with this: to give back every policy by itself would take as long as to read some.
    let catalogue = ManuallyDrop::new(args.checks.rules.catalogue(&project)?);
    let chosen = args.checks.rules.choose(&project, None, &catalogue)?;
    let mut rules = args.checks.rules.rules(&project, chosen, destination.version)?;

    // What is rendered must pass, and what the cluster would store of it.
    let status = args.checks.conclude(&check::lint(&[given.subject()], &rules)?, streams)?;
    if status != ExitStatus::Clean {
        return Ok(status);
    }
    let plan = Plan::make(cluster, &given, &args.live)?;
    tell_warnings(cluster.api(), streams)?;
    let slipped = plan.slipped_in(&given, &mut rules)?;
    if !slipped.findings.is_empty() {
        streams.warn("the cluster would store what was not rendered:")?;
        let status = args.checks.conclude(&slipped, streams)?;
        if status != ExitStatus::Clean {
            return Ok(status);
        }
    }

    let delta = plan.delta(cluster.context(), &given, None)?;
    if !delta.is_empty() || !streams.is_quiet() {
        delta::write(&delta, delta::Format::Text, streams.stdout_style, streams.stdout)?;
    }
    if args.dry_run {
        return Ok(ExitStatus::Clean);
    }
    let question = format!("Apply to {}?", cluster.context());
    if !delta.is_empty() && !args.yes && !confirm(&question, cluster, streams)? {
        args.checks.note("nothing was changed", streams)?;
        return Ok(ExitStatus::Refused);
    }
    let is_first = !plan.set.as_ref().is_some_and(ApplySet::exists);
    Apply { args, cluster, given: &given, plan, is_first, made: None, rules: &mut rules }.run(streams)?;
    Ok(ExitStatus::Clean)
}

impl Args {
    fn waiting(&self) -> ready::Options {
        // What comes after a hook needs what it does: so that is waited for in any case.
        let timeout = if self.timeout.is_zero() { HOOK } else { self.timeout };
        ready::Options { timeout, interval: INTERVAL, labels: String::new() }
    }
}

/// The work that changes the cluster.
struct Apply<'a, 'r> {
    args: &'a Args,
    cluster: &'a Cluster,
    given: &'a Given,
    plan: Plan,
    /// Whether the release is not there yet.
    is_first: bool,
    /// The namespace of the release, where it was made before the others.
    made: Option<(usize, Outcome)>,
    rules: &'a mut Rules<'r>,
}

/// Why what could be judged only in the middle is not applied.
enum Refusal {
    Found(Box<Report>),
    Unknown(Vec<Fault>),
}

/// Whether what the cluster would store may be applied.
fn judged(judge: &RuleArgs, report: Result<Report, Vec<Fault>>) -> Result<(), Refusal> {
    let report = report.map_err(Refusal::Unknown)?;
    if judge.judge(&report) == ExitStatus::Clean { Ok(()) } else { Err(Refusal::Found(Box::new(report))) }
}

impl Apply<'_, '_> {
    /// Applies, deletes what is no longer wanted, and waits until all is ready.
    fn run(mut self, streams: &mut Streams<'_>) -> Result<(), Stop> {
        self.make_namespace(streams)?;
        let api = self.cluster.api();
        let lock = self.lock()?;
        self.hooks("pre", streams)?;
        if let Some(set) = &mut self.plan.set {
            // Only now: where a hook before the first apply fails, the next one is the first again.
            let coming = Extent::of(self.plan.wanted.iter().map(|one| &one.reference));
            self.cluster.run(set.widen(api, &coming))?;
        }
        let mut applied = self.apply(0..self.plan.wanted.len(), streams)?;
        if let Some((index, made)) = self.made.take()
            && let Some(outcome) = applied.outcomes.get_mut(index)
            && (outcome.stored().is_some() || matches!(outcome, Outcome::NotTried))
        {
            *outcome = made;
        }
        tell_warnings(api, streams)?;
        if let Some(stop) = applied.stopped {
            return Err(self.stopped(stop, &applied.outcomes, streams)?);
        }
        self.check_stored(&applied.outcomes, streams)?;
        self.prune(lock.as_ref(), streams)?;
        // Whoever mends what does not become ready need not wait for that.
        drop(lock);
        let count = |which: fn(&Outcome) -> bool| applied.outcomes.iter().filter(|outcome| which(outcome)).count();
        let created = count(|outcome| matches!(outcome, Outcome::Created(_)));
        let configured = count(|outcome| matches!(outcome, Outcome::Configured(_)));
        let all = applied.outcomes.len();
        let unchanged = all - created - configured;
        let objects = plural(all, "object");
        let note = format!("{objects} applied: {created} created, {configured} configured, {unchanged} unchanged");
        self.args.checks.note(&note, streams)?;
        let stored: Vec<Value> = applied.outcomes.iter().filter_map(|outcome| outcome.stored().cloned()).collect();
        wait(self.args, self.cluster, &stored, streams)?;
        self.hooks("post", streams)
    }

    /// Takes the lock of a release.
    ///
    /// # Errors
    /// Somebody else had it since it was seen what the release has: nobody has agreed to what would be done now.
    fn lock(&mut self) -> Result<Option<Lock>, Stop> {
        let (api, Some(set)) = (self.cluster.api(), &mut self.plan.set) else { return Ok(None) };
        let lock = self.cluster.run(Lock::acquire(api, set))?;
        let read = ApplySet::read(api, set.release(), set.namespace());
        *set = self.cluster.run(read)?;
        let mut is_changed = set.exists() == self.is_first;
        if !self.args.live.no_prune {
            let members = self.cluster.run(Members::find(api, set))?;
            let orphans = members.orphans(&self.plan.wanted);
            let known: Vec<ObjectRef> = self.plan.orphans.iter().map(cluster::reference).collect();
            is_changed |= !orphans.iter().all(|orphan| known.contains(&cluster::reference(orphan)));
            self.plan.orphans = orphans;
        }
        if is_changed {
            let fault = Fault::new(format!("the release {} was changed while its lock was waited for", set.release()));
            return Err(fault.help("apply again, and see what changes now").into());
        }
        Ok(Some(lock))
    }

    /// The lock and what belongs to the release are kept in its namespace: if that comes with this apply, it comes first.
    fn make_namespace(&mut self, streams: &mut Streams<'_>) -> Result<(), Stop> {
        let is_it = |one: &Wanted| one.resource.named() == "namespaces" && one.reference.name == self.given.namespace;
        let index = self.plan.wanted.iter().position(is_it);
        let is_new = |index: &usize| self.plan.dry_runs.get(*index).is_some_and(|dry_run| dry_run.live.is_none());
        let Some(index) = index.filter(is_new) else { return Ok(()) };
        let mut applied = self.apply(index..index + 1, streams)?;
        if let Some(stop) = applied.stopped {
            let mut outcomes = vec![Outcome::NotTried; self.plan.wanted.len()];
            outcomes.splice(index..index + 1, applied.outcomes);
            return Err(self.stopped(stop, &outcomes, streams)?);
        }
        if let Some(dry_run) = self.plan.dry_runs.get_mut(index) {
            dry_run.live = applied.outcomes.first().and_then(Outcome::stored).cloned();
        }
        self.made = applied.outcomes.pop().map(|outcome| (index, outcome));
        Ok(())
    }

    fn apply(&mut self, part: Range<usize>, streams: &mut Streams<'_>) -> Result<Applied<Refusal>, Stop> {
        let (given, rules, judge) = (self.given, &mut *self.rules, &self.args.checks.rules);
        let (wanted, dry_runs) = (&self.plan.wanted[part.clone()], &self.plan.dry_runs[part]);
        let check = async |seen: &[(usize, DryRun)]| {
            let seen = seen.iter().filter_map(|(index, dry_run)| Some((wanted.get(*index)?, dry_run)));
            judged(judge, live::slipped_in(given, rules, seen))
        };
        let mut notes = Notes::new(streams);
        let told = |event: Event<'_>| {
            let line = match event {
                Event::Done(index, outcome) => verb(outcome).zip(wanted.get(index)),
                Event::Waiting(index) => wanted.get(index).map(|one| ("waiting for", one)),
            };
            if let Some((verb, one)) = line {
                notes.note(&format!("{verb} {}", one.reference));
            }
        };
        let options = self.args.live.options();
        let applied = self.cluster.run(cluster::apply(self.cluster.api(), wanted, dry_runs, options, check, told));
        notes.end()?;
        Ok(applied)
    }

    /// A webhook may do in earnest what it does not do in a dry run: what is not stored as was shown is judged as it is.
    fn check_stored(&mut self, outcomes: &[Outcome], streams: &mut Streams<'_>) -> Result<(), Stop> {
        let shown = self.plan.dry_runs.iter().map(DryRun::stored);
        let otherwise = |((one, shown), outcome): ((_, Option<&Value>), &Outcome)| {
            let object = outcome.stored()?;
            let is_as_shown = shown.is_some_and(|shown| cluster::normal(shown) == cluster::normal(object));
            let predicted = Predicted::Stored { object: object.clone(), pod: None };
            (!is_as_shown).then_some((one, DryRun { live: None, predicted }))
        };
        let stored: Vec<(&Wanted, DryRun)> =
            self.plan.wanted.iter().zip(shown).zip(outcomes).filter_map(otherwise).collect();
        let report = live::slipped_in(self.given, self.rules, stored.iter().map(|(one, dry_run)| (*one, dry_run)));
        let Err(refusal) = judged(&self.args.checks.rules, report) else { return Ok(()) };
        let fault = Fault::new("the cluster has stored what its dry run did not show, and what is refused");
        let help = "all is applied, nothing was deleted: see which webhook changes objects in earnest only";
        Err(self.refused(refusal, fault.help(help), streams)?.into())
    }

    /// Deletes what the release has no more.
    fn prune(&mut self, lock: Option<&Lock>, streams: &mut Streams<'_>) -> Result<(), Stop> {
        let (api, Some(set)) = (self.cluster.api(), &mut self.plan.set) else { return Ok(()) };
        if self.args.live.no_prune {
            return Ok(());
        }
        let prune = Prune { api, set, lock, timeout: self.args.timeout, patience: PATIENCE };
        let mut notes = Notes::new(streams);
        let mut tell = |object: &ObjectRef, outcome: &prune::Outcome| match (pruned::word(outcome, false), outcome) {
            (Some(word), _) => notes.note(&format!("{word} {object}")),
            (None, prune::Outcome::Kept(why)) => notes.note(&format!("kept {object}: {why}")),
            (None, _) => {}
        };
        let pruned = self.cluster.run(prune.delete(&self.plan.orphans, &mut tell));
        notes.end()?;
        let covered = self.plan.wanted.iter().map(|one| &one.reference).chain(pruned.left());
        self.cluster.run(set.narrow(api, &Extent::of(covered)))?;
        let faults = pruned::faults(&pruned, "apply");
        if faults.is_empty() { Ok(()) } else { Err(faults.into()) }
    }

    /// Runs the hooks of an event.
    fn hooks(&mut self, when: &str, streams: &mut Streams<'_>) -> Result<(), Stop> {
        if self.args.no_hooks {
            return Ok(());
        }
        let event = format!("{when}-{}", if self.is_first { "install" } else { "upgrade" });
        let (given, rules, judge) = (self.given, &mut *self.rules, &self.args.checks.rules);
        let check = async |hook: &Hook, dry_run: &DryRun| {
            judged(judge, live::slipped_in(given, rules, std::iter::once((&hook.wanted, dry_run))))
        };
        let mut progress = Progress::new(streams);
        let mut told = |event: HookEvent<'_>| {
            if let HookEvent::Waits(event) = event {
                progress.show(&event);
            }
        };
        let (options, waiting) = (self.args.live.options(), self.args.waiting());
        let run = cluster::run_hooks(self.cluster.api(), &self.plan.hooks, &event, options, &waiting, check, &mut told);
        let ran = self.cluster.run(run);
        drop(progress);
        let Err((hook, failure)) = ran else { return Ok(()) };
        let object = &hook.wanted.reference;
        let fault = match failure {
            HookFailure::Server(error) => given.about(&hook.wanted, &error),
            HookFailure::Conflicts(conflicts) => given.conflict(&hook.wanted, &conflicts),
            HookFailure::NotDone(not_ready) => not_ready.into(),
            HookFailure::Refused(refusal) => {
                return Err(Stop::Faults(self.refused(refusal, not_rendered(), streams)?));
            }
            HookFailure::Interrupted => Fault::new("interrupted"),
        };
        Err(fault.about(format_args!("the {event} hook {object} has not done its work")).into())
    }

    /// Shows what was refused; `summary` says what that comes to.
    fn refused(&self, refusal: Refusal, summary: Fault, streams: &mut Streams<'_>) -> Result<Vec<Fault>, Stop> {
        match refusal {
            Refusal::Unknown(faults) => Ok(faults),
            Refusal::Found(report) => {
                self.args.checks.conclude(&report, streams)?;
                Ok(vec![summary])
            }
        }
    }

    /// Says what was applied and what was not, and how to go on.
    fn stopped(
        &self,
        stop: cluster::Stop<Refusal>,
        outcomes: &[Outcome],
        streams: &mut Streams<'_>,
    ) -> Result<Stop, Stop> {
        let mut faults = Vec::new();
        let mut left = Vec::new();
        for (one, outcome) in self.plan.wanted.iter().zip(outcomes) {
            match outcome {
                Outcome::Failed(error) => faults.push(self.given.about(one, error)),
                Outcome::Unknown(error) => {
                    let fault = self.given.about(one, error);
                    faults.push(Fault { message: format!("{}; it may be stored or not", fault.message), ..fault });
                }
                Outcome::Conflicts(conflicts) => faults.push(self.given.conflict(one, conflicts)),
                Outcome::NotTried => left.push(one.reference.to_string()),
                Outcome::Created(_) | Outcome::Configured(_) | Outcome::Unchanged(_) => {}
            }
        }
        match stop {
            cluster::Stop::Failed => {}
            cluster::Stop::Interrupted => faults.push(Fault::new("interrupted")),
            cluster::Stop::Refused(refusal) => faults.extend(self.refused(refusal, not_rendered(), streams)?),
        }
        let applied = outcomes.iter().filter(|outcome| outcome.stored().is_some()).count();
        let mut message = format!("{applied} of {} applied", plural(self.plan.wanted.len(), "object"));
        if !left.is_empty() {
            message.push_str(&format!("; not tried: {}", left.join(", ")));
        }
        faults.push(Fault::new(message).help(
            "what was applied stays, and nothing was deleted; apply again when it is mended: what is as it should be is left alone",
        ));
        Ok(Stop::Faults(faults))
    }
}

fn not_rendered() -> Fault {
    Fault::new("the cluster would store what was not rendered, and is refused")
}

/// What was done to an object, if anything was.
fn verb(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Created(_) => Some("created"),
        Outcome::Configured(_) => Some("configured"),
        _ => None,
    }
}

/// Waits until all is ready.
fn wait(args: &Args, cluster: &Cluster, stored: &[Value], streams: &mut Streams<'_>) -> Result<(), Stop> {
    if args.timeout.is_zero() {
        return Ok(());
    }
    let options = args.waiting();
    let mut progress = Progress::new(streams);
    let waited = cluster.run(ready::wait(cluster.api(), stored, &options, &mut |event| progress.show(&event)));
    drop(progress);
    Ok(waited.map_err(Fault::from)?)
}
