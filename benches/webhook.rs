//! Reviews of Pods a second, and how long one takes at half of what is wanted: `plimsoll serve` as a process of its own, asked
//! over TLS by this one, on the same cores. `cargo bench --bench webhook`.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_rustls::TlsConnector;

/// How long each measurement takes.
const TIME: Duration = Duration::from_secs(10);
/// The connections that an API server might have open.
const CONNECTIONS: usize = 16;
/// Reviews a second at which the time of one is measured: half of the 5,000 that are wanted.
const RATE: u32 = 2_500;

fn main() {
    // `cargo test --benches` runs this too; only `cargo bench` passes the flag.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for the certificate");
    let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    std::fs::write(folder.path().join("tls.crt"), pair.cert.pem()).expect("it can be written");
    std::fs::write(folder.path().join("tls.key"), pair.signing_key.serialize_pem()).expect("it can be written");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    println!("{:<22} {:>12} {:>10} {:>10} {:>10}", "", "reviews/s", "p50", "p99", "longest");
    for (what, pod) in [("allowed", pod(false)), ("denied", pod(true))] {
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let server = Server::start(folder.path());
            let client =
                Client { address: server.address, trusted: pair.cert.der().clone(), protocol, body: review(&pod) };
            runtime.block_on(async {
                client.wait().await;
                let name = format!("{what}, {protocol:?}");
                show(&format!("{name}, all it can"), client.closed().await);
                show(&format!("{name}, {RATE}/s"), client.open().await);
            });
        }
    }
}

/// A server; it ends with this.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port");
        let (address, health) = (free(), free());
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(["serve", "--tls-cert=tls.crt", "--tls-key=tls.key"]).current_dir(folder);
        command.args([format!("--address={address}"), format!("--health-address={health}")]);
        // It logs each review: somewhere where nobody keeps it.
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("plimsoll runs");
        Self { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug, Clone, Copy)]
enum Protocol {
    Http1,
    Http2,
}

/// What asks.
struct Client {
    address: SocketAddr,
    trusted: CertificateDer<'static>,
    protocol: Protocol,
    body: Bytes,
}

/// A connection.
enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Client {
    /// Waits until the server answers.
    async fn wait(&self) {
        while TcpStream::connect(self.address).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
        // The first review compiles policies, and so do some after it.
        let mut sender = self.connect().await;
        for _ in 0..1_000 {
            sender.ask(&self.body).await;
        }
    }

    async fn connect(&self) -> Sender {
        let mut roots = RootCertStore::empty();
        roots.add(self.trusted.clone()).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = config.expect("versions of TLS").with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = match self.protocol {
            Protocol::Http1 => vec![b"http/1.1".to_vec()],
            Protocol::Http2 => vec![b"h2".to_vec()],
        };
        let stream = TcpStream::connect(self.address).await.expect("it listens");
        stream.set_nodelay(true).expect("a connection");
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("it is trusted");
        let stream = TokioIo::new(stream);
        match self.protocol {
            Protocol::Http1 => {
                let (sender, connection) = http1::handshake(stream).await.expect("HTTP/1.1");
                tokio::spawn(connection);
                Sender::Http1(sender)
            }
            Protocol::Http2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.expect("HTTP/2");
                tokio::spawn(connection);
                Sender::Http2(sender)
            }
        }
    }

    /// Each connection asks again as soon as it is answered.
    async fn closed(&self) -> Times {
        let start = Instant::now();
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            let (mut sender, body) = (self.connect().await, self.body.clone());
            connections.push(tokio::spawn(async move {
                let mut times = Vec::new();
                while start.elapsed() < TIME {
                    let asked = Instant::now();
                    sender.ask(&body).await;
                    times.push(asked.elapsed());
                }
                times
            }));
        }
        Times::of(connections, start).await
    }

    /// Each connection asks at given times. What comes late because the one before it took long counts from when it should
    /// have been asked.
    async fn open(&self) -> Times {
        let (step, start) = (Duration::from_secs(1) / RATE, Instant::now() + Duration::from_millis(200));
        let mut connections = Vec::new();
        for first in 0..CONNECTIONS as u32 {
            let (mut sender, body) = (self.connect().await, self.body.clone());
            connections.push(tokio::spawn(async move {
                let mut times = Vec::new();
                let mut due = start + step * first;
                while due < start + TIME {
                    let is_late = Instant::now() > due;
                    sleep_until(due).await;
                    // What the timer adds, which counts in whole milliseconds, is not the server's.
                    let asked = if is_late { due } else { Instant::now() };
                    sender.ask(&body).await;
                    times.push(asked.elapsed());
                    due += step * CONNECTIONS as u32;
                }
                times
            }));
        }
        Times::of(connections, start).await
    }
}

