//! The releases of a project: a folder for each case, with a snapshot of them or of why there are none. Adding a folder
//! adds a test.

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use common::{folder, folders, snapshots};
use plimsoll::finding::Fault;
use plimsoll::project::{Project, Release};
use plimsoll::report::{self, Style};

/// The project file as somebody sees it who stands in the folder.
fn load(root: &Path, path: &str) -> Result<Vec<Release>, String> {
    let project = Project::load(root, Path::new(path));
    project.and_then(|project| project.releases()).map_err(|error| {
        let mut text = Vec::new();
        report::write_faults(&[Fault::from(error)], Style::Plain, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    })
}

fn shown(releases: &[Release]) -> String {
    releases.iter().fold(String::new(), |mut text, release| {
        let Release { chart, inputs, place, .. } = release;
        writeln!(text, "{} of {} at {place}: {}", release.label(), chart.display(), inputs.files.join(", ")).unwrap();
        for set in inputs.set.iter().chain(&inputs.set_file) {
            writeln!(text, "    {set}").unwrap();
        }
        text
    })
}

#[test]
fn every_case_is_as_its_snapshot() {
    for case in folders("tests/fixtures/for-each") {
        let name = case.file_name().unwrap().to_str().unwrap();
        let text = load(&case, "plimsoll.yaml").map_or_else(|error| error, |releases| shown(&releases));
        snapshots("for-each").bind(|| insta::assert_snapshot!(name, text));
    }
}

#[test]
fn paths_are_beside_the_project_file_and_without_the_root() {
    let file = "releases:\n- forEach: tenants/*.yaml\n  name: '{{ stem }}-{{ values.id }}-{{ path | length }}'\n  chart: c\n  \
                values: [base.yaml, /abs.yaml, -]\n  setFile: ['a=f,b={g,h}']\noutput: {folder: out}\nbaseline: b.yaml\n";
    let dir = folder(&[("sub/plimsoll.yaml", file), ("sub/tenants/a.yaml", "id: 1"), ("tenants/b.yaml", "id: 2")]);
    let project = Project::load(dir.path(), Path::new("sub/plimsoll.yaml")).unwrap();
    assert_eq!(project.output.as_ref().unwrap().folder, Path::new("sub/out"));
    assert_eq!(project.baseline.as_deref(), Some(Path::new("sub/b.yaml")));
    let releases = project.releases().unwrap();
    assert_eq!(
        shown(&releases),
        "default/a-1-2 of sub/c at sub/plimsoll.yaml:2:3: sub/base.yaml, /abs.yaml, sub/-, sub/tenants/a.yaml\n    \
         a=sub/f,b={sub/g,sub/h}\n"
    );
}

/// A values file of that name is no standard input.
#[test]
fn a_dash_is_a_file() {
    let dir = folder(&[("plimsoll.yaml", "releases: [{forEach: '?', name: a, chart: c}]\n"), ("-", "")]);
    assert_eq!(load(dir.path(), "plimsoll.yaml").unwrap()[0].inputs.files, ["./-"]);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_and_never_passed_by_in_silence() {
    use std::os::unix::fs::symlink;
    let outside = folder(&[("values.yaml", "a: 1\n")]);
    for (glob, link, target, wanted) in [
        (
            "tenants/*/values.yaml",
            "tenants/mallory",
            outside.path().to_owned(),
            "tenants/mallory matches and is no plain",
        ),
        (
            "tenants/*/*.yaml",
            "tenants/alice/x.yaml",
            outside.path().join("values.yaml"),
            "tenants/alice/x.yaml matches",
        ),
        ("tenants/*/values.yaml", "tenants/gone.yaml", outside.path().join("nothing"), ""),
        ("tenants/**/values.yaml", "tenants/mallory", outside.path().to_owned(), ""),
        ("tenants/*", "tenants/mallory", "mallory".into(), "tenants/mallory matches"),
    ] {
        let file = format!("releases: [{{forEach: '{glob}', name: a, chart: c}}]\n");
        let dir = folder(&[("plimsoll.yaml", &file), ("tenants/alice/values.yaml", "")]);
        symlink(&target, dir.path().join(link)).unwrap();
        match load(dir.path(), "plimsoll.yaml") {
            Ok(releases) => assert_eq!((releases.len(), wanted), (1, ""), "{glob} {link}"),
            Err(error) => assert!(!wanted.is_empty() && error.contains(wanted), "{glob} {link}: {error}"),
        }
    }
    // What the project itself names may be a link, as charts and values files may.
    let dir = folder(&[("plimsoll.yaml", "releases: [{forEach: 'tenants/*.yaml', name: a, chart: c}]\n")]);
    symlink(outside.path(), dir.path().join("tenants")).unwrap();
    assert_eq!(load(dir.path(), "plimsoll.yaml").unwrap().len(), 1);
}

#[test]
fn thousands_of_files_are_named_in_their_order() {
    let file = "releases: [{forEach: 'tenants/*/values.yaml', name: w, namespace: '{{ values.id }}', chart: c}]\n";
    let dir = folder(&[("plimsoll.yaml", file)]);
    for n in 0..2_000 {
        let folder = dir.path().join(format!("tenants/t{n}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("values.yaml"), format!("id: t{n}\n")).unwrap();
    }
    let releases = load(dir.path(), "plimsoll.yaml").unwrap();
    assert_eq!((releases.len(), releases[1].namespace.as_str()), (2_000, "t1"));
}
