//! The gate on pull requests: what `plimsoll check` and `plimsoll diff` say of a change, in repositories made by git.
//!
//! Every repository begins as tests/fixtures/gate/shop, on the branch `main`; a test makes a change on another branch. Its
//! snapshot is what a reviewer sees.

mod common;

use std::fmt::Write as _;
use std::fs;

use common::shop::*;
use common::{plimsoll, root};

#[test]
fn a_change_without_effect() {
    let mut shop = Shop::new(nothing);
    shop.add("README.md", "# The shop\n");
    shop.judged(0, 0).is_as("clean");
}

#[test]
fn a_harmless_change() {
    let mut shop = Shop::new(nothing);
    shop.edit("charts/web/values.yaml", "replicas: 2", "replicas: 3");
    shop.edit("charts/tenant/values.yaml", "pods: 10", "pods: 10 # unless they say so");
    shop.judged(0, 0).is_as("harmless");
}

#[test]
fn a_new_violation() {
    let mut shop = Shop::new(nothing);
    shop.edit(DEPLOYMENT, SAFE, UNSAFE);
    shop.judged(1, 1).run(&["diff", "--base", "main", "--format", "json"], 1).is_as("new-violation");
}

/// What is wrong in a chart that many releases have is told once.
#[test]
fn a_new_violation_in_many_releases() {
    let mut shop = Shop::new(nothing);
    shop.edit(RBAC, "verbs: [get, list]", "verbs: [impersonate]");
    shop.edit(RBAC, "resources: [configmaps]", "resources: [serviceaccounts]");
    shop.judged(1, 1).is_as("new-violation-in-many-releases");
}

#[test]
fn a_mended_violation() {
    let mut shop = Shop::new(|shop| shop.edit(DEPLOYMENT, SAFE, UNSAFE));
    shop.edit(DEPLOYMENT, UNSAFE, SAFE);
    shop.judged(0, 0).is_as("mended-violation");
}

/// What was there before, and is in no baseline: the change did not make it.
#[test]
fn an_old_violation() {
    let mut shop = Shop::new(|shop| shop.edit(DEPLOYMENT, SAFE, UNSAFE));
    shop.edit("charts/web/values.yaml", "replicas: 2", "replicas: 3");
    shop.judged(1, 0).is_as("old-violation");
}

/// A repository with a mistake, which its baseline knows.
fn with_a_past(shop: &mut Shop) {
    shop.edit(DEPLOYMENT, SAFE, UNSAFE);
    shop.add(PROJECT, "baseline: plimsoll-baseline.yaml\n");
    shop.run(&["check", "--write-baseline"], 0);
}

#[test]
fn an_old_violation_that_the_baseline_knows() {
    let mut shop = Shop::new(with_a_past);
    shop.judged(0, 0).is_as("baseline");
}

#[test]
fn a_new_violation_beside_one_that_the_baseline_knows() {
    let mut shop = Shop::new(with_a_past);
    shop.edit(DEPLOYMENT, "drop: [ALL]", "add: [SYS_ADMIN]");
    shop.judged(1, 1).is_as("baseline-and-new-violation");
}

/// The baseline only gets shorter: what was mended may not come back.
#[test]
fn a_baseline_is_a_ratchet() {
    let mut shop = Shop::new(with_a_past);
    let baseline = |shop: &Shop| fs::read_to_string(shop.path().join("plimsoll-baseline.yaml")).unwrap();
    let before = baseline(&shop);
    shop.edit(DEPLOYMENT, UNSAFE, SAFE);
    shop.judged(0, 0);
    assert_eq!(baseline(&shop), before);
    shop.run(&["check", "--fail-on", "warning"], 1);
    shop.run(&["check", "--update"], 0).run(CHECK, 0);
    assert!(!baseline(&shop).contains("policy"));
    shop.edit(DEPLOYMENT, SAFE, UNSAFE);
    shop.run(&["check", "--update"], 1).run(CHECK, 1).is_as("baseline-ratchet");
    assert!(!baseline(&shop).contains("policy"));
}

/// What some policies do not find, others may.
#[test]
fn a_baseline_is_updated_by_a_run_of_all_policies_only() {
    let mut shop = Shop::new(with_a_past);
    let path = shop.path().join("plimsoll-baseline.yaml");
    let before = fs::read_to_string(&path).unwrap();
    for some in [["--policy", "secrets/*"], ["--profile", "workspace"], ["--exclude", "pod-security/*"]] {
        let update = [&["check", "--update"], &some[..]].concat();
        shop.cannot(&update);
    }
    shop.cannot(&["check", "--update", "--no-schemas"]).is_as("baseline-partial-update");
    assert_eq!(fs::read_to_string(path).unwrap(), before);
}

