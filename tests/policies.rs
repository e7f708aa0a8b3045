//! Policies: every one's examples, the expressions' language, and blame. Adding a fixture adds a test.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use plimsoll::cel::blame::blame;
use plimsoll::cel::types::Type;
use plimsoll::cel::value::{Origin, Root, Val};
use plimsoll::cel::{Evaluation, Program, Scope};
use plimsoll::policy::examples::Examples;
use plimsoll::policy::{Catalogue, Policy, PolicyKind, Release, evaluate};
use plimsoll::source::SourceFile;
use plimsoll::value::Value;
use plimsoll::yaml;

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    assert!(!files.is_empty());
    files
}

fn load(path: &Path) -> Value {
    yaml::parse(&fs::read_to_string(path).unwrap(), yaml::Options { strict: true, ..Default::default() }).unwrap()
}

/// The value of an expression with `object`, or the text of what was wrong, and whether it compiled.
fn judge(source: &str, object: &Value) -> Result<bool, (bool, String)> {
    let scope = Scope { globals: &["object"], types: &[], composed: &[], joins: false };
    let program = Program::compile_to(source, scope, &Type::Bool).map_err(|error| (false, error.to_string()))?;
    let globals = [Val::plain(object, None)];
    Evaluation::new(&globals, &[]).truth(&program).map_err(|error| (true, error.to_string()))
}

fn written_out(source: &str) -> String {
    match source.strip_prefix("repeat:").and_then(|rest| rest.rsplit_once(':')) {
        Some((part, times)) => part.repeat(times.parse().unwrap()),
        None => source.to_owned(),
    }
}

