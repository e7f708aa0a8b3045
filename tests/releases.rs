//! Several releases together, and the policies that releases bring: adding a folder adds a test.

mod common;

use std::fs;

use common::{folders, plimsoll, snapshots};

#[test]
fn every_case_is_as_its_snapshot() {
    let schema = serde_json::from_str(include_str!("../schemas/findings.schema.json")).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    for case in folders("tests/fixtures/releases") {
        let name = case.file_name().unwrap().to_str().unwrap();
        let args = format!("lint --no-config {}", fs::read_to_string(case.join("args")).unwrap());
        let args: Vec<&str> = args.split_whitespace().collect();
        let text = plimsoll(&case, &args, "");
        let shown = format!("exit status {}\n\n{}{}", text.status, text.stdout, text.stderr);
        snapshots("releases").bind(|| insta::assert_snapshot!(name, shown));

        let json = plimsoll(&case, &[&args[..], &["--format", "json"]].concat(), "");
        assert_eq!(json.status, text.status, "{name}");
        if json.status < 2 {
            let document = serde_json::from_str(&json.stdout).unwrap();
            schema.validate(&document).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