/// What is less bad now may not become as bad as it was.
#[test]
fn a_baseline_keeps_severities_down() {
    let mut shop = Shop::new(with_a_past);
    shop.add(PROJECT, "policies: {severity: {pod-security/seccomp: warning}}\n");
    shop.run(&["check", "--update"], 0);
    shop.edit(PROJECT, "seccomp: warning", "seccomp: error");
    shop.run(CHECK, 1);
    assert!(shop.seen.contains("lowered severities in plimsoll-baseline.yaml\n"), "{}", shop.seen);
}

/// Whoever adds to the baseline is seen to.
#[test]
fn a_violation_that_the_change_puts_into_the_baseline() {
    let mut shop = Shop::new(with_a_past);
    shop.edit(DEPLOYMENT, "drop: [ALL]", "add: [SYS_ADMIN]");
    shop.run(&["check", "--write-baseline"], 0).judged(0, 0).is_as("baseline-grown");
}

#[test]
fn committed_manifests_that_are_stale() {
    let mut shop = Shop::new(|shop| {
        shop.add(PROJECT, "output: {folder: manifests}\n");
        shop.run(&["check", "--update"], 0);
    });
    shop.edit("charts/web/values.yaml", "replicas: 2", "replicas: 3");
    shop.remove("tenants/bob");
    shop.repository.write(&[("tenants/carol/values.yaml", "pods: 3\n")]);
    shop.judged(1, 0).run(&["check", "--format", "json"], 1);
    shop.run(&["check", "--fail-on", "never"], 0).run(&["check", "--update"], 0).run(CHECK, 0).is_as("drift");
}

#[test]
fn a_chart_that_the_change_breaks() {
    let mut shop = Shop::new(nothing);
    shop.edit(DEPLOYMENT, ".Values.image", ".Values.image | nope");
    shop.edit(RBAC, "verbs: [get, list]", "verbs: [get, bind]");
    shop.judged(2, 2).run(&["diff", "--base", "main", "--format", "json"], 2).is_as("broken-after");
}

#[test]
fn a_chart_that_the_change_mends() {
    let mut shop = Shop::new(|shop| shop.edit(DEPLOYMENT, ".Values.image", ".Values.image | nope"));
    shop.edit(DEPLOYMENT, " | nope", "");
    shop.judged(0, 2).is_as("broken-before");
}

#[test]
fn releases_that_come_and_go() {
    let mut shop = Shop::new(nothing);
    shop.remove("tenants/bob");
    shop.repository.write(&[("tenants/carol/values.yaml", "pods: 3\n")]);
    shop.judged(0, 0).is_as("releases");
}

#[test]
fn a_hashed_name() {
    let mut shop = Shop::new(nothing);
    shop.edit("charts/web/values.yaml", "open all hours", "closed on sundays");
    shop.judged(0, 0).is_as("hashed-name");
}

#[test]
fn access_gained() {
    let mut shop = Shop::new(|shop| {
        let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: key\n  namespace: {{ .Release.Namespace }}\n\
                      stringData:\n  token: {{ .Values.token | quote }}\n";
        shop.add("charts/tenant/templates/secret.yaml", secret);
        shop.add("charts/tenant/values.yaml", "token: correct-horse-battery\n");
    });
    shop.edit(RBAC, "resources: [configmaps]", "resources: [configmaps, secrets]");
    shop.edit("charts/tenant/values.yaml", "correct-horse-battery", "staple-of-the-horse");
    shop.judged(0, 0).is_as("access-gained");
    assert!(!shop.seen.contains("horse"), "a credential is printed");
}

#[test]
fn a_policy_that_the_change_leaves_out() {
    let mut shop = Shop::new(|shop| shop.edit(DEPLOYMENT, SAFE, UNSAFE));
    shop.add(PROJECT, "policies: {exclude: [pod-security/seccomp]}\n");
    shop.judged(0, 0).is_as("policy-excluded");
}

#[test]
fn an_exemption_in_the_change() {
    let mut shop = Shop::new(nothing);
    shop.edit(DEPLOYMENT, SAFE, UNSAFE);
    let exemption = "exemptions:\n  - policy: pod-security/seccomp\n    reason: the vendor's image\n    owner: shop\n";
    shop.add(PROJECT, exemption);
    shop.judged(0, 0).is_as("exemption-added");
}

