//! values.schema.json against Helm's own answers: `fixtures/schema.jsonl`, one case a line.
//!
//! A case with `"words": false` holds Helm to the verdict only: the sentence differs in a detail (why a text is not of
//! a format, what a file that we do not read says) or in an upstream mistake.

use plimsoll::chart::{self, Capabilities};
use plimsoll::values::{self, SchemaCheck, Supplied};
use serde_json::Value as Json;

const PREFIX: &str = "values don't meet the specifications of the schema(s) in the following chart(s):\nc:\n";

fn check(schema: &str, values: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n");
    write("values.schema.json", schema);
    write("values.yaml", values);
    let chart = chart::load(folder.path()).map_err(|error| error.to_string())?;
    values::resolve(&chart, &Supplied::default(), &Capabilities::default(), SchemaCheck::Enforce)
        .map(|_| ())
        .map_err(|error| error.to_string())
}

#[test]
fn as_helm_validates() {
    let mut wrong = Vec::new();
    for line in include_str!("fixtures/schema.jsonl").lines().skip(1) {
        let case: Json = serde_json::from_str(line).unwrap();
        let found = check(case["schema"].as_str().unwrap(), case["values"].as_str().unwrap()).err();
        let found = found.as_ref().map(|error| error.strip_prefix(PREFIX).unwrap_or(error).trim_end_matches('\n'));
        let expected = case["error"].as_str();
        let agrees = if case["words"] == false { found.is_some() == expected.is_some() } else { found == expected };
        if !agrees {
            wrong.push(format!("{line}\n  found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn schemas_that_never_end_are_refused() {
    let double: String = (0..40)
        .map(|i| format!(r##""d{i}":{{"allOf":[{{"$ref":"#/$defs/d{0}"}},{{"$ref":"#/$defs/d{0}"}}]}},"##, i + 1))
        .collect();
    let error = check(&format!(r##"{{"$ref":"#/$defs/d0","$defs":{{{double}"d40":true}}}}"##), "a: 1").unwrap_err();
    assert!(error.contains("takes too long"), "{error}");
    let tree = r##"{"properties":{"a":{"allOf":[{"$ref":"#"},{"$ref":"#"}]}}}"##;
    let error = check(tree, &format!("{}1{}", "{a: ".repeat(60), "}".repeat(60))).unwrap_err();
    assert!(error.contains("takes too long"), "{error}");
    assert!(check(r##"{"allOf":[{"$ref":"#"}]}"##, "a: 1").unwrap_err().contains("leads back to itself"));
}

#[test]
fn deep_values_are_no_danger() {
    let deep = format!("{}1{}", "{a: ".repeat(240), "}".repeat(240));
    assert!(check(r##"{"properties":{"a":{"anyOf":[{"$ref":"#"}]}},"additionalProperties":false}"##, &deep).is_ok());
    assert!(check(r##"{"properties":{"a":{"$ref":"#"},"b":{}},"maxProperties":0}"##, &deep).is_err());
}
