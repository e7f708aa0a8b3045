//! What goes wrong while somebody waits.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use plimsoll::cluster::ready::{Reason, State, Status};
use serde_json::json;

use super::{LONG, connect, deployment, ready_deployment, wait};
use crate::server::{ADMIN, Server, USERS};

#[test]
fn what_is_deleted_meanwhile_is_not_waited_for() {
    let server = Server::shared();
    let namespace = server.namespace("ready");
    let folder = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    let cluster = connect(server.kubeconfig(ADMIN));
    let state = |object: serde_json::Value, play: &dyn Fn()| {
        let (outcome, _) = wait(&cluster, &[object], LONG, |line| {
            if line.ends_with("replicas exist") {
                play();
            }
        });
        let not_ready = outcome.unwrap_err();
        assert!(matches!(not_ready.reason, Reason::Failed));
        not_ready.objects[0].state.clone()
    };
    let gone = server.post(&folder, &deployment("gone", 1));
    assert_eq!(state(gone, &|| drop(server.delete(&format!("{folder}/gone")))), State::Gone);

    let other = server.post(&folder, &deployment("other", 1));
    let replace = || {
        server.delete(&format!("{folder}/other"));
        server.post(&folder, &deployment("other", 1));
    };
    assert_eq!(state(other, &replace), State::Gone);

    let mut held = deployment("held", 1);
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    let held = server.post(&folder, &held);
    let ends = state(held, &|| drop(server.delete(&format!("{folder}/held"))));
    assert_eq!(ends, State::Is(Status::Terminating));
    server.patch(&format!("{folder}/held"), &json!({"metadata": {"finalizers": null}}));
}

#[test]
fn a_server_that_restarts_is_waited_for() {
    let mut server = Server::start();
    let namespace = server.namespace("ready");
    let folder = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    let web = server.post(&folder, &deployment("web", 1));
    let cluster = connect(server.kubeconfig(ADMIN));
    let (outcome, lines) = wait(&cluster, &[web], LONG, |line| match line {
        "web: 0 of 1 replicas exist" => server.pause(),
        "unreachable" => {
            server.resume();
            server.patch(&format!("{folder}/web/status"), &json!({"status": ready_deployment(1)}));
        }
        _ => {}
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(lines, ["web: 0 of 1 replicas exist", "unreachable", "reachable", "web: done"]);

    // One that stays away is told at the deadline.
    let late = server.post(&folder, &deployment("late", 1));
    server.pause();
    let (outcome, lines) = wait(&cluster, &[late], Duration::from_secs(1), |_| ());
    assert!(lines.contains(&"unreachable".to_owned()), "{lines:?}");
    let text = outcome.unwrap_err().to_string();
    assert!(text.contains("late: 0 of 1 replicas exist") && text.contains("now it does not"), "{text}");
}

#[test]
fn who_may_not_look_is_told_so_soon() {
    let server = Server::shared();
    let namespace = server.namespace("ready");
    let web = server.post(&format!("/apis/apps/v1/namespaces/{namespace}/deployments"), &deployment("web", 1));
    let cluster = connect(server.kubeconfig(USERS[1]));
    let start = Instant::now();
    let (outcome, _) = wait(&cluster, &[web], LONG, |_| ());
    assert!(start.elapsed() < LONG / 2);
    let text = outcome.unwrap_err().to_string();
    assert!(text.contains("cannot list resource \"deployments\""), "{text}");
}

/// What the test below interrupts: a process of its own, as a signal concerns all of one.
#[test]
#[ignore = "`ctrl_c_ends_the_wait` runs it"]
fn the_interrupted() {
    let path = |name| std::env::var(name).expect("`ctrl_c_ends_the_wait` sets it");
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 1},
                        "metadata": {"namespace": path("READY_NAMESPACE"), "name": "web"}});
    let cluster = connect(path("READY_KUBECONFIG"));
    let (outcome, _) = wait(&cluster, &[object], LONG, |line| eprintln!("told {line}"));
    eprintln!("{}", outcome.unwrap_err());
}

#[test]
fn ctrl_c_ends_the_wait() {
    let server = Server::shared();
    let namespace = server.namespace("ready");
    server.post(&format!("/apis/apps/v1/namespaces/{namespace}/deployments"), &deployment("web", 1));
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "ready::faults::the_interrupted", "--ignored", "--nocapture"]);
    child.env("READY_KUBECONFIG", server.kubeconfig(ADMIN)).env("READY_NAMESPACE", &namespace);
    let mut child = child.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "told web: 0 of 1 replicas exist"));
    let start = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = lines.collect();
    assert!(start.elapsed() < Duration::from_secs(5), "it ended at once");
    assert!(child.wait().unwrap().success());
    let expected = format!("Deployment {namespace}/web: 0 of 1 replicas exist");
    assert!(rest.iter().any(|line| line == "1 of 1 objects is not ready yet: interrupted"), "{rest:?}");
    assert!(rest.iter().any(|line| line.trim() == expected), "{rest:?}");
}
