//! Real Helm's answers to some three thousand small inputs: `tests/fixtures/conformance`, whose README has the format.

mod program;

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use program::Outcome;
use serde_json::{Map, Value};

/// Cases that plimsoll answers otherwise on purpose, each with the reason; docs/helm.md lists the same.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

#[test]
fn go_templates() {
    hold("gotemplate");
}

#[test]
fn functions() {
    hold("functions");
}

/// Odd arguments: other types, nil, negative and huge numbers, bytes that are not UTF-8.
#[test]
fn more_functions() {
    hold("functions-more");
}

#[test]
fn set_arguments() {
    hold("set");
}

#[test]
fn charts_and_values() {
    hold("values");
}

#[test]
fn yaml_reading() {
    hold("yaml-read");
}

#[test]
fn yaml_writing() {
    hold("yaml-write");
}

/// Runs every case of a file and fails with all that disagree.
fn hold(name: &str) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/conformance").join(name).with_extension("jsonl");
    let text = fs::read_to_string(&path).expect("the fixture is there");
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("each line is JSON"));
    let head = lines.next().expect("the first line is the head");
    let cases: Vec<Value> = lines.collect();

    let disagreeing: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let reason = EXCEPTIONS.iter().find(|(file, case_name, _)| *file == name && case["name"] == *case_name);
            match (run(&head, case), reason) {
                (Err(how), None) => Some(format!("{}: {how}", text_of(&case["name"]))),
                (Ok(()), Some(_)) if program::is_plimsoll() => {
                    Some(format!("{}: agrees, and is listed as an exception", text_of(&case["name"])))
                }
                (Err(_), Some(_)) | (Ok(()), _) => None,
            }
        })
        .collect();
    assert!(
        disagreeing.is_empty(),
        "{} of {} cases of {name} disagree with Helm:\n{}",
        disagreeing.len(),
        cases.len(),
        disagreeing.join("\n")
    );
}

/// Lays a case out in a folder of its own, renders it and judges the outcome.
fn run(head: &Value, case: &Value) -> Result<(), String> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let dir = dir.path().canonicalize().expect("it is there");
    let (files, args) = layout(head, case);
    for (path, content) in &files {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
        let bytes = match content {
            Value::String(text) => text.clone().into_bytes(),
            other => decode(text_of(&other["b64"])),
        };
        fs::write(path, bytes).expect("the file can be written");
    }
    let mut outcome = program::render(&dir, &args);
    outcome.stderr = outcome.stderr.replace(dir.to_str().expect("UTF-8"), "{dir}");
    judge(head, case, &outcome)
}

/// The files of a case by path, and its arguments.
fn layout(head: &Value, case: &Value) -> (Map<String, Value>, Vec<String>) {
    let mut files = head["files"].as_object().cloned().unwrap_or_default();
    let mut put = |path: &str, text: String| files.insert(path.to_owned(), Value::String(text));
    let driver = |name: &str| text_of(&head[name]).to_owned();
    let mut args = Vec::new();
    match text_of(&head["kind"]) {
        "template" => {
            put("c/values.yaml", case.get("values").unwrap_or(&head["values"]).to_string());
            let template = text_of(&case["template"]).to_owned();
            if case.get("output").is_some() || case.get("output_b64").is_some() {
                put("c/templates/_case.tpl", template);
                put("c/templates/out.yaml", driver("driver"));
            } else {
                put("c/templates/case.yaml", template);
            }
        }
        "set" => {
            put("c/values.yaml", case.get("base").map_or_else(|| "{}".to_owned(), Value::to_string));
        }
        "yaml-read" if case["via"] == "file" => {
            put("in.yaml", text_of(&case["yaml"]).to_owned());
            put("c/templates/out.yaml", driver("driver"));
            args.extend(["-f".to_owned(), "in.yaml".to_owned()]);
        }
        "yaml-read" => {
            let input = BASE64_STANDARD.encode(text_of(&case["yaml"]));
            let driver = driver(&format!("driver_{}", text_of(&case["via"])));
            put("c/templates/out.yaml", driver.replace('@', &input));
        }
        "yaml-write" => {
            let input = BASE64_STANDARD
                .encode(Value::from(Map::from_iter([("v".to_owned(), case["value"].clone())])).to_string());
            let driver = driver(&format!("driver_{}", text_of(&case["via"])));
            put("c/templates/out.yaml", driver.replace('@', &input));
        }
        "chart" => {}
        other => panic!("no such kind of case: {other}"),
    }
    files.extend(case["files"].as_object().cloned().unwrap_or_default());
    let before = head["args"].as_array().into_iter().flatten().map(|arg| text_of(arg).to_owned());
    let after = case["args"].as_array().into_iter().flatten().map(|arg| text_of(arg).to_owned());
    (files, before.chain(args).chain(after).collect())
}

/// Whether an outcome is the expected one, else how it differs.
fn judge(head: &Value, case: &Value, outcome: &Outcome) -> Result<(), String> {
    let kind = text_of(&head["kind"]);
    // fromYaml returns its error as text inside its result.
    let error_is_a_result = kind == "yaml-read" && case["via"] != "file";
    if let (Some(error), false) = (case.get("error"), error_is_a_result) {
        return outcome.check_failure(text_of(error));
    }
    outcome.check_success()?;
    let same = |got: &[u8], key: &str| match case.get(format!("{key}_b64")) {
        Some(bytes) => program::check_text(&decode(text_of(bytes)), got),
        None => program::check_text(text_of(&case[key]).as_bytes(), got),
    };
    match kind {
        "chart" => return same(&outcome.stdout, "output"),
        "template" if case.get("stdout").is_some() => return same(&outcome.stdout, "stdout"),
        _ => {}
    }
    let result = field(&outcome.stdout, "out:").ok_or_else(|| format!("printed {:?}", outcome.stdout))?;
    match kind {
        "template" => return same(&result, "output"),
        "yaml-write" => return same(&result, "yaml"),
        _ => {}
    }
    let got: Value = serde_json::from_slice(&result).map_err(|error| error.to_string())?;
    if let Some(error) = case.get("error") {
        let text = if case["via"] == "fromYaml" { &got["Error"] } else { &got[0] };
        return if text == error { Ok(()) } else { Err(format!("Helm's result says {error}, plimsoll's is {got}")) };
    }
    let want = &case[if kind == "set" { "values" } else { "json" }];
    if as_floats(&got) != as_floats(want) {
        return Err(format!("expected {want}, got {got}"));
    }
    if let Some(types) = case.get("types") {
        let text = field(&outcome.stdout, "types:").unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let mut got: Vec<&str> = text.split_whitespace().collect();
        got.sort_unstable();
        if types.as_array().is_none_or(|types| !types.iter().map(text_of).eq(got.iter().copied())) {
            return Err(format!("expected the types {types}, got {got:?}"));
        }
    }
    Ok(())
}

/// The bytes that a line of the output carries as base64.
fn field(stdout: &[u8], key: &str) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(stdout);
    text.lines().find_map(|line| line.strip_prefix(key)).map(|value| decode(value.trim()))
}

/// The value with every number as a float, so that 1, 1.0 and 1e0 are the same.
fn as_floats(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or(Value::Null, Value::from),
        Value::Array(items) => items.iter().map(as_floats).collect(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), as_floats(value))).collect(),
        other => other.clone(),
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().expect("the fixture has text here")
}

fn decode(text: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(text).expect("base64")
}
