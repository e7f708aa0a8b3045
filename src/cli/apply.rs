//! `plimsoll apply`: what passes the gate goes into a cluster, and nothing else does.

use std::mem::ManuallyDrop;
use std::ops::Range;
use std::time::Duration;

use super::check_args::CheckArgs;
use super::confirm::confirm;
use super::connect_args::timeout;
use super::live::{self, Asked, Given, LiveArgs, Plan};
use super::progress::Progress;
use super::{Stop, Streams};
use crate::check::{self, Rules};
use crate::cluster::prune::{self, Prune};
use crate::cluster::{self, Api, Applied, Cluster, DryRun, Event, Lock, Options, Outcome, Wanted, ready};
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
    /// Take over fields that others manage, and objects of other releases
    #[arg(long, help_heading = "Apply")]
    force_conflicts: bool,
    /// Make the namespace of the release if it is not there
    #[arg(long, help_heading = "Apply")]
    create_namespace: bool,
    /// Leave what the release has no more
    #[arg(long, help_heading = "Apply")]
    no_prune: bool,
    /// Do not ask the cluster what it would make of the Pods of workloads
    #[arg(long, help_heading = "Apply")]
    no_pods: bool,
    /// Leave out hooks
    #[arg(long, help_heading = "Apply")]
    no_hooks: bool,
    /// How long to wait until all is ready: 90s, 10m; 0 does not wait
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = timeout, help_heading = "Apply")]
    timeout: Duration,

    #[command(flatten)]
    live: LiveArgs,
    #[command(flatten)]
    checks: CheckArgs,
}

/// How long a server may be away in the middle of an apply.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether objects are ready.
const INTERVAL: Duration = Duration::from_secs(1);

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
    let plan = Plan::make(cluster, &given, args.asked())?;
    tell_warnings(cluster.api(), streams)?;
    let slipped = plan.slipped_in(&given, &mut rules)?;
    if !slipped.findings.is_empty() {
        streams.warn("the cluster would store what was not rendered:")?;
        let status = args.checks.conclude(&slipped, streams)?;
        if status != ExitStatus::Clean {
            return Ok(status);
        }
    }

    let delta = plan.delta(cluster.context(), &given)?;
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
    let applied = Apply { args, cluster, given: &given, plan, rules: &mut rules }.run(streams)?;
    wait(args, cluster, &applied, streams)?;
    Ok(ExitStatus::Clean)
}

impl Args {
    fn asked(&self) -> Asked {
        Asked {
            options: Options { force: self.force_conflicts, pods: !self.no_pods, patience: PATIENCE },
            prune: !self.no_prune,
            create_namespace: self.create_namespace,
        }
    }
}

/// Says what the server has warned of.
fn tell_warnings(api: &Api, streams: &mut Streams<'_>) -> Result<(), Stop> {
    Ok(api.take_warnings().iter().try_for_each(|warning| streams.warn(warning))?)
}

/// The work that changes the cluster.
struct Apply<'a, 'r> {
    args: &'a Args,
    cluster: &'a Cluster,
    given: &'a Given,
    plan: Plan,
    rules: &'a mut Rules<'r>,
}

/// Why what could be judged only in the middle is not applied.
enum Refusal {
    Found(Report),
    Unknown(Vec<Fault>),
}

impl Apply<'_, '_> {
    /// Applies, deletes what is no longer wanted, and returns what is stored.
    fn run(mut self, streams: &mut Streams<'_>) -> Result<Vec<Value>, Stop> {
        self.make_namespace(streams)?;
        let api = self.cluster.api();
        let lock = match &mut self.plan.set {
            Some(set) => {
                let lock = self.cluster.run(Lock::acquire(api, set)).map_err(Fault::from)?;
                let coming = set.extent_of(api, self.plan.wanted.iter().map(|one| &one.reference));
                self.cluster.run(set.widen(api, &coming)).map_err(Fault::from)?;
                Some(lock)
            }
            None => None,
        };
        let applied = self.apply(0..self.plan.wanted.len(), streams)?;
        tell_warnings(api, streams)?;
        let stored: Vec<Value> = applied.outcomes.iter().filter_map(|outcome| outcome.stored().cloned()).collect();
        if let Some(stop) = applied.stopped {
            return Err(self.stopped(stop, &applied.outcomes, streams)?);
        }
        self.prune(lock.as_ref(), streams)?;
        let count = |which: fn(&Outcome) -> bool| applied.outcomes.iter().filter(|outcome| which(outcome)).count();
        self.args.checks.note(
            &format!(
                "{} applied: {} created, {} configured, {} unchanged",
                plural(stored.len(), "object"),
                count(|outcome| matches!(outcome, Outcome::Created(_))),
                count(|outcome| matches!(outcome, Outcome::Configured(_))),
                count(|outcome| matches!(outcome, Outcome::Unchanged(_))),
            ),
            streams,
        )?;
        Ok(stored)
    }

    /// The lock and what belongs to the release are kept in its namespace: if that comes with this apply, it comes first.
    fn make_namespace(&mut self, streams: &mut Streams<'_>) -> Result<(), Stop> {
        let is_it = |one: &Wanted| one.resource.named() == "namespaces" && one.reference.name == self.given.namespace;
        let index = self.plan.wanted.iter().position(is_it);
        let is_new = |index: &usize| self.plan.dry_runs.get(*index).is_some_and(|dry_run| dry_run.live.is_none());
        let Some(index) = index.filter(is_new) else { return Ok(()) };
        let applied = self.apply(index..index + 1, streams)?;
        if let Some(stop) = applied.stopped {
            return Err(self.stopped(stop, &applied.outcomes, streams)?);
        }
        if let Some(dry_run) = self.plan.dry_runs.get_mut(index) {
            dry_run.live = applied.outcomes.first().and_then(Outcome::stored).cloned();
        }
        Ok(())
    }

