//! From the files of a folder or an archive to a [`Chart`].
//!
//! Source: Helm's `pkg/chart/loader/load.go` and `pkg/chart/v2/loader/load.go`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::archive::{self, Budget};
use super::directory;
use super::error::Error;
use super::metadata::MetadataError;
use super::values_file;
use super::{Chart, Content, File, Lock, Metadata};
use crate::source::SourceFile;
use crate::value::Numbers;
use crate::value::{Map, Value};
use crate::yaml;

/// How deep charts may nest in `charts/`.
const MAX_NESTING: usize = 32;

/// A file as it was read.
#[derive(Debug)]
pub(super) struct RawFile {
    /// The path inside the chart, with `/`.
    pub(super) name: String,
    /// The bytes, without a byte order mark.
    pub(super) data: Vec<u8>,
}

impl RawFile {
    pub(super) fn new(name: String, mut data: Vec<u8>) -> Self {
        if data.starts_with(b"\xef\xbb\xbf") {
            data.drain(..3);
        }
        Self { name, data }
    }
}

/// Loads a chart from a folder or a `.tgz`.
///
/// # Errors
///
/// Everything that Helm refuses, with its text; and what a hostile chart may try: links that leave the chart, archives
/// that lead out of it or unpack without end, too many files.
pub fn load(path: &Path) -> Result<Chart, Error> {
    load_below(Path::new(""), path)
}

/// The same below a folder, of which diagnostics say nothing.
///
/// # Errors
///
/// As [`load`].
pub fn load_below(root: &Path, path: &Path) -> Result<Chart, Error> {
    let (origin, real) = (display(path), root.join(path));
    let metadata = std::fs::metadata(&real).map_err(|error| Error::not_found(path, error))?;
    let mut budget = Budget::default();
    let files = if metadata.is_dir() {
        let is_there = std::fs::metadata(real.join("Chart.yaml"));
        is_there.map_err(|error| Error::NotAChart { path: absolute(&path.join("Chart.yaml")), error })?;
        directory::read(&real, &mut budget)?
    } else {
        let bytes = std::fs::read(&real).map_err(|error| Error::read(path, error))?;
        if !archive::is_gzip(&bytes) {
            return Err(Error::not_an_archive(path, &bytes));
        }
        archive::unpack(&bytes, &mut budget).map_err(|error| Error::Archive { path: path.to_path_buf(), error })?
    };
    let chart = assemble(files, &origin, &mut budget, 0)?;
    match chart.metadata.api_version.as_str() {
        "v1" | "v2" => Ok(chart),
        "v3" => Err(Error::Version("invalid chart apiVersion")),
        _ => Err(Error::Version("unsupported chart version")),
    }
}

/// A path as diagnostics name it.
fn display(path: &Path) -> String {
    let text = path.to_string_lossy();
    let text = text.trim_end_matches('/');
    match text.strip_prefix("./") {
        Some(inner) if !inner.is_empty() => inner.to_string(),
        _ => text.to_string(),
    }
}

/// The same path from the root of the file system.
fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Sorts files into a chart. `origin` is what comes before their names in diagnostics.
fn assemble(files: Vec<RawFile>, origin: &str, budget: &mut Budget, depth: usize) -> Result<Chart, Error> {
    if depth > MAX_NESTING {
        return Err(Error::TooDeep(MAX_NESTING));
    }
    let (chart_yaml, files): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| file.name == "Chart.yaml");
    let mut parts = Parts { origin, ..Parts::default() };
    for file in chart_yaml {
        let source = parts.text(file, "Chart.yaml")?;
        let document = read_yaml(&source, "Chart.yaml")?;
        parts.metadata.apply(&document).map_err(|error| Error::metadata("Chart.yaml", &source, error))?;
        parts.chart_yaml = Some(source);
    }
    if parts.metadata.api_version.is_empty() {
        parts.metadata.api_version = "v1".to_string();
    }
    for file in files {
        parts.add(file)?;
    }
    let Some(chart_yaml) = parts.chart_yaml else { return Err(Error::NoChartYaml) };
    parts.metadata.validate().map_err(|error| Error::metadata("Chart.yaml", &chart_yaml, error))?;

    let mut dependencies = Vec::new();
    for (folder, files) in parts.subcharts {
        if folder.starts_with(['_', '.']) {
            continue;
        }
        let origin = format!("{origin}/charts/{folder}");
        let subchart = subchart(&folder, files, &origin, budget, depth + 1).map_err(|error| Error::Subchart {
            folder,
            parent: parts.metadata.name.clone(),
            error: Box::new(error),
        })?;
        dependencies.push(Arc::new(subchart));
    }
    Ok(Chart {
        metadata: Arc::new(parts.metadata),
        chart_yaml,
        lock: parts.lock.map(Arc::new),
        templates: parts.templates.into(),
        files: parts.files.into(),
        values: parts.values.unwrap_or_else(|| Map::default().into()),
        values_yaml: parts.values_yaml,
        schema: parts.schema,
        dependencies,
        warnings: parts.warnings.into(),
    })
}

