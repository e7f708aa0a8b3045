//! A running `plimsoll serve`, and its clients.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::common::authority::Authority;

/// How long anything may take that does happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server; it is killed with this.
pub struct Serve {
    child: Child,
    pub authority: Authority,
    /// Where it was started: its certificate, key and project file are there.
    pub folder: TempDir,
    pub address: SocketAddr,
    pub health: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub text: String,
}

impl Reply {
    /// `response` of the AdmissionReview.
    pub fn response(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        let review: Value = serde_json::from_str(&self.text).unwrap();
        assert_eq!(review["kind"], "AdmissionReview");
        review["response"].clone()
    }
}

impl Serve {
    /// Starts one with the default policies.
    pub fn start(args: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), args)
    }

    /// Starts one in a folder with a project file, policies, or more.
    pub fn start_in(folder: TempDir, args: &[&str]) -> Self {
        let authority = Authority::new();
        write_pair(folder.path(), &authority.sign(&["127.0.0.1", "localhost"]));
        fs::write(folder.path().join("ca.crt"), &authority.pem).unwrap();
        let mut child = command(folder.path(), args).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, stderr) = (log.clone(), BufReader::new(child.stderr.take().unwrap()));
        thread::spawn(move || stderr.lines().map_while(Result::ok).for_each(|line| lines.lock().unwrap().push(line)));
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut serve = Self { child, authority, folder, address: nowhere, health: nowhere, log };
        let address = |line: String| {
            let line: Value = serde_json::from_str(&line).unwrap();
            line["address"].as_str().unwrap().parse().unwrap()
        };
        serve.address = address(serve.logged("reviews are answered"));
        serve.health = address(serve.logged("health and metrics are served"));
        serve
    }

    /// Waits for a line of the log that has a text.
    pub fn logged(&self, text: &str) -> String {
        let found = || self.log.lock().unwrap().iter().find(|line| line.contains(text)).cloned();
        wait(found).unwrap_or_else(|| panic!("nothing was logged of {text:?}:\n{}", self.log()))
    }

    /// All that was logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// A client that trusts the server's authority.
    pub fn client(&self) -> Agent {
        agent(&self.authority.pem, None)
    }

    /// Posts a body to a path.
    pub fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Reply {
        self.post_with(&self.client(), path, body)
    }

    /// The same with another client.
    pub fn post_with(&self, client: &Agent, path: &str, body: impl AsRef<[u8]>) -> Reply {
        try_post(client, &format!("https://{}{path}", self.address), body.as_ref()).unwrap()
    }

    /// Asks for a review.
    pub fn review(&self, review: &Value) -> Value {
        self.post("/validate?timeout=10s", review.to_string()).response()
    }

    /// Asks for health or metrics.
    pub fn get(&self, path: &str) -> Reply {
        let agent: Agent = Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        let mut response = agent.get(format!("http://{}{path}", self.health)).call().unwrap();
        Reply { status: response.status().as_u16(), text: response.body_mut().read_to_string().unwrap() }
    }

    /// The value of a metric, as it stands in its line.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let text = self.get("/metrics").text;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).map(str::to_owned);
        value.map(|value| value.parse().unwrap())
    }

    /// Waits until a metric has a value.
    pub fn metric_becomes(&self, name: &str, wanted: f64) {
        let found = wait(|| (self.metric(name) == Some(wanted)).then_some(()));
        found.unwrap_or_else(|| panic!("{name} is {:?}, not {wanted}", self.metric(name)));
    }

    /// Opens a connection without TLS.
    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        let status = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end; the exit status.
    pub fn wait(&mut self) -> i32 {
        wait(|| self.child.try_wait().unwrap()).expect("it ends").code().expect("it ends by itself")
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `plimsoll serve` in a folder, on ports that are free where no other is named.
pub fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(["serve", "--health-address=127.0.0.1:0", "--tls-cert=tls.crt", "--tls-key=tls.key"]).args(args);
    if !args.iter().any(|arg| arg.starts_with("--address")) {
        command.arg("--address=127.0.0.1:0");
    }
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// Writes a certificate and its key where the server looks for them.
pub fn write_pair(folder: &Path, (certificate, key): &(String, String)) {
    fs::write(folder.join("tls.key"), key).unwrap();
    fs::write(folder.join("tls.crt"), certificate).unwrap();
}

/// A client that trusts an authority, and may have a certificate itself.
pub fn agent(authority: &str, own: Option<&(String, String)>) -> Agent {
    let root = Certificate::from_pem(authority.as_bytes()).unwrap();
    let own = own.map(|(certificate, key)| {
        let chain = [Certificate::from_pem(certificate.as_bytes()).unwrap()];
        ClientCert::new_with_certs(&chain, PrivateKey::from_pem(key.as_bytes()).unwrap())
    });
    let tls = TlsConfig::builder().root_certs(RootCerts::from([root])).client_cert(own).build();
    let config = Agent::config_builder().tls_config(tls).timeout_global(Some(PATIENCE));
    config.http_status_as_error(false).proxy(None).build().into()
}

/// Posts JSON.
pub fn try_post(client: &Agent, url: &str, body: &[u8]) -> Result<Reply, ureq::Error> {
    let mut response = client.post(url).header("Content-Type", "application/json").send(body)?;
    Ok(Reply { status: response.status().as_u16(), text: response.body_mut().read_to_string()? })
}

/// Waits until there is something.
pub fn wait<T>(mut what: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(found) = what() {
            return Some(found);
        }
        thread::sleep(Duration::from_millis(20));
    }
    None
}

/// The review of an object's creation.
pub fn creation(resource: &str, object: Value) -> Value {
    let version = object["apiVersion"].as_str().unwrap().to_owned();
    let (group, version) = version.split_once('/').unwrap_or(("", &version));
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": group, "version": version, "kind": object["kind"]},
            "resource": {"group": group, "version": version, "resource": resource},
            "name": object["metadata"]["name"],
            "namespace": "shop",
            "operation": "CREATE",
            "userInfo": {"username": "mallory@example.com", "groups": ["system:authenticated"]},
            "object": object,
            "oldObject": null,
            "dryRun": false,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
        },
    })
}

/// A Pod that the default policies have nothing against, but for what is changed.
pub fn pod(change: impl FnOnce(&mut Value)) -> Value {
    let digest = "a".repeat(64);
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app.kubernetes.io/name": "web"}},
        "spec": {
            "automountServiceAccountToken": false,
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 10001, "runAsGroup": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [{
                "name": "web",
                "image": format!("registry.example.com/web@sha256:{digest}"),
                "securityContext": {
                    "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                    "capabilities": {"drop": ["ALL"]},
                },
                "resources": {
                    "requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "64Mi"},
                },
                "readinessProbe": {"httpGet": {"path": "/", "port": 8080}},
                "livenessProbe": {"tcpSocket": {"port": 8080}},
            }],
        },
    });
    change(&mut pod);
    pod
}

/// The review of the creation of such a Pod.
pub fn pod_review(change: impl FnOnce(&mut Value)) -> Value {
    creation("pods", pod(change))
}

/// Makes a Pod's container privileged, which is denied.
pub fn privileged(pod: &mut Value) {
    pod["spec"]["containers"][0]["securityContext"] = json!({"privileged": true});
}
