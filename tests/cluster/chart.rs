//! charts/plimsoll: the server takes what it renders, the webhook that it installs refuses, and one that is down stops
//! neither the server nor its own return.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ::plimsoll::{json::to_json, yaml};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

use crate::common::{plimsoll, root};
use crate::server::{ADMIN, Answer, Server, free_port};

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
    let prefix =
        if object["apiVersion"] == "v1" { "/api/v1".to_owned() } else { format!("/apis/{}", text("/apiVersion")) };
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
        let authority = ["--set-file", &format!("certificate.existing.caBundle={}", server.authority().display())]
            .map(str::to_owned);
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
            assert_eq!(
                (answer.status, answer.warnings.as_slice()),
                (201, &[][..]),
                "{example}: {path}: {}",
                answer.body
            );
        }
    }
}

const CONFIGURATIONS: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const CONFIGURATION: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/plimsoll";
const SERVICE: &str = "/api/v1/namespaces/plimsoll-system/services/plimsoll";

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

/// Waits until the API server answers a pod that shares its node's network in some way.
fn until(server: &Server, is_wanted: impl Fn(&Answer) -> bool) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = try_create(server, "/api/v1/namespaces/shop/pods", &pod("a"));
        if is_wanted(&answer) {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{answer:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn message(answer: &Answer) -> &str {
    answer.body["message"].as_str().unwrap_or_else(|| panic!("{answer:?}"))
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
    server.post(
        CONFIGURATIONS,
        objects.iter().find(|object| object["kind"] == "ValidatingWebhookConfiguration").unwrap(),
    );
    let denied = until(&server, |answer| answer.status != 201);
    assert_eq!(denied.status, 500, "{denied:?}");
    assert!(message(&denied).contains(r#"failed calling webhook "named.plimsoll.dev""#), "{denied:?}");

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

/// `plimsoll serve`; it is killed with this.
pub struct Serve(Child);

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts what the Deployment would, with the files that the kubelet would bring.
fn serve(server: &Server, folder: &Path, port: u16) -> Serve {
    let get = |path: &str| server.get(path).body;
    let spec = get("/apis/apps/v1/namespaces/plimsoll-system/deployments/plimsoll")["spec"]["template"]["spec"].clone();
    for volume in spec["volumes"].as_array().unwrap() {
        let path = folder.join(volume["name"].as_str().unwrap());
        let (items, data) = if volume["secret"].is_null() {
            let name = volume["configMap"]["name"].as_str().unwrap();
            let object = get(&format!("/api/v1/namespaces/plimsoll-system/configmaps/{name}"));
            (&volume["configMap"]["items"], object["data"].clone())
        } else {
            let name = volume["secret"]["secretName"].as_str().unwrap();
            let object = get(&format!("/api/v1/namespaces/plimsoll-system/secrets/{name}"));
            (&volume["secret"]["items"], object["data"].clone())
        };
        for item in items.as_array().unwrap() {
            let text = data[item["key"].as_str().unwrap()].as_str().unwrap();
            let bytes = if volume["secret"].is_null() { text.into() } else { BASE64_STANDARD.decode(text).unwrap() };
            let file = path.join(item["path"].as_str().unwrap());
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
    }
    let container = &spec["containers"][0];
    let args = container["args"].as_array().unwrap().iter().map(|arg| {
        let mut arg = arg.as_str().unwrap().replace("0.0.0.0:8443", &format!("127.0.0.1:{port}"));
        arg = arg.replace("0.0.0.0:8080", &format!("127.0.0.1:{}", free_port()));
        for mount in container["volumeMounts"].as_array().unwrap() {
            let from = format!("={}/", mount["mountPath"].as_str().unwrap());
            arg = arg.replace(&from, &format!("={}/", folder.join(mount["name"].as_str().unwrap()).display()));
        }
        arg
    });
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    let log = fs::File::create(folder.join("log")).unwrap();
    Serve(command.args(args).stdin(Stdio::null()).stderr(log).spawn().unwrap())
}

/// Does what Pods of the chart would: the configuration leads to a server on this machine.
pub fn play_pods(server: &Server, folder: &Path) -> Serve {
    // Instead of the addresses of Pods: a name that leads to this machine, and the port that is free here.
    assert_eq!(server.delete(SERVICE).status, 200);
    server.post(
        "/api/v1/namespaces/plimsoll-system/services",
        &json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "plimsoll"},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        }),
    );
    let port = free_port();
    let mut configuration = server.get(CONFIGURATION).body;
    for webhook in configuration["webhooks"].as_array_mut().unwrap() {
        webhook["clientConfig"]["service"]["port"] = port.into();
    }
    server.patch(CONFIGURATION, &json!({"webhooks": configuration["webhooks"]}));
    serve(server, folder, port)
}

/// Ends what does the work of the Pods, and takes away what led there: the chart brings both back.
pub fn end_pods(server: &Server, serve: Serve) {
    drop(serve);
    assert_eq!(server.delete(CONFIGURATION).status, 200);
    assert_eq!(server.delete(SERVICE).status, 200);
}

#[test]
fn what_the_chart_installs_refuses_what_the_gate_refuses() {
    let server = Server::start();
    let kubeconfig = server.kubeconfig(ADMIN).display().to_string();
    let apply = || {
        let args = ["apply", "plimsoll", "charts/plimsoll", "-n", "plimsoll-system", "--create-namespace", "--yes"];
        let run = plimsoll(root(), &[&args[..], &["--timeout", "0", "--kubeconfig", &kubeconfig]].concat(), "");
        assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    };
    apply();
    // The certificate that is there is kept: a second apply changes nothing.
    let paths = ["/api/v1/namespaces/plimsoll-system/secrets/plimsoll-tls", CONFIGURATION];
    let versions = || paths.map(|path| server.get(path).body["metadata"]["resourceVersion"].clone());
    let first = versions();
    apply();
    assert_eq!(versions(), first);

    let folder = tempfile::tempdir().unwrap();
    let running = play_pods(&server, folder.path());
    server.post("/api/v1/namespaces", &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}));

    let denied = until(&server, |answer| answer.status == 403);
    for part in
        [r#"admission webhook "named.plimsoll.dev" denied the request"#, "pod-security/host-namespaces", "hostNetwork"]
    {
        assert!(message(&denied).contains(part), "{denied:?}");
    }
    for namespace in ["plimsoll-system", "kube-system"] {
        assert_eq!(try_create(&server, &format!("/api/v1/namespaces/{namespace}/pods"), &pod("a")).status, 201);
    }
    let mut quiet = pod("quiet");
    quiet["spec"]["hostNetwork"] = false.into();
    let quiet = server.post("/api/v1/namespaces/shop/pods", &quiet);
    let debug = json!({"name": "b", "image": "registry.example.com/b:1", "securityContext": {"privileged": true}});
    let mut debugged = quiet.clone();
    debugged["spec"]["ephemeralContainers"] = json!([debug]);
    let path = "/api/v1/namespaces/shop/pods/quiet/ephemeralcontainers";
    let denied = server.request(ADMIN, "PUT", path, Some(&debugged));
    assert!(denied.status == 403 && message(&denied).contains("pod-security/privileged"), "{denied:?}");

    // A credential in plain sight, in something that no policy names. A Secret is never sent.
    let token = format!("ghp_{}", "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8");
    let meta = json!({"name": "a", "annotations": {"token": token}});
    let claim = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": meta,
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    });
    let denied = try_create(&server, "/api/v1/namespaces/shop/persistentvolumeclaims", &claim);
    assert!(denied.status == 403 && message(&denied).contains("others.plimsoll.dev"), "{denied:?}");
    assert!(!message(&denied).contains(&token), "{denied:?}");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta});
    assert_eq!(try_create(&server, "/api/v1/namespaces/shop/secrets", &secret).status, 201);
    let everything = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "everything"},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
    });
    let denied = try_create(&server, "/apis/rbac.authorization.k8s.io/v1/clusterroles", &everything);
    assert!(denied.status == 403 && message(&denied).contains("rbac/full-access"), "{denied:?}");

    // The kubelet brings another configuration.
    let lenient = "policies: {profiles: [default], severity: {pod-security/*: warning}}";
    fs::write(folder.path().join("config/plimsoll.yaml"), lenient).unwrap();
    let warned = until(&server, |answer| answer.status == 201);
    assert!(warned.warnings.iter().any(|warning| warning.contains("pod-security/host-namespaces")), "{warned:?}");
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(!log.contains(&token), "{log}");

    drop(running);
    let failed = until(&server, |answer| answer.status == 500);
    assert!(message(&failed).contains("failed calling webhook"), "{failed:?}");
    assert_eq!(try_create(&server, "/api/v1/namespaces/shop/persistentvolumeclaims", &claim).status, 201);
}
