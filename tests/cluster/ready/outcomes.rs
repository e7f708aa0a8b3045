//! What waits come to.

use std::time::{Duration, Instant};

use plimsoll::cluster::ready::{self, Event, Reason};
use plimsoll::finding::Fault;
use plimsoll::report::printable;
use serde_json::json;

use super::{LONG, connect, deployment, options, pod_template, ready_deployment, told, value, wait, workload};
use crate::server::{ADMIN, Server, USERS};

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
    let text = printable(&fault.message).replace(&namespace, "NAMESPACE");
    insta::assert_snapshot!(text, @r#"
    1 of 2 objects is not ready
      Deployment NAMESPACE/web: failed: it made no progress for 600 s: ReplicaSet "web-1" has timed out progressing.
        2 Pods (web-1-a, …): container web: ImagePullBackOff: Back-off pulling image "nginx:no"
        Pod web-1-c: container web: CrashLoopBackOff: it ended with exit status 1 (Error), restarted 3 times
        FailedCreate of ReplicaSet web-1 (4 times): pods "web-1-d" is forbidden: ?[2Jexceeded quota
        FailedMount of Pod web-1-a (4 times): no such volume
    "#);
    let help = fault.help.unwrap().replace(&namespace, "NAMESPACE");
    insta::assert_snapshot!(help, @"what was applied stays; `kubectl describe deployment/web --namespace NAMESPACE` says more. Apply again when it is mended");
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
    insta::assert_snapshot!(text, @r"
    2 of 2 objects are not ready after 1s
      Deployment NAMESPACE/web: 0 of 1 replicas exist
      PersistentVolumeClaim NAMESPACE/data: it is not bound to a volume yet
    ");
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

/// What has come to its end may be cleaned up while others are waited for.
#[test]
fn a_job_that_is_done_stays_done() {
    let server = Server::shared();
    let namespace = server.namespace("ready");
    let folder = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    let jobs = format!("/apis/batch/v1/namespaces/{namespace}/jobs");
    let web = server.post(&folder, &deployment("web", 1));
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate"}, "spec": {}});
    job["spec"]["template"] = pod_template("migrate");
    job["spec"]["template"]["spec"]["restartPolicy"] = "Never".into();
    let job = server.post(&jobs, &job);
    let time = "2026-01-01T00:00:00Z";
    let done = json!({"startTime": time, "succeeded": 1, "completionTime": time, "conditions": [
        {"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"}]});
    let cluster = connect(server.kubeconfig(ADMIN));
    let (outcome, lines) = wait(&cluster, &[web, job], LONG, |line| match line {
        "migrate: it has not started" => {
            server.patch(&format!("{jobs}/migrate/status"), &json!({"status": done}));
        }
        "migrate: done" => {
            let options = json!({"propagationPolicy": "Background"});
            server.request(ADMIN, "DELETE", &format!("{jobs}/migrate"), Some(&options));
            server.patch(&format!("{folder}/web/status"), &json!({"status": ready_deployment(1)}));
        }
        _ => {}
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(lines.last().unwrap(), "web: done");
    assert_eq!(server.get(&format!("{jobs}/migrate")).status, 404, "the Job is gone");
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
    insta::assert_snapshot!(text, @r"
    1 of 3 objects is not gone after 1s
      ConfigMap NAMESPACE/held: it is being deleted
        its finalizers: example.com/hold
    ");
    let (outcome, lines) = wait(LONG, &|| {
        server.patch(&format!("{folder}/held"), &json!({"metadata": {"finalizers": null}}));
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(lines, ["gone: done", "again: done", "held: it is being deleted", "held: done"]);
}