fn subchart(
    folder: &str,
    files: Vec<RawFile>,
    origin: &str,
    budget: &mut Budget,
    depth: usize,
) -> Result<Chart, Error> {
    let files = if folder.ends_with(".tgz") {
        let Some(file) = files.into_iter().find(|file| file.name == folder) else {
            return Err(Error::FolderNamedArchive);
        };
        archive::unpack(&file.data, budget).map_err(|error| Error::Archive { path: origin.into(), error })?
    } else {
        // Files beside the folders of subcharts are no charts.
        files
            .into_iter()
            .filter_map(|file| {
                let (_, inner) = file.name.split_once('/')?;
                Some(RawFile { name: inner.to_string(), data: file.data })
            })
            .collect()
    };
    assemble(files, origin, budget, depth)
}

#[derive(Default)]
struct Parts<'a> {
    origin: &'a str,
    metadata: Metadata,
    chart_yaml: Option<Arc<SourceFile>>,
    lock: Option<Lock>,
    templates: Vec<File>,
    files: Vec<File>,
    values: Option<Value>,
    values_yaml: Option<Arc<SourceFile>>,
    schema: Option<File>,
    /// The files below `charts/`, by the first part of their path.
    subcharts: BTreeMap<String, Vec<RawFile>>,
    warnings: Vec<String>,
}

impl Parts<'_> {
    fn add(&mut self, file: RawFile) -> Result<(), Error> {
        match file.name.as_str() {
            "Chart.lock" => {
                let source = self.text(file, "Chart.lock")?;
                self.lock = Some(read_lock(&source, "Chart.lock")?);
            }
            "values.yaml" => {
                let source = self.text(file, "values.yaml")?;
                self.values =
                    Some(values_file::read(&source).map_err(|error| Error::Values { file: source.clone(), error })?);
                self.values_yaml = Some(source);
            }
            "values.schema.json" => self.schema = Some(self.file(file)),
            "requirements.yaml" => {
                if self.metadata.api_version != "v1" {
                    self.warn("Dependencies are handled in Chart.yaml since apiVersion \"v2\". We recommend migrating dependencies to Chart.yaml.");
                }
                let source = self.text(file, "requirements.yaml")?;
                let document = read_yaml(&source, "requirements.yaml")?;
                self.metadata.apply(&document).map_err(|error| Error::metadata("requirements.yaml", &source, error))?;
                self.keep_legacy("requirements.yaml", source);
            }
            "requirements.lock" => {
                if self.metadata.api_version != "v1" {
                    self.warn("Dependency locking is handled in Chart.lock since apiVersion \"v2\". We recommend migrating to Chart.lock.");
                }
                let source = self.text(file, "requirements.lock")?;
                self.lock = Some(read_lock(&source, "requirements.lock")?);
                self.keep_legacy("requirements.lock", source);
            }
            name if name.starts_with("templates/") => {
                let file = self.file(file);
                self.templates.push(file);
            }
            name => match name.strip_prefix("charts/") {
                Some(inner) if !name.ends_with(".prov") => {
                    let folder = inner.split('/').next().unwrap_or(inner).to_string();
                    let file = RawFile { name: inner.to_string(), data: file.data };
                    self.subcharts.entry(folder).or_default().push(file);
                }
                _ => {
                    let file = self.file(file);
                    self.files.push(file);
                }
            },
        }
        Ok(())
    }

    /// Only charts of version 1 show their requirements to templates.
    fn keep_legacy(&mut self, name: &str, source: Arc<SourceFile>) {
        if self.metadata.api_version == "v1" {
            self.files.push(File { name: name.into(), content: Content::Text(source) });
        }
    }

    fn warn(&mut self, message: &str) {
        self.warnings.push(format!("Warning: {message}"));
    }

    fn file(&self, file: RawFile) -> File {
        let name = file.name.as_str().into();
        let content = match String::from_utf8(file.data) {
            Ok(text) => Content::Text(SourceFile::new(format!("{}/{}", self.origin, file.name), text)),
            Err(error) => Content::Binary(error.into_bytes().into()),
        };
        File { name, content }
    }

    /// A file that must be text.
    fn text(&self, file: RawFile, name: &'static str) -> Result<Arc<SourceFile>, Error> {
        match self.file(file).content {
            Content::Text(source) => Ok(source),
            Content::Binary(_) => Err(Error::NotText { name, path: format!("{}/{name}", self.origin) }),
        }
    }
}

