//! `plimsoll serve` behind a ValidatingWebhookConfiguration of a real API server.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::program::{Serve, pod, privileged, wait, write_pair};
use crate::server::{ADMIN, Answer, Server};

/// A namespace whose objects a webhook judges.
struct Door<'a> {
    server: &'a Server,
    serve: Serve,
    namespace: String,
}

impl<'a> Door<'a> {
    /// Asks `serve` about all that happens in a new namespace.
    fn new(server: &'a Server, serve: Serve) -> Self {
        let namespace = server.namespace("webhook");
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": format!("plimsoll-{namespace}")},
            "webhooks": [{
                "name": "check.plimsoll.dev",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "timeoutSeconds": 10,
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "rules": [{
                    "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"], "scope": "Namespaced",
                }],
                "clientConfig": {
                    "url": format!("https://{}/validate", serve.address),
                    "caBundle": STANDARD.encode(&serve.authority.pem),
                },
            }],
        });
        server.post(CONFIGURATIONS, &configuration);
        let door = Self { server, serve, namespace };
        // The API server takes a moment to know it.
        wait(|| (door.create("pods?dryRun=All", &pod(privileged)).status != 201).then_some(())).expect("it is asked");
        door
    }

    fn path(&self, rest: &str) -> String {
        match rest.starts_with("deployments") {
            true => format!("/apis/apps/v1/namespaces/{}/{rest}", self.namespace),
            false => format!("/api/v1/namespaces/{}/{rest}", self.namespace),
        }
    }

    fn create(&self, resource: &str, object: &Value) -> Answer {
        let mut object = object.clone();
        object["metadata"]["namespace"] = self.namespace.as_str().into();
        self.server.request(ADMIN, "POST", &self.path(resource), Some(&object))
    }
}

impl Drop for Door<'_> {
    fn drop(&mut self) {
        self.server.delete(&format!("{CONFIGURATIONS}/plimsoll-{}", self.namespace));
    }
}

const CONFIGURATIONS: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

/// Three policies, one of each severity.
const POLICIES: [&str; 5] = [
    "--policy=pod-security/privileged",
    "--policy=pod-security/host-namespaces",
    "--policy=pod-security/host-ports",
    "--severity=pod-security/host-namespaces=warning",
    "--severity=pod-security/host-ports=info",
];

fn named(name: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut pod = pod(change);
    pod["metadata"]["name"] = name.into();
    pod
}

#[test]
fn what_is_wrong_is_denied_warned_of_or_written_into_the_audit_log() {
    let door = Door::new(Server::shared(), Serve::start(&POLICIES));
    let denied = door.create("pods", &named("denied", privileged));
    assert_eq!(denied.status, 403, "{denied:?}");
    let message = denied.body["message"].as_str().unwrap();
    let wanted = "admission webhook \"check.plimsoll.dev\" denied the request: pod-security/privileged: \
                  spec.containers[name=web].securityContext.privileged: ";
    assert!(message.starts_with(wanted), "{message}");

    let warned = door.create("pods", &named("warned", |pod| pod["spec"]["hostPID"] = true.into()));
    assert_eq!(warned.status, 201, "{warned:?}");
    assert_eq!(warned.warnings.len(), 1, "{warned:?}");
    assert!(warned.warnings[0].contains("pod-security/host-namespaces: spec.hostPID: "), "{warned:?}");

    let audited = named("audited", |pod| {
        pod["spec"]["containers"][0]["ports"] = json!([{"containerPort": 8080, "hostPort": 8080}]);
    });
    let audited = door.create("pods", &audited);
    assert_eq!((audited.status, audited.warnings.len()), (201, 0), "{audited:?}");
    let annotation = || {
        let log = door.server.audit_log();
        let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut own = events.filter(|event| event["objectRef"]["namespace"] == door.namespace);
        own.find_map(|event| Some(event["annotations"].get("check.plimsoll.dev/pod-security.host-ports")?.to_string()))
    };
    let annotation = wait(annotation).expect("an annotation in the audit log");
    assert!(annotation.contains("spec.containers[name=web].ports"), "{annotation}");
}

#[test]
fn a_dry_run_is_judged_as_if_it_were_none() {
    let door = Door::new(Server::shared(), Serve::start(&POLICIES));
    assert_eq!(door.create("pods?dryRun=All", &named("web", privileged)).status, 403);
    assert_eq!(door.create("pods?dryRun=All", &named("web", |_| ())).status, 201);
    assert_eq!(door.server.get(&door.path("pods/web")).status, 404);
    assert!(door.serve.logged("\"name\":\"web\"").contains("\"dry_run\":true"));
}

#[test]
fn updates_are_judged_and_deletions_are_let_through() {
    let door = Door::new(Server::shared(), Serve::start(&POLICIES));
    let template = pod(|_| ());
    let deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": template["metadata"]["labels"]},
            "template": {"metadata": {"labels": template["metadata"]["labels"]}, "spec": template["spec"]},
        },
    });
    assert_eq!(door.create("deployments", &deployment).status, 201);
    let path = door.path("deployments/web");
    let mut stored = door.server.get(&path).body;
    stored["spec"]["template"]["spec"]["containers"][0]["securityContext"] = json!({"privileged": true});
    let refused = door.server.request(ADMIN, "PUT", &path, Some(&stored));
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(
        refused.body["message"].as_str().unwrap().contains("pod-security/privileged: spec.template.spec.containers")
    );
    let patch = json!({"spec": {"replicas": 3}});
    assert_eq!(door.server.request(ADMIN, "PATCH", &path, Some(&patch)).status, 200);
    assert_eq!(door.server.delete(&path).status, 200);
    let of = |operation: &str, verdict: &str| {
        let labels = format!("operation=\"{operation}\",kind=\"Deployment\",verdict=\"{verdict}\"");
        door.serve.metric(&format!("plimsoll_reviews_total{{{labels}}}"))
    };
    assert_eq!(of("UPDATE", "denied"), Some(1.0));
    assert_eq!(of("UPDATE", "allowed"), Some(1.0));
    assert_eq!(of("DELETE", "allowed"), Some(1.0));
}

#[test]
fn nothing_is_stored_while_the_webhook_is_down() {
    let mut door = Door::new(Server::shared(), Serve::start(&POLICIES));
    door.serve.terminate();
    assert_eq!(door.serve.wait(), 0);
    let refused = door.create("pods", &named("web", |_| ()));
    assert_eq!(refused.status, 500, "{refused:?}");
    let message = refused.body["message"].as_str().unwrap();
    assert!(message.contains("failed calling webhook \"check.plimsoll.dev\""), "{message}");
    assert!(message.contains("connection refused"), "{message}");
    assert_eq!(door.server.get(&door.path("pods/web")).status, 404);
}

#[test]
fn a_certificate_that_has_expired_is_refused_until_there_is_another() {
    let serve = Serve::start(&POLICIES);
    write_pair(serve.folder.path(), &serve.authority.sign_for(&["127.0.0.1"], Duration::from_secs(6)));
    serve.logged("a changed certificate was read");
    serve.logged("has expired");
    let door = Door::new(Server::shared(), serve);
    let refused = door.create("pods", &named("web", |_| ()));
    assert_eq!(refused.status, 500, "{refused:?}");
    assert!(refused.body["message"].as_str().unwrap().contains("certificate has expired"), "{refused:?}");
    write_pair(door.serve.folder.path(), &door.serve.authority.sign(&["127.0.0.1"]));
    let created = wait(|| (door.create("pods", &named("web", |_| ())).status == 201).then_some(()));
    created.expect("the new certificate is taken");
}
