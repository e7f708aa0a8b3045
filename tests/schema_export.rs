//! JSON Schemas for editors: what they accept, what they refuse, what they say, and how they are written out.
//! Adding a fixture adds a test.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use common::{folder, plimsoll, root};
use jsonschema::Validator;
use plimsoll::policy::examples::Examples;
use plimsoll::policy::{Policy, Profile};
use plimsoll::schema::Check;
use plimsoll::source::SourceFile;
use plimsoll::value::Value;
use plimsoll::{json, yaml};
use serde_json::Value as Json;

/// The names of the command, and the files.
const SCHEMAS: [(&str, &str); 8] = [
    ("project", "plimsoll.schema.json"),
    ("policy", "policy.schema.json"),
    ("policy-examples", "policy-examples.schema.json"),
    ("baseline", "baseline.schema.json"),
    ("findings", "findings.schema.json"),
    ("delta", "delta.schema.json"),
    ("reach", "reach.schema.json"),
    ("unused", "unused.schema.json"),
];

/// Policies whose form is right and which mean nothing: no schema can know.
const WRONG_IN_MEANING: [&str; 25] = [
    "after-umlauts",
    "audit-annotation-twice",
    "audit-annotation-type",
    "binding-of-nothing",
    "budget",
    "condition-twice",
    "condition-with-variable",
    "evaluation",
    "fleet-object",
    "group-by-in-object-policy",
    "group-by-key",
    "group-by-string",
    "kubernetes-minor",
    "kyverno-function",
    "kyverno-template",
    "later-variable",
    "match-condition",
    "not-a-bool",
    "other-kind",
    "params",
    "syntax",
    "undeclared",
    "undeclared-params",
    "unused-parameters",
    "variable",
];

fn schema(file: &str) -> Json {
    serde_json::from_str(&fs::read_to_string(root().join("schemas").join(file)).unwrap()).unwrap()
}

fn validator(file: &str) -> Validator {
    jsonschema::draft202012::new(&schema(file)).unwrap()
}

/// All YAML files below a folder.
fn files(folder: &str) -> Vec<PathBuf> {
    fn add(path: &Path, all: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(&path, all);
            } else if path.extension().is_some_and(|end| end == "yaml") {
                all.push(path);
            }
        }
    }
    let mut all = Vec::new();
    add(&root().join(folder), &mut all);
    all.sort();
    assert!(!all.is_empty());
    all
}

/// The documents of a text that are not empty; `None` where it is no YAML.
fn documents(text: &str) -> Option<Vec<Json>> {
    let documents = yaml::parse_stream(text, yaml::Options::default()).ok()?;
    let documents = documents.into_iter().filter(|document| document.value != Value::Null);
    let to_json = |value: &Value| serde_json::from_str(&json::to_json(value).unwrap()).unwrap();
    Some(documents.map(|document| to_json(&document.value)).collect())
}