    fn apply(&mut self, part: Range<usize>, streams: &mut Streams<'_>) -> Result<Applied<Refusal>, Stop> {
        let (given, rules) = (self.given, &mut *self.rules);
        let (wanted, dry_runs) = (&self.plan.wanted[part.clone()], &self.plan.dry_runs[part]);
        let check = async |seen: &[(usize, DryRun)]| {
            let seen = seen.iter().filter_map(|(index, dry_run)| Some((wanted.get(*index)?, dry_run)));
            let report = live::slipped_in(given, rules, seen).map_err(Refusal::Unknown)?;
            if self.args.checks.rules.judge(&report) == ExitStatus::Clean {
                Ok(())
            } else {
                Err(Refusal::Found(report))
            }
        };
        let mut written = Ok(());
        let told = |event: Event<'_>| {
            let line = match event {
                Event::Done(index, outcome) => verb(outcome).zip(wanted.get(index)),
                Event::Waiting(index) => wanted.get(index).map(|one| ("waiting for", one)),
            };
            if let Some((verb, one)) = line
                && written.is_ok()
            {
                written = streams.note(&format!("{verb} {}", one.reference));
            }
        };
        let options = self.args.asked().options;
        let applied = self.cluster.run(cluster::apply(self.cluster.api(), wanted, dry_runs, options, check, told));
        written?;
        Ok(applied)
    }

    /// Deletes what the release has no more.
    fn prune(&mut self, lock: Option<&Lock>, streams: &mut Streams<'_>) -> Result<(), Stop> {
        let (api, Some(set)) = (self.cluster.api(), &mut self.plan.set) else { return Ok(()) };
        let prune = Prune { api, lock, timeout: self.args.timeout, dry_run: false };
        let mut written = Ok(());
        let mut told = |object: &ObjectRef, outcome: &prune::Outcome| {
            let line = match outcome {
                prune::Outcome::Deleted => format!("deleted {object}"),
                prune::Outcome::Kept(why) => format!("kept {object}: {why}"),
                _ => return,
            };
            if written.is_ok() {
                written = streams.note(&line);
            }
        };
        let outcomes = self.cluster.run(prune.delete(&self.plan.orphans, &mut told));
        written?;
        let left = |(object, outcome): &(ObjectRef, prune::Outcome)| {
            (!matches!(outcome, prune::Outcome::Deleted)).then(|| object.clone())
        };
        let left: Vec<ObjectRef> = outcomes.iter().filter_map(left).collect();
        let faults: Vec<Fault> = outcomes.iter().filter_map(|(object, outcome)| undeleted(object, outcome)).collect();
        let covered = self.plan.wanted.iter().map(|one| &one.reference).chain(&left);
        let extent = set.extent_of(api, covered);
        if self.args.no_prune {
            // What was not looked for may be there.
            return Ok(());
        }
        self.cluster.run(set.narrow(api, &extent)).map_err(Fault::from)?;
        if faults.is_empty() { Ok(()) } else { Err(faults.into()) }
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
                Outcome::Failed(error) => faults.push(live::about(&one.reference, error.clone())),
                Outcome::Unknown(error) => {
                    let fault = live::about(&one.reference, error.clone());
                    faults.push(Fault { message: format!("{}; it may be stored or not", fault.message), ..fault });
                }
                Outcome::Conflicts(conflicts) => faults.push(live::conflict(&one.reference, conflicts)),
                Outcome::NotTried => left.push(one.reference.to_string()),
                Outcome::Created(_) | Outcome::Configured(_) | Outcome::Unchanged(_) => {}
            }
        }
        match stop {
            cluster::Stop::Failed => {}
            cluster::Stop::Interrupted => faults.push(Fault::new("interrupted")),
            cluster::Stop::Refused(Refusal::Unknown(unknown)) => faults.extend(unknown),
            cluster::Stop::Refused(Refusal::Found(report)) => {
                self.args.checks.conclude(&report, streams)?;
                faults.push(Fault::new("the cluster would store what was not rendered, and is refused"));
            }
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

/// What was done to an object, if anything was.
fn verb(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Created(_) => Some("created"),
        Outcome::Configured(_) => Some("configured"),
        _ => None,
    }
}

/// Why an object that is no longer wanted is still there.
fn undeleted(object: &ObjectRef, outcome: &prune::Outcome) -> Option<Fault> {
    let fault = match outcome {
        prune::Outcome::Deleted | prune::Outcome::Kept(_) => return None,
        prune::Outcome::Failed(error) => return Some(live::about(object, error.clone())),
        prune::Outcome::Untried => Fault::new(format!("{object} is no longer wanted, and was not deleted yet")),
        prune::Outcome::Waits(finalizers) if finalizers.is_empty() => {
            Fault::new(format!("{object} is deleted, but not gone yet"))
        }
        prune::Outcome::Waits(finalizers) => {
            Fault::new(format!("{object} is deleted, but held by its finalizers: {}", finalizers.join(", ")))
        }
    };
    Some(fault.help("apply again: it is looked for anew"))
}

/// Waits until all is ready.
fn wait(args: &Args, cluster: &Cluster, stored: &[Value], streams: &mut Streams<'_>) -> Result<(), Stop> {
    if args.timeout.is_zero() {
        return Ok(());
    }
    let options = ready::Options { timeout: args.timeout, interval: INTERVAL, labels: String::new() };
    let mut progress = Progress::new(streams);
    let waited = cluster.run(ready::wait(cluster.api(), stored, &options, &mut |event| progress.show(&event)));
    drop(progress);
    Ok(waited.map_err(Fault::from)?)
}
