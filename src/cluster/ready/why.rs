//! Why an object is not ready: what its Pods wait for, and what the cluster has warned of.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::fields::{conditions, line, text};
use super::not_ready::Pending;
use super::pods::{self, Pods};
use crate::cluster::Api;
use crate::cluster::retry::unless_interrupted;
use crate::value::Value;

/// How many objects are looked into, and for how long: the reader has waited long enough.
const OBJECTS: usize = 20;
const TIME: Duration = Duration::from_secs(10);

/// How many different reasons are told of the Pods of one object.
const REASONS: usize = 3;

/// How many warnings of a namespace are read.
const WARNINGS: usize = 2000;

/// Waiting for these is no trouble.
const ORDINARY: [&str; 3] = ["", "ContainerCreating", "PodInitializing"];

/// Warnings about a Pod that say no more than its status.
const SAID_BY_STATUS: [&str; 3] = ["BackOff", "Failed", "FailedScheduling"];

/// Adds what the cluster says of each object. What cannot be asked for is left out: it is only an explanation.
pub(super) async fn explain(api: &Api, objects: &mut [Pending], last: &[Value]) {
    let work = async {
        let mut warnings = BTreeMap::new();
        for (pending, object) in objects.iter_mut().zip(last).take(OBJECTS) {
            let pods = pods::of(api, object).await.unwrap_or_default();
            // Events about what lives in no namespace are in this one.
            let namespace = pending.object.namespace.clone().unwrap_or_else(|| "default".to_owned());
            if !warnings.contains_key(&namespace) {
                warnings.insert(namespace.clone(), warnings_in(api, &namespace).await);
            }
            let warnings = warnings.get(&namespace).map(Vec::as_slice).unwrap_or_default();
            pending.causes = causes(object, &pods, warnings);
            let state = pending.state.to_string();
            pending.causes.retain(|cause| *cause != state);
        }
    };
    // At the end of the time, or at Ctrl-C, what was found stays.
    let _ = tokio::time::timeout(TIME, unless_interrupted(api, work)).await;
}

/// Adds what keeps each object there.
pub(super) fn name_finalizers(objects: &mut [Pending], last: &[Value]) {
    for (pending, object) in objects.iter_mut().zip(last) {
        let finalizers = object.at(["metadata", "finalizers"]).and_then(Value::as_list).unwrap_or_default();
        let names: Vec<String> = finalizers.iter().filter_map(Value::as_str).map(line).collect();
        if !names.is_empty() {
            pending.causes = vec![format!("its finalizers: {}", names.join(", "))];
        }
    }
}

/// What a Pod waits for, or why it has failed: of its containers the first that is in trouble.
pub(super) fn of_pod(pod: &Value) -> Option<String> {
    let conditions = conditions(pod).unwrap_or_default();
    if let Some(refused) = conditions.iter().find(|one| one.kind == "PodScheduled" && one.status == "False") {
        return Some(format!("{}: {}", line(refused.reason), refused.says()));
    }
    let containers = || {
        let lists = ["initContainerStatuses", "containerStatuses"].into_iter();
        lists.flat_map(|list| pod.at(["status", list]).and_then(Value::as_list).unwrap_or_default())
    };
    let named = |container: &Value, what: String| format!("container {}: {what}", line(text(container, ["name"])));
    let troubled = containers().find_map(|container| Some(named(container, trouble(container)?)));
    let of_all = || match (text(pod, ["status", "reason"]), text(pod, ["status", "message"])) {
        ("", "") => None,
        (reason, "") => Some(line(reason)),
        ("", message) => Some(line(message)),
        (reason, message) => Some(format!("{}: {}", line(reason), line(message))),
    };
    let unready = || {
        let is_unready = |container: &&Value| {
            let is_ready = container.get("ready").and_then(Value::as_bool) == Some(true);
            !is_ready && container.at(["state", "running"]).is_some()
        };
        containers().find(is_unready).map(|container| named(container, "it runs, but is not ready".into()))
    };
    troubled.or_else(of_all).or_else(unready)
}

/// Whether a container of a Pod ends again and again.
pub(super) fn is_crash_looping(pod: &Value) -> bool {
    let containers = pod.at(["status", "containerStatuses"]).and_then(Value::as_list).unwrap_or_default();
    containers.iter().any(|container| text(container, ["state", "waiting", "reason"]) == "CrashLoopBackOff")
}

