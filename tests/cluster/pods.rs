//! Pods are made as their workloads would make them, and only on paper.

use std::sync::Arc;

use plimsoll::cluster::{Pod, PodDenied, Predicted};
use serde_json::json;

use crate::applying::{Applying, predicted};
use crate::server::Server;

const POD: &str = "{metadata: {labels: {app: a}}, spec: {restartPolicy: Never, containers: [{name: a, image: 'a:1'}]}}";

/// A workload with the Pod template above.
fn workload(api_version: &str, kind: &str, name: &str) -> String {
    let template = match kind {
        "CronJob" => format!("schedule: '@daily', jobTemplate: {{spec: {{template: {POD}}}}}"),
        "Job" => format!("template: {POD}"),
        "ReplicationController" => format!("template: {}", POD.replace("Never", "Always")),
        "StatefulSet" => format!(
            "serviceName: a, selector: {{matchLabels: {{app: a}}}}, template: {}",
            POD.replace("Never", "Always")
        ),
        _ => format!("selector: {{matchLabels: {{app: a}}}}, template: {}", POD.replace("Never", "Always")),
    };
    format!("---\n{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: {name}}}, spec: {{{template}}}}}\n")
}

#[test]
fn each_kind_of_workload_shows_its_pod() {
    let server = Server::shared();
    let namespace = server.namespace("pods");
    let kinds = [
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "ReplicaSet"),
        ("batch/v1", "Job"),
        ("batch/v1", "CronJob"),
        ("v1", "ReplicationController"),
    ];
    let text: String = kinds.iter().map(|(version, kind)| workload(version, kind, "a")).collect();
    let applying = Applying::new(server, &namespace);
    let wanted = applying.wanted(&text).unwrap();
    let dry_runs = applying.dry_run(&wanted).unwrap();
    assert_eq!(dry_runs.len(), kinds.len());
    let mut of_replicas = Vec::new();
    for (one, dry_run) in wanted.iter().zip(&dry_runs) {
        let Predicted::Stored { pod: Some(Pod::Stored { stored: pod, .. }), .. } = &dry_run.predicted else {
            panic!("{}: {}", one.reference, predicted(dry_run));
        };
        assert_eq!(pod.at(["metadata", "labels", "app"]).unwrap().as_str(), Some("a"), "{}", one.reference);
        assert_eq!(pod.get("kind").unwrap().as_str(), Some("Pod"));
        if let ("apps/v1", plimsoll::value::Value::Map(pod)) = (one.reference.api_version.as_str(), pod) {
            of_replicas.push(Arc::clone(pod));
        }
    }
    // The same templates are asked for once.
    assert_eq!(of_replicas.len(), 4);
    assert!(of_replicas.iter().all(|pod| Arc::ptr_eq(pod, &of_replicas[0])));
    let pods = server.get(&format!("/api/v1/namespaces/{namespace}/pods")).body;
    assert_eq!(pods["items"], json!([]));
}

#[test]
fn why_a_pod_is_denied_is_told_apart() {
    let server = Server::shared();
    let namespace = server.namespace("denied");
    let all = ["get", "create", "patch"];
    server.allow("carol", Some(&namespace), &["apps"], &["deployments"], &all);
    let text = workload("apps/v1", "Deployment", "a");
    let mut applying = Applying::by(server, "carol", &namespace);
    let wanted = applying.wanted(&text).unwrap();
    let why = |applying: &Applying| match &applying.dry_run(&wanted).unwrap()[0].predicted {
        Predicted::Stored { pod: Some(Pod::Denied(why, error)), .. } => (*why, error.clone()),
        other => panic!("{other:?}"),
    };
    let (forbidden, error) = why(&applying);
    assert_eq!(forbidden, PodDenied::Forbidden);
    assert!(error.message.contains("User \"carol\" cannot create resource \"pods\""), "{error}");
    assert!(error.help.unwrap().contains("--no-pods"));

    server.allow("carol", Some(&namespace), &[""], &["pods"], &["create"]);
    let hard = json!({"pods": "0"});
    let quota =
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": hard}});
    let folder = format!("/api/v1/namespaces/{namespace}/resourcequotas");
    server.post(&folder, &quota);
    server.patch(&format!("{folder}/none/status"), &json!({"status": {"hard": hard, "used": {"pods": "0"}}}));
    assert_eq!(why(&applying).0, PodDenied::Quota);

    server.delete(&format!("{folder}/none"));
    let labels = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
    server.patch(&format!("/api/v1/namespaces/{namespace}"), &labels);
    let (refused, error) = why(&applying);
    assert_eq!(refused, PodDenied::Refused);
    assert!(error.message.contains("violates PodSecurity"), "{error}");

    applying.options.pods = false;
    assert_eq!(predicted(&applying.dry_run(&wanted).unwrap()[0]), "stored");
}
