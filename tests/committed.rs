//! Committed manifests: which files they are in, and what is said where they are stale.

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use common::{Run, folder, plimsoll, snapshots};
use plimsoll::committed::{self, Drift, Files, Layout, Release, Staleness};
use plimsoll::manifest::{self, Stream};
use plimsoll::report::{self, Style};
use plimsoll::source::SourceFile;
use tempfile::TempDir;

const CHART: [(&str, &str); 6] = [
    ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n"),
    ("c/values.yaml", "colour: blue\npassword: hunter2\n"),
    (
        "c/crds/crd.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: things.example.com\n",
    ),
    (
        "c/templates/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  colour: {{ .Values.colour }}\n",
    ),
    (
        "c/templates/secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: login\nstringData:\n  password: {{ .Values.password }}\n",
    ),
    (
        "c/templates/hook.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: hook\n  annotations: {helm.sh/hook: pre-install}\n",
    ),
];

/// A policy that all of this passes: what is looked at here is drift.
const CHECK: [&str; 4] = ["--check", "--policy", "pod-security/privileged", "--no-schemas"];

fn render(dir: &TempDir, layout: &str, more: &[&str]) -> Run {
    let args = ["render", "web", "c", "-n", "shop", "--output-dir", "out", "--output-layout", layout];
    plimsoll(dir.path(), &[&args, more].concat(), "")
}

