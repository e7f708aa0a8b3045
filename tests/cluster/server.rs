//! A real API server on loopback, with etcd behind it and certificates that are thrown away.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rcgen::KeyPair;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::authority::Authority;

/// May do everything; the others nothing that no role allows them.
pub const ADMIN: &str = "admin";
/// Users without any role, each with their name as token.
pub const USERS: [&str; 3] = ["alice", "bob", "carol"];

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running API server; it ends with this, or with the process that made it.
pub struct Server {
    folder: TempDir,
    agent: ureq::Agent,
    etcd: String,
    port: u16,
    _store: Process,
    api: Option<Process>,
}

/// An answer of the server.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub warnings: Vec<String>,
}

/// A program that ends when its standard input is closed: then also if this process is killed.
struct Process(Child);

impl Server {
    /// The one that tests share: each works in a namespace of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// One of its own, for a test that stops it or sets what concerns all.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let (certificate, key) = authority.sign(&["127.0.0.1", "localhost"]);
        let account = KeyPair::generate().unwrap();
        let users = USERS.map(|user| format!("{user},{user},{user}\n")).concat();
        for (name, text) in [
            ("ca.crt", authority.pem.as_str()),
            ("tls.crt", &certificate),
            ("tls.key", &key),
            ("account.key", &account.serialize_pem()),
            ("account.pub", &account.public_key_pem()),
            ("tokens.csv", &format!("{ADMIN},{ADMIN},{ADMIN},\"system:masters\"\n{users}")),
            ("audit.yaml", "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n"),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let (client, peer) = (free_port(), free_port());
        let etcd = format!("http://127.0.0.1:{client}");
        let mut store = Command::new(programs().join("etcd"));
        store
            .arg(format!("--data-dir={}", folder.path().join("etcd").display()))
            .args([format!("--listen-client-urls={etcd}"), format!("--advertise-client-urls={etcd}")])
            .arg(format!("--listen-peer-urls=http://127.0.0.1:{peer}"))
            .args(["--unsafe-no-fsync", "--log-level=error"]);
        let root = ureq::tls::Certificate::from_pem(authority.pem.as_bytes()).unwrap();
        let tls = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::from([root])).build();
        let agent = ureq::Agent::config_builder().tls_config(tls).http_status_as_error(false).proxy(None).build();
        let mut server = Self {
            _store: Process::spawn(&store, &folder.path().join("etcd.log")),
            folder,
            agent: agent.into(),
            etcd,
            port: free_port(),
            api: None,
        };
        server.resume();
        server
    }

    /// Stops the API server at once; what it has stored stays.
    pub fn pause(&mut self) {
        self.api = None;
    }

    /// Starts the API server at the same address, and waits until it is ready.
    pub fn resume(&mut self) {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        let mut command = Command::new(programs().join("kube-apiserver"));
        command
            .args(["--bind-address=127.0.0.1", "--authorization-mode=RBAC", "--allow-privileged"])
            .arg(format!("--secure-port={}", self.port))
            .arg(format!("--etcd-servers={}", self.etcd))
            // There is no controller that makes the accounts that Pods would be given.
            .args(["--disable-admission-plugins=ServiceAccount", "--service-cluster-ip-range=10.0.0.0/24"])
            .args(["--service-account-issuer=https://127.0.0.1", "--endpoint-reconciler-type=none"])
            .arg(format!("--service-account-key-file={}", file("account.pub")))
            .arg(format!("--service-account-signing-key-file={}", file("account.key")))
            .arg(format!("--tls-cert-file={}", file("tls.crt")))
            .arg(format!("--tls-private-key-file={}", file("tls.key")))
            .arg(format!("--token-auth-file={}", file("tokens.csv")))
            .arg(format!("--audit-policy-file={}", file("audit.yaml")))
            .arg(format!("--audit-log-path={}", file("audit.log")));
        self.api = Some(Process::spawn(&command, &self.folder.path().join("kube-apiserver.log")));
        let start = Instant::now();
        while self.try_request(ADMIN, "GET", "/readyz", None).is_none_or(|answer| answer.status != 200) {
            if start.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.path().join("kube-apiserver.log")).unwrap_or_default();
                panic!("the API server is not ready after {PATIENCE:?}:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        // Ready before the namespace `default` is made.
        while self.get("/api/v1/namespaces/default").status != 200 {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// `https://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The certificate of its authority, as PEM.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// What it wrote into its audit log so far, a JSON object a line.
    pub fn audit_log(&self) -> String {
        fs::read_to_string(self.folder.path().join("audit.log")).unwrap_or_default()
    }

    /// A kubeconfig for a user, whose context is called `test`.
    pub fn kubeconfig(&self, user: &str) -> PathBuf {
        self.kubeconfig_to(user, &self.url())
    }

    /// The same for another address: of a proxy in between, or of nobody.
    pub fn kubeconfig_to(&self, user: &str, url: &str) -> PathBuf {
        let name = format!("{user}-{}.kubeconfig", url.rsplit(':').next().unwrap_or_default());
        let path = self.folder.path().join(name);
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority": self.authority()}}],
            "users": [{"name": user, "user": {"token": user}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
        });
        // Whole at once: another test may read it now.
        let draft = tempfile::NamedTempFile::new_in(self.folder.path()).unwrap();
        fs::write(draft.path(), config.to_string()).unwrap();
        draft.persist(&path).unwrap();
        path
    }

    /// Makes a namespace that no other test uses: its name begins as given.
    pub fn namespace(&self, prefix: &str) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let name = format!("{prefix}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.post("/api/v1/namespaces", &object);
        name
    }

    /// Lets a user do something in a namespace, or with none everywhere.
    pub fn allow(&self, user: &str, namespace: Option<&str>, groups: &[&str], resources: &[&str], verbs: &[&str]) {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let name = format!("{user}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let (prefix, folder) = match namespace {
            Some(namespace) => ("", format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}")),
            None => ("Cluster", "/apis/rbac.authorization.k8s.io/v1".to_owned()),
        };
        let role = format!("{prefix}Role");
        let rules = json!([{"apiGroups": groups, "resources": resources, "verbs": verbs}]);
        let head = |kind: &str| json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name}});
        let mut object = head(&role);
        object["rules"] = rules;
        self.post(&format!("{folder}/{}s", role.to_lowercase()), &object);
        let mut binding = head(&format!("{role}Binding"));
        binding["roleRef"] = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": name});
        binding["subjects"] = json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]);
        self.post(&format!("{folder}/{}bindings", role.to_lowercase()), &binding);
    }

    /// Reads something as the administrator.
    pub fn get(&self, path: &str) -> Answer {
        self.request(ADMIN, "GET", path, None)
    }

    /// Creates something as the administrator, who must succeed.
    pub fn post(&self, path: &str, object: &Value) -> Value {
        let answer = self.request(ADMIN, "POST", path, Some(object));
        assert!(answer.status < 300, "POST {path}: {answer:?}");
        answer.body
    }

    /// Changes something by a merge patch as the administrator, who must succeed: of a status too
    /// (`…/deployments/web/status`).
    pub fn patch(&self, path: &str, patch: &Value) -> Value {
        let answer = self.request(ADMIN, "PATCH", path, Some(patch));
        assert!(answer.status < 300, "PATCH {path}: {answer:?}");
        answer.body
    }

    /// Deletes something as the administrator.
    pub fn delete(&self, path: &str) -> Answer {
        self.request(ADMIN, "DELETE", path, None)
    }

    /// Makes a request as a user.
    pub fn request(&self, user: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.try_request(user, method, path, body).unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    fn try_request(&self, user: &str, method: &str, path: &str, body: Option<&Value>) -> Option<Answer> {
        let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url()))
            .header("Authorization", format!("Bearer {user}"))
            .header("Content-Type", kind)
            .body(body.map(Value::to_string).unwrap_or_default())
            .unwrap();
        let mut response = self.agent.run(request).ok()?;
        let text = response.body_mut().read_to_string().ok()?;
        let warnings = response.headers().get_all("warning").iter();
        Some(Answer {
            status: response.status().as_u16(),
            warnings: warnings.map(|warning| warning.to_str().unwrap().to_owned()).collect(),
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        })
    }
}

impl Process {
    fn spawn(command: &Command, log: &Path) -> Self {
        let log = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let script = r#""$@" </dev/null & program=$!; cat >/dev/null; kill -9 $program; wait $program 2>/dev/null"#;
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh"]).arg(command.get_program()).args(command.get_args());
        let shell = shell.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
        Self(shell.spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Where tests/cluster/run.sh has put the programs.
fn programs() -> PathBuf {
    let folder = std::env::var_os("PLIMSOLL_TEST_CLUSTER");
    PathBuf::from(folder.expect("these tests need a real API server: run tests/cluster/run.sh, which builds one"))
}

/// A port of loopback that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
