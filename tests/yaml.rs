//! YAML against real Helm's answers: `tests/fixtures/conformance/yaml-{read,write}.jsonl`.

use plimsoll::value::{Map, Numbers, Value};
use plimsoll::yaml::{self, Error, Options};

const VALUES: Options = Options { strict: false, numbers: Numbers::Floats };

/// The cases of a file: its first line is a head.
fn cases(text: &str) -> Vec<serde_json::Value> {
    text.lines().skip(1).map(|line| serde_json::from_str(line).expect("a case is JSON")).collect()
}

/// Runs all cases and shows every one that failed.
fn hold(cases: &[serde_json::Value], check: impl Fn(&serde_json::Value) -> Result<(), String>) {
    let failed: Vec<String> = cases
        .iter()
        .filter_map(|case| check(case).err().map(|why| format!("{} ({}): {why}", case["name"], case["via"])))
        .collect();
    assert!(failed.is_empty(), "{} of {} cases:\n{}", failed.len(), cases.len(), failed.join("\n"));
}

fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => (*value).into(),
        serde_json::Value::Number(number) => number.as_f64().expect("a float64").into(),
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Array(items) => items.iter().map(from_json).collect::<Vec<_>>().into(),
        serde_json::Value::Object(map) => {
            map.iter().map(|(key, value)| (key.as_str(), from_json(value))).collect::<Map>().into()
        }
    }
}

/// Helm's `MergeMaps`: the later document wins, maps are merged.
fn merge(base: &Map, over: &Map) -> Map {
    let mut merged = base.clone();
    for (key, value) in over.iter() {
        let value = match (merged.get(key), value) {
            (Some(Value::Map(old)), Value::Map(new)) => merge(old, new).into(),
            _ => value.clone(),
        };
        merged.insert(key.clone(), value);
    }
    merged
}

fn read(via: &str, text: &str) -> Result<Value, String> {
    match via {
        "fromYaml" => yaml::parse_map(text, VALUES).map(Value::from).map_err(|error| error.to_string()),
        "fromYamlArray" => yaml::parse_list(text, VALUES).map(Value::from).map_err(|error| error.to_string()),
        "file" => match yaml::parse_split(text, VALUES) {
            Ok(documents) => {
                let merged = documents.iter().filter_map(|document| document.value.as_map());
                Ok(merged.fold(Map::default(), |base, over| merge(&base, over)).into())
            }
            Err(error @ Error::Separator { .. }) => {
                Err(format!("Error: failed to parse in.yaml: error reading yaml document: {error}"))
            }
            Err(error) => Err(format!("Error: failed to parse in.yaml: cannot unmarshal yaml document: {error}")),
        },
        via => Err(format!("no way to read via {via}")),
    }
}

#[test]
fn reading_agrees_with_helm() {
    hold(&cases(include_str!("fixtures/conformance/yaml-read.jsonl")), |case| {
        let text = case["yaml"].as_str().ok_or("no text")?;
        let expected = match &case["error"] {
            serde_json::Value::String(error) => Err(error.clone()),
            _ => Ok(from_json(&case["json"])),
        };
        let found = read(case["via"].as_str().unwrap_or_default(), text);
        if found == expected {
            return Ok(());
        }
        Err(format!("{text:?}\n  expected {expected:?}\n  found    {found:?}"))
    });
}

#[test]
fn writing_agrees_with_helm() {
    hold(&cases(include_str!("fixtures/conformance/yaml-write.jsonl")), |case| {
        let value = from_json(&case["value"]);
        let written = match case["via"].as_str() {
            Some("toYaml") => yaml::to_yaml(&value),
            Some("toYamlPretty") => yaml::to_yaml_pretty(&value),
            via => return Err(format!("no way to write via {via:?}")),
        };
        // Helm's functions take one line break off, and write nothing where there is no YAML.
        let written = written.unwrap_or_default();
        let found = written.strip_suffix('\n').unwrap_or(&written);
        let expected = case["yaml"].as_str().ok_or("no text")?;
        if found == expected { Ok(()) } else { Err(format!("\n  expected {expected:?}\n  found    {found:?}")) }
    });
}