/// The files below a folder, by their paths in it.
fn written(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(root).unwrap().display().to_string();
                found.push((name, fs::read_to_string(entry.path()).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn each_layout_writes_its_files_and_finds_them_fresh() {
    for layout in ["template", "release", "object"] {
        let dir = folder(&CHART);
        let run = render(&dir, layout, &[]);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""));
        let files: String =
            written(&dir.path().join("out")).into_iter().map(|(name, text)| format!("=== {name}\n{text}")).collect();
        snapshots("committed").bind(|| insta::assert_snapshot!(format!("layout-{layout}"), files));
        let check = render(&dir, layout, &CHECK);
        assert_eq!((check.status, check.stderr.as_str()), (0, ""), "{}", check.stdout);
    }
}

#[test]
fn a_file_of_a_release_is_what_is_printed() {
    let dir = folder(&CHART);
    render(&dir, "release", &[]);
    let printed = plimsoll(dir.path(), &["render", "web", "c", "-n", "shop", "--include-crds"], "").stdout;
    assert_eq!(fs::read_to_string(dir.path().join("out/shop/web.yaml")).unwrap(), printed);
}

#[test]
fn drift_is_shown_and_refused_and_nothing_is_written() {
    let dir = folder(&CHART);
    render(&dir, "object", &[]);
    let out = dir.path().join("out/shop/web");
    fs::remove_file(out.join("secret-login.yaml")).unwrap();
    fs::write(out.join("configmap-old.yaml"), "---\n# Source: c/templates/old.yaml\na: 1\n").unwrap();
    fs::write(out.join("kustomization.yaml"), "kind: Kustomization\n").unwrap();
    fs::write(out.join("notes.txt"), "---\n# Source: nothing\n").unwrap();
    // As hostile as whoever has committed it.
    let settings = out.join("configmap-settings.yaml");
    let hostile = fs::read_to_string(&settings).unwrap().replace("blue", "\u{1b}[31mblue");
    fs::write(settings, hostile).unwrap();
    let before = written(dir.path());
    let run = render(&dir, "object", &[&CHECK[..], &["--set", "colour=red"]].concat());
    assert_eq!((run.status, run.stderr.as_str()), (1, ""));
    snapshots("committed").bind(|| insta::assert_snapshot!("drift", run.stdout));
    assert_eq!(written(dir.path()), before);
    let reported = render(&dir, "object", &[&CHECK[..], &["--fail-on", "never"]].concat());
    assert_eq!(reported.status, 0);
    assert!(reported.stdout.contains("secret-login.yaml is missing"));
    // What programs read stays theirs.
    let json = render(&dir, "object", &[&CHECK[..], &["--format", "json"]].concat());
    assert_eq!(json.status, 1);
    assert!(
        json.stdout.starts_with('{') && json.stdout.trim_end().ends_with('}') && json.stderr.contains("is missing")
    );
}

#[test]
fn only_what_belongs_to_the_release_is_left_over() {
    for (layout, ours) in [("template", "out/c/templates/old.yaml"), ("object", "out/shop/web/old.yaml")] {
        let dir = folder(&CHART);
        render(&dir, layout, &[]);
        let text = "---\n# Source: c/templates/old.yaml\na: 1\n";
        for path in [ours, "out/other/templates/a.yaml", "out/shop/other.yaml", "out/shop/other/a.yaml"] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let run = render(&dir, layout, &CHECK);
        assert_eq!(run.status, 1);
        assert!(run.stdout.contains(&format!("{ours} is left over")), "{}", run.stdout);
        assert!(run.stdout.contains("not what is rendered: 1 left over\n"), "{}", run.stdout);
    }
}

#[test]
fn credentials_are_hidden_in_what_is_shown() {
    let dir = folder(&CHART);
    render(&dir, "release", &[]);
    let run = render(&dir, "release", &[&CHECK[..], &["--set", "password=swordfish"]].concat());
    assert_eq!(run.status, 1);
    assert!(!run.stdout.contains("hunter2") && !run.stdout.contains("swordfish"), "{}", run.stdout);
    assert!(run.stdout.contains("\n-  password: ***\n+  password: ***\n"), "{}", run.stdout);
}

#[test]
fn templates_that_are_random_are_told_how_not_to_be() {
    let dir = folder(&CHART);
    fs::write(dir.path().join("c/templates/random.yaml"), "kind: A\nid: {{ uuidv4 }}\n").unwrap();
    render(&dir, "template", &[]);
    let run = render(&dir, "template", &CHECK);
    assert_eq!(run.status, 1);
    assert!(run.stdout.ends_with("with --seed they render the same every time\n"), "{}", run.stdout);
    render(&dir, "template", &["--seed", "1"]);
    assert_eq!(render(&dir, "template", &[&CHECK[..], &["--seed", "1"]].concat()).status, 0);
}

#[test]
fn links_are_not_followed() {
    for (link, is_folder) in [("out", true), ("out/shop", true), ("out/shop/web.yaml", false)] {
        let (dir, elsewhere) = (folder(&CHART), folder(&[("web.yaml", "kept")]));
        let path = dir.path().join(link);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(if is_folder { elsewhere.path().to_path_buf() } else { elsewhere.path().join("web.yaml") }, &path)
            .unwrap();
        for more in [&CHECK[..], &[]] {
            let run = render(&dir, "release", more);
            assert_eq!(run.status, 2, "{link}: {}", run.stdout);
            assert!(
                run.stderr.contains(&format!("{link} is a symbolic link: committed manifests are files")),
                "{}",
                run.stderr
            );
        }
        assert_eq!(written(elsewhere.path()), [("web.yaml".to_owned(), "kept".to_owned())]);
    }
    // A draft that is a link is replaced, not written through.
    let (dir, elsewhere) = (folder(&CHART), folder(&[("x", "kept")]));
    fs::create_dir_all(dir.path().join("out/shop")).unwrap();
    symlink(elsewhere.path().join("x"), dir.path().join("out/shop/.web.yaml.draft")).unwrap();
    assert_eq!(render(&dir, "release", &[]).status, 0);
    assert_eq!(written(elsewhere.path()), [("x".to_owned(), "kept".to_owned())]);
}

const PROJECT: &str = "releases:\n- {name: web, namespace: shop, chart: c}\n- {name: api, namespace: shop, chart: c}\n\
                       output: {folder: manifests}\npolicies: {include: [pod-security/privileged]}\n";

fn check(dir: &TempDir, more: &[&str]) -> Run {
    plimsoll(dir.path(), &[&["check", "--policy", "pod-security/privileged", "--no-schemas"], more].concat(), "")
}

#[test]
fn a_project_is_held_to_its_committed_manifests_and_updates_them() {
    let dir = folder(&CHART);
    fs::write(dir.path().join("plimsoll.yaml"), PROJECT).unwrap();
    let missing = check(&dir, &[]);
    assert_eq!(missing.status, 1, "{}{}", missing.stdout, missing.stderr);
    assert!(
        missing
            .stdout
            .contains("manifests are not what is rendered: 2 missing\n`plimsoll check --update` writes them; ")
    );
    let update = check(&dir, &["--update"]);
    assert_eq!((update.status, update.stderr.as_str()), (0, ""));
    assert!(
        update.stdout.ends_with("wrote manifests/shop/api.yaml\nwrote manifests/shop/web.yaml\n"),
        "{}",
        update.stdout
    );
    assert_eq!(check(&dir, &[]).status, 0);

    // Another layout: what was written before is left over.
    fs::write(
        dir.path().join("plimsoll.yaml"),
        PROJECT.replace("folder: manifests", "folder: manifests, layout: object"),
    )
    .unwrap();
    fs::write(dir.path().join("manifests/mine.yaml"), "kind: Kustomization\n").unwrap();
    let other = check(&dir, &[]);
    assert_eq!(other.status, 1);
    assert!(other.stdout.contains("8 missing, 2 left over\n"), "{}", other.stdout);
    assert_eq!(check(&dir, &["--update"]).status, 0);
    assert_eq!(check(&dir, &[]).status, 0);
    let names: Vec<String> = written(&dir.path().join("manifests")).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 9, "{names:?}");
    assert!(names.contains(&"mine.yaml".to_owned()) && names.contains(&"shop/api/secret-login.yaml".to_owned()));

    // A release that goes takes its folder along.
    fs::write(
        dir.path().join("plimsoll.yaml"),
        "releases: [{name: web, namespace: shop, chart: c}]\noutput: {folder: manifests, layout: object}\n",
    )
    .unwrap();
    assert_eq!(check(&dir, &["--update"]).status, 0);
    assert!(!dir.path().join("manifests/shop/api").exists());
}