impl Sender {
    async fn ask(&mut self, body: &Bytes) {
        let request = Request::post("https://localhost/validate?timeout=10s")
            .header("Host", "localhost")
            .header("Content-Type", "application/json")
            .body(Full::new(body.clone()))
            .expect("a request");
        let response: Response<_> = match self {
            Self::Http1(sender) => {
                sender.ready().await.expect("a connection");
                sender.send_request(request).await
            }
            Self::Http2(sender) => sender.send_request(request).await,
        }
        .expect("an answer");
        assert_eq!(response.status(), 200);
        response.into_body().collect().await.expect("all of the answer");
    }
}

/// How long reviews took, shortest first.
struct Times {
    times: Vec<Duration>,
    total: Duration,
}

impl Times {
    async fn of(connections: Vec<tokio::task::JoinHandle<Vec<Duration>>>, start: Instant) -> Self {
        let mut times = Vec::new();
        for connection in connections {
            times.extend(connection.await.expect("all is answered"));
        }
        times.sort();
        Self { times, total: start.elapsed() }
    }

    /// In milliseconds.
    fn at(&self, part: f64) -> f64 {
        let index = (self.times.len() as f64 * part) as usize;
        self.times[index.min(self.times.len() - 1)].as_secs_f64() * 1e3
    }
}

fn show(name: &str, times: Times) {
    let rate = times.times.len() as f64 / times.total.as_secs_f64();
    let [p50, p99, longest] = [0.5, 0.99, 1.0].map(|part| times.at(part));
    println!("{name:<30} {rate:>8.0}/s {p50:>7.2} ms {p99:>7.2} ms {longest:>7.2} ms");
}

fn review(pod: &Value) -> Bytes {
    let review = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "requestKind": {"group": "", "version": "v1", "kind": "Pod"},
            "requestResource": {"group": "", "version": "v1", "resource": "pods"},
            "name": "web",
            "namespace": "shop",
            "operation": "CREATE",
            "userInfo": {"username": "system:serviceaccount:kube-system:replicaset-controller", "groups": ["system:authenticated"]},
            "object": pod,
            "oldObject": null,
            "dryRun": false,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
        },
    });
    review.to_string().into()
}

/// A Pod as the API server sends it, its defaults filled in.
fn pod(privileged: bool) -> Value {
    let mut security = json!({
        "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
    });
    if privileged {
        security = json!({"privileged": true});
    }
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "web", "generateName": "web-5f7c9d8b6-", "namespace": "shop", "creationTimestamp": null,
            "labels": {"app.kubernetes.io/name": "web", "app.kubernetes.io/instance": "shop", "pod-template-hash": "5f7c9d8b6"},
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5f7c9d8b6", "controller": true,
                "uid": "6b3a0a4c-91b4-4f2c-8f0e-0d6e3f7f8a11", "blockOwnerDeletion": true,
            }],
        },
        "spec": {
            "serviceAccountName": "web", "automountServiceAccountToken": false, "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
            "enableServiceLinks": true, "preemptionPolicy": "PreemptLowerPriority", "priority": 0,
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "tolerations": [
                {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
                {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            ],
            "volumes": [
                {"name": "tmp", "emptyDir": {}},
                {"name": "config", "configMap": {"name": "web", "defaultMode": 420}},
            ],
            "containers": [{
                "name": "web",
                "image": format!("registry.example.com/web@sha256:{}", "a".repeat(64)),
                "imagePullPolicy": "IfNotPresent",
                "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
                "env": [{"name": "MODE", "value": "production"}, {"name": "PORT", "value": "8080"}],
                "securityContext": security,
                "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "64Mi"}},
                "readinessProbe": {"httpGet": {"path": "/", "port": "http", "scheme": "HTTP"}, "timeoutSeconds": 1},
                "livenessProbe": {"tcpSocket": {"port": "http"}, "timeoutSeconds": 1},
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "config", "mountPath": "/etc/web"}],
                "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            }],
        },
        "status": {},
    })
}
