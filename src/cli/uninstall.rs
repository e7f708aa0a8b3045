//! `plimsoll uninstall`: deletes what a release has in a cluster.

use std::io;
use std::time::Duration;

use super::confirm::confirm;
use super::connect_args::{ConnectArgs, timeout};
use super::live::tell_warnings;
use super::streams::Notes;
use super::{Stop, Streams, pruned};
use crate::cluster::prune::{Kept, Outcome, Prune, in_order};
use crate::cluster::{ApplySet, Lock, Members, PATIENCE, reference};
use crate::finding::{Fault, ObjectRef};
use crate::gate::ExitStatus;
use crate::report::plural;
use crate::value::Value;

/// Delete what a release has in a cluster
///
/// That is what was applied under its name, in the reverse of the order in which it was applied. Namespaces and CRDs stay,
/// as does what says so with the annotation helm.sh/resource-policy. What was begun and not ended is taken up again.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The release
    #[arg(value_name = "NAME")]
    release: String,
    /// The namespace of the release; without it that of the context
    #[arg(short, long, value_name = "NAME", help_heading = "Release")]
    namespace: Option<String>,
    /// Do not ask whether to go on
    #[arg(short, long)]
    yes: bool,
    /// Show what would be deleted, ask the server whether it may be, and stop
    #[arg(long)]
    dry_run: bool,
    /// Take a release that is not there for one that is deleted
    #[arg(long)]
    ignore_not_found: bool,
    /// How long to wait until all is gone: 90s, 10m; 0 does not wait
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = timeout)]
    timeout: Duration,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// Shows what will go, asks, deletes it, and tells what became of it.
pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let cluster = args.connect.connect()?;
    let api = cluster.api();
    let namespace = args.namespace.as_deref().unwrap_or(api.default_namespace());
    let read = || cluster.run(ApplySet::read(api, &args.release, namespace));
    let mut set = read()?;
    if !set.exists() {
        return not_found(args, namespace, streams);
    }
    let lock = if args.dry_run { None } else { Some(cluster.run(Lock::acquire(api, &set))?) };
    if lock.is_some() {
        // Whoever had the lock before may have changed it.
        set = read()?;
    }
    let members = cluster.run(Members::find(api, &set))?;
    for kind in &members.gone {
        streams.warn(&format!("the server no longer has the kind {kind}: what the release had of it went with it"))?;
    }
    let count = show(&members.objects, streams)?;
    let question = format!("Delete {} of the release {namespace}/{}?", plural(count, "object"), args.release);
    if !args.yes && !args.dry_run && !confirm(&question, &cluster, streams)? {
        streams.note("nothing was changed")?;
        return Ok(ExitStatus::Refused);
    }
    let prune = Prune { api, set: &set, lock: lock.as_ref(), timeout: args.timeout, patience: PATIENCE };
    let mut notes = Notes::new(streams);
    let mut tell = |object: &ObjectRef, outcome: &Outcome| {
        if let Some(word) = pruned::word(outcome, args.dry_run) {
            notes.note(&format!("{word} {object}"));
        }
    };
    let pruned = cluster.run(prune.delete(&members.objects, &mut tell));
    notes.end()?;
    tell_warnings(api, streams)?;
    let faults = pruned::faults(&pruned, "uninstall");
    if !faults.is_empty() {
        return Err(faults.into());
    }
    if lock.is_some() && !pruned.is_done() {
        // Without a wait: what has its members by heart stays until they are gone.
        streams.note(&format!(
            "the release {namespace}/{} is going: uninstall it again when its objects are gone",
            args.release
        ))?;
        return Ok(ExitStatus::Clean);
    }
    if let Some(lock) = &lock {
        lock.check()?;
        cluster.run(set.delete(api))?;
        streams.note(&format!("the release {namespace}/{} is uninstalled", args.release))?;
    }
    Ok(ExitStatus::Clean)
}

fn not_found(args: &Args, namespace: &str, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let message = format!("there is no release {} in the namespace {namespace}", args.release);
    if args.ignore_not_found {
        streams.note(&message)?;
        return Ok(ExitStatus::Clean);
    }
    let help = "releases are looked for in one namespace: see --namespace; --ignore-not-found makes this no error";
    Err(Fault::new(message).help(help).into())
}

/// Shows what goes and what stays; returns how much goes.
fn show(objects: &[Value], streams: &mut Streams<'_>) -> io::Result<usize> {
    let (kept, going): (Vec<_>, Vec<_>) = in_order(objects)
        .into_iter()
        .map(|object| (reference(object), Kept::of(object)))
        .partition(|(_, kept)| kept.is_some());
    if !going.is_empty() {
        streams.note("to be deleted:")?;
    }
    for (object, _) in &going {
        streams.note(&format!("  {object}"))?;
    }
    if !kept.is_empty() {
        streams.note("to be kept:")?;
    }
    for (object, why) in &kept {
        let why = why.map(|why| why.to_string()).unwrap_or_default();
        streams.note(&format!("  {object}: {why}"))?;
    }
    Ok(going.len())
}
