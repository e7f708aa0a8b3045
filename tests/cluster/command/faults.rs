//! What goes wrong before anything is changed, or in the middle: who is told what, and how it goes on.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Desk, Running, chart, ingress, line, map, says, service, set_quota};
use crate::common::root;
use crate::kubectl::kubectl;
use crate::program::wait;
use crate::server::{ADMIN, Server, free_port};

#[test]
fn what_a_quota_refuses_in_the_middle_is_applied_when_there_is_more() {
    let desk = Desk::new(Server::shared(), "half");
    // A dry run uses nothing up: each of the two would fit.
    set_quota(&desk, &json!({"count/services": "1"}), &json!({"count/services": "0"}));
    let text = map("a", "{a: '1'}") + &service("one") + &service("two") + &ingress("one");
    let run = desk.apply(&text, &[]);
    says(
        &run,
        2,
        &[
            &format!("created ConfigMap {}/a", desk.namespace),
            "exceeded quota: quota, requested: count/services=1",
            &format!("2 of 4 objects applied; not tried: Ingress {}/one", desk.namespace),
            "what was applied stays, and nothing was deleted; apply again when it is mended",
        ],
    );
    assert_eq!(desk.names("configmaps"), ["a"]);
    assert_eq!(desk.names("services").len(), 1);
    assert_eq!(desk.names("networking.k8s.io/v1/ingresses"), [""; 0]);
    assert!(!desk.is_locked());

    set_quota(&desk, &json!({"count/services": "2"}), &json!({"count/services": "1"}));
    let run = desk.apply(&text, &[]);
    says(&run, 0, &["4 objects applied: 2 created, 0 configured, 2 unchanged"]);
    assert_eq!(desk.names("services"), ["one", "two"]);
    assert_eq!(desk.names("networking.k8s.io/v1/ingresses"), ["one"]);
}

#[test]
fn what_a_quota_refuses_in_the_dry_run_changes_nothing() {
    let desk = Desk::new(Server::shared(), "quota");
    set_quota(&desk, &json!({"count/services": "0"}), &json!({"count/services": "0"}));
    let run = desk.apply(&(map("a", "{a: '1'}") + &service("one")), &[]);
    says(&run, 2, &["exceeded quota: quota", &format!("Service {}/one", desk.namespace)]);
    assert_eq!(desk.names("configmaps"), [""; 0]);
    // Nor is there a release.
    assert_eq!(desk.all("configmaps").len(), 0);
}

#[test]
fn fields_of_others_are_told_and_taken_by_force() {
    let server = Server::shared();
    let desk = Desk::new(server, "conflict");
    let theirs = map("a", "{mine: theirs, other: theirs}");
    let args = ["apply", "-n", &desk.namespace, "--server-side", "--field-manager=them", "-f", "-"];
    assert_eq!(kubectl(server, &args, &theirs).status, 0);
    let ours = "# Ours.\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  mine: ours\n";
    let run = desk.apply(ours, &[]);
    says(
        &run,
        2,
        &[
            &format!("ConfigMap {}/a: 1 field is managed by others", desk.namespace),
            "data.mine: \"theirs\" by them (Apply, ",
            "wanted \"ours\"",
            // Where it is written.
            "-:6:",
            "--force-conflicts",
        ],
    );
    assert_eq!(desk.get("configmaps", "a")["data"], json!({"mine": "theirs", "other": "theirs"}));

    says(&desk.apply(ours, &["--force-conflicts"]), 0, &["1 object applied: 0 created, 1 configured"]);
    assert_eq!(desk.get("configmaps", "a")["data"], json!({"mine": "ours", "other": "theirs"}));
}

#[test]
fn another_release_keeps_its_objects_unless_they_are_taken() {
    let desk = Desk::new(Server::shared(), "other");
    let text = map("a", "{a: '1'}");
    says(&desk.apply(&text, &[]), 0, &[]);
    let apply = |more: &[&str]| {
        let args = ["apply", "-f", "-", "--name", "another", "--yes", "--timeout", "0"];
        desk.run(root(), &[&args, more].concat(), &text)
    };
    let run = apply(&[]);
    says(&run, 2, &["belongs to the release web in the namespace", "not to the release another"]);
    says(&apply(&["--force-conflicts"]), 0, &[]);
    // The first one does not delete what is no longer its own.
    says(&desk.apply(&map("b", "{}"), &[]), 0, &[]);
    assert_eq!(desk.names("configmaps"), ["a", "b"]);
}

