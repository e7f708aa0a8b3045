//! `plimsoll init` in repositories: a folder for each case, with a snapshot of the file that it writes. Adding a folder
//! adds a test.

mod common;

use std::fs;
use std::path::Path;

use common::{folder, folders, plimsoll, snapshots};
use plimsoll::project::Project;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, into) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).unwrap();
        if path.is_dir() {
            copy(&path, &into);
        } else {
            fs::copy(&path, &into).unwrap();
        }
    }
}

#[test]
fn every_repository_has_its_file_and_its_releases_render() {
    for case in folders("tests/fixtures/init") {
        let name = case.file_name().unwrap().to_str().unwrap();
        let dir = tempfile::tempdir().unwrap();
        copy(&case, dir.path());
        let run = plimsoll(dir.path(), &["init"], "");
        let written = fs::read_to_string(dir.path().join("plimsoll.yaml")).unwrap_or_default();
        assert_eq!(run.status == 0, !written.is_empty(), "{name}");
        let shown = format!("{written}\nexit status {}\n{}{}", run.status, run.stdout, run.stderr);
        snapshots("init").bind(|| insta::assert_snapshot!(name, shown));
        if run.status != 0 {
            continue;
        }
        let project = Project::load(dir.path(), Path::new("plimsoll.yaml")).unwrap();
        for release in project.releases().unwrap() {
            let mut args = vec!["render".to_owned(), release.name.clone(), release.chart.display().to_string()];
            args.extend(["--namespace".to_owned(), release.namespace.clone()]);
            let flags = [("-f", &release.inputs.files), ("--set", &release.inputs.set)];
            let flags = flags.into_iter().chain([("--set-string", &release.inputs.set_string)]);
            args.extend(flags.flat_map(|(flag, texts)| texts.iter().flat_map(move |text| [flag.into(), text.clone()])));
            let run = plimsoll(dir.path(), &args, "");
            assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{name}: {}", release.label());
        }
    }
}

#[test]
fn what_is_there_is_not_written_over() {
    let dir = folder(&[("plimsoll.yaml", "releases: []\n"), ("c/Chart.yaml", "name: c\nversion: 0.1.0\n")]);
    let run = plimsoll(dir.path(), &["init"], "");
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("plimsoll.yaml is there already"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(dir.path().join("plimsoll.yaml")).unwrap(), "releases: []\n");
}

#[test]
fn charts_that_lack_dependencies_are_named() {
    let chart =
        "name: c\nversion: 0.1.0\ndependencies: [{name: common, version: 1.0.0}, {name: here}, {name: packed}]\n";
    let dir = folder(&[
        ("c/Chart.yaml", chart),
        ("c/charts/other-name/Chart.yaml", "name: here\nversion: 1.0.0\n"),
        ("c/charts/packed-1.0.0.tgz", ""),
        ("old/Chart.yaml", "apiVersion: v1\nname: old\nversion: 0.1.0\n"),
        ("old/requirements.yaml", "dependencies: [{name: db}]\n"),
    ]);
    let run = plimsoll(dir.path(), &["init"], "");
    let expected = "wrote plimsoll.yaml: 2 releases of 2 charts\nnext: plimsoll deps c, which lacks common\n\
                    next: plimsoll deps old, which lacks db\nnext: look it over, then plimsoll check\n";
    assert_eq!((run.status, run.stdout.as_str()), (0, expected));
}
