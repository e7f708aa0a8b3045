//! A release from its first apply to its end: CRDs, hooks, what changes, what goes, and what is waited for.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Desk, chart, deployment, map, says, set_quota};
use crate::apply::definition;
use crate::common::{Run, folder, root};
use crate::program::wait;
use crate::server::{ADMIN, Server};

/// What the group of a test is called: CRDs are the whole server's.
fn files(group: &str) -> Vec<(&'static str, String)> {
    let crd = definition(group, "size: {type: integer}");
    let hook = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: hook\n  annotations: {helm.sh/hook: 'pre-install,pre-upgrade', helm.sh/hook-delete-policy: before-hook-creation}\ndata: {when: '{{ ternary \"upgrade\" \"install\" .Release.IsUpgrade }}'}\n";
    let values = "{{ if .Values.extra }}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: extra}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: kept, annotations: {helm.sh/resource-policy: keep}}}\n{{ end }}\n";
    vec![
        ("crds/widget.yaml", crd),
        ("values.yaml", "extra: true\nsize: 1\npassword: hunter2-hunter2\n".to_owned()),
        (
            "templates/widget.yaml",
            format!(
                "apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: a}}\nspec: {{size: {{{{ .Values.size }}}}}}\n"
            ),
        ),
        ("templates/hook.yaml", hook.to_owned()),
        ("templates/extra.yaml", values.to_owned()),
        (
            "templates/secret.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {password: '{{ .Values.password }}'}\n"
                .to_owned(),
        ),
        ("templates/account.yaml", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\n".to_owned()),
    ]
}

/// A chart's release, and all that was ever printed of it.
struct Release<'a> {
    desk: Desk<'a>,
    chart: tempfile::TempDir,
    group: String,
    printed: String,
}

impl Release<'_> {
    fn run(&mut self, command: &[&str], more: &[&str]) -> Run {
        let chart = self.chart.path().display().to_string();
        let run = self.desk.run(root(), &[command, &["web", &chart], more].concat(), "");
        self.printed += &(run.stdout.clone() + &run.stderr);
        run
    }

    fn apply(&mut self, more: &[&str]) -> Run {
        self.run(&["apply", "--create-namespace", "--yes", "--timeout", "0"], more)
    }

    /// What there is, with the versions.
    fn versions(&self) -> BTreeMap<String, String> {
        let widgets = format!("{}/v1/widgets", self.group);
        let kinds = ["configmaps", "secrets", "serviceaccounts", &widgets];
        let mut found = BTreeMap::new();
        for kind in kinds {
            for object in self.desk.all(kind) {
                let text = |key: &str| object["metadata"][key].as_str().unwrap().to_owned();
                // What runs at each apply is made anew.
                if text("name") != "hook" {
                    found.insert(format!("{kind}/{}", text("name")), text("resourceVersion"));
                }
            }
        }
        found
    }
}