#[test]
fn what_is_invalid_is_told_with_the_field_and_the_template() {
    let desk = Desk::new(Server::shared(), "invalid");
    let template = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports:\n    - name: a\n      port: 80\n    - name: b\n      port: {{ .Values.port }}\n";
    let chart = chart(&[("values.yaml", "port: 0\n"), ("templates/service.yaml", template)]);
    let path = chart.path().display().to_string();
    let run = desk.run(root(), &["apply", "web", &path, "--yes", "--timeout", "0"], "");
    says(&run, 2, &["spec.ports[1].port: Invalid value: 0: must be between 1 and 65535", "templates/service.yaml:10:"]);
    assert_eq!(desk.names("services"), [""; 0]);
    let run = desk.run(root(), &["apply", "web", &path, "--yes", "--timeout", "0", "--set", "port=81"], "");
    says(&run, 0, &["1 object applied: 1 created"]);
}

#[test]
fn a_field_that_the_server_does_not_know_is_refused() {
    let desk = Desk::new(Server::shared(), "strict");
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndate: {a: '1'}\n";
    // By the schemas, and where those are not asked by the server.
    let run = desk.apply(text, &[]);
    assert_ne!(run.status, 0, "{}", run.stderr);
    let told = run.stdout + &run.stderr;
    assert!(told.contains("date"), "{told}");
    let run = desk.apply(text, &["--no-schemas"]);
    says(&run, 2, &[".date: field not declared in schema", "-:1:"]);
    assert_eq!(desk.all("configmaps").len(), 0);
}

#[test]
fn a_namespace_that_is_not_there_is_told_once_with_the_way_out() {
    let server = Server::shared();
    let namespace = format!("{}-none", server.namespace("home"));
    let desk = Desk::by(server, ADMIN, namespace);
    let text = map("a", "{}") + &map("b", "{}");
    let run = desk.apply(&text, &[]);
    let told = format!("there is no namespace {} for 2 objects", desk.namespace);
    says(&run, 2, &[&told, "--create-namespace"]);
    assert_eq!(line(&run.stderr).matches("there is no namespace").count(), 1);
    says(&desk.apply(&text, &["--create-namespace"]), 0, &["3 created"]);
    assert_eq!(desk.names("configmaps"), ["a", "b"]);
    says(&desk.apply(&text, &["--create-namespace"]), 0, &["0 created, 0 configured, 3 unchanged"]);
}

#[test]
fn nobody_is_asked_where_nobody_can_answer() {
    let desk = Desk::new(Server::shared(), "ask");
    let args = ["apply", "-f", "-", "--name", "web", "--timeout", "0"];
    let run = desk.run(root(), &args, &map("a", "{}"));
    says(&run, 2, &["nobody can be asked: standard input is no terminal", "--yes"]);
    assert!(run.stdout.contains("ConfigMap"), "{}", run.stdout);
    assert_eq!(desk.all("configmaps").len(), 0);
    // Where nothing changes there is nothing to ask.
    says(&desk.apply(&map("a", "{}"), &[]), 0, &[]);
    says(&desk.run(root(), &args, &map("a", "{}")), 0, &["1 unchanged"]);
}

/// A webhook that nobody answers for, for the ConfigMaps of a namespace.
#[test]
fn a_webhook_that_is_down_refuses_and_nothing_is_applied() {
    let server = Server::shared();
    let desk = Desk::new(server, "down");
    let folder = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    let name = format!("down-{}", desk.namespace);
    server.post(
        folder,
        &json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": [{
                "name": "down.example.com",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": desk.namespace}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["services"]}],
                "clientConfig": {"url": format!("https://127.0.0.1:{}/", free_port())},
            }],
        }),
    );
    let object = json!({"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}});
    let path = format!("{}?dryRun=All", desk.path("services"));
    let is_asked = || (server.request(ADMIN, "POST", &path, Some(&object)).status == 500).then_some(());
    wait(is_asked).expect("the webhook is known");
    let text = map("a", "{}") + &service("web");
    let run = desk.apply(&text, &[]);
    says(&run, 2, &[&format!("Service {}/web: ", desk.namespace), "failed calling webhook \"down.example.com\""]);
    assert_eq!((desk.all("configmaps").len(), desk.all("services").len()), (0, 0));
    assert_eq!(server.delete(&format!("{folder}/{name}")).status, 200);
    wait(|| (server.request(ADMIN, "POST", &path, Some(&object)).status == 201).then_some(()))
        .expect("the webhook is gone");
    says(&desk.apply(&text, &[]), 0, &["2 created"]);
}

/// The lock as somebody else holds it.
fn lease(holder: &str) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "plimsoll-web"},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 30, "renewTime": "2026-01-01T00:00:00.000000Z"},
    })
}

