//! `plimsoll schema infer`: what it makes of each chart in tests/fixtures/infer, that its schemas hold for the charts
//! they were made from, and that comments are read as their own programs read them.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{folder, folders, plimsoll, root, snapshots};
use plimsoll::chart::{self, Capabilities, Chart, Content, File};
use plimsoll::infer::{self, Options};
use plimsoll::source::SourceFile;
use plimsoll::usage::Usage;
use plimsoll::values::{self, Inputs, SchemaCheck, Supplied};
use serde_json::Value as Json;

fn inferred(chart: &Chart) -> String {
    let (view, values) = values::overview(chart, &Supplied::default()).unwrap();
    let usage = Usage::of(&view, &values).unwrap();
    infer::infer(&view, &usage, Options::default()).unwrap()
}

#[test]
fn fixtures_have_the_schemas_of_their_snapshots() {
    for fixture in folders("tests/fixtures/infer") {
        let name = fixture.file_name().unwrap().to_str().unwrap();
        let path = format!("tests/fixtures/infer/{name}");
        for (suffix, flags) in [("", &[][..]), ("-strict", &["--strict"])] {
            let run = plimsoll(root(), &[&["schema", "infer", &path], flags].concat(), "");
            assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{name}");
            snapshots("infer").bind(|| insta::assert_snapshot!(format!("{name}{suffix}"), run.stdout));
        }
    }
}

/// The charts of the repository, and the values files that belong to each.
fn charts() -> Vec<(PathBuf, Vec<PathBuf>)> {
    let mut charts = folders("charts");
    charts.extend(folders("tests/fixtures/infer"));
    charts.extend(folders("tests/fixtures/charts").into_iter().map(|fixture| fixture.join("chart")));
    charts.into_iter().map(|chart| (chart.clone(), examples(&chart))).collect()
}

fn examples(chart: &Path) -> Vec<PathBuf> {
    let files = ["ci", "examples"].iter().filter_map(|folder| fs::read_dir(chart.join(folder)).ok()).flatten();
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

#[test]
fn every_chart_meets_its_schema() {
    let mut held = 0;
    for (path, examples) in charts() {
        // Fixtures of charts that cannot be read are others' concern.
        let Ok(mut chart) = chart::load(&path) else { continue };
        let Ok((view, all)) = values::overview(&chart, &Supplied::default()) else { continue };
        let Ok(usage) = Usage::of(&view, &all) else { continue };
        for strict in [false, true] {
            let text = infer::infer(&view, &usage, Options { strict }).unwrap();
            let schema: Json = serde_json::from_str(&text).unwrap();
            assert!(jsonschema::draft7::meta::is_valid(&schema), "{}", path.display());
            for files in std::iter::once(vec![]).chain(examples.iter().map(|file| vec![file.display().to_string()])) {
                let inputs = Inputs { files, ..Inputs::default() };
                let supplied = Supplied::read(&inputs, &|name| fs::read(name)).unwrap();
                chart.schema = None;
                let Ok(before) = values::resolve(&chart, &supplied, &Capabilities::default(), SchemaCheck::Enforce)
                else {
                    continue;
                };
                let source = SourceFile::new("values.schema.json", text.as_str());
                chart.schema = Some(File { name: "values.schema.json".into(), content: Content::Text(source) });
                let after = values::resolve(&chart, &supplied, &Capabilities::default(), SchemaCheck::Enforce);
                let after = after.unwrap_or_else(|error| panic!("{} {:?}: {error}", path.display(), inputs.files));
                assert_eq!(before.values, after.values);
                held += 1;
            }
        }
    }
    assert!(held > 40, "only {held} values were held to a schema");
}

#[test]
fn a_schema_that_is_written_is_up_to_date() {
    let chart =
        folder(&[("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"), ("values.yaml", "# How many\na: 1\n")]);
    let run = |flags: &[&str]| {
        let run = plimsoll(chart.path(), &[&["schema", "infer", "."], flags].concat(), "");
        (run.status, run.stdout + &run.stderr)
    };
    let (status, missing) = run(&["--check"]);
    assert_eq!(status, 1);
    assert!(missing.contains("./values.schema.json is missing") && missing.contains("--write"), "{missing}");
    assert_eq!(run(&["--write"]), (0, "wrote ./values.schema.json\n".to_owned()));
    assert_eq!(run(&["--check"]), (0, String::new()));
    assert_eq!(run(&["--write"]), (0, "./values.schema.json is up to date\n".to_owned()));

    fs::write(chart.path().join("values.yaml"), "# How many\na: x\n").unwrap();
    let (status, stale) = run(&["--check"]);
    assert_eq!(status, 1);
    assert!(stale.contains("properties.a.type is \"integer\", and would be \"string\""), "{stale}");
    assert_eq!(run(&["--write"]).0, 0);

    fs::write(chart.path().join("values.schema.json"), "{\"type\": \"object\"}").unwrap();
    let (status, refused) = run(&["--write"]);
    assert_eq!(status, 2);
    assert!(refused.contains("was not written by this command") && refused.contains("--force"), "{refused}");
    assert_eq!(run(&["--write", "--force"]), (0, "wrote ./values.schema.json\n".to_owned()));
    assert_eq!(fs::read_dir(chart.path()).unwrap().count(), 3, "no draft stays");
}

#[test]
fn annotations_that_are_no_schema_are_refused_where_they_stand() {
    for (values, problem) in [
        ("a: 1\n# @schema type: nonsense\nb: 1\n", "the annotation is no JSON Schema: at `/type`"),
        ("a: 1\n# @schema\n# type: string\nb: 1\n", "no second `# @schema` ends"),
    ] {
        let chart = folder(&[("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"), ("values.yaml", values)]);
        let run = plimsoll(chart.path(), &["schema", "infer", "."], "");
        assert_eq!((run.status, run.stdout.as_str()), (2, ""));
        assert!(run.stderr.contains(problem) && run.stderr.contains("values.yaml:2:1"), "{}", run.stderr);
    }
}

/// The schema of a property, by the path that helm-docs prints.
fn at<'s>(schema: &'s Json, path: &str) -> Option<&'s Json> {
    let mut at = schema;
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(next) = rest.strip_prefix('[') {
            rest = next.split_once(']')?.1;
            at = at.get("items")?;
            continue;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        let (key, next) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
        };
        at = at.get("properties")?.get(key)?;
        rest = next;
    }
    Some(at)
}

