//! The gate on pull requests: what `plimsoll check` and `plimsoll diff` say of a change, in repositories made by git.
//!
//! Every repository begins as tests/fixtures/gate/shop, on the branch `main`; a test makes a change on another branch. Its
//! snapshot is what a reviewer sees.

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use common::repository::Repository;
use common::{plimsoll, root, snapshots};

const PROJECT: &str = "plimsoll.yaml";
const DEPLOYMENT: &str = "charts/web/templates/deployment.yaml";
const RBAC: &str = "charts/tenant/templates/rbac.yaml";

/// A mistake that a policy refuses.
const SAFE: &str = "runAsNonRoot: true";
const UNSAFE: &str = "runAsNonRoot: false";

const CHECK: &[&str] = &["check"];
const DIFF: &[&str] = &["diff", "--base", "main"];
const MARKDOWN: &[&str] = &["diff", "--base", "main", "--format", "markdown"];

/// A repository, and what was seen in it.
struct Shop {
    repository: Repository,
    seen: String,
}

impl Shop {
    /// The fixture with what `before` does to it, on `main`; then another branch.
    fn new(before: impl FnOnce(&mut Self)) -> Self {
        let mut shop = Self { repository: Repository::new(&[]), seen: String::new() };
        copy(&root().join("tests/fixtures/gate/shop"), shop.path());
        before(&mut shop);
        shop.commit();
        shop.repository.git(&["switch", "--quiet", "--create", "change"]);
        shop
    }

    fn path(&self) -> &Path {
        self.repository.path()
    }

    fn commit(&self) {
        self.repository.commit(&[]);
    }

    /// Changes a part of a file, which must be there.
    fn edit(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path().join(file)).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}");
        self.repository.write(&[(file, &text.replacen(from, to, 1))]);
    }

    /// Adds to the end of a file.
    fn add(&self, file: &str, more: &str) {
        let text = fs::read_to_string(self.path().join(file)).unwrap_or_default();
        self.repository.write(&[(file, &(text + more))]);
    }

    fn remove(&self, file: &str) {
        let path = self.path().join(file);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }

    /// Runs a command, whose exit status must be this one.
    fn run(&mut self, args: &[&str], status: i32) -> &mut Self {
        self.run_in("", args, status)
    }

    fn run_in(&mut self, folder: &str, args: &[&str], status: i32) -> &mut Self {
        let run = plimsoll(&self.path().join(folder), args, "");
        assert_eq!(run.status, status, "{args:?}\n{}{}", run.stdout, run.stderr);
        writeln!(self.seen, "$ plimsoll {}\n{}", args.join(" "), run.stdout).unwrap();
        if !run.stderr.is_empty() {
            writeln!(self.seen, "stderr:\n{}", run.stderr).unwrap();
        }
        writeln!(self.seen, "exit status {status}\n").unwrap();
        self
    }

    /// Commits the change and runs what a pull request runs.
    fn judged(&mut self, check: i32, diff: i32) -> &mut Self {
        self.commit();
        self.run(CHECK, check).run(DIFF, diff).run(MARKDOWN, diff)
    }

    /// All that was seen is as the snapshot.
    fn is_as(&self, name: &str) {
        let mut settings = snapshots("gate");
        settings.add_filter(&regex::escape(self.path().to_str().unwrap()), "[shop]");
        settings.add_filter(r"\((`?)[0-9a-f]{10}(`?)\)", "($1<commit>$2)");
        settings.add_filter(r"\b[0-9a-f]{40}\b", "<commit>");
        settings.bind(|| insta::assert_snapshot!(name.to_owned(), self.seen));
    }
}

/// Copies all below a folder.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).map(drop).unwrap();
        }
    }
}

fn nothing(_: &mut Shop) {}

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
    shop.edit(RBAC, "verbs: [get, list]", "verbs: ['*']");
    shop.edit(RBAC, "resources: [configmaps]", "resources: ['*']");
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
    shop.edit(DEPLOYMENT, "readOnlyRootFilesystem: true", "privileged: true");
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

/// Whoever adds to the baseline is seen to.
#[test]
fn a_violation_that_the_change_puts_into_the_baseline() {
    let mut shop = Shop::new(with_a_past);
    shop.edit(DEPLOYMENT, "readOnlyRootFilesystem: true", "privileged: true");
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
    shop.edit(RBAC, "verbs: [get, list]", "verbs: ['*']");
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
    shop.judged(1, 1).is_as("access-gained");
    assert!(!shop.seen.contains("horse"), "a credential is printed");
}

#[test]
fn a_policy_that_the_change_leaves_out() {
    let mut shop = Shop::new(|shop| shop.edit(DEPLOYMENT, SAFE, UNSAFE));
    shop.add(PROJECT, "policies: {exclude: [pod-security/run-as-root]}\n");
    shop.judged(0, 0).is_as("policy-excluded");
}

#[test]
fn an_exemption_in_the_change() {
    let mut shop = Shop::new(nothing);
    shop.edit(DEPLOYMENT, SAFE, UNSAFE);
    let exemption = "exemptions:\n  - policy: pod-security/run-as-root\n    reason: the vendor's image\n    owner: shop\n";
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
