//! Bad input: one clear diagnostic, exit status 2, and nothing on standard output.
//!
//! A fixture is a folder of tests/fixtures/bad-input with a chart and perhaps `args`. The diagnostics are snapshots.

mod common;

use std::fs;
use std::path::Path;

use common::{folder, folders, plimsoll, snapshots};

const CHART: (&str, &str) = ("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 0.1.0\n");

fn refuse(name: &str, dir: &Path, args: &[&str]) {
    let run = plimsoll(dir, args, "");
    assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{name}: {}", run.stderr);
    let mut settings = snapshots("bad-input");
    settings.add_filter(&regex::escape(dir.to_str().unwrap()), "[dir]");
    settings.bind(|| insta::assert_snapshot!(name.to_owned(), run.stderr));
}

#[test]
fn every_fixture_is_refused() {
    for dir in folders("tests/fixtures/bad-input") {
        let args = fs::read_to_string(dir.join("args")).unwrap_or("render r chart".into());
        refuse(dir.file_name().unwrap().to_str().unwrap(), &dir, &args.split_whitespace().collect::<Vec<_>>());
    }
}

#[test]
fn links_that_leave_the_chart() {
    let dir = folder(&[CHART, ("secret.yaml", "password: x\n")]);
    fs::create_dir(dir.path().join("chart/templates")).unwrap();
    std::os::unix::fs::symlink("../../secret.yaml", dir.path().join("chart/templates/a.yaml")).unwrap();
    let run = plimsoll(dir.path(), &["render", "r", "chart"], "");
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("templates/a.yaml") && run.stderr.contains("secret.yaml"), "{}", run.stderr);
    assert!(!run.stderr.contains("password"), "{}", run.stderr);
}

#[test]
fn files_that_are_too_large() {
    let dir = folder(&[CHART]);
    fs::write(dir.path().join("chart/big.bin"), vec![b'x'; 5 * 1024 * 1024 + 1]).unwrap();
    let run = plimsoll(dir.path(), &["render", "r", "chart"], "");
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("big.bin") && run.stderr.contains("5242880"), "{}", run.stderr);
}

#[test]
fn values_without_end() {
    let dir = folder(&[CHART]);
    for args in [["-f", "/dev/zero"], ["--set-file", "a=/dev/zero"]] {
        let run = plimsoll(dir.path(), &[&["render", "r", "chart"], &args[..]].concat(), "");
        assert_eq!((run.status, run.stdout.as_str()), (2, ""));
        assert!(run.stderr.contains("/dev/zero: larger than 64 MiB"), "{}", run.stderr);
    }
}

#[test]
fn files_that_are_no_files() {
    let dir = folder(&[CHART]);
    fs::create_dir(dir.path().join("mine.yaml")).unwrap();
    let run = plimsoll(dir.path(), &["render", "r", "chart", "-f", "mine.yaml"], "");
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("mine.yaml"), "{}", run.stderr);
}

/// Values whose text is deep, not large.
#[test]
fn nesting_without_end() {
    for open in ["[", "{a: "] {
        let deep = open.repeat(100_000);
        let dir = folder(&[CHART, ("chart/templates/a.yaml", "a: 1\n"), ("deep.yaml", &format!("v: {deep}"))]);
        let run = plimsoll(dir.path(), &["render", "r", "chart", "-f", "deep.yaml"], "");
        assert_eq!((run.status, run.stdout.as_str()), (2, ""));
        assert!(run.stderr.len() < 4096, "{} bytes of diagnostics", run.stderr.len());
    }
}

/// What a chart says must not clear the screen on which it is said.
#[test]
fn terminal_escapes() {
    let template = "a: {{ fail \"\u{1b}[2J\u{202e}gotcha\" }} # \u{1b}]0;title\u{7}\n";
    let dir = folder(&[CHART, ("chart/templates/a.yaml", template)]);
    let run = plimsoll(dir.path(), &["render", "r", "chart"], "");
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("gotcha"));
    assert!(!run.stderr.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{:?}", run.stderr);
}
