//! When each kind is ready.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{LONG, connect, deployment, pod_template, ready_deployment, wait, workload};
use crate::server::{ADMIN, Server};

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
