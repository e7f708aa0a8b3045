//! `plimsoll apply` and its kin as their users meet them: what is printed, the exit status, and what is in the cluster then.

mod broken;
mod faults;
mod newcomer;
mod rights;
mod slipped;
mod whole;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::common::{Run, folder, plimsoll, root};
use crate::server::{ADMIN, Server};

/// Somebody who runs the program for a namespace.
struct Desk<'a> {
    server: &'a Server,
    kubeconfig: String,
    namespace: String,
}

/// One policy, so that manifests can be short.
const RULES: [&str; 1] = ["--policy=pod-security/privileged"];

impl<'a> Desk<'a> {
    fn new(server: &'a Server, prefix: &str) -> Self {
        Self::by(server, ADMIN, server.namespace(prefix))
    }

    fn by(server: &'a Server, user: &str, namespace: String) -> Self {
        Self { server, kubeconfig: server.kubeconfig(user).display().to_string(), namespace }
    }

    fn arguments<'s>(&'s self, args: &[&'s str]) -> Vec<&'s str> {
        let rules = if args[0] == "uninstall" { &[][..] } else { &RULES };
        [args, &["-n", &self.namespace, "--kubeconfig", &self.kubeconfig], rules].concat()
    }

    fn run(&self, folder: &Path, args: &[&str], stdin: &str) -> Run {
        plimsoll(folder, &self.arguments(args), stdin)
    }

    /// Applies manifests as the release `web`, and does not wait.
    fn apply(&self, manifests: &str, more: &[&str]) -> Run {
        let args = ["apply", "-f", "-", "--name", "web", "--yes", "--timeout", "0"];
        self.run(root(), &[&args, more].concat(), manifests)
    }

    /// The same, in a process of its own.
    fn begin(&self, manifests: &Path) -> Running {
        let file = manifests.display().to_string();
        let args = ["apply", "-f", &file, "--name", "web", "--yes", "--timeout", "0"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        // Into files: nobody reads while it runs.
        let [stdout, stderr] = [(); 2].map(|()| tempfile::NamedTempFile::new().unwrap());
        command.stdin(Stdio::null()).stdout(stdout.reopen().unwrap()).stderr(stderr.reopen().unwrap());
        Running { child: command.args(self.arguments(&args)).spawn().unwrap(), stdout, stderr }
    }

    /// The path of a kind of objects: `configmaps`, `apps/v1/deployments`.
    fn path(&self, resource: &str) -> String {
        let (prefix, plural) = match resource.rsplit_once('/') {
            Some((version, plural)) => (format!("/apis/{version}"), plural),
            None => ("/api/v1".to_owned(), resource),
        };
        format!("{prefix}/namespaces/{}/{plural}", self.namespace)
    }

    fn all(&self, resource: &str) -> Vec<Value> {
        let found = self.server.get(&self.path(resource)).body;
        found["items"].as_array().unwrap_or_else(|| panic!("{found}")).clone()
    }

    /// The names of the objects of a kind, but for the parent of the release.
    fn names(&self, resource: &str) -> Vec<String> {
        let objects = self.all(resource);
        let names = objects.iter().map(|object| object["metadata"]["name"].as_str().unwrap().to_owned());
        names.filter(|name| !name.starts_with("plimsoll-")).collect()
    }

    /// Whether somebody holds the lock of a release.
    fn is_locked(&self) -> bool {
        !self.all("coordination.k8s.io/v1/leases").is_empty()
    }

    fn get(&self, resource: &str, name: &str) -> Value {
        self.server.get(&format!("{}/{name}", self.path(resource))).body
    }
}

/// A process that is under way.
struct Running {
    child: Child,
    stdout: tempfile::NamedTempFile,
    stderr: tempfile::NamedTempFile,
}

impl Running {
    /// What it came to.
    fn end(mut self) -> Run {
        let status = self.child.wait().unwrap().code().unwrap();
        let text = |file: &tempfile::NamedTempFile| fs::read_to_string(file.path()).unwrap();
        Run { status, stdout: text(&self.stdout), stderr: text(&self.stderr) }
    }
}

/// The lines of an error as one: where they are broken depends on the names in them.
fn line(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| !matches!(*word, "│" | "·"));
    words.collect::<Vec<_>>().join(" ")
}

/// Makes sure of the exit status, and that all this is said.
#[track_caller]
fn says(run: &Run, status: i32, parts: &[&str]) {
    let text = line(&format!("{} {}", run.stdout, run.stderr));
    assert_eq!(run.status, status, "{}{}", run.stdout, run.stderr);
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

fn map(name: &str, data: &str) -> String {
    format!("---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {data}}}\n")
}

fn maps(count: usize) -> String {
    (0..count).map(|n| map(&format!("a{n}"), &format!("{{n: '{n}'}}"))).collect()
}

fn service(name: &str) -> String {
    format!("---\n{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{ports: [{{port: 80}}]}}}}\n")
}

fn ingress(name: &str) -> String {
    let backend = format!("{{service: {{name: {name}, port: {{number: 80}}}}}}");
    format!(
        "---\n{{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {{name: {name}}}, spec: {{defaultBackend: {backend}}}}}\n"
    )
}

fn deployment(name: &str) -> String {
    format!(
        "---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: web, image: 'registry.example.com/web:1'}}]}}
"
    )
}

/// Lets a namespace have so many objects of some kinds; there is no controller that would count them.
fn set_quota(desk: &Desk<'_>, hard: &Value, used: &Value) {
    let path = format!("{}/quota", desk.path("resourcequotas"));
    let object =
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "quota"}, "spec": {"hard": hard}});
    if desk.server.get(&path).status == 404 {
        desk.server.post(&desk.path("resourcequotas"), &object);
    }
    desk.server.patch(&path, &json!({"spec": {"hard": hard}}));
    desk.server.patch(&format!("{path}/status"), &json!({"status": {"hard": hard, "used": used}}));
}

/// A chart of some templates and CRDs.
fn chart(files: &[(&str, &str)]) -> tempfile::TempDir {
    folder(&[&[("Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n")], files].concat())
}