#[test]
fn a_chart_that_moves() {
    let mut shop = Shop::new(|shop| shop.edit(DEPLOYMENT, SAFE, UNSAFE));
    fs::create_dir(shop.path().join("apps")).unwrap();
    fs::rename(shop.path().join("charts/web"), shop.path().join("apps/shop")).unwrap();
    shop.edit(PROJECT, "charts/web", "apps/shop");
    shop.judged(1, 0).is_as("chart-moved");
}

/// Links within the repository lead to the same on both sides.
#[test]
fn a_chart_behind_a_link() {
    let mut shop = Shop::new(|shop| {
        symlink("web", shop, "charts/link");
        symlink("../values", shop, "charts/values");
        shop.edit(PROJECT, "charts/web", "charts/link");
        shop.edit(PROJECT, "values/web.yaml", "charts/values/web.yaml");
    });
    shop.edit(DEPLOYMENT, SAFE, UNSAFE);
    shop.edit("values/web.yaml", "1.4", "1.5");
    shop.judged(1, 1).is_as("chart-behind-a-link");
}

/// The first change says what is released: what was there already is no news.
#[test]
fn a_project_file_that_is_new() {
    let mut shop = Shop::new(|shop| {
        shop.edit(DEPLOYMENT, SAFE, UNSAFE);
        fs::rename(shop.path().join(PROJECT), shop.path().join("later")).unwrap();
    });
    fs::rename(shop.path().join("later"), shop.path().join(PROJECT)).unwrap();
    shop.repository.write(&[("tenants/carol/values.yaml", "pods: 3\n")]);
    shop.judged(1, 0).is_as("project-file-new");
}

/// What others have done to `main` meanwhile is not this change's doing.
#[test]
fn main_that_moved_on() {
    let mut shop = Shop::new(nothing);
    shop.edit("charts/web/values.yaml", "replicas: 2", "replicas: 3");
    shop.commit();
    shop.repository.git(&["switch", "--quiet", "main"]);
    shop.edit(RBAC, "verbs: [get, list]", "verbs: [get]");
    shop.remove("tenants/bob");
    shop.commit();
    shop.repository.git(&["switch", "--quiet", "change"]);
    shop.judged(0, 0).is_as("main-moved-on");
}

/// What is not committed yet is compared too.
#[test]
fn a_work_tree_with_changes() {
    let mut shop = Shop::new(nothing);
    shop.edit(DEPLOYMENT, SAFE, UNSAFE);
    shop.run(DIFF, 1);
    let uncommitted = std::mem::take(&mut shop.seen);
    shop.commit();
    shop.run(DIFF, 1);
    assert_eq!(shop.seen, uncommitted);
}

/// A project whose paths lead out of its folder, with names that need quoting, and files from another system.
#[test]
fn a_project_in_a_subfolder() {
    let project = "releases:\n  - {name: web, chart: ../gemüse & obst/web}\n  - forEach: ../mieter/*/werte größe.yaml\n    \
                   chart: ../charts/tenant\n    name: tenant\n    namespace: t-{{ values.id }}\n";
    let mut shop = Shop::new(|shop| {
        shop.remove(PROJECT);
        fs::create_dir(shop.path().join("gemüse & obst")).unwrap();
        fs::rename(shop.path().join("charts/web"), shop.path().join("gemüse & obst/web")).unwrap();
        let (a, b) = ("mieter/a\nb/werte größe.yaml", "mieter/müller/werte größe.yaml");
        shop.repository.write(&[
            ("team/plimsoll.yaml", project),
            (a, "id: a\r\npods: 3\r\n"),
            (b, "id: m\npods: 4\nverbs: [get]\n"),
        ]);
    });
    shop.edit("gemüse & obst/web/templates/deployment.yaml", SAFE, UNSAFE);
    shop.edit("mieter/a\nb/werte größe.yaml", "pods: 3", "pods: 5");
    let windows = fs::read_to_string(shop.path().join(RBAC)).unwrap().replace('\n', "\r\n");
    let windows = windows.replace("[get, list]", "{{ .Values.verbs | toJson }}");
    shop.repository.write(&[(RBAC, &windows.replace("configmaps", "serviceaccounts"))]);
    shop.add("mieter/a\nb/werte größe.yaml", "verbs:\r\n- impersonate\r\n");
    shop.commit();
    fs::create_dir(shop.path().join("team/inner")).unwrap();
    let config = &["--config", "../plimsoll.yaml"];
    shop.run_in("team", CHECK, 1).run_in("team", DIFF, 1).run_in("team", MARKDOWN, 1);
    shop.run_in("team/inner", &[DIFF, config].concat(), 1).run_in("team/inner", &[CHECK, config].concat(), 1);
    shop.run_in("team", &["check", "--format", "github"], 1).is_as("subfolder");
}

