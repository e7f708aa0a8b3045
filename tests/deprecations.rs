//! What is said of deprecated and removed APIs and fields in the versions of Kubernetes that are bundled, from the first that it is
//! said of, and ahead of an upgrade to the newest. Adding a file adds a test.

mod common;

use std::fmt::Write as _;
use std::fs;

use common::{root, snapshots};
use plimsoll::manifest;
use plimsoll::schema::bundle::Bundle;
use plimsoll::schema::{Problem, deprecation};
use plimsoll::source::SourceFile;

#[test]
fn every_file_is_as_its_snapshot() {
    let bundle = Bundle::embedded().unwrap();
    let mut files = 0;
    for entry in fs::read_dir(root().join("tests/fixtures/deprecations")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(name) = name.strip_suffix(".yaml") else { continue };
        files += 1;
        let file = SourceFile::new(format!("{name}.yaml"), fs::read_to_string(&path).unwrap());
        let mut manifests = manifest::read([(file, None)]).unwrap();
        manifests.sort_by_key(|manifest| manifest.span.start);
        let mut shown = String::new();
        for manifest in &manifests {
            for object in manifest.objects(0, "default") {
                let text = |key| object.value.get(key).and_then(|value| value.as_str()).unwrap_or_default();
                let said = |at, is_target| {
                    let api = deprecation::problem(text("apiVersion"), text("kind"), at, is_target);
                    let problems = api.into_iter().chain(deprecation::field::problems(&object.value, at));
                    let line = |problem: Problem| {
                        let place = manifest.locate(&object.prefix.join(&problem.path));
                        format!("{place} {}: {}", problem.check.name(), problem.message)
                    };
                    problems.map(line).collect::<Vec<_>>()
                };
                let mut last: Vec<String> = Vec::new();
                for &version in bundle.versions() {
                    let now = said(version, false);
                    now.iter().filter(|now| !last.contains(now)).for_each(|now| {
                        writeln!(shown, "{version}  {now}").unwrap();
                    });
                    last = now;
                }
                let ahead = said(bundle.newest(), true);
                assert_eq!(ahead.len(), last.len());
                for ahead in ahead.iter().filter(|ahead| !last.contains(ahead)) {
                    writeln!(shown, "ahead {ahead}").unwrap();
                }
            }
        }
        snapshots("deprecations").bind(|| insta::assert_snapshot!(name, shown));
    }
    assert!(files >= 3, "no fixtures");
}

/// `fixtures/deprecations/warnings.txt` is what an API server of the newest version says of fields.yaml.
#[test]
fn what_is_said_of_fields_is_what_an_api_server_warns_of() {
    let newest = Bundle::embedded().unwrap().newest();
    let warnings = include_str!("fixtures/deprecations/warnings.txt").to_lowercase();
    let mut warnings: Vec<&str> = warnings.lines().collect();
    let file = SourceFile::new("fields.yaml", include_str!("fixtures/deprecations/fields.yaml"));
    for object in manifest::read([(file, None)]).unwrap().iter().flat_map(|manifest| manifest.objects(0, "default")) {
        let name = format!("{} {}: ", object.reference.kind, object.reference.name).to_lowercase();
        for problem in deprecation::field::problems(&object.value, newest) {
            // As Go writes a path, but for capitals; of a key it sometimes names only the map, or only the key.
            let path = problem.path.to_string().replace("[\"", "[").replace("\"]", "]").to_lowercase();
            let (map, key) = path.trim_end_matches(']').rsplit_once('[').unwrap_or((&path, &path));
            let same = |warning: &&str| {
                let Some(warning) = warning.strip_prefix(&name) else { return false };
                warning.starts_with(&path) || warning.starts_with(&format!("{map}: ")) || warning.contains(key)
            };
            let found = warnings.iter().position(same).unwrap_or_else(|| panic!("{name}{}", problem.message));
            warnings.remove(found);
        }
    }
    assert!(warnings.is_empty(), "{warnings:#?}");
}
