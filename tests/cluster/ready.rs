//! Waiting until objects are ready, or gone. No controller runs: each test plays it, in answer to what it is told.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use plimsoll::cluster::ready::{self, Event, NotReady, Options, Reason, State, Status};
use plimsoll::cluster::{Cluster, Target};
use plimsoll::finding::Fault;
use plimsoll::json;
use plimsoll::value::{Numbers, Value};
use serde_json::json;

use crate::server::{ADMIN, Server, USERS};

fn connect(kubeconfig: impl Into<std::path::PathBuf>) -> Cluster {
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

/// Each kind: what is applied, what its controller says of it, and what is told in between.
#[test]
fn each_kind_becomes_ready() {
    let server = Server::shared();
    let namespace = server.namespace("ready");
    let (core, apps) = (format!("/api/v1/namespaces/{namespace}"), format!("/apis/apps/v1/namespaces/{namespace}"));
    let pod_spec = json!({"containers": [{"name": "web", "image": "nginx"}]});
    let claim_spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    let mut controller = json!({"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "old"},
                                "spec": {"replicas": 1, "selector": {"app": "old"}}});
    controller["spec"]["template"] = pod_template("old");
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate"}, "spec": {}});
    job["spec"]["template"] = pod_template("migrate");
    job["spec"]["template"]["spec"]["restartPolicy"] = "Never".into();
    let start = "2026-01-01T00:00:00Z";
    let cases: Vec<(String, serde_json::Value, Vec<serde_json::Value>, Vec<&str>)> = vec![
        (
            format!("{apps}/deployments"),
            deployment("web", 2),
            vec![
                json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "unavailableReplicas": 2}),
                ready_deployment(2),
            ],
            vec!["0 of 2 replicas exist", "0 of 2 replicas are available", "done"],
        ),
        (
            format!("{apps}/statefulsets"),
            workload("StatefulSet", "db", json!({"replicas": 1, "serviceName": "db"})),
            vec![
                json!({"observedGeneration": 1, "replicas": 1, "currentReplicas": 1, "updatedReplicas": 1}),
                json!({"observedGeneration": 1, "replicas": 1, "readyReplicas": 1, "availableReplicas": 1,
                       "currentReplicas": 1, "updatedReplicas": 1}),
            ],
            vec!["0 of 1 replicas exist", "0 of 1 replicas are ready", "done"],
        ),
        (
            format!("{apps}/daemonsets"),
            workload("DaemonSet", "agent", json!({})),
            vec![
                json!({"observedGeneration": 1, "desiredNumberScheduled": 2, "currentNumberScheduled": 2,
                       "updatedNumberScheduled": 2, "numberReady": 1, "numberAvailable": 1, "numberMisscheduled": 0}),
                json!({"numberReady": 2, "numberAvailable": 2}),
            ],
            vec!["its controller has not seen it yet", "1 of 2 nodes have an available Pod", "done"],
        ),
        (
            format!("{apps}/replicasets"),
            workload("ReplicaSet", "set", json!({"replicas": 1})),
            vec![json!({"observedGeneration": 1, "replicas": 1, "fullyLabeledReplicas": 1, "readyReplicas": 1,
                        "availableReplicas": 1})],
            vec!["0 of 1 replicas have all labels", "done"],
        ),
        (
            format!("{core}/replicationcontrollers"),
            controller,
            vec![json!({"observedGeneration": 1, "replicas": 1, "fullyLabeledReplicas": 1, "readyReplicas": 1,
                        "availableReplicas": 1})],
            vec!["0 of 1 replicas have all labels", "done"],
        ),
        (
            format!("{core}/pods"),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": pod_spec}),
            vec![json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})],
            vec!["it has not started", "done"],
        ),
        (
            format!("/apis/batch/v1/namespaces/{namespace}/jobs"),
            job,
            vec![
                json!({"startTime": start, "active": 1}),
                json!({"active": 0, "succeeded": 1, "completionTime": start, "conditions": [
                    {"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"}]}),
            ],
            vec!["it has not started", "0 of 1 Pods done, 1 running", "done"],
        ),
        (
            format!("{core}/persistentvolumeclaims"),
            json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": claim_spec}),
            vec![json!({"phase": "Bound"})],
            vec!["it is not bound to a volume yet", "done"],
        ),
        (
            format!("{core}/services"),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "front"},
                   "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}),
            vec![json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}})],
            vec!["no load balancer has given it an address yet", "done"],
        ),
        (
            format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses"),
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "front"},
                   "spec": {"ingressClassName": "nginx",
                            "defaultBackend": {"service": {"name": "front", "port": {"number": 80}}}}}),
            vec![json!({"loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]}})],
            vec!["no controller of the ingress class nginx has given it an address yet", "done"],
        ),
    ];
    let cluster = connect(server.kubeconfig(ADMIN));
    for (folder, object, statuses, expected) in cases {
        let object = server.post(&folder, &object);
        let name = object["metadata"]["name"].as_str().unwrap();
        let mut statuses = statuses.into_iter();
        let (outcome, lines) = wait(&cluster, std::slice::from_ref(&object), LONG, |line| {
            if !line.ends_with(": done") {
                let status = statuses.next().unwrap_or_else(|| panic!("{folder}: {line}"));
                server.patch(&format!("{folder}/{name}/status"), &json!({"status": status}));
            }
        });
        assert!(outcome.is_ok(), "{outcome:?}");
        let expected: Vec<String> = expected.iter().map(|line| format!("{name}: {line}")).collect();
        assert_eq!(lines, expected, "{folder}");
    }
}