fn divided(text: &str) -> Files {
    let manifests = manifest::read([(SourceFile::new("c/templates/a.yaml", text), None)]).unwrap();
    let release = Release { namespace: "ns", name: "r", crds: &[], manifests: &manifests, stream: Stream::default() };
    committed::files(Layout::Object, &[release]).unwrap()
}

#[test]
fn objects_of_one_name_have_files_of_their_own() {
    let files = divided(
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n---\n\
         apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: web}\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {twice: \"1\"}\n---\n\
         kind: ClusterRole\nmetadata: {name: \"system:web\"}\n---\n\
         kind: List\nitems: []\n---\n# nothing\n---\nno: kind\n",
    );
    let names: Vec<String> = files.keys().map(|path| path.display().to_string()).collect();
    insta::assert_snapshot!(names.join("\n"), @r"
    ns/r/clusterrole-system_web-eef71cb0.yaml
    ns/r/configmap-a.yaml
    ns/r/document.yaml
    ns/r/list.yaml
    ns/r/service-web-7d1bf8d0.yaml
    ns/r/service-web-f235e725.yaml
    ");
    assert_eq!(files[Path::new("ns/r/configmap-a.yaml")].matches("# Source: ").count(), 2);
}

#[test]
fn no_name_leads_out_of_the_folder() {
    let long = "x".repeat(5000);
    for name in ["../../x", "/etc/passwd", "a/b", "..", ".git", "\\u0000\\u001b[2J", &long, "CON:", "-rf"] {
        let files = divided(&format!("kind: \"{name}\"\nmetadata: {{name: \"{name}\"}}\n"));
        let paths: Vec<&PathBuf> = files.keys().collect();
        assert_eq!(paths.len(), 1);
        assert!(paths[0].starts_with("ns/r") && paths[0].iter().count() == 3, "{}", paths[0].display());
        assert!(paths[0].file_name().unwrap().len() < 255);
    }
    let release = |namespace, name| Release { namespace, name, crds: &[], manifests: &[], stream: Stream::default() };
    let releases = [release("../..", "x"), release("", ""), release("/etc", "passwd")];
    for path in committed::files(Layout::Release, &releases).unwrap().keys() {
        assert!(path.iter().count() == 2 && path.iter().all(|name| name != ".." && name != "/"), "{}", path.display());
    }
}

#[test]
fn long_differences_are_cut() {
    let text = |word: &str| (0..5000).map(|n| format!("{word}-{n}: {}\n", "x".repeat(10))).collect::<String>();
    let drift = |n| Drift {
        path: format!("m/{n}.yaml").into(),
        staleness: Staleness::Stale { found: text("a"), expected: text("b") },
    };
    let drifts: Vec<Drift> = (0..30).map(drift).collect();
    let mut out = Vec::new();
    report::drift::write(&drifts, Style::Plain, &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.lines().count() < 2200, "{}", out.lines().count());
    assert!(out.contains("… 9801 more lines of this difference\n") && out.ends_with(": 30 stale\n"), "{out}");
}

#[test]
fn colours_are_for_terminals() {
    let staleness = Staleness::Stale { found: "a\nb\n".into(), expected: "a\nc\n".into() };
    let mut out = Vec::new();
    report::drift::write(&[Drift { path: "m.yaml".into(), staleness }], Style::Coloured, &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("\x1b[31m-b\x1b[0m\n\x1b[32m+c\x1b[0m\n") && out.contains("\n a\n"), "{out:?}");
}
