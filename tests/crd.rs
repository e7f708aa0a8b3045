//! Custom resources, as the API server's own code judges them: recorded answers, which tests/peers/crd.sh holds to live
//! ones.
//!
//! Known differences:
//! - A list where a text of a checked format is wanted passes there, as the code looks at the format only; here it is of
//!   the wrong type.
//! - Rules are evaluated here where all that they can see is of its type, there not if a value is too long or none of
//!   those that are allowed; so there can be more findings here.
//! - What a choice (`oneOf`, `anyOf`, `allOf`, `not`) refuses is told at the choice or inside it, whichever says more.
//! - An unknown field that is null is unknown here, too, and all unknown ones count for `maxProperties`.
//! - A limit outside of the range of its own format (`format: int32`, `maximum: 4294967295`) makes every value wrong there,
//!   here only those beyond the format.
//! - The metadata of a resource is held to its whole schema here; the peer leaves what `ownerReferences` need to others.
//! - CRDs of v1beta1 that keep unknown fields need no structural schema here, as when they could be created.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use plimsoll::schema::crd::CustomResources;
use plimsoll::schema::{Check, Schemas};
use plimsoll::source::{Location, SourceFile};
use plimsoll::value::{Path as Field, Step, Value};
use plimsoll::yaml;

/// The kinds of errors that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Unknown,
    Missing,
    Invalid,
    Rule,
}

type Found = BTreeSet<(Vec<String>, Kind)>;

fn documents(path: &Path) -> Vec<(Value, Location)> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    let file = SourceFile::new(path.display().to_string(), text);
    let documents = yaml::parse_stream(&file.text, yaml::Options::default()).unwrap();
    let documents = documents.into_iter().filter(|document| !matches!(document.value, Value::Null));
    documents.map(|document| (document.value, Location::new(file.clone(), document.span))).collect()
}

/// The names and numbers of a path as the peer writes it.
fn parts(path: &str) -> Vec<String> {
    path.split(['.', '[', ']']).filter(|part| !part.is_empty()).map(|part| part.trim_matches('"').to_owned()).collect()
}

/// What the peer found; `None` where it says no place.
fn recorded(problem: &serde_json::Value) -> Option<(Vec<String>, Kind)> {
    let field = problem["field"].as_str().unwrap();
    let kind = match problem["type"].as_str().unwrap() {
        "Unknown" => Kind::Unknown,
        "Rule" => Kind::Rule,
        "FieldValueRequired" => Kind::Missing,
        _ => Kind::Invalid,
    };
    (field != "<nil>").then(|| (parts(field), kind))
}

/// What is found here.
fn ours(definitions: &CustomResources, object: &Value) -> Result<Option<Found>, String> {
    let text = |key| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let (group, version) = text("apiVersion").split_once('/').unwrap_or(("", text("apiVersion")));
    let Some(definition) = definitions.find(group, version, text("kind")) else { return Ok(None) };
    let problems = definition.problems(object).map_err(|error| error.to_string())?;
    // The peer does not tell warnings.
    let errors = problems.into_iter().filter(|problem| problem.check != Check::DeprecatedApi);
    let found = errors.map(|problem| {
        let part = |step: &Step| match step {
            Step::Key(key) => parts(key),
            Step::Index(index) => vec![index.to_string()],
        };
        let kind = match problem.check {
            Check::UnknownField => Kind::Unknown,
            Check::MissingField => Kind::Missing,
            Check::InvalidValue => Kind::Invalid,
            Check::CustomRule => Kind::Rule,
            other => panic!("{other:?}"),
        };
        (problem.path.0.iter().flat_map(part).collect(), kind)
    });
    Ok(Some(found.collect()))
}

/// What differs from the answers of a folder.
fn differs(folder: &Path) -> Vec<String> {
    let mut differences = Vec::new();
    let text = fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut definitions = CustomResources::default();
    let [(crd, location)] = documents(&folder.join("crd.yaml")).try_into().unwrap();
    let added = definitions.add(&crd, &location).map_err(|error| error.to_string());
    match (added, expected["refused"].as_array()) {
        (Ok(()), Some(refused)) => return vec![format!("is taken, but: {refused:?}")],
        (Err(error), None) => return vec![format!("is refused: {error}")],
        (Err(_), Some(_)) => return differences,
        (Ok(()), None) => {}
    }
    let objects = documents(&folder.join("objects.yaml"));
    let answers = expected["objects"].as_array().cloned().unwrap_or_default();
    assert_eq!(objects.len(), answers.len(), "{}", folder.display());
    for (i, ((object, _), answer)) in objects.iter().zip(&answers).enumerate() {
        let answer = answer.as_array().unwrap();
        let wanted: Found = answer.iter().filter_map(recorded).collect();
        let is_served = answer.iter().all(|problem| problem["type"] != "Unserved");
        match ours(&definitions, object) {
            Ok(None) if !is_served => {}
            Ok(Some(found)) if is_served => {
                if found.is_empty() != answer.is_empty() {
                    differences.push(format!("object {i}: wanted {answer:?}, found {found:?}"));
                } else if let Some(difference) = differs_in_place(&found, &wanted, answer) {
                    differences.push(format!("object {i}: {difference}"));
                }
            }
            other => differences.push(format!("object {i}: wanted {answer:?}, found {other:?}")),
        }
    }
    differences
}

