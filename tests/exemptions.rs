//! Exemptions: which findings they take away, and what is said about the exemptions themselves. Adding a folder adds a
//! test.

mod common;

use std::fs;

use common::{folders, plimsoll, snapshots};

/// The day of all cases.
const TODAY: &str = "2026-06-01";

#[test]
fn every_case_is_as_its_snapshot() {
    let schema = serde_json::from_str(include_str!("../schemas/findings.schema.json")).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    for case in folders("tests/fixtures/exemptions/cases") {
        let name = case.file_name().unwrap().to_str().unwrap();
        let more = fs::read_to_string(case.join("args")).unwrap_or_default();
        let args = ["lint", "objects.yaml", "--policies", "../../policies", "--policy", "own/*", "--today", TODAY];
        let args: Vec<&str> = args.into_iter().chain(more.split_whitespace()).collect();
        let text = plimsoll(&case, &args, "");
        assert_eq!(text.stderr, "", "{name}");
        assert!(!text.stdout.contains('\u{1b}'), "{name}");
        let shown = format!("exit status {}\n\n{}", text.status, text.stdout);
        snapshots("exemptions").bind(|| insta::assert_snapshot!(name, shown));

        let json = plimsoll(&case, &[&args[..], &["--format", "json"]].concat(), "");
        assert_eq!(json.status, text.status, "{name}");
        let document = serde_json::from_str(&json.stdout).unwrap();
        schema.validate(&document).unwrap_or_else(|error| panic!("{name}: {error}"));
        let findings = document["findings"].as_array().unwrap();
        let counted = findings.iter().filter(|finding| finding.get("exemption").is_none());
        let errors = counted.filter(|finding| finding["severity"] == "error").count();
        assert_eq!(errors > 0, json.status == 1, "{name}: what is exempted refuses nothing, all else does");
    }
}

/// Many objects with many exemptions each, and a policy that blames them all.
#[test]
fn many_exemptions_take_bounded_time() {
    let service = |n: usize| {
        let entries = "- {policy: own/exposed, field: spec.type, reason: x}\n        ".repeat(100);
        format!(
            "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: s{n}\n  annotations:\n    plimsoll.dev/exemptions: |\n        {entries}\nspec: {{type: NodePort}}\n"
        )
    };
    let objects: String = (0..300).map(service).collect();
    let folder = common::root().join("tests/fixtures/exemptions");
    let args = ["lint", "-", "--policies", "policies", "--policy", "own/*", "--fail-on", "warning"];
    let start = std::time::Instant::now();
    let run = plimsoll(&folder, &args, &objects);
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    assert!(start.elapsed() < std::time::Duration::from_secs(30));
}
