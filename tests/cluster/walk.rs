//! docs/cluster.md, walked from top to bottom: what it says to type is typed, in its order, by somebody with a cluster.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::chart::{Serve, end_pods, play_pods};
use crate::common::{root, shop};
use crate::kubectl;
use crate::server::{ADMIN, Server};

/// What a line begins with that needs more than an API server.
const SKIPPED: [&str; 1] = ["podman "];

/// `plimsoll` as it is typed there: nobody answers questions here, and no kubelet makes anything ready.
const PLIMSOLL: &str = r#"#!/bin/sh
case "$1" in
apply) set -- "$@" --yes --timeout 0 ;;
uninstall) set -- "$@" --yes ;;
esac
exec "$PLIMSOLL" "$@"
"#;

/// `kubectl`: nobody ends namespaces here.
const KUBECTL: &str = r#"#!/bin/sh
case "$1 $2" in
"delete namespace") set -- "$@" --wait=false ;;
esac
exec "$KUBECTL" "$@"
"#;

/// What the page takes for granted that one has.
const FILES: [(&str, &str); 6] = [
    ("prod.yaml", "replicas: 3\n"),
    ("manifests/settings.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {level: info}\n"),
    ("webhook.yaml", "policies: {profiles: [default]}\n"),
    (
        "debug.yaml",
        "apiVersion: v1
kind: Pod
metadata: {name: debug}
spec:
  hostNetwork: true
  containers:
    - name: debug
      image: registry.example.com/debug:1
      resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 16Mi}}
",
    ),
    (
        "policies/teams/label.yaml",
        "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: label
  annotations:
    plimsoll.dev/title: Namespaces have a team
    plimsoll.dev/severity: warning
    plimsoll.dev/description: Somebody has to be asked.
    plimsoll.dev/remediation: Add the label.
spec:
  matchConstraints:
    resourceRules:
      - {apiGroups: [''], apiVersions: ['*'], operations: [CREATE], resources: [namespaces]}
  validations:
    - expression: has(object.metadata.labels) && 'team' in object.metadata.labels
      message: the namespace has no team
",
    ),
    (
        "review.json",
        r#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
  "uid": "1", "operation": "CREATE", "kind": {"group": "", "version": "v1", "kind": "ConfigMap"},
  "resource": {"group": "", "version": "v1", "resource": "configmaps"}, "namespace": "shop", "name": "a",
  "userInfo": {"username": "alice"},
  "object": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}}}}"#,
    ),
];

/// A block of the page.
struct Block<'a> {
    language: &'a str,
    /// The line where it begins.
    line: usize,
    text: String,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for (index, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some(Block { language, line: index + 1, text: String::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => writeln!(block.text, "{line}").unwrap(),
            (None, None) => {}
        }
    }
    blocks
}

/// Somebody who reads the page.
struct Walker<'a> {
    server: &'a Server,
    folder: &'a Path,
}

impl Walker<'_> {
    /// Runs what a block says to type; returns its status, and what is seen.
    fn types(&self, script: &str) -> (i32, String) {
        let path = std::env::var("PATH").unwrap();
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &format!("exec 2>&1\n{script}")])
            .current_dir(self.folder)
            .env("PATH", format!("{}:{path}", self.folder.join("bin").display()))
            .env("PLIMSOLL", env!("CARGO_BIN_EXE_plimsoll"))
            .env("KUBECTL", kubectl::program())
            .env("KUBECONFIG", self.folder.join("ci.kubeconfig"))
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn sees(&self, block: &Block<'_>) {
        let (command, wanted) = block.text.strip_prefix("$ ").and_then(|text| text.split_once('\n')).unwrap();
        let (_, seen) = self.types(command);
        assert_eq!(seen, wanted, "docs/cluster.md:{}", block.line);
    }

    /// Plays the Pods of the chart, until the API server has found them.
    fn plays_pods(&self, files: &Path) -> Serve {
        let pods = play_pods(self.server, files);
        let begun = Instant::now();
        loop {
            let (_, seen) = self.types("kubectl apply -f debug.yaml --dry-run=server || true");
            if seen.contains("denied the request") {
                return pods;
            }
            let log = || fs::read_to_string(files.join("log")).unwrap();
            assert!(begun.elapsed() < Duration::from_secs(30), "{seen}{}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn the_page_says_what_can_be_done() {
    let server = Server::start();
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    for (name, text) in FILES {
        fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        fs::write(folder.join(name), text).unwrap();
    }
    for (name, text) in [("plimsoll", PLIMSOLL), ("kubectl", KUBECTL)] {
        let path = folder.join("bin").join(name);
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    shop::copy(&root().join("tests/fixtures/gate/shop/charts/web"), &folder.join("charts/web"));
    symlink(root().join("charts/plimsoll"), folder.join("charts/plimsoll")).unwrap();
    symlink("charts/web", folder.join("my-chart")).unwrap();
    fs::copy(server.kubeconfig(ADMIN), folder.join("ci.kubeconfig")).unwrap();
    let walker = Walker { server: &server, folder };
    let (status, seen) = walker.types(
        "kubectl config set-context production --kubeconfig ci.kubeconfig \
         --cluster \"$(kubectl config view -o jsonpath='{.contexts[0].context.cluster}')\" \
         --user \"$(kubectl config view -o jsonpath='{.contexts[0].context.user}')\"",
    );
    assert_eq!(status, 0, "{seen}");

    let page = fs::read_to_string(root().join("docs/cluster.md")).unwrap();
    let files = tempfile::tempdir().unwrap();
    let mut pods = None;
    let mut typed = 0;
    for block in blocks(&page) {
        match block.language {
            "sh" if block.text.lines().all(|line| SKIPPED.iter().any(|start| line.starts_with(start))) => {}
            "sh" => {
                let is_chart = block.text.contains("plimsoll charts/plimsoll");
                if let Some(pods) = pods.take_if(|_| is_chart || block.text.contains("plimsoll uninstall plimsoll")) {
                    end_pods(walker.server, pods);
                }
                let (status, seen) = walker.types(&block.text);
                assert_eq!(status, 0, "docs/cluster.md:{}:\n{}{seen}", block.line, block.text);
                if is_chart {
                    pods = Some(walker.plays_pods(files.path()));
                }
                typed += 1;
            }
            "console" => walker.sees(&block),
            "yaml" if block.text.starts_with("apiVersion:") => {
                fs::write(folder.join("object.yaml"), &block.text).unwrap();
                let (status, seen) = walker.types("kubectl apply -f object.yaml");
                assert_eq!(status, 0, "docs/cluster.md:{}: {seen}", block.line);
            }
            "yaml" => fs::write(folder.join("values.yaml"), &block.text).unwrap(),
            other => panic!("docs/cluster.md:{}: what is to be done with {other}?", block.line),
        }
    }
    assert!(typed >= 9, "{typed} blocks");
    let left = walker.types("kubectl get validatingwebhookconfigurations -o name").1;
    assert_eq!(left, "", "what was installed is gone");
}