/// The API server itself is the controller of these.
#[test]
fn kinds_and_their_resources_become_ready() {
    let server = Server::shared();
    let namespace = server.namespace("ready");
    let group = format!("{namespace}.example.com");
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("things.{group}")},
        "spec": {"group": group, "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
                 "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                               "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]},
    });
    let cluster = connect(server.kubeconfig(ADMIN));
    let definition = server.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition);
    let (outcome, _) = wait(&cluster, &[definition], LONG, |_| ());
    assert!(outcome.is_ok(), "{outcome:?}");
    let folder = format!("/apis/{group}/v1/namespaces/{namespace}/things");
    let start = Instant::now();
    while server.get(&folder).status != 200 {
        assert!(start.elapsed() < LONG, "{folder} is not served");
    }
    let thing = json!({"apiVersion": format!("{group}/v1"), "kind": "Thing", "metadata": {"name": "one"}});
    server.post(&folder, &thing);
    let say = |condition: serde_json::Value| {
        server.patch(&format!("{folder}/one/status"), &json!({"status": {"conditions": [condition]}}))
    };
    let thing = say(json!({"type": "Ready", "status": "False", "reason": "Building", "message": "building the thing"}));
    // The definition is new: its kind is asked for by the way.
    let (outcome, lines) = wait(&cluster, &[thing], LONG, |line| {
        if line.ends_with("building the thing") {
            say(json!({"type": "Ready", "status": "True"}));
        }
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(lines, ["one: building the thing", "one: done"]);

    let service = json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": format!("v1.far.{group}")},
        "spec": {"group": format!("far.{group}"), "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 100,
                 "insecureSkipTLSVerify": true, "service": {"name": "none", "namespace": namespace}},
    });
    let service = server.post("/apis/apiregistration.k8s.io/v1/apiservices", &service);
    let (outcome, lines) = wait(&cluster, &[service], Duration::from_secs(3), |_| ());
    assert!(outcome.is_err());
    let said = format!("it is not available: service/none in \"{namespace}\" is not present");
    assert!(lines.iter().any(|line| line.ends_with(&said)), "{lines:?}");
    server.delete(&format!("/apis/apiregistration.k8s.io/v1/apiservices/v1.far.{group}"));
}

