//! The releases that a repository seems to have, for a first project file: its charts, the values files beside them,
//! and what Argo CD, Flux and helmfile deploy.

mod dependencies;
mod deployed;
mod text;
mod values_files;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use crate::bounded;
use crate::value::Value;
use crate::yaml;

/// The most files and folders that are looked at.
const MAX_LOOKED_AT: usize = 200_000;
/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// Folders of what others wrote, or of what was built.
const PASSED_BY: &[&str] = &["node_modules", "target", "vendor"];

/// What was found.
#[derive(Debug, Default)]
pub struct Discovery {
    /// Folders of charts that can be released, `.` for the repository itself.
    pub charts: Vec<String>,
    /// Those of them that cannot be rendered yet, with the dependencies that they lack.
    pub lacking: Vec<(String, Vec<String>)>,
    /// The releases, those that something deploys first.
    releases: Vec<Draft>,
    /// What could not be decided or read.
    notes: Vec<String>,
}

/// A release as the project file will have it.
#[derive(Debug, Clone, Default)]
struct Draft {
    /// What says so: a file, or nothing where only its chart does.
    source: Option<String>,
    for_each: Option<String>,
    name: String,
    namespace: String,
    chart: String,
    values: Vec<String>,
    set: Vec<String>,
    set_string: Vec<String>,
    /// What it has that a project file cannot say.
    notes: Vec<String>,
}

/// The files of a repository.
struct Repository<'a> {
    root: &'a Path,
    /// Paths with `/`, sorted.
    files: BTreeSet<String>,
}

impl Discovery {
    /// Looks at the files below a folder. Hidden folders, symbolic links and those of other people's code are passed by.
    ///
    /// # Errors
    /// A folder that cannot be read, or more files than anybody would look at.
    pub fn of(root: &Path) -> io::Result<Self> {
        let repository = Repository { root, files: files(root)? };
        let mut found = Self::default();
        repository.charts(&mut found);
        for path in &repository.files {
            if !found.charts.iter().any(|chart| is_below(path, chart) && chart != ".") {
                deployed::read(&repository, path, &mut found);
            }
        }
        values_files::siblings(&repository, &mut found);
        for chart in found.charts.clone() {
            if !found.releases.iter().any(|release| release.chart == chart) {
                values_files::releases(&repository, &chart, &mut found);
            }
        }
        let lacking = |chart: &String| (chart.clone(), dependencies::lacking(&repository, chart));
        found.lacking = found.charts.iter().map(lacking).filter(|(_, names)| !names.is_empty()).collect();
        Ok(found)
    }
}

impl Repository<'_> {
    /// Folders with a Chart.yaml that is neither a library's nor a subchart's.
    fn charts(&self, found: &mut Discovery) {
        let manifests = self.files.iter().filter(|path| name(path) == "Chart.yaml");
        let folders: Vec<&str> = manifests.map(|path| parent(path)).collect();
        for &folder in &folders {
            let is_part = |other: &str| {
                ["charts", "templates"].iter().any(|part| other != folder && is_below(folder, &join(other, part)))
            };
            if folders.iter().any(|other| is_part(other)) {
                continue;
            }
            let path = join(folder, "Chart.yaml");
            match self.document(&path) {
                Ok(chart) if chart.get("type").and_then(Value::as_str) == Some("library") => {}
                Ok(chart) if chart.get("name").and_then(Value::as_str).is_some() => {
                    found.charts.push(folder.to_owned())
                }
                Ok(_) => found.notes.push(format!("{path} has no name, so it is no chart")),
                Err(reason) => found.notes.push(format!("{path} was left out: {reason}")),
            }
        }
    }

    fn has(&self, path: &str) -> bool {
        self.files.contains(path)
    }

    fn text(&self, path: &str) -> Result<String, String> {
        bounded::read_text(&self.root.join(path), MAX_FILE).map_err(|error| error.to_string())
    }

    /// The first document of a file.
    fn document(&self, path: &str) -> Result<Value, String> {
        yaml::parse(&self.text(path)?, yaml::Options::default()).map_err(|error| error.to_string())
    }
}

/// The paths of all files below a folder.
fn files(root: &Path) -> io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut open = vec![String::new()];
    let mut looked_at = 0;
    while let Some(folder) = open.pop() {
        let full = if folder.is_empty() { root.to_owned() } else { root.join(&folder) };
        for entry in fs::read_dir(if full.as_os_str().is_empty() { Path::new(".") } else { &full })? {
            let entry = entry?;
            looked_at += 1;
            if looked_at > MAX_LOOKED_AT {
                return Err(io::Error::other(format!("more than {MAX_LOOKED_AT} files")));
            }
            // A project file could not name it.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let file_type = entry.file_type()?;
            if file_type.is_dir() && !name.starts_with('.') && !PASSED_BY.contains(&name.as_str()) {
                open.push(path);
            } else if file_type.is_file() {
                found.insert(path);
            }
        }
    }
    Ok(found)
}

/// The folder of a path, `.` where it is the repository.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

/// The last part of a path.
fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// A path from a folder, without `.` and `..`; `None` where it leads out of the repository.
fn resolve(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

fn join(folder: &str, path: &str) -> String {
    if folder == "." { path.to_owned() } else { format!("{folder}/{path}") }
}

fn is_below(path: &str, folder: &str) -> bool {
    folder == "." || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