/// What is wrong with a container.
fn trouble(container: &Value) -> Option<String> {
    match text(container, ["state", "waiting", "reason"]) {
        "CrashLoopBackOff" => {
            let how = ended(container.at(["lastState", "terminated"])).unwrap_or_else(|| "it does not stay up".into());
            let restarts = match container.get("restartCount") {
                Some(Value::Int(count)) => format!(", restarted {count} times"),
                _ => String::new(),
            };
            Some(format!("CrashLoopBackOff: {how}{restarts}"))
        }
        reason if ORDINARY.contains(&reason) => ended(container.at(["state", "terminated"])),
        reason => match text(container, ["state", "waiting", "message"]) {
            "" => Some(line(reason)),
            message => Some(format!("{}: {}", line(reason), line(message))),
        },
    }
}

/// How a container has ended, if not well.
fn ended(terminated: Option<&Value>) -> Option<String> {
    let terminated = terminated?;
    let Some(Value::Int(status)) = terminated.get("exitCode") else { return None };
    let because = match (text(terminated, ["reason"]), text(terminated, ["message"])) {
        ("", "") => String::new(),
        ("", because) | (because, "") => format!(" ({})", line(because)),
        (reason, message) => format!(" ({}: {})", line(reason), line(message)),
    };
    (*status != 0).then(|| format!("it ended with exit status {status}{because}"))
}

fn causes(object: &Value, pods: &Pods, warnings: &[Value]) -> Vec<String> {
    let mut causes = Vec::new();
    let mut by_reason: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for pod in &pods.pods {
        if let Some(reason) = of_pod(pod) {
            by_reason.entry(reason).or_default().push(text(pod, ["metadata", "name"]));
        }
    }
    let mut by_reason: Vec<(String, Vec<&str>)> = by_reason.into_iter().collect();
    by_reason.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
    for (reason, names) in by_reason.iter().take(REASONS) {
        let Some(first) = names.first() else { continue };
        causes.push(match names.len() {
            1 => format!("Pod {}: {reason}", line(first)),
            count => format!("{count} Pods ({}, …): {reason}", line(first)),
        });
    }
    let failures = conditions(object).unwrap_or_default();
    causes.extend(failures.iter().filter(|one| one.holds("ReplicaFailure")).map(|one| one.says()));
    let own = std::iter::once(object).chain(&pods.between);
    causes.extend(last_warning(warnings, own, &[]));
    let known: &[&str] = if by_reason.is_empty() { &[] } else { &SAID_BY_STATUS };
    causes.extend(last_warning(warnings, pods.pods.iter(), known));
    causes
}

/// The last warning about one of some objects, unless it is known already.
fn last_warning<'a>(warnings: &[Value], objects: impl Iterator<Item = &'a Value>, known: &[&str]) -> Option<String> {
    let uids: BTreeSet<&str> =
        objects.map(|object| text(object, ["metadata", "uid"])).filter(|uid| !uid.is_empty()).collect();
    let about = warnings.iter().filter(|event| {
        uids.contains(text(event, ["involvedObject", "uid"])) && !known.contains(&text(event, ["reason"]))
    });
    let event = about.max_by_key(|event| happened(event))?;
    let times = [["count"].as_slice(), &["series", "count"]];
    let times = times.into_iter().find_map(|path| match event.at(path.iter().copied()) {
        Some(Value::Int(count)) if *count > 1 => Some(format!(" ({count} times)")),
        _ => None,
    });
    let who = format!("{} {}", text(event, ["involvedObject", "kind"]), text(event, ["involvedObject", "name"]));
    let what = text(event, ["message"]);
    Some(format!("{} of {}{}: {}", line(text(event, ["reason"])), line(&who), times.unwrap_or_default(), line(what)))
}

/// When an event was last seen, in whichever field its reporter keeps that; later times are greater texts.
fn happened(event: &Value) -> &str {
    let fields = [["series", "lastObservedTime"].as_slice(), &["lastTimestamp"], &["eventTime"]];
    let fields = fields.into_iter().chain([["metadata", "creationTimestamp"].as_slice()]);
    let mut times = fields.filter_map(|path| event.at(path.iter().copied()).and_then(Value::as_str));
    times.next().unwrap_or_default()
}

async fn warnings_in(api: &Api, namespace: &str) -> Vec<Value> {
    let resources = api.resources();
    let Some(events) = resources.of("v1", "Event") else { return Vec::new() };
    let path = format!("{}?fieldSelector=type%3DWarning&limit={WARNINGS}", events.path(Some(namespace), None));
    let list = api.read(&path, "application/json").await.unwrap_or_default();
    list.get("items").and_then(Value::as_list).unwrap_or_default().to_vec()
}