#[test]
fn what_has_failed_ends_the_wait_and_its_pods_say_why() {
    let server = Server::shared();
    let namespace = server.namespace("ready");
    let apps = format!("/apis/apps/v1/namespaces/{namespace}");
    let core = format!("/api/v1/namespaces/{namespace}");
    let web = server.post(&format!("{apps}/deployments"), &deployment("web", 2));
    let owned_by = |owner: &serde_json::Value| {
        json!([{"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"], "controller": true}])
    };
    let mut set = workload("ReplicaSet", "web", json!({"replicas": 2}));
    set["metadata"] = json!({"name": "web-1", "labels": {"app": "web"}, "ownerReferences": owned_by(&web)});
    let set = server.post(&format!("{apps}/replicasets"), &set);
    let mut uids = Vec::new();
    for (name, owner, state) in [
        (
            "web-1-a",
            Some(&set),
            json!({"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image \"nginx:no\""}}),
        ),
        (
            "web-1-b",
            Some(&set),
            json!({"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image \"nginx:no\""}}),
        ),
        ("web-1-c", Some(&set), json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}})),
        ("stranger", None, json!({"waiting": {"reason": "CreateContainerConfigError"}})),
    ] {
        let mut pod = pod_template("web");
        pod["apiVersion"] = "v1".into();
        pod["kind"] = "Pod".into();
        pod["metadata"]["name"] = name.into();
        pod["metadata"]["ownerReferences"] = owner.map_or(json!([]), owned_by);
        let pod = server.post(&format!("{core}/pods"), &pod);
        let last = json!({"terminated": {"exitCode": 1, "reason": "Error", "containerID": "x://1"}});
        let status = json!({"name": "web", "image": "nginx", "imageID": "", "ready": false, "restartCount": 3,
                            "state": state, "lastState": last});
        server.patch(
            &format!("{core}/pods/{name}/status"),
            &json!({"status": {"phase": "Pending", "containerStatuses": [status]}}),
        );
        uids.push(pod);
    }
    let warn = |object: &serde_json::Value, name: &str, reason: &str, message: &str, time: &str| {
        let about = json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "namespace": namespace,
                           "name": object["metadata"]["name"], "uid": object["metadata"]["uid"]});
        let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": name}, "involvedObject": about,
                           "type": "Warning", "reason": reason, "message": message, "count": 4, "lastTimestamp": time});
        server.post(&format!("{core}/events"), &event);
    };
    warn(&set, "old", "FailedCreate", "an old story", "2026-01-01T00:00:00Z");
    warn(
        &set,
        "new",
        "FailedCreate",
        "pods \"web-1-d\" is forbidden:\n\u{1b}[2Jexceeded quota",
        "2026-01-02T00:00:00Z",
    );
    warn(&uids[0], "pulling", "Failed", "said by the status", "2026-01-03T00:00:00Z");
    warn(&uids[0], "mount", "FailedMount", "no such volume", "2026-01-01T00:00:00Z");
    warn(&uids[3], "other", "FailedMount", "of somebody else", "2026-01-04T00:00:00Z");

    let calm = server.post(
        &format!("{core}/configmaps"),
        &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "calm"}}),
    );
    let cluster = connect(server.kubeconfig(ADMIN));
    let start = Instant::now();
    let (outcome, lines) = wait(&cluster, &[calm, web], LONG, |line| {
        if line.ends_with("replicas exist") {
            let late = json!({"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
                              "message": "ReplicaSet \"web-1\" has timed out progressing."});
            let status = json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "conditions": [late]});
            server.patch(&format!("{apps}/deployments/web/status"), &json!({"status": status}));
        }
    });
    assert!(start.elapsed() < LONG / 2, "it did not wait for the deadline");
    assert_eq!(lines.len(), 3, "{lines:?}");
    let not_ready = outcome.unwrap_err();
    assert!(matches!(not_ready.reason, Reason::Failed));
    let fault = Fault::from(not_ready);
    let text = fault.message.replace(&namespace, "NAMESPACE");
    insta::assert_snapshot!(text, @"");
    insta::assert_snapshot!(fault.help.unwrap().replace(&namespace, "NAMESPACE"), @"");
}

#[test]
fn at_the_deadline_all_that_is_waited_for_is_told() {
    let server = Server::shared();
    let namespace = server.namespace("ready");
    let web = server.post(&format!("/apis/apps/v1/namespaces/{namespace}/deployments"), &deployment("web", 1));
    let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    let claim =
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": spec});
    let claim = server.post(&format!("/api/v1/namespaces/{namespace}/persistentvolumeclaims"), &claim);
    let cluster = connect(server.kubeconfig(ADMIN));
    let start = Instant::now();
    let (outcome, _) = wait(&cluster, &[web, claim], Duration::from_secs(1), |_| ());
    assert!(start.elapsed() >= Duration::from_secs(1));
    let text = outcome.unwrap_err().to_string().replace(&namespace, "NAMESPACE");
    insta::assert_snapshot!(text, @"");
}

