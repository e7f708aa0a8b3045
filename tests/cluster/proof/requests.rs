//! Other requests than the creation of one object by a policy that denies: updates, and the other actions.

use plimsoll::policy::Policy;
use serde_json::{Value, json};

use super::examples::{judge, labelled};
use super::exported::{ADMISSION, create, export, exported_name, wait_until_in_force};
use super::{Proof, VERSION, Verdict, suffix};
use crate::server::ADMIN;

fn deployment(privileged: bool) -> Value {
    let container = json!({"name": "c", "image": "web:1", "securityContext": {"privileged": privileged}});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
        },
    })
}

fn service(kind: &str) -> Value {
    let spec = json!({"type": kind, "ports": [{"port": 80}]});
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})
}

fn config_map(text: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"url": text}})
}

fn role(verb: &str) -> Value {
    let rule = json!({"apiGroups": [""], "resources": ["pods"], "verbs": [verb]});
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "web"}, "rules": [rule]})
}

/// An object that was good when it was created must not become bad afterwards.
#[test]
fn an_update_that_makes_an_object_unsafe_is_denied() {
    let proof = Proof::shared();
    for (id, safe, unsafe_) in [
        ("pod-security/privileged", deployment(false), deployment(true)),
        ("network/node-port", service("ClusterIP"), service("NodePort")),
        ("secrets/plaintext", config_map("https://example.com"), config_map("https://user:correct-horse@example.com")),
        ("rbac/wildcards", role("get"), role("*")),
    ] {
        let policy = find(proof, id);
        let namespace = proof.server.namespace("update");
        let label = proof.label(&exported_name(id), VERSION);
        let folder = proof.paths.of(&namespace, &safe);
        let stored = proof.server.post(&folder, &labelled(&safe, &label));
        let update = |object: &Value| {
            let path = format!("{folder}/web?dryRun=All&fieldValidation=Strict");
            let answer = proof.server.request(ADMIN, "PUT", &path, Some(&labelled(object, &label)));
            assert!(answer.status == 200 || answer.status == 422, "{answer:?}");
            Verdict::of(&answer, &(exported_name(id) + &suffix(VERSION)))
        };
        let webhook =
            |object: &Value| proof.webhook.finds(id, VERSION, &proof.paths.review(&namespace, object, &stored));
        let offline = judge(&[policy], &namespace, VERSION, std::slice::from_ref(&unsafe_)).concat();
        assert_eq!(update(&unsafe_), Verdict::Denied(offline[0].1.clone()), "{id}");
        assert!(webhook(&unsafe_), "{id}");
        assert!(!matches!(update(&safe), Verdict::Denied(_)), "{id}");
        assert!(!webhook(&safe), "{id}");
    }
}

/// `kubectl debug` adds a container to a pod that runs, by a resource of its own.
#[test]
fn a_container_that_is_added_to_a_pod_is_judged() {
    let proof = Proof::shared();
    for (id, container) in [
        ("images/registries", json!({"name": "debugger", "image": "registry.example.com/debug:1"})),
        (
            "pod-security/privileged",
            json!({"name": "debugger", "image": "busybox:1.37", "securityContext": {"privileged": true}}),
        ),
        (
            "secrets/plaintext",
            json!({"name": "debugger", "image": "busybox:1.37", "args": ["https://user:correct-horse@example.com"]}),
        ),
    ] {
        let namespace = proof.server.namespace("debug");
        let spec = json!({"containers": [{"name": "c", "image": "nginx:1.29"}]});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec});
        let folder = proof.paths.of(&namespace, &pod);
        let mut pod = proof.server.post(&folder, &labelled(&pod, &proof.label(&exported_name(id), VERSION)));
        pod["spec"]["ephemeralContainers"] = json!([container]);
        let path = format!("{folder}/web/ephemeralcontainers?dryRun=All");
        let answer = proof.server.request(ADMIN, "PUT", &path, Some(&pod));
        let offline = judge(&[find(proof, id)], &namespace, VERSION, &[pod]).concat();
        let verdict = Verdict::of(&answer, &(exported_name(id) + &suffix(VERSION)));
        assert_eq!(verdict, Verdict::Denied(offline[0].1.clone()), "{id}");
    }
}

/// An error is denied, a warning told to the client, an info written into the audit log; or what `--actions` says.
#[test]
fn each_severity_has_its_action() {
    let proof = Proof::shared();
    let policies = ["pod-security/privileged", "network/node-port", "secrets/environment"];
    let mut documents = export(&[&policies[..], &["--kube-version", VERSION]].concat());
    super::renamed(&mut documents, "-acts", |policy| format!("acts-{}", proof.place(policy)));
    create(&proof.server, &documents, "");
    let mut documents = export(&["pod-security/privileged", "--kube-version", VERSION, "--actions", "Deny,Audit"]);
    super::renamed(&mut documents, "-both", |_| "both".to_owned());
    create(&proof.server, &documents, "");
    wait_until_in_force(&proof.server);
    let label = |id: &str| format!("acts-{}", proof.place(&exported_name(id)));
    let post = |object: &Value, label: &str| {
        let path = proof.paths.of("default", object);
        let path = format!("{path}?dryRun=All&fieldManager={label}");
        let answer = proof.server.request(ADMIN, "POST", &path, Some(&labelled(object, label)));
        let is_audited = || {
            let log = proof.server.audit_log();
            let mut events = log.lines().filter(|line| line.contains(&format!("fieldManager={label}\"")));
            events.any(|line| line.contains("validation.policy.admission.k8s.io/validation_failure"))
        };
        // The event is written after the answer.
        let audited = (0..20).any(|_| {
            is_audited() || {
                std::thread::sleep(std::time::Duration::from_millis(50));
                false
            }
        });
        (answer.status, answer.warnings.len(), audited)
    };
    let mut environment = deployment(false);
    let variable = json!({"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}});
    environment["spec"]["template"]["spec"]["containers"][0]["env"] = json!([variable]);
    assert_eq!(post(&deployment(true), &label("pod-security/privileged")), (422, 0, false), "an error is denied");
    assert_eq!(post(&service("NodePort"), &label("network/node-port")), (201, 1, false), "a warning is told");
    assert_eq!(post(&environment, &label("secrets/environment")), (201, 0, true), "an info is written down");
    assert_eq!(post(&deployment(true), "both"), (422, 0, true), "what is denied is written down too");
}

/// What is exported where nothing is said of the version: for the newest that is known, and for an old one.
#[test]
fn a_server_takes_what_is_exported_without_a_warning() {
    let proof = Proof::shared();
    for args in [&["--profile", "all"][..], &["--profile", "all", "--kube-version", "1.30", "--actions", "Warn,Audit"]]
    {
        let documents = export(args);
        create(&proof.server, &documents, "&dryRun=All");
    }
    let stored = proof.server.get(&format!("{ADMISSION}/validatingadmissionpolicies")).body;
    let stored = stored["items"].as_array().unwrap().len();
    assert!(stored > proof.policies.len(), "{stored} policies");
}

fn find(proof: &Proof, id: &str) -> &'static Policy {
    proof.policies.iter().find(|policy| policy.id == id).unwrap()
}
