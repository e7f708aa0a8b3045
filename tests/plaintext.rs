//! How well `secrets/plaintext` tells credentials from what only looks like them: measured over two labelled files.
//!
//! The rows are made up. A credential's text is cut in two, so that nobody who scans this repository takes it for one.

use std::fs;
use std::path::Path;

use plimsoll::policy::{Catalogue, Release, evaluate};
use plimsoll::value::{Map, Value};
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    sort: String,
    r#where: String,
    name: String,
    value: Vec<String>,
}

fn rows(file: &str) -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/plaintext").join(file);
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    entries.into_iter().collect::<Map>().into()
}

impl Row {
    /// An object that shows the text at its place.
    fn object(&self) -> Value {
        let (name, value) = (self.name.as_str(), self.value.concat());
        let pod = |key: &'static str, list: Vec<Value>| {
            let container = map([("name", "c".into()), (key, list.into())]);
            let spec = map([("containers", vec![container].into())]);
            map([("apiVersion", "v1".into()), ("kind", "Pod".into()), ("metadata", map([])), ("spec", spec)])
        };
        let config = |metadata: Value, data: Value| {
            map([("apiVersion", "v1".into()), ("kind", "ConfigMap".into()), ("metadata", metadata), ("data", data)])
        };
        match self.r#where.as_str() {
            "env" => pod("env", vec![map([("name", name.into()), ("value", value.into())])]),
            "arg" if name.starts_with('-') => pod("args", vec![format!("{name}{value}").into()]),
            "arg" => pod("args", vec![value.into()]),
            "arg2" => pod("args", vec![name.into(), value.into()]),
            "config" => config(map([]), map([(name, value.into())])),
            "annotation" => config(map([("annotations", map([(name, value.into())]))]), map([])),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn credentials_are_found_and_nothing_else() {
    let catalogue = Catalogue::builtin().unwrap();
    let policy = catalogue.policies().find(|policy| policy.id == "secrets/plaintext").unwrap();
    let is_found = |row: &Row| {
        let objects = [row.object()];
        !evaluate([policy], &[Release::plain("n", "v1.35.0", &objects)]).unwrap().is_empty()
    };
    let (credentials, harmless) = (rows("credentials.jsonl"), rows("harmless.jsonl"));
    let named = |row: &&Row| format!("{} {} {}", row.sort, row.r#where, row.name);
    let missed: Vec<String> = credentials.iter().filter(|row| !is_found(row)).map(|row| named(&row)).collect();
    let wrong: Vec<String> = harmless.iter().filter(|row| is_found(row)).map(|row| named(&row)).collect();
    // The figures that the policy's description gives.
    assert_eq!((credentials.len(), harmless.len()), (212, 211));
    assert_eq!(wrong, Vec::<String>::new(), "nothing harmless is found");
    assert_eq!(missed, ["file config app.conf"], "a key in base 64 with a slash, in the file of a WireGuard interface");
    assert!(policy.rationale.contains("211 of 212 credentials and none of 211 harmless texts"));
}
