//! Schemas in folders: on every object of tests/fixtures/locations the verdict is that of kubeconform -strict, recorded by
//! tests/peers/locations.sh; but where exceptions.yaml gives a reason. Adding a fixture adds a test.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use common::{Run, folder, folders, plimsoll};
use serde_json::Value as Json;

const WIDGET: &str = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: {size: 0}\n";
const SCHEMA: &str = r#"{"properties": {"spec": {"properties": {"size": {"minimum": 1}}}}}"#;
const CRD: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, properties: {size: {type: integer, minimum: MINIMUM}}}
";

/// The names of the objects that are refused.
fn refused(run: &Run) -> BTreeSet<String> {
    assert!(run.status < 2, "{}", run.stderr);
    let report: Json = serde_json::from_str(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|finding| finding["object"]["name"].as_str().unwrap().to_owned()).collect()
}

fn lint(dir: &Path, args: &[&str]) -> Run {
    let fixed = ["lint", "--policy", "schema/*", "--kube-version", "1.34", "--format", "json"];
    plimsoll(dir, &[&fixed[..], args].concat(), WIDGET)
}

#[test]
fn verdicts_are_those_of_kubeconform() {
    let mut wrong = Vec::new();
    for fixture in folders("tests/fixtures/locations") {
        let read = |name: &str| fs::read_to_string(fixture.join(name));
        let locations = read("locations").unwrap();
        let mut args = vec!["objects.yaml", "--no-config"];
        args.extend(locations.lines().flat_map(|location| ["--schema-location", location]));
        let refused = refused(&lint(&fixture, &args));
        let answers: BTreeMap<String, String> = serde_json::from_str(&read("answers.json").unwrap()).unwrap();
        let exceptions: BTreeMap<String, Vec<String>> =
            read("exceptions.yaml").map(|text| serde_yaml::from_str(&text).unwrap()).unwrap_or_default();
        let mut excepted: BTreeSet<&String> = exceptions.values().flatten().collect();
        for (name, answer) in &answers {
            let agrees = (answer != "valid") == refused.contains(name);
            if agrees == excepted.remove(name) {
                let ours = if refused.contains(name) { "refuses" } else { "passes" };
                wrong.push(format!("{}: {name}: kubeconform says {answer}, plimsoll {ours} it", fixture.display()));
            }
        }
        assert!(excepted.is_empty(), "{}: there is no {excepted:?}", fixture.display());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn locations_are_of_flags_or_of_the_project() {
    let dir = folder(&[
        ("plimsoll.yaml", "schemas: {locations: [\"strict/{{.ResourceKind}}.json\"]}\n"),
        ("strict/widget.json", SCHEMA),
        ("lax/widget.json", "{}"),
        ("broken/widget.json", "{"),
    ]);
    let at = |args: &[&str]| lint(dir.path(), &[&["-"], args].concat());
    assert_eq!(at(&[]).status, 1);
    assert_eq!(at(&["--schema-location", "lax/{{.ResourceKind}}.json"]).status, 0, "flags win");
    let both = ["--schema-location", "default", "--schema-location", "strict/{{.ResourceKind}}.json"];
    assert_eq!(refused(&at(&both)), ["a".to_owned()].into());
    let unknown = at(&["--schema-location", "default"]);
    assert!(unknown.stdout.contains("schema/unknown-kind"), "{}", unknown.stdout);
    assert_eq!(
        at(&["--no-schemas", "--policy", "images/tag", "--schema-location", "nowhere"]).status,
        0,
        "nothing is read"
    );
    for (location, reason) in [
        ("broken/{{.ResourceKind}}.json", "broken/widget.json is no JSON: EOF while parsing an object"),
        ("https://example.com", "no schema is ever fetched: download it and name the folder"),
        ("nowhere", "the folder of schemas nowhere/ cannot be read"),
    ] {
        let run = at(&["--schema-location", "strict/no.json", "--schema-location", location]);
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{location}");
        assert!(run.stderr.contains(reason), "{location}: {}", run.stderr);
    }
}

/// An object of Kubernetes itself is not held to what is in the binary where only folders are named.
#[test]
fn without_default_only_folders_count() {
    let dir =
        folder(&[("s/pod.json", "{}"), ("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: 1\n")]);
    let at = |args: &[&str]| lint(dir.path(), &[&["pod.yaml", "--no-config"], args].concat()).status;
    assert_eq!(at(&[]), 1);
    assert_eq!(at(&["--schema-location", "s/{{.ResourceKind}}.json"]), 0);
    assert_eq!(at(&["--schema-location", "default", "--schema-location", "s/{{.ResourceKind}}.json"]), 1);
}

#[test]
fn crds_are_of_flags_and_of_the_project() {
    let crd = |minimum: &str| CRD.replace("MINIMUM", minimum);
    let dir = folder(&[
        ("plimsoll.yaml", "schemas: {crds: [crds]}\n"),
        ("crds/widget.yaml", &crd("1")),
        ("lax.yaml", &crd("0")),
        ("none.yaml", WIDGET),
        ("broken.yaml", "a: ["),
    ]);
    let at = |args: &[&str]| lint(dir.path(), &[&["-"], args].concat());
    let run = at(&[]);
    assert!(run.stdout.contains("schema/invalid-value"), "{}{}", run.stdout, run.stderr);
    assert_eq!(at(&["--no-config", "--crds", "lax.yaml"]).status, 0);
    assert!(at(&["--no-config"]).stdout.contains("schema/unknown-kind"));
    for (path, reason) in [
        ("none.yaml", "none.yaml holds no CustomResourceDefinition"),
        ("broken.yaml", "broken.yaml cannot be read: "),
        ("nowhere", "nowhere cannot be read: "),
        ("https://example.com/crds.yaml", "nothing is ever fetched"),
    ] {
        let run = at(&["--crds", path]);
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{path}");
        assert!(run.stderr.contains(reason), "{path}: {}", run.stderr);
    }
}