/// Whatever the threads do.
#[test]
fn every_run_prints_the_same() {
    let shop = Shop::new(nothing);
    for tenant in 0..50 {
        shop.repository.write(&[(&format!("tenants/t{tenant}/values.yaml"), &format!("pods: {tenant}\n"))]);
    }
    shop.edit(RBAC, "verbs: [get, list]", "verbs: [impersonate]");
    shop.edit(RBAC, "resources: [configmaps]", "resources: [serviceaccounts]");
    for args in [&["check", "--format", "json"][..], MARKDOWN] {
        let runs: Vec<_> = (0..5).map(|_| plimsoll(shop.path(), args, "").stdout).collect();
        assert!(runs.iter().all(|run| *run == runs[0] && run.contains("tenant-t49/tenant")), "{args:?}");
    }
}

/// All releases together are judged as each by itself.
#[test]
fn check_finds_what_lint_finds() {
    let findings = |run: &common::Run| -> Vec<serde_json::Value> {
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
        report["findings"].as_array().unwrap().clone()
    };
    let mut names: Vec<_> =
        fs::read_dir(root().join("charts/workspace/examples")).unwrap().collect::<Result<_, _>>().unwrap();
    names.retain(|entry| entry.path().is_file());
    names.sort_by_key(fs::DirEntry::path);
    assert!(names.len() > 2);
    let dir = common::folder(&[]);
    copy(&root().join("charts/workspace"), &dir.path().join("w"));
    // Something to find.
    let deployment = dir.path().join("w/templates/deployment.yaml.j2");
    let text = fs::read_to_string(&deployment).unwrap().replacen("    spec:\n", "    spec:\n      hostPID: true\n", 1);
    fs::write(deployment, text).unwrap();
    let (mut project, mut single) = ("releases:\n".to_owned(), Vec::new());
    for (index, name) in names.iter().map(|entry| entry.file_name().into_string().unwrap()).enumerate() {
        writeln!(project, "  - {{name: r{index}, namespace: n{index}, chart: w, values: [w/examples/{name}]}}")
            .unwrap();
        let (release, values) = (format!("r{index}"), format!("w/examples/{name}"));
        let args = [
            "lint",
            "w",
            "-f",
            &values,
            "--name",
            &release,
            "-n",
            &format!("n{index}"),
            "--no-config",
            "--format",
            "json",
        ];
        single.extend(findings(&plimsoll(dir.path(), &args, "")));
    }
    fs::write(dir.path().join(PROJECT), project).unwrap();
    let mut together = findings(&plimsoll(dir.path(), &["check", "--format", "json"], ""));
    // Of one release alone it is not said whose a finding is; of several, each policy comes once.
    for finding in together.iter_mut().chain(&mut single) {
        finding.as_object_mut().unwrap().remove("release");
        finding.as_object_mut().unwrap().remove("fingerprint");
    }
    assert!(together.len() >= names.len());
    together.sort_by_key(ToString::to_string);
    single.sort_by_key(ToString::to_string);
    assert!(together == single, "{together:#?}\n{single:#?}");
}

#[test]
fn a_subchart_that_only_some_releases_have_brings_its_crds() {
    let dir = common::folder(&[
        (
            "plimsoll.yaml",
            "releases:\n- {name: without, chart: c, set: {sub.enabled: \"false\"}}\n- {name: with, chart: c}\n",
        ),
        (
            "c/Chart.yaml",
            "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n- {name: sub, version: 1.0.0, condition: sub.enabled}\n",
        ),
        ("c/templates/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n"),
        ("c/charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n"),
        (
            "c/charts/sub/templates/w.yaml",
            "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: {{ .Release.Name }}\n",
        ),
        (
            "c/charts/sub/crds/w.yaml",
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: widgets.example.com\n\
             spec:\n  group: example.com\n  scope: Namespaced\n  names: {plural: widgets, singular: widget, kind: Widget, \
             listKind: WidgetList}\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n      \
             openAPIV3Schema: {type: object}\n",
        ),
    ]);
    let run = plimsoll(dir.path(), &["check", "--policy", "schema/*"], "");
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
}