fn fixture(name: &str) -> Json {
    let chart = chart::load(&root().join("tests/fixtures/infer").join(name)).unwrap();
    serde_json::from_str(&inferred(&chart)).unwrap()
}

/// What tests/peers/comments.sh recorded.
#[test]
fn descriptions_are_those_of_helm_docs() {
    let schema = fixture("helm-docs");
    let rows = include_str!("fixtures/infer/helm-docs.jsonl");
    let mut described = 0;
    for row in rows.lines().map(|line| serde_json::from_str::<Json>(line).unwrap()) {
        let key = row["key"].as_str().unwrap();
        // helm-docs gives the comment above an element to the element, and to its first key.
        let (Some(expected), false) = (row["description"].as_str(), key.ends_with(']')) else { continue };
        let property = at(&schema, key).unwrap_or_else(|| panic!("{key} is not in the schema"));
        let found = property["description"].as_str().unwrap_or_default();
        let (found, default) = found.split_once("\n\nDefault: ").unwrap_or((found, ""));
        // What it does not read is still a comment above a key.
        if !expected.is_empty() {
            assert_eq!(found, expected, "{key}");
            described += 1;
        }
        if !default.is_empty() {
            assert_eq!(default, row["default"].as_str().unwrap(), "{key}");
        }
    }
    assert_eq!(described, 14);
}

/// Where our types are others than readme-generator's: it knows no integers, says null in OpenAPI's words, and does not
/// see that templates print a value or give it away.
const OTHER_TYPES: [(&str, &str, &str); 7] = [
    ("replicaCount", "number", "\"integer\""),
    ("metrics.port", "number", "[\"integer\",\"null\"]"),
    ("global.imageRegistry", "string", "[\"number\",\"string\"]"),
    ("existingSecret", "string", "[\"string\",\"null\"]"),
    ("resources.limits.cpu", "string", "[\"number\",\"string\"]"),
    ("extraDeploy", "array", "[\"array\",\"null\"]"),
    ("ports[].port", "number", "\"integer\""),
];

/// What tests/peers/comments.sh recorded.
#[test]
fn types_and_descriptions_are_those_of_readme_generator() {
    fn compare(path: &str, expected: &Json, found: &Json, compared: &mut usize) {
        for (key, expected) in expected["properties"].as_object().into_iter().flatten() {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let found = &found["properties"][key];
            let (wanted, types) = (expected["type"].as_str().unwrap(), found["type"].to_string());
            let known = OTHER_TYPES.iter().find(|(known, ..)| *known == path);
            match known {
                Some((_, theirs, ours)) => assert_eq!((wanted, types.as_str()), (*theirs, *ours), "{path}"),
                None => assert_eq!(types, format!("\"{wanted}\""), "{path}"),
            }
            if let Some(description) = expected["description"].as_str().filter(|text| !text.is_empty()) {
                // Of a list of maps it takes the description of its first key.
                assert!(found["description"] == description || wanted == "array", "{path}: {found}");
            }
            *compared += 1;
            compare(&path, expected, found, compared);
            compare(&format!("{path}[]"), &expected["items"], &found["items"], compared);
        }
    }
    let expected: Json = serde_json::from_str(include_str!("fixtures/infer/bitnami.json")).unwrap();
    let mut compared = 0;
    compare("", &expected, &fixture("bitnami"), &mut compared);
    assert_eq!(compared, 21);
}