#[test]
fn whoever_comes_second_is_told_who_is_at_work() {
    let desk = Desk::new(Server::shared(), "second");
    let leases = desk.path("coordination.k8s.io/v1/leases");
    desk.server.post(&leases, &lease("a pipeline"));
    let run = thread::scope(|scope| {
        let child = scope.spawn(|| desk.apply(&map("a", "{}"), &[]));
        for n in 0.. {
            if child.is_finished() {
                break;
            }
            let time =
                json!({"spec": {"renewTime": format!("2026-01-01T00:{:02}:{:02}.000000Z", n / 60 % 60, n % 60)}});
            desk.server.patch(&format!("{leases}/plimsoll-web"), &time);
            thread::sleep(Duration::from_millis(300));
        }
        child.join().unwrap()
    });
    says(&run, 2, &["somebody else is at work on the release web: a pipeline", "run again when that has ended"]);
    assert_eq!(desk.all("configmaps").len(), 0);
    assert!(desk.is_locked(), "it is not ours to give back");
}

#[test]
fn what_was_changed_while_the_lock_was_waited_for_is_looked_at_anew() {
    let server = Server::shared();
    let desk = Desk::new(server, "anew");
    says(&desk.apply(&map("a", "{}"), &[]), 0, &[]);
    let label = desk.get("configmaps", "a")["metadata"]["labels"].clone();
    let leases = desk.path("coordination.k8s.io/v1/leases");
    server.post(&leases, &lease("a pipeline"));
    let text = map("a", "{}") + &map("b", "{}");
    let looks_at_lock = || {
        let log = server.audit_log();
        let events = log.lines().filter(|line| line.contains("\"verb\":\"get\"") && line.contains("\"leases\""));
        events.filter(|line| line.contains(&desk.namespace)).count()
    };
    let before = looks_at_lock();
    let run = thread::scope(|scope| {
        let child = scope.spawn(|| desk.apply(&text, &[]));
        // It has looked at everything, and finds the lock taken.
        let is_waiting = || (looks_at_lock() > before).then_some(());
        wait(is_waiting).expect("it waits");
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new", "labels": label}});
        let args = ["apply", "-n", &desk.namespace, "--server-side", "--field-manager=plimsoll", "-f", "-"];
        assert_eq!(kubectl(server, &args, &object.to_string()).status, 0);
        server.delete(&format!("{leases}/plimsoll-web"));
        child.join().unwrap()
    });
    says(&run, 2, &["the release web was changed while its lock was waited for", "apply again"]);
    assert_eq!(desk.names("configmaps"), ["a", "new"]);
    says(&desk.apply(&text, &[]), 0, &[&format!("deleting ConfigMap {}/new", desk.namespace)]);
    assert_eq!(desk.names("configmaps"), ["a", "b"]);
}

#[test]
fn two_at_once_make_nothing_twice() {
    let desk = Desk::new(Server::shared(), "both");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let text: String = (0..60).map(|n| map(&format!("a{n}"), &format!("{{by: {name}}}"))).collect();
        let path = folder.path().join(name);
        fs::write(&path, text + &map(name, "{}")).unwrap();
        path
    };
    let files = [file("one.yaml"), file("two.yaml")];
    let start = Instant::now();
    let runs = files.each_ref().map(|file| desk.begin(file)).map(Running::end);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    for run in &runs {
        if run.status != 0 {
            let told = line(&run.stderr);
            let is_known =
                ["somebody else is at work", "was changed", "has changed"].iter().any(|part| told.contains(part));
            assert!(run.status == 2 && is_known, "{told}");
        }
    }
    assert!(runs.iter().any(|run| run.status == 0), "{}{}", runs[0].stderr, runs[1].stderr);
    // All of one of the two, and nothing of the other.
    let names = desk.names("configmaps");
    assert_eq!(names.len(), 61, "{names:?}");
    let last = names.iter().find(|name| name.ends_with("yaml")).unwrap();
    for object in desk.all("configmaps").iter().filter(|object| !object["data"]["by"].is_null()) {
        assert_eq!(object["data"]["by"], **last);
    }
    assert!(!desk.is_locked());
}
