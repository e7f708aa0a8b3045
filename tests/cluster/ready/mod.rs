//! Waiting until objects are ready, or gone. No controller runs: each test plays it, in answer to what it is told.

mod faults;
mod kinds;
mod outcomes;

use std::path::PathBuf;
use std::time::Duration;

use plimsoll::cluster::ready::{self, Event, NotReady, Options};
use plimsoll::cluster::{Cluster, Target};
use plimsoll::json;
use plimsoll::value::{Numbers, Value};
use serde_json::json;

fn connect(kubeconfig: impl Into<PathBuf>) -> Cluster {
    let request_timeout = Some(Duration::from_secs(10));
    Cluster::connect(&Target { kubeconfig: Some(kubeconfig.into()), context: None, request_timeout }).unwrap()
}

fn options(timeout: Duration) -> Options {
    Options { timeout, interval: Duration::from_millis(50), labels: String::new() }
}

const LONG: Duration = Duration::from_secs(60);

fn value(object: &serde_json::Value) -> Value {
    json::parse(object.to_string(), Numbers::Exact).unwrap()
}

/// What was told, a line for each event.
fn told(event: &Event<'_>) -> String {
    match event {
        Event::Waits { object, state } => format!("{}: {state}", object.name),
        Event::Done { object } => format!("{}: done", object.name),
        Event::Unreachable(_) => "unreachable".into(),
        Event::Reachable => "reachable".into(),
    }
}

/// Waits, and plays the controller: whenever something is not ready, `play` is told what.
fn wait(
    cluster: &Cluster,
    objects: &[serde_json::Value],
    timeout: Duration,
    mut play: impl FnMut(&str),
) -> (Result<(), NotReady>, Vec<String>) {
    let objects: Vec<Value> = objects.iter().map(value).collect();
    let mut lines = Vec::new();
    let mut tell = |event: Event<'_>| {
        let line = told(&event);
        play(&line);
        lines.push(line);
    };
    let outcome = cluster.run(ready::wait(cluster.api(), &objects, &options(timeout), &mut tell));
    (outcome, lines)
}

fn pod_template(app: &str) -> serde_json::Value {
    json!({"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "web", "image": "nginx"}]}})
}

fn workload(kind: &str, name: &str, spec: serde_json::Value) -> serde_json::Value {
    let mut object = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec});
    object["spec"]["selector"] = json!({"matchLabels": {"app": name}});
    object["spec"]["template"] = pod_template(name);
    object
}

fn deployment(name: &str, replicas: u32) -> serde_json::Value {
    workload("Deployment", name, json!({"replicas": replicas}))
}

fn ready_deployment(replicas: u32) -> serde_json::Value {
    json!({"observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": replicas,
           "availableReplicas": replicas, "conditions": [
               {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
               {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}]})
}
