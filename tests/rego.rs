//! Policies in Rego, in binaries that have it: `cargo test --features rego --test rego`. Adding a fixture adds a test.

#![cfg(feature = "rego")]

use std::fs;
use std::path::{Path, PathBuf};

use plimsoll::finding::Severity;
use plimsoll::policy::examples::Examples;
use plimsoll::policy::{Catalogue, Policy, Release, evaluate};
use plimsoll::source::SourceFile;
use plimsoll::yaml;

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rego").join(folder)
}

fn catalogue(folder: &str) -> Catalogue {
    let mut catalogue = Catalogue::default();
    catalogue.add_folder(&fixtures(folder)).unwrap_or_else(|error| panic!("{}: {error}", error.location));
    catalogue
}

#[test]
fn examples_hold() {
    for folder in ["conftest", "gatekeeper"] {
        for entry in catalogue(folder).entries() {
            let examples = Examples::read(&entry.examples().expect("examples")).unwrap();
            let wrong = examples.run(&entry.policy).unwrap_or_else(|error| panic!("{}: {error}", error.location));
            assert!(wrong.is_empty(), "{}", wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        }
    }
}

#[test]
fn policies_are_named_after_their_files_and_described_by_their_annotations() {
    let about = |folder| {
        let catalogue = catalogue(folder);
        let about = |policy: &Policy| (policy.id.clone(), policy.title.clone(), policy.severity);
        catalogue.policies().map(about).collect::<Vec<_>>()
    };
    let images = "Images come from the registry of the team".to_owned();
    assert_eq!(about("conftest"), [("images".to_owned(), images, Severity::Error)]);
    assert_eq!(
        about("gatekeeper"),
        [("hosts".to_owned(), "Hosts of Ingresses are unique".to_owned(), Severity::Warning)]
    );
}

/// The first line of each file is a comment with the place and a part of the text of the error.
#[test]
fn what_cannot_be_evaluated_is_an_error_at_its_place() {
    let pod = yaml::parse("{apiVersion: v1, kind: Pod, metadata: {name: p}}", yaml::Options::default()).unwrap();
    let objects = [pod];
    let release = Release::plain("n", "v1.35.0", &objects);
    let mut wrong = Vec::new();
    for path in fs::read_dir(fixtures("wrong")).unwrap().map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&path).unwrap();
        let (place, reason) = text.lines().next().unwrap().trim_start_matches("# ").split_once(' ').unwrap();
        let file = SourceFile::new("p.rego", text.clone());
        let error =
            Policy::read("p", &file).and_then(|policy| evaluate([&policy], &[release]).map(|_| ())).unwrap_err();
        let position = error.location.position();
        let found = format!("{}:{}", position.line, position.column);
        if found != place || !error.to_string().contains(reason) {
            wrong.push(format!("{}: wanted {place} {reason}, got {found} {error}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
