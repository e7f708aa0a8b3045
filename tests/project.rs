//! The project file: what is read, what is refused and how that is said, and that its JSON Schema knows the same.
//! Adding a fixture adds a test.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Run, folder, plimsoll, root, snapshots};
use plimsoll::policy::{Catalogue, Profile, exemption};
use plimsoll::project::{Project, Release};
use plimsoll::source::SourceFile;
use plimsoll::yaml;

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  colour: blue\n";
const LEAK: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  API_TOKEN: ghp_0123456789abcdefghijABCDEFGHIJ012345\n";

fn fixtures(part: &str) -> Vec<PathBuf> {
    let folder = root().join("tests/fixtures/project").join(part);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    assert!(!files.is_empty());
    files
}

fn lint(path: &Path) -> Run {
    let folder = path.parent().unwrap();
    plimsoll(folder, &["lint", "-", "--config", path.file_name().unwrap().to_str().unwrap()], CONFIG)
}

fn schema_accepts(path: &Path) -> bool {
    let schema = serde_json::from_str(include_str!("../schemas/plimsoll.schema.json")).unwrap();
    let value = yaml::parse(&fs::read_to_string(path).unwrap(), yaml::Options::default()).unwrap();
    let json = plimsoll::json::to_json(&value).unwrap();
    jsonschema::draft202012::new(&schema).unwrap().is_valid(&serde_json::from_str(&json).unwrap())
}

#[test]
fn what_is_right_is_read() {
    for path in fixtures("accepted") {
        let run = lint(&path);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{}", path.display());
        assert!(schema_accepts(&path), "{}", path.display());
    }
}

#[test]
fn what_is_wrong_is_refused_with_its_place() {
    for (part, known_to_schema) in [("refused/form", true), ("refused/meaning", false)] {
        for path in fixtures(part) {
            let run = lint(&path);
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{name}");
            snapshots("project").bind(|| insta::assert_snapshot!(name, run.stderr));
            if known_to_schema {
                assert!(!schema_accepts(&path), "{name}: the schema accepts it");
            }
        }
    }
}

#[test]
fn the_file_of_the_current_folder_is_read() {
    let dir = folder(&[("plimsoll.yaml", "policies: {severity: {secrets/plaintext: warning}}\n")]);
    let lint = |args: &[&str]| plimsoll(dir.path(), &[&["lint", "-"], args].concat(), LEAK);
    assert_eq!(lint(&[]).status, 0);
    assert_eq!(lint(&["--no-config"]).status, 1);
    assert_eq!(lint(&["--severity", "secrets/*=info"]).status, 0, "an id says more than its category");
    assert_eq!(lint(&["--severity", "secrets/plaintext=error"]).status, 1, "flags win");
    assert_eq!(lint(&["--config", "nowhere.yaml"]).status, 2);
    assert_eq!(lint(&["--config", "plimsoll.yaml", "--no-config"]).status, 2);
    fs::write(dir.path().join("plimsoll.yaml"), "policies: [").unwrap();
    assert_eq!(lint(&[]).status, 2);
    fs::remove_file(dir.path().join("plimsoll.yaml")).unwrap();
    assert_eq!(lint(&[]).status, 1);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", dir.path().join("plimsoll.yaml")).unwrap();
        assert_eq!(lint(&[]).status, 2, "a file that cannot be read may say what must be checked");
    }
}

/// `lint .` in a project takes its manifests, and not what says how to check them.
#[test]
fn the_project_file_is_no_manifest() {
    let dir = folder(&[("plimsoll.yaml", "policies: {}\n"), ("config.yaml", CONFIG)]);
    let run = plimsoll(dir.path(), &["lint", "."], "");
    assert!(run.stdout.starts_with("all is well: 1 object checked"), "{}{}", run.stdout, run.stderr);
}

/// The examples of docs/configuration.md.
#[test]
fn the_manual_tells_the_truth() {
    let manual = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let blocks: Vec<&str> = manual.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let [file, releases, annotated] = blocks[..] else { panic!("{}", blocks.len()) };
    let read = Project::read(&SourceFile::new("plimsoll.yaml", file), Path::new("")).unwrap();
    assert_eq!(read.exemptions.len(), 1);
    read.configure(&mut Catalogue::builtin().unwrap()).unwrap();
    let dir = folder(&[("plimsoll.yaml", releases), ("tenants/alice/values.yaml", "")]);
    let releases = Project::load(dir.path(), Path::new("plimsoll.yaml")).unwrap().releases().unwrap();
    assert_eq!(releases.iter().map(Release::label).collect::<Vec<_>>(), ["shop/web", "alice/workspace"]);
    let object = yaml::parse(annotated, yaml::Options::default()).unwrap();
    assert_eq!(exemption::carried(&object, 0).unwrap().len(), 1);
}