#[test]
fn a_chart_with_its_crds_hooks_and_namespace_comes_changes_and_goes() {
    let server = Server::shared();
    let prefix = server.namespace("whole");
    let group = format!("{prefix}.example.com");
    let files = files(&group);
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let desk = Desk::by(server, ADMIN, format!("{prefix}-shop"));
    let mut release = Release { desk, chart: chart(&files), group, printed: String::new() };

    // Nothing is there yet, and a look changes nothing.
    let run = release.run(&["apply", "--create-namespace", "--dry-run"], &[]);
    says(&run, 0, &[]);
    assert_eq!(server.get(&format!("/api/v1/namespaces/{}", release.desk.namespace)).status, 404);
    let run = release.apply(&[]);
    says(
        &run,
        0,
        &[
            "created CustomResourceDefinition",
            &format!("created Widget {}/a", release.desk.namespace),
            " created, 0 configured, 0 unchanged",
        ],
    );
    assert_eq!(release.desk.names("configmaps"), ["extra", "hook", "kept"]);
    assert_eq!(release.desk.get("configmaps", "hook")["data"]["when"], "install");
    assert_eq!(release.desk.get(&format!("{}/v1/widgets", release.group), "a")["spec"]["size"], 1);
    let first = release.versions();
    assert!(!release.desk.is_locked());

    // A second apply changes nothing.
    let run = release.apply(&[]);
    says(&run, 0, &["0 created, 0 configured"]);
    assert_eq!(release.versions(), first);
    assert_eq!(release.desk.get("configmaps", "hook")["data"]["when"], "upgrade");

    // What is shown before is what is shown then.
    let change = ["--set", "extra=false,size=2,password=other-hunter3"];
    let shown = release.run(&["diff", "--live", "--create-namespace"], &change);
    says(&shown, 0, &[]);
    for part in ["Widget", "size", "/extra", "password: changed, and hidden"] {
        assert!(shown.stdout.contains(part), "{part:?} is not in:\n{}", shown.stdout);
    }
    assert!(!shown.stdout.contains("/kept"), "it stays:\n{}", shown.stdout);
    for format in ["json", "markdown"] {
        let shown = release.run(&["diff", "--live", "--create-namespace", "--format", format], &change);
        assert!(shown.status == 0 && shown.stdout.contains("Widget"), "{}{}", shown.stdout, shown.stderr);
    }
    assert_eq!(release.versions(), first);
    let run = release.apply(&change);
    says(
        &run,
        0,
        &[
            &format!("configured Widget {}/a", release.desk.namespace),
            &format!("deleting ConfigMap {}/extra", release.desk.namespace),
            &format!("kept ConfigMap {}/kept: ", release.desk.namespace),
        ],
    );
    assert_eq!(release.desk.names("configmaps"), ["hook", "kept"]);
    assert!(run.stdout.contains(shown.stdout.trim_start_matches("no new finding\n")), "{}{}", shown.stdout, run.stdout);
    let secret = release.desk.get("secrets", "login");
    assert_eq!(secret["data"]["password"], "b3RoZXItaHVudGVyMw==");

    let run = release.desk.run(root(), &["uninstall", "web", "--yes"], "");
    says(&run, 0, &["is uninstalled"]);
    release.printed += &(run.stdout + &run.stderr);
    // What a hook has made is no part of the release, and a CRD stays with what others may have of it.
    assert_eq!(release.desk.names("configmaps"), ["hook", "kept"]);
    assert_eq!(release.desk.all("configmaps").len(), 2);
    for kind in
        ["secrets", "serviceaccounts", "coordination.k8s.io/v1/leases", &format!("{}/v1/widgets", release.group)]
    {
        assert_eq!(release.desk.all(kind).len(), 0, "{kind}");
    }
    for secret in ["hunter2", "hunter3", "aHVudGVyMi1odW50ZXIy", "b3RoZXItaHVudGVyMw"] {
        assert!(!release.printed.contains(secret), "{secret} in:\n{}", release.printed);
    }
    server.delete(&format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{}", release.group));
}

#[test]
fn the_same_is_shown_by_diff_and_apply_and_a_new_finding_is_refused() {
    let desk = Desk::new(Server::shared(), "same");
    let manifests = folder(&[("a.yaml", &map("a", "{a: '1'}")), ("deep/web.yaml", &deployment("web"))]);
    let run = |args: &[&str]| desk.run(manifests.path(), args, "");
    let diff = || run(&["diff", "--live", "-f", ".", "--name", "web"]);
    let apply = |more: &[&str]| run(&[&["apply", "-f", ".", "--name", "web", "--timeout", "0"], more].concat());
    let (shown, dry) = (diff(), apply(&["--dry-run"]));
    assert_eq!((shown.status, dry.status), (0, 0), "{}{}", shown.stderr, dry.stderr);
    assert!(dry.stdout.ends_with(&shown.stdout), "{}{}", shown.stdout, dry.stdout);
    says(&apply(&["--yes"]), 0, &["2 objects applied: 2 created"]);
    // Nothing changes: nothing is to be asked either.
    says(&apply(&[]), 0, &["2 unchanged"]);

    let text = fs::read_to_string(manifests.path().join("deep/web.yaml")).unwrap();
    let privileged = text.replace("{name: web, image", "{name: web, securityContext: {privileged: true}, image");
    fs::write(manifests.path().join("deep/web.yaml"), &privileged).unwrap();
    let shown = diff();
    assert_eq!(shown.status, 1, "{}", shown.stderr);
    assert!(shown.stdout.contains("pod-security/privileged"), "{}", shown.stdout);
    let refused = apply(&["--yes"]);
    assert_eq!(refused.status, 1, "{}", refused.stderr);
    assert!(refused.stdout.contains("pod-security/privileged"), "{}", refused.stdout);
    let spec = desk.get("apps/v1/deployments", "web")["spec"]["template"]["spec"].clone();
    assert!(spec["containers"][0].get("securityContext").is_none(), "{spec}");

    // What somebody else has put into a field that is not ours is not shown, nor touched.
    fs::write(manifests.path().join("deep/web.yaml"), text).unwrap();
    desk.server.patch(&format!("{}/web", desk.path("apps/v1/deployments")), &json!({"spec": {"replicas": 3}}));
    let shown = diff();
    assert!(shown.status == 0 && !shown.stdout.contains("replicas"), "{}", shown.stdout);
    says(&apply(&["--yes"]), 0, &["2 unchanged"]);
    assert_eq!(desk.get("apps/v1/deployments", "web")["spec"]["replicas"], 3);
}

#[test]
fn a_secret_that_is_refused_is_not_shown() {
    let desk = Desk::new(Server::shared(), "refused");
    set_quota(&desk, &json!({"count/secrets": "0"}), &json!({"count/secrets": "0"}));
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {key: hunter2-hunter2}\n";
    let run = desk.apply(secret, &[]);
    says(&run, 2, &["exceeded quota", "-:1:1"]);
    let inline = "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {key: hunter2-hunter2}}\n";
    let again = desk.apply(inline, &[]);
    says(&again, 2, &["exceeded quota", "-:1:1"]);
    for printed in [run.stdout, run.stderr, again.stdout, again.stderr] {
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}

#[test]
fn what_goes_slowly_is_not_waited_for_where_nobody_waits() {
    let desk = Desk::new(Server::shared(), "slowly");
    let slow = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: slow, finalizers: [example.com/slow]}\n";
    says(&desk.apply(slow, &[]), 0, &["1 created"]);
    let run = desk.apply(&map("b", "{}"), &[]);
    says(&run, 0, &[&format!("deleting ConfigMap {}/slow", desk.namespace)]);
    let uninstall = || desk.run(root(), &["uninstall", "web", "--yes", "--timeout", "0"], "");
    says(&uninstall(), 0, &["is going: uninstall it again when its objects are gone"]);
    assert_eq!(desk.names("configmaps"), ["slow"]);
    desk.server.patch(&format!("{}/slow", desk.path("configmaps")), &json!({"metadata": {"finalizers": null}}));
    says(&uninstall(), 0, &["is uninstalled"]);
    assert_eq!(desk.all("configmaps").len(), 0);
}

/// Says that all Pods of a Deployment are there, as its controller does.
fn complete(desk: &Desk<'_>, name: &str) {
    let path = format!("{}/{name}", desk.path("apps/v1/deployments"));
    let found = wait(|| Some(desk.server.get(&path)).filter(|answer| answer.status == 200)).expect("it is applied");
    let status = json!({
        "observedGeneration": found.body["metadata"]["generation"],
        "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
        "conditions": [
            {"type": "Available", "status": "True", "reason": "r", "message": "m"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "message": "m"},
        ],
    });
    desk.server.patch(&format!("{path}/status"), &json!({"status": status}));
}

#[test]
fn it_is_waited_until_all_is_ready() {
    let desk = Desk::new(Server::shared(), "ready");
    let args = ["apply", "-f", "-", "--name", "web", "--yes"];
    let text = deployment("web");
    let run = desk.run(root(), &[&args[..], &["--timeout", "2s"]].concat(), &text);
    says(&run, 2, &[&format!("Deployment {}/web", desk.namespace), "2s"]);
    // It is applied all the same, and nobody holds the lock.
    assert_eq!(desk.names("apps/v1/deployments"), ["web"]);
    assert!(!desk.is_locked());
    let run = thread::scope(|scope| {
        let run = scope.spawn(|| desk.run(root(), &[&args[..], &["--timeout", "60s"]].concat(), &text));
        thread::sleep(Duration::from_millis(1500));
        complete(&desk, "web");
        run.join().unwrap()
    });
    says(&run, 0, &["1 unchanged"]);
}

/// A Job that runs before the release, and comes to an end that the test gives it.
fn with_hook(desk: &Desk<'_>, chart: &Path, condition: &Value) -> Run {
    let path = format!("{}/before/status", desk.path("batch/v1/jobs"));
    thread::scope(|scope| {
        let chart = chart.display().to_string();
        let run = scope.spawn(move || desk.run(root(), &["apply", "web", &chart, "--yes", "--timeout", "30s"], ""));
        let job = || (desk.server.get(path.trim_end_matches("/status")).status == 200).then_some(());
        wait(job).expect("the hook runs");
        assert_eq!(desk.names("configmaps"), [""; 0], "the hook comes first");
        desk.server.patch(&path, &json!({"status": condition}));
        run.join().unwrap()
    })
}

#[test]
fn a_hook_that_fails_ends_the_apply_before_anything_else() {
    let desk = Desk::new(Server::shared(), "hook");
    let job = "apiVersion: batch/v1
kind: Job
metadata:
  name: before
  annotations: {helm.sh/hook: pre-install, helm.sh/hook-delete-policy: 'before-hook-creation,hook-failed'}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: 'registry.example.com/a:1'}]}}}
";
    let chart =
        chart(&[("templates/job.yaml", job), ("templates/map.yaml", map("a", "{}").trim_start_matches("---\n"))]);
    let now = "2026-01-01T00:00:00Z";
    let condition =
        |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": now, "reason": "Because"});
    let bad = json!({"startTime": now, "failed": 1, "conditions": [condition("FailureTarget"), condition("Failed")]});
    let run = with_hook(&desk, chart.path(), &bad);
    says(&run, 2, &[&format!("the pre-install hook Job {}/before has not done its work", desk.namespace)]);
    assert_eq!(desk.names("configmaps"), [""; 0]);
    assert!(!desk.is_locked());

    let conditions = [condition("SuccessCriteriaMet"), condition("Complete")];
    let good = json!({"startTime": now, "completionTime": now, "succeeded": 1, "conditions": conditions});
    // Nothing of the release was applied: so it is still an install.
    let run = with_hook(&desk, chart.path(), &good);
    says(&run, 0, &["1 object applied: 1 created"]);
    assert_eq!(desk.names("configmaps"), ["a"]);
}
