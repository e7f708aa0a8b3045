//! Whole charts, rendered as Helm renders them: each folder of `tests/fixtures/charts` holds a `chart` and `cases`.
//!
//! A case is `<name>.args` (one argument a line, the working folder being the fixture's), and what Helm made of it:
//! `<name>.out` where it printed a result, `<name>.err` where it failed. `tests/peers/compare.sh --record` writes both.

mod program;

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn charts_render_as_in_helm() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/charts");
    let mut ran = 0;
    let mut disagreeing = Vec::new();
    for fixture in entries(&root) {
        for case in entries(&fixture.join("cases")).iter().filter(|path| path.extension().is_some_and(|e| e == "args"))
        {
            ran += 1;
            if let Err(how) = run(&fixture, case) {
                disagreeing.push(format!("{}: {how}", case.strip_prefix(&root).unwrap_or(case).display()));
            }
        }
    }
    assert!(ran > 50, "only {ran} cases were found");
    assert!(disagreeing.is_empty(), "{} of {ran} cases disagree:\n{}", disagreeing.len(), disagreeing.join("\n"));
}

fn run(fixture: &Path, case: &Path) -> Result<(), String> {
    let args: Vec<String> = read(case).lines().map(str::to_owned).collect();
    let outcome = program::render(fixture, &args);
    match fs::read(case.with_extension("out")) {
        Ok(expected) => outcome.check_success().and_then(|()| program::check_text(&expected, &outcome.stdout)),
        Err(_) => outcome.check_failure(&read(&case.with_extension("err"))),
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
