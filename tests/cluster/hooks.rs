//! Hooks run as Helm runs them: by weight, to their end, and deleted when their policies say so.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use plimsoll::cluster::{Hook, HookEvent, HookFailure, hooks, ready, run_hooks};
use plimsoll::manifest::{self, Manifest};
use plimsoll::source::SourceFile;
use serde_json::json;

use crate::applying::Applying;
use crate::server::Server;

const TEMPLATE: &str = "template: {spec: {restartPolicy: Never, containers: [{name: a, image: 'a:1'}]}}";

fn job(name: &str, annotations: &str) -> String {
    format!(
        "---\n{{apiVersion: batch/v1, kind: Job, metadata: {{name: {name}, annotations: {{{annotations}}}}}, spec: \
         {{{TEMPLATE}}}}}\n"
    )
}

/// Plays the controller: each Job of a namespace comes to its end, those called `bad` to a bad one.
fn run_jobs(server: &Server, namespace: &str) {
    let now = "2026-01-01T00:00:00Z";
    let folder = format!("/apis/batch/v1/namespaces/{namespace}/jobs");
    for job in server.get(&folder).body["items"].as_array().into_iter().flatten() {
        let name = job["metadata"]["name"].as_str().unwrap();
        if !job["status"]["conditions"].is_null() {
            continue;
        }
        let condition = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": now, "reason": "r"});
        let status = if name.starts_with("bad") {
            json!({"startTime": now, "failed": 1, "conditions": [condition("FailureTarget"), condition("Failed")]})
        } else {
            let conditions = [condition("SuccessCriteriaMet"), condition("Complete")];
            json!({"startTime": now, "completionTime": now, "succeeded": 1, "conditions": conditions})
        };
        // It may be deleted meanwhile.
        server.request("admin", "PATCH", &format!("{folder}/{name}/status"), Some(&json!({"status": status})));
    }
}

fn hooks_of(applying: &Applying, text: &str) -> Vec<Hook> {
    let manifests = manifest::read([(SourceFile::new("all.yaml", text), None)]).unwrap();
    let manifests: Vec<&Manifest> = manifests.iter().collect();
    hooks(&manifests, &applying.cluster.api().resources(), &applying.namespace).unwrap()
}

/// Runs the hooks of an event and tells which began, and which failed of what.
fn run(server: &Server, applying: &Applying, text: &str, event: &str) -> Vec<String> {
    let all = hooks_of(applying, text);
    let waiting =
        ready::Options { timeout: Duration::from_secs(20), interval: Duration::from_millis(50), labels: String::new() };
    let mut told = Vec::new();
    let is_over = AtomicBool::new(false);
    let outcome = thread::scope(|scope| {
        scope.spawn(|| {
            let start = Instant::now();
            while !is_over.load(Ordering::Relaxed) && start.elapsed() < Duration::from_secs(60) {
                run_jobs(server, &applying.namespace);
                thread::sleep(Duration::from_millis(20));
            }
        });
        let check = async |hook: &Hook, seen: &plimsoll::cluster::DryRun| {
            let name = seen.stored().unwrap().at(["metadata", "name"]).unwrap().as_str().unwrap();
            assert_eq!(name, hook.wanted.reference.name);
            if name == "unsafe" { Err("unsafe".to_owned()) } else { Ok(()) }
        };
        let mut progress = |event: HookEvent<'_>| {
            if let HookEvent::Runs(hook) = event {
                told.push(hook.wanted.reference.name.clone());
            }
        };
        let work = run_hooks(applying.cluster.api(), &all, event, applying.options, &waiting, check, &mut progress);
        let outcome = applying.cluster.run(work);
        is_over.store(true, Ordering::Relaxed);
        outcome
    });
    told.extend(outcome.err().map(|(hook, failure)| {
        let why = match failure {
            HookFailure::Refused(why) => format!("refused: {why}"),
            HookFailure::NotDone(why) => format!("not done: {}", why.objects[0].state),
            other => format!("{other:?}"),
        };
        format!("{}: {why}", hook.wanted.reference.name)
    }));
    told
}

fn jobs(server: &Server, namespace: &str) -> Vec<(String, String)> {
    let list = server.get(&format!("/apis/batch/v1/namespaces/{namespace}/jobs")).body;
    let text = |job: &serde_json::Value, field: &str| job["metadata"][field].as_str().unwrap().to_owned();
    list["items"].as_array().unwrap().iter().map(|job| (text(job, "name"), text(job, "uid"))).collect()
}

#[test]
fn hooks_run_by_weight_to_their_end_and_again_anew() {
    let server = Server::shared();
    let namespace = server.namespace("hooks");
    let applying = Applying::new(server, &namespace);
    let pre = "helm.sh/hook: 'pre-install,pre-upgrade'";
    let text = [
        job("late", &format!("{pre}, helm.sh/hook-weight: '5'")),
        job("b", pre),
        job("a", &format!("{pre}, helm.sh/hook-delete-policy: 'before-hook-creation,hook-succeeded'")),
        job("post", "helm.sh/hook: post-install"),
        job("tested", "helm.sh/hook: test"),
        format!(
            "---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: early, annotations: {{{pre}, helm.sh/hook-weight: \
             '-1'}}}}}}\n"
        ),
    ]
    .concat();
    assert_eq!(run(server, &applying, &text, "pre-install"), ["early", "a", "b", "late"]);
    let first = jobs(server, &namespace);
    assert_eq!(first.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["b", "late"]);
    assert_eq!(run(server, &applying, &text, "pre-upgrade"), ["early", "a", "b", "late"]);
    let second = jobs(server, &namespace);
    assert_eq!(second.len(), 2);
    assert!(first.iter().zip(&second).all(|(first, second)| first.1 != second.1));
    assert_eq!(run(server, &applying, &text, "post-install"), ["post"]);
}

#[test]
fn a_hook_that_fails_ends_it_and_is_deleted_if_its_policy_says_so() {
    let server = Server::shared();
    let namespace = server.namespace("badhooks");
    let applying = Applying::new(server, &namespace);
    let hook = |policies: &str| format!("helm.sh/hook: pre-install, helm.sh/hook-delete-policy: '{policies}'");
    let text =
        [job("a", &hook("hook-succeeded")), job("bad", &hook("hook-failed")), job("never", &hook("hook-failed"))]
            .concat();
    let told = run(server, &applying, &text, "pre-install");
    assert_eq!(told[..2], ["a", "bad"]);
    assert!(told[2].starts_with("bad: not done: "), "{told:?}");
    assert_eq!(told.len(), 3);
    assert!(jobs(server, &namespace).is_empty());

    // What is refused is not made.
    let text = job("unsafe", &hook("before-hook-creation"));
    assert_eq!(run(server, &applying, &text, "pre-install"), ["unsafe", "unsafe: refused: unsafe"]);
    assert!(jobs(server, &namespace).is_empty());
}

#[test]
fn names_that_the_server_makes_up_are_new_every_time() {
    let server = Server::shared();
    let namespace = server.namespace("generated");
    let applying = Applying::new(server, &namespace);
    let text = job("x", "helm.sh/hook: pre-install").replace("name: x,", "generateName: x-,");
    for _ in 0..2 {
        assert_eq!(run(server, &applying, &text, "pre-install"), ["x-"]);
    }
    assert_eq!(jobs(server, &namespace).len(), 2);
}