#[test]
fn what_is_deleted_meanwhile_is_not_waited_for() {
    let server = Server::shared();
    let namespace = server.namespace("ready");
    let folder = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    let cluster = connect(server.kubeconfig(ADMIN));
    let state = |object: serde_json::Value, play: &dyn Fn()| {
        let (outcome, _) = wait(&cluster, &[object], LONG, |line| {
            if line.ends_with("replicas exist") {
                play();
            }
        });
        let not_ready = outcome.unwrap_err();
        assert!(matches!(not_ready.reason, Reason::Failed));
        not_ready.objects[0].state.clone()
    };
    let gone = server.post(&folder, &deployment("gone", 1));
    assert_eq!(state(gone, &|| drop(server.delete(&format!("{folder}/gone")))), State::Gone);

    let other = server.post(&folder, &deployment("other", 1));
    let replace = || {
        server.delete(&format!("{folder}/other"));
        server.post(&folder, &deployment("other", 1));
    };
    assert_eq!(state(other, &replace), State::Gone);

    let mut held = deployment("held", 1);
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    let held = server.post(&folder, &held);
    let ends = state(held, &|| drop(server.delete(&format!("{folder}/held"))));
    assert_eq!(ends, State::Is(Status::Terminating));
    server.patch(&format!("{folder}/held"), &json!({"metadata": {"finalizers": null}}));
}