#[test]
fn expressions_have_the_values_that_kubernetes_gives_them() {
    let mut wrong = Vec::new();
    for path in fixtures("cel") {
        let fixture = load(&path);
        let object = fixture.get("object").cloned().unwrap_or_default();
        let list = |key: &str| fixture.get(key).and_then(Value::as_list).unwrap_or_default().to_vec();
        for case in list("holds") {
            let source = case.as_str().unwrap();
            let verdict = judge(source, &object);
            if verdict != Ok(true) {
                wrong.push(format!("{source}\n    {verdict:?}"));
            }
        }
        for (key, compiles) in [("fails", true), ("refused", false)] {
            for case in list(key) {
                let [source, text] = case.as_list().unwrap() else { panic!("{case:?}") };
                let source = written_out(source.as_str().unwrap());
                let start = Instant::now();
                let verdict = judge(&source, &object);
                let text = text.as_str().unwrap();
                if !matches!(&verdict, Err((compiled, error)) if *compiled == compiles && error.contains(text)) {
                    wrong.push(format!("{source:.200}\n    wanted {text}, got {verdict:?}"));
                }
                assert!(start.elapsed() < Duration::from_secs(30), "{source:.100}");
            }
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_policy_is_complete_and_its_examples_hold() {
    let catalogue = Catalogue::builtin().unwrap();
    assert!(!catalogue.entries().is_empty());
    let mut wrong = Vec::new();
    for entry in catalogue.entries() {
        let policy = &entry.policy;
        for (what, text) in
            [("title", &policy.title), ("rationale", &policy.rationale), ("remediation", &policy.remediation)]
        {
            assert!(!text.is_empty(), "{} has no {what}", policy.id);
        }
        let file = entry.examples().unwrap_or_else(|| panic!("{} has no examples", policy.id));
        let examples = Examples::read(&file).unwrap_or_else(|error| panic!("{}: {error}", error.location));
        assert!(!examples.pass.is_empty() && !examples.fail.is_empty(), "{} lacks examples", policy.id);
        match examples.run(policy) {
            Ok(mismatches) => wrong.extend(mismatches.iter().map(|m| format!("{}: {m}", m.location))),
            Err(error) => wrong.push(format!("{}: {error}", error.location)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_expression_of_the_catalogue_compiles() {
    for policy in Catalogue::builtin().unwrap().policies() {
        policy.check().unwrap_or_else(|error| panic!("{}: {error}", error.location));
    }
}

#[test]
fn blame_names_the_fields_that_decided() {
    let mut wrong = Vec::new();
    for path in fixtures("blame") {
        let fixture = load(&path);
        let root = |root| Some(Arc::new(Origin::Root(root)));
        let globals = [
            Val::plain(fixture.get("object").unwrap(), root(Root::Object)),
            Val::plain(fixture.get("values").unwrap(), root(Root::Values)),
            Val::plain(&yaml::parse("strict: false", yaml::Options::default()).unwrap(), None),
        ];
        for case in fixture.get("cases").and_then(Value::as_list).unwrap() {
            let [source, wanted] = case.as_list().unwrap() else { panic!("{case:?}") };
            let wanted: Vec<&str> = wanted.as_list().unwrap().iter().filter_map(Value::as_str).collect();
            let scope = Scope { globals: &["object", "values", "params"], types: &[], composed: &[], joins: false };
            let program = Program::compile(source.as_str().unwrap(), scope).unwrap();
            let evaluation = Evaluation::new(&globals, &[]);
            assert_eq!(evaluation.truth(&program), Ok(false), "{source:?}");
            let places = blame(&evaluation, &program, false);
            let places: Vec<String> = places
                .iter()
                .map(|(root, path)| match root {
                    Root::Values => format!("values: {path}"),
                    _ => path.to_string(),
                })
                .collect();
            if places != wanted {
                wrong.push(format!("{source:?}\n    wanted {wanted:?}\n    got    {places:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn policies_of_a_folder_match_as_in_the_api_server() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/policies/right");
    let mut catalogue = Catalogue::default();
    catalogue.add_folder(&folder).unwrap();
    for entry in catalogue.entries() {
        let examples = Examples::read(&entry.examples().expect("examples")).unwrap();
        let mismatches = examples.run(&entry.policy).unwrap_or_else(|error| panic!("{}: {error}", error.location));
        assert!(mismatches.is_empty(), "{}", mismatches.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    }
    assert!(catalogue.add_folder(&folder).is_err(), "ids are unique");
}

/// The first line of each file is a comment with the place and the text of the error.
#[test]
fn wrong_policies_are_refused_at_their_place() {
    let mut wrong = Vec::new();
    for path in fixtures("policies/wrong") {
        let text = fs::read_to_string(&path).unwrap();
        let expected = text.lines().next().unwrap().trim_start_matches("# ").to_owned();
        let file = SourceFile::new("p", text);
        let pod =
            yaml::parse("{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {}}", Default::default()).unwrap();
        let error = Policy::read("a/b", &file)
            .and_then(|policy| {
                let objects = [pod.clone()];
                evaluate([&policy], &[Release::plain("n", "v1.35.0", &objects)]).map(|_| ())
            })
            .unwrap_err();
        let position = error.location.position();
        let found = format!("{}:{} {error}", position.line, position.column);
        if found != expected {
            wrong.push(format!("{}\n    wanted {expected}\n    got    {found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Chains are as deep as they are long; none may exhaust a thread's stack.
#[test]
fn chains_are_as_long_as_a_stack_allows() {
    let object = yaml::parse("{a: {}}", yaml::Options::default()).unwrap();
    let chain = |first: &str, link: &str, times: usize, last: &str| format!("{first}{}{last}", link.repeat(times));
    let too_deep = Err((false, "the expression is too large: nested more than 120 deep".to_owned()));
    assert_eq!(judge(&chain("1", "+1", 115, " > 0"), &object), Ok(true));
    assert_eq!(judge(&chain("1", "+1", 1_490, " > 0"), &object), too_deep);
    assert_eq!(judge(&chain("true", "&&true", 740, ""), &object), Ok(true));
    assert_eq!(judge(&chain("object", ".a", 115, " == 1"), &object), Err((true, "no such key: a".into())));
    assert_eq!(judge(&chain("object", ".a", 1_490, " == 1"), &object), too_deep);
    assert_eq!(judge(&chain("object", "[0]", 115, " == 1"), &object), Err((true, "no such key: 0".into())));
    assert_eq!(judge(&chain("object", "[0]", 1_400, " == 1"), &object), too_deep);
}

/// Joins by `groupBy` take about as long as what they join is large, whether something collides or not.
#[test]
fn fleets_take_linear_time() {
    let catalogue = Catalogue::builtin().unwrap();
    let policies = || catalogue.policies().filter(|policy| policy.kind == PolicyKind::Fleet);
    let time = |count: usize, collide: bool| {
        let name = |release: usize, object: usize| {
            if collide { format!("o-{object}") } else { format!("o-{release}-{object}") }
        };
        let object = |release: usize, object: usize| {
            let name = name(release, object);
            let text = format!(
                "{{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {{name: {name}, namespace: n}}, \
                 spec: {{rules: [{{host: {name}, http: {{paths: [{{path: /}}]}}}}]}}}}"
            );
            yaml::parse(&text, yaml::Options::default()).unwrap()
        };
        let releases: Vec<Vec<Value>> =
            (0..10).map(|release| (0..count / 10).map(|index| object(release, index)).collect()).collect();
        let releases: Vec<Release<'_>> =
            releases.iter().map(|objects| Release { name: "r", ..Release::plain("n", "v1.35.0", objects) }).collect();
        let start = Instant::now();
        let violations = evaluate(policies(), &releases).unwrap();
        assert_eq!(violations.len(), if collide { 2 } else { 0 });
        start.elapsed()
    };
    policies().for_each(|policy| policy.check().unwrap());
    for collide in [false, true] {
        let (small, large) = (time(500, collide), time(4_000, collide));
        assert!(large < small * 8 * 3, "{small:?} for 500 objects, {large:?} for 4,000");
    }
}