/// What is wrong with a file.
fn errors(validator: &Validator, text: &str) -> Vec<String> {
    let Some(documents) = documents(text) else { return vec!["no YAML".to_owned()] };
    let errors = documents.iter().flat_map(|document| validator.iter_errors(document));
    errors.map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn what_is_right_is_accepted() {
    let (policy, examples) = (validator("policy.schema.json"), validator("policy-examples.schema.json"));
    let folders = ["policies", "tests/fixtures/policies/right", "tests/fixtures/own-policies", "tests/fixtures/export"];
    for path in folders.iter().flat_map(|folder| files(folder)) {
        let is_examples = path.to_str().unwrap().ends_with(".test.yaml");
        let validator = if is_examples { &examples } else { &policy };
        let errors = errors(validator, &fs::read_to_string(&path).unwrap());
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
}

/// The policies and examples of docs/writing-policies.md.
#[test]
fn what_the_manual_shows_is_accepted() {
    let (policy, examples) = (validator("policy.schema.json"), validator("policy-examples.schema.json"));
    let manual = fs::read_to_string(root().join("docs/writing-policies.md")).unwrap();
    let (mut policies, mut tests) = (0, 0);
    for block in manual.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
        let validator = match () {
            () if block.starts_with("apiVersion:") => (policies += 1, &policy).1,
            () if block.starts_with("pass:") => (tests += 1, &examples).1,
            () => continue,
        };
        assert_eq!(errors(validator, block), [""; 0], "{block}");
    }
    assert!(policies >= 4 && tests >= 2, "{policies} {tests}");
}

#[test]
fn policies_of_a_wrong_form_are_refused() {
    let policy = validator("policy.schema.json");
    let mut accepted = BTreeSet::new();
    for path in files("tests/fixtures/policies/wrong") {
        if errors(&policy, &fs::read_to_string(&path).unwrap()).is_empty() {
            accepted.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    assert_eq!(accepted, WRONG_IN_MEANING.map(str::to_owned).into());
}

#[test]
fn examples_of_a_wrong_form_are_refused() {
    let examples = validator("policy-examples.schema.json");
    for path in files("tests/fixtures/policy-examples/wrong") {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!errors(&examples, &text).is_empty(), "{}: the schema accepts it", path.display());
        let read = Examples::read(&SourceFile::new("a.test.yaml", text));
        assert!(read.is_err(), "{}: plimsoll accepts it", path.display());
    }
}

/// A right policy, with one thing changed: the schema and the program agree.
#[test]
fn changes_are_refused_by_the_schema_and_by_the_program() {
    let right = fs::read_to_string(root().join("tests/fixtures/schema-export/policy.yaml")).unwrap();
    let policy = validator("policy.schema.json");
    let both = |text: &str| {
        let read = Policy::read("a/b", &SourceFile::new("a/b.yaml", text));
        (errors(&policy, text).is_empty(), read.is_ok())
    };
    assert_eq!(both(&right), (true, true), "{:?}", errors(&policy, &right));
    let changes = fs::read_to_string(root().join("tests/fixtures/schema-export/changes.txt")).unwrap();
    for change in changes.lines() {
        let (from, to) = change.split_once(" => ").unwrap();
        assert!(right.contains(from), "{from}");
        assert_eq!(both(&right.replacen(from, to, 1)), (false, false), "{change}");
    }
}

#[test]
fn schemas_name_what_the_program_knows() {
    let policy = schema("policy.schema.json");
    let check = &policy["$defs"]["schemaPolicy"]["properties"]["spec"]["properties"]["check"]["enum"];
    assert_eq!(*check, serde_json::json!(Check::ALL.map(Check::name)));
    let annotations = &policy["$defs"]["metadata"]["properties"]["annotations"];
    let profiles = annotations["properties"]["plimsoll.dev/profiles"]["pattern"].as_str().unwrap();
    let names = Profile::ALL.map(Profile::name).join("|");
    assert!(profiles.contains(&format!("({names})")), "{profiles}");
    let keys: Vec<&str> = annotations["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let known = annotations["propertyNames"]["then"]["pattern"].as_str().unwrap();
    let known = known.trim_start_matches("^plimsoll\\.dev/(").trim_end_matches(")$").split('|');
    let known: BTreeSet<String> = known.map(|name| format!("plimsoll.dev/{name}")).collect();
    assert_eq!(keys.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), known);
}

/// Editors show descriptions: every field that people write has one.
#[test]
fn every_field_is_described() {
    fn check(schema: &Json, root: &Json, way: &str, wrong: &mut Vec<String>) {
        match schema {
            Json::Object(map) => {
                for (name, field) in map.get("properties").and_then(Json::as_object).into_iter().flatten() {
                    let target = field["$ref"].as_str().and_then(|pointer| root.pointer(&pointer[1..]));
                    let is_condition = way.ends_with("/if") || way.ends_with("/then") || way.ends_with("/else");
                    let is_plain = ["apiVersion", "kind", "name", "namespace", "key", "operator", "values", "labels"];
                    let described = |one: &Json| one["description"].is_string();
                    let described = described(field) || target.is_some_and(described);
                    if field.is_object() && !described && !is_condition && !is_plain.contains(&name.as_str()) {
                        wrong.push(format!("{way}/{name}"));
                    }
                }
                map.iter().for_each(|(key, value)| check(value, root, &format!("{way}/{key}"), wrong));
            }
            Json::Array(items) => items.iter().for_each(|item| check(item, root, way, wrong)),
            _ => {}
        }
    }
    for file in ["plimsoll.schema.json", "policy.schema.json", "policy-examples.schema.json", "baseline.schema.json"] {
        let schema = schema(file);
        assert!(schema["title"].is_string() && schema["description"].is_string(), "{file}");
        let mut wrong = Vec::new();
        check(&schema, &schema, "", &mut wrong);
        assert_eq!(wrong, [""; 0], "{file}");
    }
}

#[test]
fn schemas_are_printed_and_written() {
    let dir = folder(&[]);
    let run = |args: &[&str]| plimsoll(dir.path(), &[&["schema", "export"], args].concat(), "");
    let written = |path: &str| fs::read_to_string(dir.path().join(path)).unwrap();
    for (name, file) in SCHEMAS {
        let committed = fs::read_to_string(root().join("schemas").join(file)).unwrap();
        assert_eq!(run(&[name]).stdout, committed);
        assert_eq!(run(&[name, "--output", "one.json"]).status, 0);
        assert_eq!(written("one.json"), committed);
    }
    let all = run(&["--output", "new/schemas"]);
    assert_eq!((all.status, all.stdout.as_str(), all.stderr.as_str()), (0, "", ""));
    for (_, file) in SCHEMAS {
        assert_eq!(
            written(&format!("new/schemas/{file}")),
            fs::read_to_string(root().join("schemas").join(file)).unwrap()
        );
    }
    assert_eq!(run(&["policy", "--output", "new"]).status, 0);
    assert_eq!(fs::read_dir(dir.path().join("new")).unwrap().count(), 2, "into a folder under its own name");
    for args in [&[][..], &["nope"], &["policy", "--output", "nowhere/a.json"], &["--output", "one.json"]] {
        let refused = run(args);
        assert_eq!((refused.status, refused.stdout.as_str()), (2, ""), "{args:?}");
        assert!(!refused.stderr.is_empty());
    }
}