#[test]
fn the_schema_knows_every_profile() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../schemas/plimsoll.schema.json")).unwrap();
    let known = &schema["$defs"]["profile"]["enum"];
    assert_eq!(*known, serde_json::json!(Profile::ALL.map(Profile::name)));
}

#[test]
fn flags_choose_policies() {
    let file = "policies: {profiles: [all], exclude: [secrets/plaintext]}\n";
    let dir = folder(&[("plimsoll.yaml", file)]);
    let lint = |args: &[&str]| plimsoll(dir.path(), &[&["lint", "-"], args].concat(), LEAK);
    assert_eq!(lint(&[]).status, 0);
    assert_eq!(lint(&["--profile", "default"]).status, 0, "what the project excludes stays excluded");
    assert_eq!(lint(&["--policy", "secrets/plaintext"]).status, 1, "but for what a flag names");
    assert_eq!(lint(&["--policy", "kube-linter:env-var-secret"]).status, 1);
    assert_eq!(lint(&["--policy", "secrets/*"]).status, 1);
    assert_eq!(lint(&["--policy", "secrets/*", "--exclude", "secrets/plaintext"]).status, 0);
    let one = lint(&["--no-config", "--policy", "secrets/plaintext"]);
    assert!(one.stdout.ends_with(": 1 object checked against 1 policy\n"), "{}", one.stdout);
    let all = lint(&["--no-config", "--profile", "all"]);
    assert!(all.stdout.ends_with("(profile all)\n"), "{}", all.stdout);
    for (args, wanted) in [
        (&["--policy", "secrets/plaintxt"][..], "did you mean secrets/plaintext?"),
        (&["--exclude", "secret/*"], "did you mean secrets/*?"),
        (&["--severity", "secrets/nope=info"], "there is no policy secrets/nope"),
        (&["--severity", "secrets/plaintext=off"], "expected ID=error, ID=warning or ID=info"),
        (&["--profile", "defaul"], "'default'"),
        (&["--policy", "secrets/plaintext", "--exclude", "secrets/*"], "no policy is left to evaluate"),
        (&["--today", "tomorrow"], "is no date such as 2026-12-31"),
    ] {
        let run = lint(args);
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{args:?}");
        assert!(run.stderr.contains(wanted), "{args:?}: {}", run.stderr);
    }
}

/// The policy of tests/fixtures/export allows three replicas.
#[test]
fn parameters_are_set_by_the_project_and_by_flags() {
    let own = root().join("tests/fixtures/export/own").display().to_string();
    let object = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 5}\n";
    let file = format!("policies: {{profiles: [], folders: [{own:?}], params: {{replicas: {{most: 7}}}}}}\n");
    let dir = folder(&[("plimsoll.yaml", &file)]);
    let lint = |args: &[&str]| plimsoll(dir.path(), &[&["lint", "-", "--no-schemas"], args].concat(), object);
    assert_eq!(lint(&[]).status, 0);
    assert_eq!(lint(&["--param", "replicas:most=4"]).status, 1, "flags win");
    assert_eq!(lint(&["--no-config", "--policies", &own, "--policy", "replicas"]).status, 1);
    for (param, wanted) in [
        ("replicas:mots=4", "policy replicas has no parameter \"mots\"; it has most"),
        ("replica:most=4", "did you mean replicas?"),
        ("replicas=4", "expected ID:KEY=VALUE"),
        ("secrets/plaintext:most=4", "it has none"),
    ] {
        let run = lint(&["--param", param]);
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{param}");
        assert!(run.stderr.contains(wanted), "{param}: {}", run.stderr);
    }
}

#[test]
fn releases_are_meant_for_the_version_of_the_project() {
    let template = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {v: {{ .Capabilities.KubeVersion }}}\n";
    let dir = folder(&[
        ("plimsoll.yaml", "kubeVersion: 1.30\n"),
        ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n"),
        ("c/templates/a.yaml", template),
    ]);
    let render = |args: &[&str]| plimsoll(dir.path(), &[&["render", "r", "c"], args].concat(), "").stdout;
    assert!(render(&[]).contains("{v: v1.30}"), "{}", render(&[]));
    assert!(render(&["--kube-version", "1.25"]).contains("{v: v1.25}"));
    assert!(!render(&["--no-config"]).contains("{v: v1.30}"));
}
