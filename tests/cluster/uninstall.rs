//! `plimsoll uninstall` as its users meet it.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::applyset::{Release, config_map, held};
use super::common::{self, Run, plimsoll};
use super::server::{ADMIN, Server};

fn uninstall(server: &Server, namespace: &str, args: &[&str]) -> Run {
    let kubeconfig = server.kubeconfig(ADMIN).display().to_string();
    let base = ["uninstall", "web", "--namespace", namespace, "--kubeconfig", &kubeconfig];
    plimsoll(common::root(), &[&base, args].concat(), "")
}

fn names(server: &Server, namespace: &str, resource: &str) -> Vec<String> {
    let found = server.get(&format!("/api/v1/namespaces/{namespace}/{resource}")).body;
    let name = |item: &serde_json::Value| item["metadata"]["name"].as_str().unwrap().to_owned();
    found["items"].as_array().unwrap().iter().map(name).collect()
}

fn has_lease(server: &Server, namespace: &str) -> bool {
    server.get(&format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/plimsoll-web")).status == 200
}

/// A release with a Service, two ConfigMaps, of which one is to be kept.
fn installed(server: &Server, namespace: &str) -> Release {
    let mut release = Release::new(server, namespace, "web");
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": namespace}, "spec": {"ports": [{"port": 80}]}});
    let mut kept = config_map(namespace, "kept");
    kept["metadata"]["annotations"] = json!({"helm.sh/resource-policy": "keep"});
    release.apply(&[service, config_map(namespace, "settings"), kept]);
    server.post(&format!("/api/v1/namespaces/{namespace}/configmaps"), &config_map(namespace, "nobodys"));
    release
}

#[test]
fn all_that_a_release_has_goes_and_nothing_else() {
    let server = Server::shared();
    let namespace = server.namespace("uninstall");
    installed(server, &namespace);
    let plan = format!(
        "to be deleted:\n  Service {namespace}/web\n  ConfigMap {namespace}/settings\n\
         to be kept:\n  ConfigMap {namespace}/kept: its annotation helm.sh/resource-policy says so\n"
    );

    let run = uninstall(server, &namespace, &["--dry-run"]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let would = format!("would delete Service {namespace}/web\nwould delete ConfigMap {namespace}/settings\n");
    assert_eq!(run.stdout, format!("{plan}{would}"));
    assert_eq!(names(server, &namespace, "services"), ["web"]);

    // Nobody can answer.
    let run = uninstall(server, &namespace, &[]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("nobody can be asked: standard input is no terminal"), "{}", run.stderr);
    assert!(run.stderr.contains("--yes"), "{}", run.stderr);
    assert_eq!(names(server, &namespace, "services"), ["web"]);
    assert!(!has_lease(server, &namespace));

    let run = uninstall(server, &namespace, &["--yes"]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    let (shown, done) = run.stdout.split_at(plan.len());
    assert_eq!(shown, plan);
    let mut done: Vec<&str> = done.lines().collect();
    assert_eq!(done.pop(), Some(format!("the release {namespace}/web is uninstalled").as_str()));
    done.sort_unstable();
    assert_eq!(done, [format!("deleted ConfigMap {namespace}/settings"), format!("deleted Service {namespace}/web")]);
    assert_eq!(names(server, &namespace, "services"), Vec::<String>::new());
    assert_eq!(names(server, &namespace, "configmaps"), ["kept", "nobodys"]);
    assert!(!has_lease(server, &namespace));

    let run = uninstall(server, &namespace, &["--yes"]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains(&format!("there is no release web in the namespace {namespace}")), "{}", run.stderr);
    let run = uninstall(server, &namespace, &["--yes", "--ignore-not-found"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
}

#[test]
fn what_waits_for_a_finalizer_is_told_and_gone_on_with() {
    let server = Server::shared();
    let namespace = server.namespace("uninstall-held");
    let mut release = installed(server, &namespace);
    let mut held = config_map(&namespace, "held");
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    release.apply(&[held]);
    let run = uninstall(server, &namespace, &["--yes", "--timeout", "1s"]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains(&format!("ConfigMap {namespace}/held")), "{}", run.stderr);
    assert!(run.stderr.contains("example.com/hold"), "{}", run.stderr);
    assert_eq!(names(server, &namespace, "configmaps"), ["held", "kept", "nobodys", "plimsoll-web"]);
    assert!(!has_lease(server, &namespace), "given back on failure");

    let path = format!("/api/v1/namespaces/{namespace}/configmaps/held");
    server.patch(&path, &json!({"metadata": {"finalizers": []}}));
    let run = uninstall(server, &namespace, &["--yes"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(names(server, &namespace, "configmaps"), ["kept", "nobodys"]);
}

#[cfg(unix)]
#[test]
fn what_was_interrupted_is_taken_up_again() {
    let server = Server::shared();
    let namespace = server.namespace("uninstall-interrupted");
    let mut release = installed(server, &namespace);
    // Custom resources go first, and others wait for them.
    let slice = held(&namespace);
    release.apply(&[slice]);
    let child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["uninstall", "web", "--yes", "--namespace", &namespace, "--kubeconfig"])
        .arg(server.kubeconfig(ADMIN))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let path = format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices/held");
    let start = Instant::now();
    while server.get(&path).body["metadata"]["deletionTimestamp"].is_null() {
        assert!(start.elapsed() < Duration::from_secs(20));
        thread::sleep(Duration::from_millis(50));
    }
    assert!(has_lease(server, &namespace));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("interrupted") && stderr.contains("2 objects are as before"), "{stderr}");
    assert!(!has_lease(server, &namespace), "given back after Ctrl-C");
    assert_eq!(names(server, &namespace, "services"), ["web"]);

    server.patch(&path, &json!({"metadata": {"finalizers": []}}));
    let run = uninstall(server, &namespace, &["--yes"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(names(server, &namespace, "configmaps"), ["kept", "nobodys"]);
    assert_eq!(names(server, &namespace, "services"), Vec::<String>::new());
}

#[test]
fn while_somebody_else_is_at_work_nothing_is_deleted() {
    let server = Server::shared();
    let namespace = server.namespace("uninstall-locked");
    let release = installed(server, &namespace);
    let _lock = release.lock().unwrap();
    let run = uninstall(server, &namespace, &["--yes"]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("somebody else is at work on the release web: admin, plimsoll v"), "{}", run.stderr);
    assert_eq!(names(server, &namespace, "services"), ["web"]);
}

#[test]
fn what_may_not_be_deleted_is_told_and_the_rest_goes() {
    let server = Server::shared();
    let namespace = server.namespace("uninstall-forbidden");
    installed(server, &namespace);
    let user = "bob";
    let (core, leases) = ([""].as_slice(), ["coordination.k8s.io"].as_slice());
    server.allow(user, Some(&namespace), core, &["configmaps", "services"], &["get", "list"]);
    server.allow(user, Some(&namespace), core, &["configmaps"], &["delete"]);
    server.allow(user, Some(&namespace), leases, &["leases"], &["get", "create", "update", "delete"]);
    let kubeconfig = server.kubeconfig(user).display().to_string();
    let args = ["uninstall", "web", "--yes", "--namespace", &namespace, "--kubeconfig", &kubeconfig];
    let start = Instant::now();
    // A role takes a moment to count.
    let run = loop {
        let run = plimsoll(common::root(), &args, "");
        if run.stdout.contains("deleted") || start.elapsed() > Duration::from_secs(10) {
            break run;
        }
    };
    assert_eq!(run.status, 2);
    let told = format!("Service {namespace}/web could not be deleted: services \"web\" is forbidden");
    assert!(run.stderr.contains(&told), "{}", run.stderr);
    assert_eq!(names(server, &namespace, "configmaps"), ["kept", "nobodys", "plimsoll-web"]);
    assert_eq!(names(server, &namespace, "services"), ["web"]);
}
