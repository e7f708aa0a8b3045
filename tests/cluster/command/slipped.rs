//! What a mutating webhook would slip in is refused, though what was rendered is not.

use std::io::{BufRead, BufReader, Write};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

use super::{Desk, deployment, map, says};
use crate::common::authority::Authority;
use crate::connect::listener;
use crate::program::wait;
use crate::server::{ADMIN, Server};

const CONFIGURATIONS: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

/// A webhook that gives a namespace's objects of a kind a sidecar that may do everything; it is gone with this.
struct Sidecar<'a> {
    server: &'a Server,
    name: String,
}

impl<'a> Sidecar<'a> {
    fn new(desk: &Desk<'a>, group: &str, resource: &str, containers: &str) -> Self {
        Self::under(desk, group, resource, containers, "true")
    }

    /// One that is asked under a condition only.
    fn under(desk: &Desk<'a>, group: &str, resource: &str, containers: &str, condition: &str) -> Self {
        let authority = Authority::new();
        let address = serve(&authority, format!("{containers}/-"));
        let name = format!("sidecar-{}", desk.namespace);
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": [{
                "name": "sidecar.example.com",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "matchConditions": [{"name": "asked", "expression": condition}],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": desk.namespace}},
                "rules": [{"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [resource]}],
                "clientConfig": {"url": format!("https://{address}/"), "caBundle": STANDARD.encode(&authority.pem)},
            }],
        });
        desk.server.post(CONFIGURATIONS, &configuration);
        Self { server: desk.server, name }
    }
}

impl Drop for Sidecar<'_> {
    fn drop(&mut self) {
        self.server.delete(&format!("{CONFIGURATIONS}/{}", self.name));
    }
}

/// Answers every review with a container more at a path.
fn serve(authority: &Authority, path: String) -> String {
    let (certificate, key) = authority.sign(&["127.0.0.1"]);
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let config = Arc::new(config);
    listener(move |stream| {
        let (config, path) = (config.clone(), path.clone());
        std::thread::spawn(move || {
            let connection = rustls::ServerConnection::new(config).unwrap();
            let mut stream = BufReader::new(rustls::StreamOwned::new(connection, stream));
            while let Some(review) = request(&mut stream) {
                let container = json!({
                    "name": "sidecar", "image": "registry.example.com/sidecar:1", "securityContext": {"privileged": true},
                });
                let patch = json!([{"op": "add", "path": path, "value": container}]).to_string();
                let response = json!({
                    "uid": review["request"]["uid"], "allowed": true,
                    "patchType": "JSONPatch", "patch": STANDARD.encode(patch),
                });
                let body =
                    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response});
                let body = body.to_string();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length";
                let written = write!(stream.get_mut(), "{head}: {}\r\n\r\n{body}", body.len());
                if written.and_then(|()| stream.get_mut().flush()).is_err() {
                    return;
                }
            }
        });
    })
}

/// The body of the next request of a connection.
fn request(stream: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

/// Waits until what is created gets the sidecar.
fn is_known(desk: &Desk<'_>, resource: &str, object: &Value) {
    let path = format!("{}?dryRun=All", desk.path(resource));
    let is_there = || {
        let answer = desk.server.request(ADMIN, "POST", &path, Some(object)).body;
        answer.to_string().contains("\"name\":\"sidecar\"").then_some(())
    };
    wait(is_there).expect("the webhook is asked");
}

fn pod() -> Value {
    json!({"metadata": {"name": "web"}, "spec": {"containers": [{"name": "web", "image": "registry.example.com/web:1"}]}})
}

#[test]
fn a_sidecar_in_deployments_is_refused() {
    let desk = Desk::new(Server::shared(), "sidecar");
    let text = map("a", "{}") + &deployment("web");
    let sidecar = Sidecar::new(&desk, "apps", "deployments", "/spec/template/spec/containers");
    let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": pod()["spec"]});
    let object = json!({
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template},
    });
    is_known(&desk, "apps/v1/deployments", &object);
    for more in [&[][..], &["--dry-run"], &["--no-pods"]] {
        let run = desk.apply(&text, more);
        says(&run, 1, &["the cluster would store what was not rendered"]);
        for part in ["pod-security/privileged", "container sidecar"] {
            assert!(run.stdout.contains(part), "{part:?} is not in:\n{}", run.stdout);
        }
    }
    assert_eq!((desk.all("configmaps").len(), desk.all("apps/v1/deployments").len()), (0, 0));
    // What was refused can be let through in one's own name.
    says(&desk.apply(&text, &["--exclude=pod-security/privileged", "--profile=default", "--fail-on=never"]), 0, &[]);
    drop(sidecar);
}

#[test]
fn a_sidecar_in_pods_is_refused_where_pods_are_tried() {
    let desk = Desk::new(Server::shared(), "pods");
    let text = map("a", "{}") + &deployment("web");
    let _sidecar = Sidecar::new(&desk, "", "pods", "/spec/containers");
    is_known(&desk, "pods", &pod());
    let run = desk.apply(&text, &[]);
    says(&run, 1, &["the cluster would store what was not rendered"]);
    assert!(run.stdout.contains("Pod ") && run.stdout.contains("container sidecar"), "{}", run.stdout);
    assert_eq!((desk.all("configmaps").len(), desk.all("apps/v1/deployments").len()), (0, 0));
    says(&desk.apply(&text, &["--no-pods"]), 0, &["2 created"]);
}

#[test]
fn what_can_be_tried_only_in_the_middle_is_refused_there() {
    let server = Server::shared();
    let here = Desk::new(server, "middle");
    // Its namespace comes with the same apply: so nothing could be tried in it before.
    let desk = Desk::by(server, ADMIN, format!("{}-new", here.namespace));
    let _sidecar = Sidecar::new(&desk, "apps", "deployments", "/spec/template/spec/containers");
    // That it is known is seen in another namespace of the same name to come: so wait a while.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let run = desk.apply(&(map("a", "{}") + &deployment("web")), &["--create-namespace"]);
    says(
        &run,
        2,
        &[
            "the cluster would store what was not rendered, and is refused",
            &format!(
                "1 of 3 objects applied; not tried: ConfigMap {}/a, Deployment {}/web",
                desk.namespace, desk.namespace
            ),
        ],
    );
    assert!((run.stdout + &run.stderr).contains("pod-security/privileged"));
    assert_eq!((desk.names("configmaps").len(), desk.all("apps/v1/deployments").len()), (0, 0));
    assert!(!desk.is_locked());
}

#[test]
fn what_a_dry_run_does_not_show_is_refused_when_it_is_stored() {
    let desk = Desk::new(Server::shared(), "hidden");
    let path = "/spec/template/spec/containers";
    let _sidecar = Sidecar::under(&desk, "apps", "deployments", path, "!request.dryRun");
    // Whether it is known cannot be seen without making something.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let run = desk.apply(&deployment("web"), &[]);
    says(&run, 2, &["the cluster has stored what its dry run did not show, and what is refused"]);
    assert!(run.stdout.contains("pod-security/privileged"), "{}", run.stdout);
    assert_eq!(desk.all("apps/v1/deployments").len(), 1);
    assert!(!desk.is_locked());
}
