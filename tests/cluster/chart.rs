//! charts/plimsoll: the server takes what it renders, and a webhook that is down stops neither the server nor its own
//! return.

use std::time::{Duration, Instant};

use ::plimsoll::{json::to_json, yaml};
use serde_json::{Value, json};

use crate::common::{plimsoll, root};
use crate::server::{ADMIN, Answer, Server};

/// What the chart renders into a namespace, of which the server knows the kinds.
fn rendered(namespace: &str, args: &[&str]) -> Vec<Value> {
    let all = [&["render", "plimsoll", "charts/plimsoll", "-n", namespace], args].concat();
    let run = plimsoll(root(), &all, "");
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let documents = yaml::parse_stream(&run.stdout, yaml::Options::default()).unwrap();
    let objects = documents.iter().map(|document| serde_json::from_str(&to_json(&document.value).unwrap()).unwrap());
    objects.filter(|object: &Value| object["apiVersion"] != "cert-manager.io/v1").collect()
}

/// Where objects of a kind are created.
fn path(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap();
    let plural = match text("/kind") {
        "NetworkPolicy" => "networkpolicies".to_owned(),
        kind => format!("{}s", kind.to_lowercase()),
    };
    let prefix = if object["apiVersion"] == "v1" { "/api/v1".to_owned() } else { format!("/apis/{}", text("/apiVersion")) };
    match object.pointer("/metadata/namespace").and_then(Value::as_str) {
        Some(namespace) => format!("{prefix}/namespaces/{namespace}/{plural}"),
        None => format!("{prefix}/{plural}"),
    }
}

#[test]
fn the_server_takes_all_that_the_chart_renders() {
    let server = Server::shared();
    let namespace = server.namespace("chart");
    for example in ["", "cert-manager", "existing-certificate", "first-steps"] {
        let file = format!("charts/plimsoll/examples/{example}.yaml");
        // The example's authority is no certificate.
        let authority = ["--set-file", &format!("certificate.existing.caBundle={}", server.authority().display())].map(str::to_owned);
        let args: Vec<&str> = match example {
            "" => vec![],
            "existing-certificate" => vec!["-f", &file, &authority[0], &authority[1]],
            _ => vec!["-f", &file],
        };
        let objects = rendered(&namespace, &args);
        assert!(objects.len() >= 7, "{example}: {objects:?}");
        for object in objects {
            let path = format!("{}?dryRun=All&fieldValidation=Strict", path(&object));
            let answer = server.request(ADMIN, "POST", &path, Some(&object));
            assert_eq!((answer.status, answer.warnings.as_slice()), (201, &[][..]), "{example}: {path}: {}", answer.body);
        }
    }
}

/// A pod that shares its node's network.
fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"hostNetwork": true, "containers": [{"name": "a", "image": "registry.example.com/a:1"}]},
    })
}

/// Tries to create something.
fn try_create(server: &Server, path: &str, object: &Value) -> Answer {
    server.request(ADMIN, "POST", &format!("{path}?dryRun=All"), Some(object))
}

/// Gives the webhook's configuration to a server, and waits until it asks.
fn guard(server: &Server, namespace: &str, configuration: &Value) {
    server.post("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", configuration);
    let path = format!("/api/v1/namespaces/{namespace}/pods");
    let begun = Instant::now();
    while try_create(server, &path, &pod("a")).status == 201 {
        assert!(begun.elapsed() < Duration::from_secs(30), "the API server does not ask the webhook");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_webhook_that_is_down_holds_up_what_it_names_and_nothing_that_it_needs() {
    let mut server = Server::start();
    for name in ["plimsoll-system", "shop", "kube-node-lease"] {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let answer = server.request(ADMIN, "POST", "/api/v1/namespaces", Some(&object));
        assert!(answer.status == 201 || answer.status == 409, "{answer:?}");
    }
    // There before the webhook, and to be deleted after.
    let mut before = pod("before");
    before["metadata"]["finalizers"] = json!(["example.com/tracked"]);
    server.post("/api/v1/namespaces/shop/pods", &before);
    let objects = rendered("plimsoll-system", &[]);
    guard(&server, "shop", objects.iter().find(|object| object["kind"] == "ValidatingWebhookConfiguration").unwrap());

    let denied = try_create(&server, "/api/v1/namespaces/shop/pods", &pod("a"));
    assert_eq!(denied.status, 500, "{denied:?}");
    let message = denied.body["message"].as_str().unwrap();
    assert!(message.contains(r#"failed calling webhook "named.plimsoll.dev""#), "{message}");

    // Its own pods, and those of the cluster.
    for namespace in ["plimsoll-system", "kube-system"] {
        let answer = try_create(&server, &format!("/api/v1/namespaces/{namespace}/pods"), &pod("a"));
        assert_eq!(answer.status, 201, "{namespace}: {answer:?}");
    }
    // What the cluster lives on.
    let meta = json!({"name": "a"});
    for (path, object) in [
        ("/api/v1/nodes", json!({"apiVersion": "v1", "kind": "Node", "metadata": meta})),
        ("/api/v1/namespaces", json!({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})),
        ("/api/v1/namespaces/shop/secrets", json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta})),
        (
            "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases",
            json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta}),
        ),
        (
            "/apis/scheduling.k8s.io/v1/priorityclasses",
            json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": meta, "value": 1}),
        ),
    ] {
        let answer = try_create(&server, path, &object);
        assert_eq!(answer.status, 201, "{path}: {answer:?}");
    }
    // A change is asked about; that something is gone is not.
    let before = "/api/v1/namespaces/shop/pods/before";
    let change = json!({"metadata": {"labels": {"a": "b"}}});
    assert_eq!(server.request(ADMIN, "PATCH", before, Some(&change)).status, 500);
    server.request(ADMIN, "DELETE", &format!("{before}?gracePeriodSeconds=0"), None);
    assert_eq!(server.get(before).status, 200);
    server.patch(before, &json!({"metadata": {"finalizers": null}}));
    assert_eq!(server.get(before).status, 404);
    // A server that starts writes roles which an upgrade brings, or somebody has deleted; and ends where it cannot.
    let role = "/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin";
    assert_eq!(server.delete(role).status, 200);
    server.pause();
    server.resume();
    assert_eq!(server.get(role).status, 200);
    let denied = try_create(&server, "/api/v1/namespaces/shop/pods", &pod("a"));
    assert_eq!(denied.status, 500, "{denied:?}");
}
