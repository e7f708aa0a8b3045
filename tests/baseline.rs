//! The baseline: which files are read, which are refused and how that is said, and that its JSON Schema knows the same.
//! Adding a fixture adds a test.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{folder, root, snapshots};
use plimsoll::baseline::Baseline;
use plimsoll::finding::Fault;
use plimsoll::report::{self, Style};
use plimsoll::yaml;

fn fixtures(part: &str) -> Vec<PathBuf> {
    let folder = root().join("tests/fixtures/baseline").join(part);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// Reads a file from its folder, so that messages name it alone.
fn load(path: &Path) -> Result<Baseline, String> {
    Baseline::load(path.parent().unwrap(), Path::new(path.file_name().unwrap())).map_err(|error| {
        let mut out = Vec::new();
        report::write_faults(&[Fault::from(error)], Style::Plain, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    })
}

fn schema_accepts(path: &Path) -> bool {
    let schema = serde_json::from_str(include_str!("../schemas/baseline.schema.json")).unwrap();
    let value = yaml::parse(&fs::read_to_string(path).unwrap(), yaml::Options::default()).unwrap_or_default();
    let json = plimsoll::json::to_json(&value).unwrap();
    jsonschema::draft202012::new(&schema).unwrap().is_valid(&serde_json::from_str(&json).unwrap())
}

#[test]
fn what_is_right_is_read_and_written_in_one_form() {
    for path in fixtures("right") {
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(schema_accepts(&path), "{name}");
        let text = load(&path).unwrap_or_else(|error| panic!("{name}: {error}")).to_yaml();
        let dir = folder(&[("b.yaml", &text)]);
        assert_eq!(load(&dir.path().join("b.yaml")).unwrap().to_yaml(), text);
        assert!(schema_accepts(&dir.path().join("b.yaml")), "{text}");
        snapshots("baseline").bind(|| insta::assert_snapshot!(format!("written-{name}"), text));
    }
}

#[test]
fn what_is_wrong_is_refused_with_its_place() {
    for (part, known_to_schema) in [("wrong", true), ("wrong-in-meaning", false)] {
        for path in fixtures(part) {
            let name = path.file_stem().unwrap().to_str().unwrap();
            let error = load(&path).expect_err(name);
            snapshots("baseline").bind(|| insta::assert_snapshot!(name, error));
            assert!(!known_to_schema || !schema_accepts(&path), "{name}: the schema accepts it");
        }
    }
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let dir = folder(&[("folder/a", "")]);
    fs::write(dir.path().join("bytes.yaml"), b"version: 1\n# \xff\n").unwrap();
    for (name, wanted) in [("nope.yaml", "--write-baseline"), ("folder", "directory"), ("bytes.yaml", "not UTF-8")] {
        let error = load(&dir.path().join(name)).expect_err(name);
        assert!(error.contains(wanted) && error.contains(name), "{error}");
    }
}
