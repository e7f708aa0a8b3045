//! What is told of objects that changed. Adding a folder adds a test.

mod common;

use std::fmt::Write;
use std::fs;

use common::{folders, snapshots};
use plimsoll::diff::{self, Change, Item, ObjectChange};
use plimsoll::manifest::{self, Object};
use plimsoll::source::SourceFile;
use plimsoll::value::Value;
use plimsoll::yaml;

/// The objects of a text, each with its release: that of the last line `# release: <namespace>/<name>`.
fn objects(text: &str) -> Vec<(String, Object)> {
    let mut objects = Vec::new();
    for part in format!("\n{text}").split("\n# release: ").filter(|part| !part.trim().is_empty()) {
        let (release, text) = if text.contains("# release: ") { part.split_once('\n').unwrap() } else { ("", part) };
        let namespace = release.split('/').next().unwrap();
        for manifest in manifest::read([(SourceFile::new("a.yaml", text), None)]).unwrap() {
            objects.extend(manifest.objects(0, namespace).into_iter().map(|object| (release.to_owned(), object)));
        }
    }
    objects
}

fn items(objects: &[(String, Object)]) -> Vec<Item<'_>> {
    objects
        .iter()
        .map(|(release, object)| Item { release, reference: &object.reference, value: &object.value })
        .collect()
}

fn dump(changes: &[ObjectChange]) -> String {
    let mut out = String::new();
    for change in changes {
        let object = format!("{} {}", change.object.api_version, change.object);
        let release = if change.release.is_empty() { String::new() } else { format!(" of {}", change.release) };
        let value = |value: &Value| yaml::to_yaml(value).unwrap().trim_end().replace('\n', "\n    ");
        let _ = match &change.change {
            Change::Added(object_value) => writeln!(out, "+ {object}{release}\n    {}", value(object_value)),
            Change::Removed(object_value) => writeln!(out, "- {object}{release}\n    {}", value(object_value)),
            Change::Changed { renamed_from, followers, moved_from, fields } => {
                let _ = writeln!(out, "~ {object}{release}");
                if let Some(name) = renamed_from {
                    let _ = writeln!(out, "  renamed from {name}");
                }
                for follower in followers {
                    let _ = writeln!(out, "  followed by {follower}");
                }
                if let Some(release) = moved_from {
                    let _ = writeln!(out, "  moved from {release}");
                }
                for field in fields {
                    let mark = if field.is_order { " (order)" } else { "" };
                    let secret = if field.is_secret { " (secret)" } else { "" };
                    let _ = writeln!(out, "  {}{mark}{secret}", field.path);
                    for (sign, side) in [("-", &field.before), ("+", &field.after)] {
                        if let Some(side) = side {
                            let _ = writeln!(out, "    {sign} {}", value(side).replace("\n    ", "\n      "));
                        }
                    }
                }
                Ok(())
            }
        };
    }
    if out.is_empty() { "no difference\n".to_owned() } else { out }
}

#[test]
fn every_case_is_as_its_snapshot() {
    for case in folders("tests/fixtures/diff") {
        let name = case.file_name().unwrap().to_str().unwrap();
        let read = |side: &str| objects(&fs::read_to_string(case.join(side)).unwrap());
        let (before, after) = (read("before.yaml"), read("after.yaml"));
        let changes = diff::compare(&items(&before), &items(&after));
        snapshots("diff").bind(|| insta::assert_snapshot!(name, dump(&changes)));
        assert_eq!(diff::compare(&items(&before), &items(&before)), [], "{name}");
        assert_eq!(diff::compare(&items(&after), &items(&after)), [], "{name}");
    }
}