/// The first place that only one side names. Near a choice, the one may name a place inside what the other names.
fn differs_in_place(found: &Found, wanted: &Found, answer: &[serde_json::Value]) -> Option<String> {
    let is_blocked = |kind: &str| answer.iter().any(|problem| problem["type"] == kind);
    let is_blocked = ["FieldValueNotSupported", "FieldValueTooLong", "FieldValueTooMany"].into_iter().any(is_blocked);
    // A choice, or metadata that cannot be read as a whole: neither says the place.
    let is_vague = |problem: &serde_json::Value| {
        problem["field"] == "<nil>" || problem["detail"].as_str().unwrap().starts_with("json: cannot unmarshal")
    };
    let has_choice = answer.iter().any(is_vague);
    let near = |(path, kind): &(Vec<String>, Kind), other: &Found| {
        other.iter().any(|(other, of)| {
            (has_choice || *kind != Kind::Rule) && kind != &Kind::Unknown && of != &Kind::Unknown && {
                has_choice && (path.starts_with(other) || other.starts_with(path))
            }
        })
    };
    let ours = found.iter().find(|one| {
        // There, unknown fields are gone before anything else is checked.
        let is_gone = wanted.iter().any(|(path, kind)| *kind == Kind::Unknown && one.0.starts_with(path));
        let excepted = one.1 == Kind::Rule && is_blocked || has_choice && one.1 != Kind::Unknown || is_gone;
        !wanted.contains(one) && !excepted
    });
    // What is inside a value of the wrong type needs not be told.
    let inside = |(path, _): &(Vec<String>, Kind)| {
        found.iter().any(|(outer, kind)| *kind == Kind::Invalid && path.len() > outer.len() && path.starts_with(outer))
    };
    let theirs = wanted.iter().find(|one| !found.contains(one) && !near(one, found) && !inside(one));
    let ours = ours.map(|one| format!("only here: {one:?}"));
    ours.or_else(|| theirs.map(|one| format!("only there: {one:?}")))
}

/// The folders of fixtures, in order, with their names.
fn fixtures() -> Vec<(String, PathBuf)> {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/crds");
    let named = |folder: PathBuf| (folder.file_name().unwrap().to_string_lossy().into_owned(), folder);
    let mut folders: Vec<_> = fs::read_dir(folders).unwrap().map(|entry| named(entry.unwrap().path())).collect();
    folders.sort();
    assert!(!folders.is_empty());
    folders
}

#[test]
fn objects_are_judged_as_the_api_server_does() {
    let of =
        |(name, folder): (String, PathBuf)| differs(&folder).into_iter().map(move |text| format!("{name}: {text}"));
    let differences: Vec<String> = fixtures().into_iter().flat_map(of).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn what_is_wrong_with_a_crd_is_said_at_its_place() {
    let mut said = String::new();
    for (name, folder) in fixtures() {
        let mut definitions = CustomResources::default();
        for (crd, location) in documents(&folder.join("crd.yaml")) {
            if let Err(error) = definitions.add(&crd, &location) {
                let place = error.location.as_ref().unwrap().position();
                said += &format!("{name}:{}:{}: {error}\n", place.line, place.column);
            }
        }
    }
    assert_said("refused", &said);
}

#[test]
fn what_is_wrong_with_an_object_is_said_at_its_place() {
    let mut said = String::new();
    for (name, folder) in fixtures() {
        let mut schemas = Schemas::default();
        let taken =
            documents(&folder.join("crd.yaml")).into_iter().all(|(crd, place)| schemas.add_crd(&crd, || place).is_ok());
        if !taken {
            continue;
        }
        for (object, document) in documents(&folder.join("objects.yaml")) {
            for problem in schemas.judge(&object, &[]).unwrap() {
                let place = place(&document, &problem.path).position();
                let (check, message) = (problem.check.name(), problem.message);
                said += &format!("{name}:{}:{}: {check} {message}\n", place.line, place.column);
            }
        }
    }
    assert_said("found", &said);
}

/// Where a field is, at its key; for one that is missing, its nearest parent.
fn place(document: &Location, path: &Field) -> Location {
    let ways = std::iter::successors(Some(path.clone()), Field::parent);
    let mut found = ways.filter_map(|path| yaml::locate(&document.file.text, document.span, &path));
    let place = found.next().unwrap();
    Location::new(document.file.clone(), place.key.unwrap_or(place.value))
}

fn assert_said(name: &str, said: &str) {
    insta::with_settings!({ snapshot_path => "../snapshots/crd", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, said);
    });
}
