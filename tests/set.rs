//! `--set` and its siblings against Helm's own answers: `fixtures/conformance/set.jsonl`, one case a line.

use std::collections::BTreeMap;
use std::io;

use plimsoll::chart::{self, Capabilities};
use plimsoll::value::Value;
use plimsoll::values::{self, Inputs, SchemaCheck, Supplied};
use serde_json::Value as Json;

/// What a case's arguments say.
fn inputs(case: &Json) -> Inputs {
    let mut inputs = Inputs::default();
    let args: Vec<&str> = case["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    for pair in args.chunks(2) {
        let value = pair[1].to_string();
        match pair[0] {
            "-f" => inputs.files.extend(value.split(',').map(String::from)),
            "--set" => inputs.set.push(value),
            "--set-string" => inputs.set_string.push(value),
            "--set-json" => inputs.set_json.push(value),
            "--set-file" => inputs.set_file.push(value),
            "--set-literal" => inputs.set_literal.push(value),
            other => panic!("unknown flag {other}"),
        }
    }
    inputs
}

fn run(head: &Json, case: &Json) -> Result<Value, String> {
    let folder = tempfile::tempdir().unwrap();
    let files: BTreeMap<&str, &str> =
        head["files"].as_object().unwrap().iter().map(|(name, text)| (name.as_str(), text.as_str().unwrap())).collect();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let base = case.get("base").cloned().unwrap_or_else(|| serde_json::json!({}));
    std::fs::write(folder.path().join("c/values.yaml"), base.to_string()).unwrap();
    let read = |name: &str| {
        let text = case["files"][name.trim_start_matches("./")].as_str();
        text.map(|text| text.as_bytes().to_vec()).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    };
    let supplied = Supplied::read(&inputs(case), &read).map_err(|error| error.to_string())?;
    let chart = chart::load(&folder.path().join("c")).map_err(|error| error.to_string())?;
    Ok(values::resolve(&chart, &supplied, &Capabilities::default(), SchemaCheck::Enforce)
        .map_err(|error| error.to_string())?
        .values)
}

/// As JSON, every number a float.
fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value as f64).into(),
        Value::Float(value) => (*value).into(),
        Value::String(text) => (**text).into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(map) => map.iter().map(|(key, value)| (key.to_string(), json(value))).collect(),
    }
}

fn floats(value: &Json) -> Json {
    match value {
        Json::Number(number) => number.as_f64().into(),
        Json::Array(items) => items.iter().map(floats).collect(),
        Json::Object(map) => map.iter().map(|(key, value)| (key.clone(), floats(value))).collect(),
        other => other.clone(),
    }
}

/// Go's kinds of all leaves.
fn kinds(value: &Value, found: &mut Vec<&'static str>) {
    match value {
        Value::Null => found.push("invalid"),
        Value::Bool(_) => found.push("bool"),
        Value::Int(_) => found.push("int64"),
        Value::Float(_) => found.push("float64"),
        Value::String(_) => found.push("string"),
        Value::List(items) => items.iter().for_each(|item| kinds(item, found)),
        Value::Map(map) => map.iter().for_each(|(_, value)| kinds(value, found)),
    }
}

fn disagreement(head: &Json, case: &Json) -> Option<String> {
    match (run(head, case), case["error"].as_str()) {
        (Err(found), Some(expected)) => {
            let reason = expected.lines().last().unwrap_or_default().trim_start_matches("Error: ");
            (!found.contains(reason)).then(|| format!("error {found:?} instead of {reason:?}"))
        }
        (Err(found), None) => Some(format!("error {found:?}")),
        (Ok(value), Some(expected)) => Some(format!("{value:?} instead of {expected:?}")),
        (Ok(value), None) => {
            let mut types = Vec::new();
            kinds(&value, &mut types);
            types.sort_unstable();
            let expected: Vec<&str> =
                case["types"].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect();
            (json(&value) != floats(&case["values"]) || types != expected)
                .then(|| format!("{} ({types:?})", json(&value)))
        }
    }
}

#[test]
fn as_helm_sets() {
    let lines: Vec<Json> = include_str!("fixtures/conformance/set.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (head, cases) = lines.split_first().unwrap();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| disagreement(head, case).map(|how| format!("{}: {how}", case["name"].as_str().unwrap())))
        .collect();
    assert!(wrong.is_empty(), "{} of {} cases disagree:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
