//! Large objects: the API server allows a policy so much work, and refuses what would take more.

use plimsoll::policy::Policy;
use serde_json::{Value, json};

use super::examples::judge;
use super::exported::in_parallel;
use super::{Proof, VERSION, Verdict, words};

const EXCEEDED: &str = "operation cancelled: actual cost limit exceeded";

#[test]
fn large_objects_are_judged_within_the_budget_of_the_api_server() {
    let proof = Proof::shared();
    let large = large();
    let pairs: Vec<(&Policy, &Value)> =
        proof.policies.iter().flat_map(|policy| large.iter().map(move |object| (*policy, object))).collect();
    let found = in_parallel(&pairs, |(policy, object)| {
        let ours = judge(&[policy], "default", VERSION, std::slice::from_ref(object)).concat();
        let theirs = proof.verdict(policy, VERSION, "default", object);
        let agrees = match (ours.first(), &theirs) {
            (None, Verdict::Admitted) => true,
            (Some((_, ours)), Verdict::Denied(theirs)) => words(ours) == words(theirs),
            _ => false,
        };
        if agrees { String::new() } else { format!("{} {}: {ours:?} {theirs:?}\n", policy.id, object["kind"]) }
    });
    let wrong = found.concat();
    assert!(wrong.is_empty(), "{wrong}");
}

/// What takes too much work is refused by both, and admitted by none.
#[test]
fn what_is_too_large_to_be_judged_is_refused() {
    let proof = Proof::shared();
    let policy = *proof.policies.iter().find(|policy| policy.id == "secrets/plaintext").unwrap();
    let line = "server.address = \"https://node.example.com:8443/v1?q=a\" # a key=and a token: of it\n";
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "large"}, "data": {"lines": line.repeat(11_000)},
    });
    let ours = judge(&[policy], "default", VERSION, std::slice::from_ref(&object)).concat();
    assert!(matches!(ours.as_slice(), [(_, error)] if error.contains(EXCEEDED)), "{ours:?}");
    let theirs = proof.verdict(policy, VERSION, "default", &object);
    assert!(matches!(&theirs, Verdict::Denied(message) if message.contains(EXCEEDED)), "{theirs:?}");
    assert!(proof.webhook_finds(policy, VERSION, "default", &object));
}

/// Objects that are larger than most.
fn large() -> Vec<Value> {
    let lines: String = (0..2_500)
        .map(|n| {
            format!("server.{n}.address = \"https://node-{n}.example.com:8443/v1/{n}?q=a\" # the address of {n}\n")
        })
        .collect();
    let keys: serde_json::Map<String, Value> = (0..1_000)
        .map(|n| {
            (format!("key-{n}"), format!("the value of key {n}, which says nothing of interest, and so on").into())
        })
        .collect();
    let env: Vec<Value> = (0..30)
        .map(|n| json!({"name": format!("VARIABLE_{n}"), "value": format!("https://web-{n}.example.com/a/b/c")}))
        .collect();
    let containers: Vec<Value> = (0..10)
        .map(|n| {
            json!({"name": format!("web-{n}"), "image": format!("registry.example.com/team/web-{n}:1.{n}"), "env": env,
            "ports": [{"name": format!("p-{n}"), "containerPort": 9000 + n}]})
        })
        .collect();
    let many: Vec<Value> = (0..50)
        .map(|n| json!({"name": format!("VARIABLE_{n}"), "value": format!("the value of variable {n}")}))
        .collect();
    let crowded: Vec<Value> = (0..20)
        .map(|n| json!({"name": format!("web-{n}"), "image": format!("registry.example.com/team/web-{n}:1.{n}"), "env": many}))
        .collect();
    let rules: Vec<Value> = (0..1_000).map(|n| json!({"apiGroups": [format!("g{n}.example.com")], "resources": [format!("r{n}"), format!("s{n}")], "verbs": ["get", "list", "create"]})).collect();
    let hosts: Vec<Value> = (0..300).map(|n| json!({"host": format!("h{n}.example.com"), "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}})).collect();
    let peers: Vec<Value> =
        (0..2_000).map(|n| json!({"ipBlock": {"cidr": format!("10.{}.{}.0/24", n / 256, n % 256)}})).collect();
    let subjects: Vec<Value> = (0..2_000)
        .map(|n| json!({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": format!("user-{n}")}))
        .collect();
    let meta = json!({"name": "large"});
    vec![
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"lines": lines}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": keys}),
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": containers}}),
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": crowded}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": meta, "subjects": subjects,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "x"}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": {"rules": hosts}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": {"podSelector": {}, "egress": [{"to": peers}]}}),
    ]
}