/// All have to be ready at the same time: what was, is looked at again.
#[test]
fn what_was_ready_is_looked_at_again() {
    let server = Server::shared();
    let namespace = server.namespace("ready");
    let folder = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    let say = |name: &str, replicas: u32| {
        let mut status = ready_deployment(1);
        status["availableReplicas"] = replicas.into();
        server.patch(&format!("{folder}/{name}/status"), &json!({"status": status}));
    };
    let objects = ["first", "second"].map(|name| server.post(&folder, &deployment(name, 1)));
    let cluster = connect(server.kubeconfig(ADMIN));
    say("first", 1);
    let (outcome, lines) = wait(&cluster, &objects, LONG, |line| match line {
        "second: 0 of 1 replicas exist" => {
            say("first", 0);
            say("second", 1);
        }
        "first: 0 of 1 replicas are available" => say("first", 1),
        _ => {}
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    let expected = [
        "first: done",
        "second: 0 of 1 replicas exist",
        "second: done",
        "first: 0 of 1 replicas are available",
        "first: done",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_server_that_restarts_is_waited_for() {
    let mut server = Server::start();
    let namespace = server.namespace("ready");
    let folder = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    let web = server.post(&folder, &deployment("web", 1));
    let cluster = connect(server.kubeconfig(ADMIN));
    let (outcome, lines) = wait(&cluster, &[web], LONG, |line| match line {
        "web: 0 of 1 replicas exist" => server.pause(),
        "unreachable" => {
            server.resume();
            server.patch(&format!("{folder}/web/status"), &json!({"status": ready_deployment(1)}));
        }
        _ => {}
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(lines, ["web: 0 of 1 replicas exist", "unreachable", "web: done", "reachable"]);

    // One that stays away is told at the deadline.
    let late = server.post(&folder, &deployment("late", 1));
    server.pause();
    let (outcome, lines) = wait(&cluster, &[late], Duration::from_secs(1), |_| ());
    assert!(lines.contains(&"unreachable".to_owned()), "{lines:?}");
    let text = outcome.unwrap_err().to_string();
    assert!(text.contains("late: 0 of 1 replicas exist") && text.contains("now it does not"), "{text}");
}

#[test]
fn who_may_not_look_is_told_so_soon() {
    let server = Server::shared();
    let namespace = server.namespace("ready");
    let web = server.post(&format!("/apis/apps/v1/namespaces/{namespace}/deployments"), &deployment("web", 1));
    let cluster = connect(server.kubeconfig(USERS[1]));
    let start = Instant::now();
    let (outcome, _) = wait(&cluster, &[web], LONG, |_| ());
    assert!(start.elapsed() < LONG / 2);
    let text = outcome.unwrap_err().to_string();
    assert!(text.contains("cannot list resource \"deployments\""), "{text}");
}

/// A hundred objects of a kind are one request a look, and what never changes is not asked for.
#[test]
fn many_objects_are_few_requests() {
    let server = Server::shared();
    let namespace = server.namespace("ready");
    let folder = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    let maps = format!("/api/v1/namespaces/{namespace}/configmaps");
    let mut objects = Vec::new();
    for number in 0..50 {
        objects.push(server.post(&folder, &deployment(&format!("web-{number}"), 1)));
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("map-{number}")}});
        objects.push(server.post(&maps, &map));
    }
    let kubeconfig = server.kubeconfig(USERS[2]);
    for (group, resource) in [("apps", "deployments"), ("", "configmaps")] {
        server.allow(USERS[2], Some(&namespace), &[group], &[resource], &["get", "list"]);
    }
    let cluster = connect(kubeconfig);
    let (outcome, lines) = wait(&cluster, &objects, LONG, |line| {
        if let Some((name, "0 of 1 replicas exist")) = line.split_once(": ") {
            server.patch(&format!("{folder}/{name}/status"), &json!({"status": ready_deployment(1)}));
        }
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(lines.len(), 150, "of each Deployment that it waits and is done, of each ConfigMap that it is");
    let log = server.audit_log();
    let by_user = format!("\"user\":{{\"username\":\"{}\"", USERS[2]);
    let asked = log.lines().filter(|line| line.contains(&by_user) && line.contains("ResponseComplete"));
    let asked: Vec<&str> = asked.filter(|line| line.contains(&format!("/namespaces/{namespace}/"))).collect();
    assert!((2..=3).contains(&asked.len()), "{asked:#?}");
    assert!(asked.iter().all(|line| line.contains("/deployments?")), "{asked:#?}");
}

#[test]
fn what_is_deleted_is_waited_for() {
    let server = Server::shared();
    let namespace = server.namespace("ready");
    let folder = format!("/api/v1/namespaces/{namespace}/configmaps");
    let map = |name: &str, finalizers: serde_json::Value| {
        let metadata = json!({"name": name, "finalizers": finalizers});
        server.post(&folder, &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}))
    };
    let gone = map("gone", json!([]));
    let again = map("again", json!([]));
    let held = map("held", json!(["example.com/hold"]));
    for name in ["gone", "again", "held"] {
        server.delete(&format!("{folder}/{name}"));
    }
    map("again", json!([]));
    let cluster = connect(server.kubeconfig(ADMIN));
    let objects = [gone, again, held].map(|object| value(&object));
    let wait = |timeout, play: &dyn Fn()| {
        let mut lines = Vec::new();
        let mut tell = |event: Event<'_>| {
            if matches!(event, Event::Waits { .. }) {
                play();
            }
            lines.push(told(&event));
        };
        let outcome = cluster.run(ready::wait_gone(cluster.api(), &objects, &options(timeout), &mut tell));
        (outcome, lines)
    };
    let (outcome, _) = wait(Duration::from_secs(1), &|| ());
    let text = outcome.unwrap_err().to_string().replace(&namespace, "NAMESPACE");
    insta::assert_snapshot!(text, @"");
    let (outcome, lines) = wait(LONG, &|| {
        server.patch(&format!("{folder}/held"), &json!({"metadata": {"finalizers": null}}));
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(lines, ["gone: done", "again: done", "held: it is being deleted", "held: done"]);
}

/// What the test below interrupts: a process of its own, as a signal concerns all of one.
#[test]
#[ignore = "`ctrl_c_ends_the_wait` runs it"]
fn the_interrupted() {
    let path = |name| std::env::var(name).expect("`ctrl_c_ends_the_wait` sets it");
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 1},
                        "metadata": {"namespace": path("READY_NAMESPACE"), "name": "web"}});
    let cluster = connect(path("READY_KUBECONFIG"));
    let (outcome, _) = wait(&cluster, &[object], LONG, |line| eprintln!("told {line}"));
    eprintln!("{}", outcome.unwrap_err());
}

#[test]
fn ctrl_c_ends_the_wait() {
    use std::io::{BufRead, BufReader};

    let server = Server::shared();
    let namespace = server.namespace("ready");
    server.post(&format!("/apis/apps/v1/namespaces/{namespace}/deployments"), &deployment("web", 1));
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "ready::the_interrupted", "--ignored", "--nocapture"]);
    child.env("READY_KUBECONFIG", server.kubeconfig(ADMIN)).env("READY_NAMESPACE", &namespace);
    let mut child = child.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "told web: 0 of 1 replicas exist"));
    let start = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = lines.collect();
    assert!(start.elapsed() < Duration::from_secs(5), "it ended at once");
    assert!(child.wait().unwrap().success());
    let expected = format!("Deployment {namespace}/web: 0 of 1 replicas exist");
    assert!(rest.iter().any(|line| line == "1 of 1 objects is not ready yet: interrupted"), "{rest:?}");
    assert!(rest.iter().any(|line| line.trim() == expected), "{rest:?}");
}