fn read_yaml(source: &Arc<SourceFile>, name: &'static str) -> Result<Value, Error> {
    let options = yaml::Options { strict: false, numbers: Numbers::Exact };
    yaml::parse(&source.text, options).map_err(|error| Error::Yaml { name, file: source.clone(), error })
}

fn read_lock(source: &Arc<SourceFile>, name: &'static str) -> Result<Lock, Error> {
    let document = read_yaml(source, name)?;
    Lock::read(&document).map_err(|error: MetadataError| Error::metadata(name, source, error))
}

#[cfg(test)]
mod tests {
    use super::super::archive::tests::tgz;
    use super::*;

    const CHART: &str = "apiVersion: v2\nname: c\nversion: 0.1.0\n";

    fn try_assemble(files: &[(&str, &[u8])]) -> Result<Chart, Error> {
        let files = files.iter().map(|(name, data)| RawFile::new(name.to_string(), data.to_vec())).collect();
        assemble(files, "charts/c", &mut Budget::default(), 0)
    }

    fn chart(files: &[(&str, &[u8])]) -> Chart {
        try_assemble(files).unwrap()
    }

    fn error(files: &[(&str, &[u8])]) -> String {
        try_assemble(files).unwrap_err().to_string()
    }

    fn names(files: &[File]) -> Vec<&str> {
        files.iter().map(|file| &*file.name).collect()
    }

    #[test]
    fn every_file_finds_its_place() {
        let chart = chart(&[
            ("README.md", b"r"),
            ("Chart.yaml", CHART.as_bytes()),
            ("values.yaml", b"\xef\xbb\xbfa: 1\n---\nb: {c: 2}\n"),
            ("values.schema.json", b"{}"),
            ("Chart.lock", b"digest: d\n"),
            ("templates/a.yaml", b"x"),
            ("templates/b.bin", b"\xff"),
            ("templates2/a.yaml", b"x"),
            ("crds/a.yaml", b""),
            ("crds/README.md", b""),
            ("charts/x.tgz.prov", b""),
            ("charts/_x/Chart.yaml", b"["),
            ("charts/.x/Chart.yaml", b"["),
        ]);
        assert_eq!(names(&chart.templates), ["templates/a.yaml", "templates/b.bin"]);
        assert_eq!(
            names(&chart.files),
            ["README.md", "templates2/a.yaml", "crds/a.yaml", "crds/README.md", "charts/x.tgz.prov"]
        );
        assert_eq!(chart.crds().map(|file| &*file.name).collect::<Vec<_>>(), ["crds/a.yaml"]);
        assert_eq!(chart.templates[0].source().unwrap().name, "charts/c/templates/a.yaml");
        assert!(chart.templates[1].source().is_none());
        assert_eq!(chart.values.at(["b", "c"]), Some(&Value::Float(2.0)));
        assert_eq!(chart.lock.unwrap().digest, "d");
        assert!(chart.schema.is_some() && chart.dependencies.is_empty());
    }

