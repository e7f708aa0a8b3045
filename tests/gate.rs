//! The gate on pull requests: what `plimsoll check` and `plimsoll diff` say of a change, in repositories made by git.
//!
//! Every repository begins as tests/fixtures/gate/shop, on the branch `main`; a test makes a change on another branch. Its
//! snapshot is what a reviewer sees.

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use common::repository::{Repository, git};
use common::{plimsoll, root, snapshots};

const PROJECT: &str = "plimsoll.yaml";
const DEPLOYMENT: &str = "charts/web/templates/deployment.yaml";
const RBAC: &str = "charts/tenant/templates/rbac.yaml";

/// A mistake that one policy refuses.
const SAFE: &str = "type: RuntimeDefault";
const UNSAFE: &str = "type: Unconfined";

const CHECK: &[&str] = &["check"];
const DIFF: &[&str] = &["diff", "--base", "main"];
const MARKDOWN: &[&str] = &["diff", "--base", "main", "--format", "markdown"];
/// As in a pull request: for its log, and for a comment.
const BOTH: &[&str] = &["diff", "--base", "main", "--format", "text", "--format", "markdown=comment.md"];

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

    /// Runs a command that cannot do its work, and prints no verdict.
    fn cannot(&mut self, args: &[&str]) -> &mut Self {
        self.cannot_in("", args)
    }

    fn cannot_in(&mut self, folder: &str, args: &[&str]) -> &mut Self {
        let run = plimsoll(&self.path().join(folder), args, "");
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{args:?}\n{}", run.stderr);
        writeln!(self.seen, "$ plimsoll {}\n{}", args.join(" ").escape_debug(), run.stderr).unwrap();
        self
    }

    /// Takes back what was not committed.
    fn reset(&self) {
        self.repository.git(&["reset", "--quiet", "--hard"]);
        self.repository.git(&["clean", "--quiet", "-dffx"]);
    }

    /// Commits the change and runs what a pull request runs.
    fn judged(&mut self, check: i32, diff: i32) -> &mut Self {
        self.commit();
        self.run(CHECK, check).run(BOTH, diff);
        let comment = fs::read_to_string(self.path().join("comment.md")).unwrap();
        writeln!(self.seen, "comment.md:\n{comment}").unwrap();
        self.remove("comment.md");
        self
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

/// Runs both commands, which must say no more than why they cannot do their work.
fn refused(shop: &mut Shop) {
    for args in [CHECK, DIFF] {
        shop.cannot(args);
    }
}

/// A way to break the shop, and what it is called.
type Wrong = (&'static str, fn(&Shop));

/// What is wrong with the files of the change.
const WRONG: &[Wrong] = &[
    ("no project file", |shop| shop.remove(PROJECT)),
    ("a project file of a newer version", |shop| shop.add(PROJECT, "version: 2\n")),
    ("no releases", |shop| shop.repository.write(&[(PROJECT, "kubeVersion: '1.34'\n")])),
    ("a glob that matches nothing", |shop| shop.edit(PROJECT, "tenants/*/", "tenantz/*/")),
    ("two releases of one label", |shop| shop.edit(PROJECT, "tenant-{{ path[1] }}", "tenants")),
    ("no baseline", |shop| shop.add(PROJECT, "baseline: past.yaml\n")),
    ("a baseline of a newer version", |shop| with_baseline(shop, "version: 2\n")),
    ("a baseline with a conflict", |shop| with_baseline(shop, "version: 1\n<<<<<<< HEAD\nfleet: []\n")),
];

fn with_baseline(shop: &Shop, text: &str) {
    shop.add(PROJECT, "baseline: past.yaml\n");
    shop.repository.write(&[("past.yaml", text)]);
}

#[test]
fn files_that_are_wrong() {
    let mut shop = Shop::new(nothing);
    for (what, wrong) in WRONG {
        writeln!(shop.seen, "## {what}\n").unwrap();
        wrong(&shop);
        refused(&mut shop);
        shop.reset();
    }
    shop.is_as("wrong-files");
}

/// The same on `main` alone: it is said whose fault it is.
#[test]
fn files_that_were_wrong() {
    let mut shop = Shop::new(nothing);
    let outside: Wrong = ("a path outside of the repository", |shop| shop.edit(PROJECT, "values/web", "../../web"));
    for (what, wrong) in WRONG.iter().chain([&outside]) {
        writeln!(shop.seen, "## {what}\n").unwrap();
        wrong(&shop);
        shop.commit();
        shop.repository.git(&["tag", "--force", "wrong"]);
        shop.repository.git(&["revert", "--no-edit", "HEAD"]);
        match *what {
            // That there is one now is the change.
            "no project file" | "no releases" | "no baseline" => {
                let run = plimsoll(shop.path(), &["diff", "--base", "wrong"], "");
                assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{what}");
                writeln!(shop.seen, "{}\n", run.stdout.lines().nth(1).unwrap()).unwrap();
            }
            _ => drop(shop.cannot(&["diff", "--base", "wrong"])),
        }
        shop.repository.git(&["reset", "--quiet", "--hard", "main"]);
    }
    shop.is_as("wrong-files-of-the-base");
}

#[test]
fn a_release_that_cannot_be_checked() {
    let wrong: &[Wrong] = &[
        ("no objects", |shop| {
            for file in ["configmap", "deployment", "networkpolicy"] {
                shop.remove(&format!("charts/web/templates/{file}.yaml"));
            }
        }),
        ("no chart", |shop| shop.remove("charts/web")),
        ("no values file", |shop| shop.remove("values/web.yaml")),
        ("a values file outside of the repository", |shop| shop.edit(PROJECT, "values/web.yaml", "../../nowhere.yaml")),
        ("a link out of the chart", |shop| symlink("../../../values", shop, "charts/web/templates/link")),
        ("values that are too deep", |shop| shop.repository.write(&[("values/web.yaml", &"[".repeat(100_000))])),
        ("a values file with a null byte", |shop| shop.repository.write(&[("values/web.yaml", "a: \u{0}\n")])),
    ];
    let mut shop = Shop::new(nothing);
    for (what, wrong) in wrong {
        writeln!(shop.seen, "## {what}\n").unwrap();
        wrong(&shop);
        shop.run(CHECK, 2).run(DIFF, 2);
        shop.reset();
    }
    shop.is_as("wrong-releases");
}

fn symlink(target: &str, shop: &Shop, link: &str) {
    std::os::unix::fs::symlink(target, shop.path().join(link)).unwrap();
}

#[test]
fn revisions_that_are_none() {
    let mut shop = Shop::new(nothing);
    for revision in ["nope", "mian", "origin/nope", "", "main..change", "HEAD~9", "HEAD:plimsoll.yaml", "\u{1b}[2Jx"] {
        shop.cannot(&["diff", "--base", revision]);
    }
    shop.cannot(&["diff", "--base", "main", "--no-config"]);
    shop.is_as("no-revision");
}

#[test]
fn no_history() {
    let mut shop = Shop::new(nothing);
    shop.add("README.md", "# The shop\n");
    shop.commit();
    let source = format!("file://{}", shop.path().display());
    shop.repository.git(&["clone", "--quiet", "--depth=1", "--branch=change", &source, "shallow"]);
    let shallow = shop.path().join("shallow");
    git(&shallow, &["fetch", "--quiet", "--depth=1", "origin", "main:main"], b"");
    shop.cannot_in("shallow", DIFF).cannot_in("shallow", &["diff", "--base", "origin/main"]);

    shop.repository.git(&["clone", "--quiet", "--bare", ".", "bare"]);
    copy(&root().join("tests/fixtures/gate/shop"), &shop.path().join("bare"));
    shop.cannot_in("bare", DIFF);

    // The same files, in no repository, and in one without a commit.
    fs::rename(shop.path().join(".git"), shop.path().join("history")).unwrap();
    shop.cannot(DIFF).run(CHECK, 0);
    shop.repository.git(&["init", "--quiet", "--initial-branch=main"]);
    shop.cannot(DIFF).is_as("no-history");
}

#[test]
fn formats_that_cannot_be_written() {
    let mut shop = Shop::new(nothing);
    let wrong = ["json=values", "json=plimsoll.yaml/a.json", "json=values/web.yaml/folder/a.json"];
    for wrong in wrong {
        shop.cannot(&["check", "--format", "junit=a.xml", "--format", wrong, "--format", "sarif=z.sarif"]);
        shop.cannot(&["diff", "--base", "main", "--format", "markdown=a.md", "--format", wrong]);
    }
    assert_eq!(shop.repository.git(&["status", "--porcelain", "--ignored"]), "");
    shop.is_as("wrong-formats");
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
