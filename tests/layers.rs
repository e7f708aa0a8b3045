//! Modules import only downward: reads every `crate::` path and fails on an arrow up or across.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// The layers of docs/architecture.md, lowest first. A module may import those of lower layers only.
const LAYERS: &[&[&str]] = &[
    &["bounded", "number", "parallel", "re2", "signals", "suggest"],
    &["value"],
    &["source"],
    &["finding", "json", "kinds", "semver"],
    &["credential", "fingerprint", "yaml"],
    &["chart", "json_schema"],
    &["git", "repository", "values"],
    &["render"],
    &["cel", "manifest", "usage"],
    &["committed", "diff", "infer", "schema"],
    &["policy"],
    &["baseline", "delta"],
    &["gate", "report"],
    &["project"],
    &["check"],
    &["admission"],
    &["cluster", "serve"],
    &["cli"],
];

/// Inside `render`: what both dialects share lies below them, values and functions together.
const RENDER: &[&[&str]] =
    &[&["any", "functions", "glob", "host", "print", "strconv"], &["objects"], &["gotemplate", "jinja"]];

fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

fn rank(layers: &[&[&str]], module: &str) -> Option<usize> {
    layers.iter().position(|layer| layer.contains(&module))
}

/// The arrows of a tree of modules that are not downward, and the modules that have no layer. Modules of the layer
/// `together` may import each other.
fn offences(root: &str, prefix: &str, layers: &[&[&str]], together: Option<usize>) -> Vec<String> {
    let import = Regex::new(&format!(r"\b{prefix}::(?:\{{([^}}]*)\}}|(\w+))")).unwrap();
    let mut files = Vec::new();
    sources(Path::new(root), &mut files);
    assert!(!files.is_empty(), "no sources below {root}");
    let mut offences = Vec::new();
    for file in files {
        let first = file.strip_prefix(root).unwrap().components().next().unwrap();
        let own = first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if ["lib", "main", "mod"].contains(&own.as_str()) {
            continue;
        }
        let Some(from) = rank(layers, &own) else {
            offences.push(format!("{} is in no layer", file.display()));
            continue;
        };
        let text = fs::read_to_string(&file).unwrap();
        for found in import.captures_iter(&text) {
            let names = found.get(1).or(found.get(2)).unwrap().as_str();
            for name in names.split(',').map(|name| name.trim().split("::").next().unwrap()) {
                let is_module = name.starts_with(char::is_lowercase);
                let allowed = |to| to < from || to == from && together == Some(to);
                if is_module && name != own && !rank(layers, name).is_some_and(allowed) {
                    offences.push(format!("{} imports {prefix}::{name}", file.display()));
                }
            }
        }
    }
    offences
}

#[test]
fn modules_import_only_downward() {
    assert_eq!(offences("src", "crate", LAYERS, None), Vec::<String>::new());
}

#[test]
fn the_dialects_do_not_know_each_other() {
    assert_eq!(offences("src/render", "crate::render", RENDER, Some(0)), Vec::<String>::new());
}