    #[test]
    fn subcharts_are_folders_and_archives() {
        let inner = tgz(&[("in/Chart.yaml", b"name: inner\nversion: 1.0.0\n")]);
        let packed = tgz(&[("p/Chart.yaml", b"name: packed\nversion: 1.0.0\n"), ("p/charts/inner.tgz", &inner)]);
        let chart = chart(&[
            ("Chart.yaml", CHART.as_bytes()),
            ("charts/packed-1.0.0.tgz", &packed),
            ("charts/plain/Chart.yaml", b"name: plain\nversion: 1.0.0\n"),
            ("charts/plain/templates/x.yaml", b""),
        ]);
        let subcharts: Vec<_> = chart.dependencies.iter().map(|chart| chart.name()).collect();
        assert_eq!(subcharts, ["packed", "plain"]);
        assert_eq!(
            chart.dependencies[0].dependencies[0].chart_yaml.name,
            "charts/c/charts/packed-1.0.0.tgz/charts/inner.tgz/Chart.yaml"
        );
        assert_eq!(chart.dependencies[0].metadata.api_version, "v1");
    }

    #[test]
    fn version_1_has_its_dependencies_beside() {
        let files: &[(&str, &[u8])] = &[
            ("Chart.yaml", b"name: c\nversion: 1.0.0\n"),
            ("requirements.yaml", b"dependencies: [{name: d, version: 1.2}]\n"),
            ("requirements.lock", b"digest: d\n"),
        ];
        let old = chart(files);
        assert_eq!((&*old.metadata.dependencies[0].name, &*old.metadata.dependencies[0].version), ("d", "1.2"));
        assert_eq!(names(&old.files), ["requirements.yaml", "requirements.lock"]);
        assert!(old.warnings.is_empty());
        let new = chart(&[("Chart.yaml", CHART.as_bytes()), files[1], files[2]]);
        assert_eq!((new.metadata.dependencies.len(), new.files.len(), new.warnings.len()), (1, 0, 2));
    }

    #[test]
    fn wrong_charts_are_refused_with_helms_texts() {
        let c = ("Chart.yaml", CHART.as_bytes());
        assert_eq!(error(&[("values.yaml", b"")]), "Chart.yaml file is missing");
        assert_eq!(
            error(&[("Chart.yaml", b"apiVersion: v2\nname: [\n")]),
            "cannot load Chart.yaml: error converting YAML to JSON: yaml: line 2: did not find expected node content"
        );
        assert_eq!(
            error(&[c, ("charts/sub/Chart.yaml", CHART.as_bytes()), ("charts/sub/values.yaml", b"b: [\n")]),
            "error unpacking subchart sub in c: cannot load values.yaml: cannot unmarshal yaml document: \
             error converting YAML to JSON: yaml: line 1: did not find expected node content"
        );
        assert_eq!(
            error(&[c, ("values.yaml", b"text\n")]),
            "cannot load values.yaml: cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: \
             json: cannot unmarshal string into Go value of type map[string]interface {}"
        );
        assert_eq!(
            error(&[c, ("values.yaml", b"a: 1\n--- {b: 1}\n")]),
            "cannot load values.yaml: error reading yaml document: invalid Yaml document separator: {b: 1}"
        );
        assert_eq!(
            error(&[c, ("charts/x.tgz/y", b"")]),
            "error unpacking subchart x.tgz in c: expected an archive, got a folder"
        );
        assert!(error(&[("Chart.yaml", b"\xff\xfe")]).starts_with("cannot load Chart.yaml: "));
    }

    #[test]
    fn errors_point_into_the_file() {
        let version = try_assemble(&[("Chart.yaml", b"apiVersion: v2\nname: c\nversion: x\n")]).unwrap_err();
        assert_eq!(version.location().unwrap().to_string(), "charts/c/Chart.yaml:3:1");
        let sub = try_assemble(&[
            ("Chart.yaml", CHART.as_bytes()),
            ("charts/sub/Chart.yaml", b"name: s\nversion: 1.0.0\nmaintainers:\n- name: a\n-\n"),
        ]);
        assert_eq!(sub.unwrap_err().location().unwrap().to_string(), "charts/c/charts/sub/Chart.yaml:5:2");
    }

    #[test]
    fn archives_in_archives_come_to_an_end() {
        let mut inner = tgz(&[("c/Chart.yaml", CHART.as_bytes())]);
        for _ in 0..40 {
            inner = tgz(&[("c/Chart.yaml", CHART.as_bytes()), ("c/charts/c.tgz", &inner)]);
        }
        assert!(error(&[("Chart.yaml", CHART.as_bytes()), ("charts/c.tgz", &inner)]).contains("nest deeper than 32"));
    }
}
