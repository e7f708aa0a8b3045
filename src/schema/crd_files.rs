//! CustomResourceDefinitions of files, folders and archives: `--crds`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::crd::is_crd;
use super::{Error, ErrorKind};
use crate::bounded;
use crate::chart::{self, MAX_CHART_SIZE, MAX_FILES};
use crate::json;
use crate::source::{Location, SourceFile, Span};
use crate::value::{Numbers, Path as Field, Value};
use crate::yaml;

/// The largest file in bytes.
const MAX_FILE: u64 = 64 << 20;

/// The CustomResourceDefinitions of a file (YAML or JSON, of several documents, `List`s too), of all such files below a
/// folder, or of those in a `.tgz`, such as a packed chart; each with the place where it is written.
///
/// A folder is read in the order of names; what begins with a dot is left out. Below a folder `templates`, files that are
/// no YAML before they are rendered are left out too.
///
/// # Errors
/// An address; what cannot be read, is no YAML, is too large or leads out of the folder; nothing found.
pub fn read(path: &Path) -> Result<Vec<(Value, Location)>, Error> {
    let name = path.display().to_string();
    if name.contains("://") {
        return Err(Error::unusable(format!(
            "{name} is an address, and nothing is ever fetched: download it and name the file"
        )));
    }
    let mut found = Vec::new();
    if fs::metadata(path).map_err(|error| Error::unreadable(path, &error))?.is_dir() {
        let root = fs::canonicalize(path).map_err(|error| Error::unreadable(path, &error))?;
        let mut folder = Folder { root, files: 0, bytes: 0, found };
        folder.read(path)?;
        found = folder.found;
    } else {
        let bytes = bytes(path)?;
        if chart::is_gzip(&bytes) {
            let files = chart::unpack_any(&bytes).map_err(|error| Error::unusable(format!("{name}: {error}")))?;
            for (inner, bytes) in files.into_iter().filter(|(inner, _)| is_manifest(Path::new(inner))) {
                collect(&format!("{name}/{inner}"), bytes, &mut found)?;
            }
        } else {
            collect(&name, bytes, &mut found)?;
        }
    }
    if found.is_empty() {
        return Err(Error::unusable(format!("{name} holds no CustomResourceDefinition")));
    }
    Ok(found)
}

/// A folder that is being read.
struct Folder {
    /// Links may not lead out of it.
    root: PathBuf,
    files: usize,
    bytes: u64,
    found: Vec<(Value, Location)>,
}

impl Folder {
    fn read(&mut self, path: &Path) -> Result<(), Error> {
        let failed = |error| Error::unreadable(path, &error);
        let entries = fs::read_dir(path).map_err(failed)?;
        let mut entries =
            entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>().map_err(failed)?;
        entries.sort();
        for entry in entries.iter().filter(|entry| !entry.to_string_lossy().starts_with('.')) {
            let path = path.join(entry);
            let is_link = path.is_symlink();
            if is_link {
                let target = fs::canonicalize(&path).map_err(|error| Error::unreadable(&path, &error))?;
                if !target.starts_with(&self.root) {
                    let (path, target) = (path.display(), target.display());
                    return Err(Error::unusable(format!(
                        "{path} leads out of the folder of CRDs, to {target}: copy it there"
                    )));
                }
            }
            if path.is_dir() {
                // What a link leads to is met by itself.
                if !is_link {
                    self.read(&path)?;
                }
            } else if is_manifest(&path) {
                self.file(&path)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<(), Error> {
        let bytes = bytes(path)?;
        self.files += 1;
        self.bytes += bytes.len() as u64;
        if self.files > MAX_FILES || self.bytes > MAX_CHART_SIZE {
            let (folder, size) = (self.root.display(), MAX_CHART_SIZE >> 20);
            return Err(Error::unusable(format!(
                "{folder} has more than {MAX_FILES} files of manifests, or {size} MiB of them"
            )));
        }
        collect(&path.display().to_string(), bytes, &mut self.found)
    }
}

fn is_manifest(path: &Path) -> bool {
    let known = |end: &std::ffi::OsStr| ["yaml", "yml", "json"].iter().any(|known| end.eq_ignore_ascii_case(known));
    path.extension().is_some_and(known)
}

fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |error| Error::unreadable(path, &error);
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(Error::unusable(format!("{} is neither a file nor a folder", path.display())));
    }
    bounded::read(path, MAX_FILE).map_err(failed)
}

/// Adds the definitions of a file.
fn collect(name: &str, bytes: Vec<u8>, found: &mut Vec<(Value, Location)>) -> Result<(), Error> {
    let text = String::from_utf8(bytes).map_err(|_| Error::unusable(format!("{name} is not UTF-8 text")))?;
    let is_json = name.to_ascii_lowercase().ends_with(".json");
    let is_template = name.contains("/templates/") && text.contains("{{");
    let file = SourceFile::new(name, text);
    let documents = if is_json {
        let whole = Span::new(0, file.text.len());
        let parsed = json::parse(file.text.as_bytes(), Numbers::Exact);
        parsed.map(|value| vec![(value, whole)]).map_err(|error| (error.to_string(), error.span()))
    } else {
        let parsed = yaml::parse_stream(&file.text, yaml::Options::default());
        let documents = parsed.map(|documents| documents.into_iter().map(|one| (one.value, one.span)).collect());
        documents.map_err(|error| (error.to_string(), error.span()))
    };
    match documents {
        Ok(documents) => {
            for (value, span) in documents {
                definitions(&value, &Field::default(), &file, span, found);
            }
            Ok(())
        }
        Err(_) if is_template => Ok(()),
        Err((reason, span)) => {
            let kind = ErrorKind::Unusable(format!("{name} cannot be read: {reason}"));
            Err(Error { kind, location: Some(Location::new(file, span)) })
        }
    }
}

/// Adds an object if it is a definition, or those in it if it is a list.
fn definitions(
    value: &Value,
    path: &Field,
    file: &std::sync::Arc<SourceFile>,
    document: Span,
    found: &mut Vec<(Value, Location)>,
) {
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
    if is_crd(value) {
        let place = (!path.0.is_empty()).then(|| yaml::locate(&file.text, document, path)).flatten();
        let span = place.map_or(document, |place| place.value);
        found.push((value.clone(), Location::new(file.clone(), span)));
    } else if kind.ends_with("List")
        && let Some(items) = value.get("items").and_then(Value::as_list)
    {
        for (index, item) in items.iter().enumerate() {
            definitions(item, &path.key("items").index(index), file, document, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::schema::location::tests::folder;

    fn crd(name: &str) -> String {
        format!("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {name}}}\n")
    }

    /// The names of what is found, with the places, in the order of finding.
    fn names(path: &Path) -> Result<Vec<String>, String> {
        let parent = path.parent().unwrap().display().to_string();
        let plain = |text: String| text.replace(&format!("{parent}/"), "");
        let name = |(value, location): (Value, Location)| {
            let name = value.at(["metadata", "name"]).and_then(Value::as_str).unwrap_or_default().to_owned();
            format!("{name} {}", plain(location.to_string()))
        };
        read(path).map(|found| found.into_iter().map(name).collect()).map_err(|error| plain(error.to_string()))
    }

    fn tgz(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn files_have_documents_and_lists() {
        let old = crd("old").replace("/v1", "/v1beta1");
        let other = crd("other").replace("apiextensions.k8s.io", "example.com");
        let list = "kind: List\nitems:\n- kind: Pod\n- apiVersion: apiextensions.k8s.io/v1\n  kind: \
                    CustomResourceDefinition\n  metadata: {name: item}\n";
        let text = format!("# CRDs\n---\n{}---\n---\n{other}---\n{old}---\n{list}---\n[1]\n", crd("a"));
        let json = "{\n\t\"kind\": \"CustomResourceDefinitionList\", \"items\": [\n\t\t{\"apiVersion\": \
                    \"apiextensions.k8s.io/v1\", \"kind\": \"CustomResourceDefinition\"}]}";
        let dir = folder(&[("all.yaml", &text), ("some.txt", &crd("b")), ("list.json", json)]);
        let at = |name: &str| names(&dir.path().join(name)).unwrap();
        assert_eq!(at("all.yaml"), ["a all.yaml:2:1", "old all.yaml:11:1", "item all.yaml:19:3"]);
        assert_eq!(at("some.txt"), ["b some.txt:1:1"]);
        assert_eq!(at("list.json").len(), 1);
    }

    #[test]
    fn folders_are_read_in_order() {
        let dir = folder(&[
            ("c/z.yaml", &crd("z")),
            ("c/b/y.YML", &crd("why")),
            ("c/a.json", r#"{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}"#),
            ("c/.git/x.yaml", "["),
            ("c/README.md", "["),
            ("c/pod.yaml", "kind: Pod\n"),
            ("c/templates/t.yaml", "a: {{ .Values.a }}\nb: {{ .Values.b }}\n- c\n"),
            ("c/templates/u.yaml", &crd("u")),
        ]);
        let found = names(&dir.path().join("c")).unwrap();
        assert_eq!(found, [" c/a.json:1:1", "why c/b/y.YML:1:1", "u c/templates/u.yaml:1:1", "z c/z.yaml:1:1"]);
    }

    #[test]
    fn archives_are_read_as_folders_are() {
        let (a, b, c) = (crd("a"), crd("b"), crd("c"));
        let chart = tgz(&[
            ("web/Chart.yaml", "name: web\n"),
            ("web/crds/a.yaml", &a),
            ("web/templates/b.yaml", &b),
            ("web/templates/t.yaml", "{{ if .Values.a }}\n- [\n{{ end }}\n"),
            ("web/charts/sub/crds/c.yaml", &c),
            ("web/README.md", "["),
        ]);
        let plain = tgz(&[("a.yaml", &a)]);
        let broken = tgz(&[("web/crds/a.yaml", "a: {{ .Values.a }}\n- b\n")]);
        let dir = folder(&[("not.tgz", "\u{1f}")]);
        for (name, bytes) in [("chart.tgz", &chart), ("plain.tar.gz", &plain), ("broken.tgz", &broken)] {
            fs::write(dir.path().join(name), bytes).unwrap();
        }
        fs::write(dir.path().join("cut.tgz"), &chart[..40]).unwrap();
        let at = |name: &str| names(&dir.path().join(name));
        assert_eq!(
            at("chart.tgz").unwrap(),
            [
                "a chart.tgz/web/crds/a.yaml:1:1",
                "b chart.tgz/web/templates/b.yaml:1:1",
                "c chart.tgz/web/charts/sub/crds/c.yaml:1:1"
            ]
        );
        assert_eq!(at("plain.tar.gz").unwrap(), ["a plain.tar.gz/a.yaml:1:1"]);
        assert!(at("broken.tgz").unwrap_err().starts_with("broken.tgz/web/crds/a.yaml cannot be read: "));
        assert!(at("not.tgz").unwrap_err().starts_with("not.tgz cannot be read: "));
        assert!(at("cut.tgz").is_err());
    }

    #[test]
    fn what_cannot_be_used_is_an_error() {
        let dir = folder(&[
            ("empty.yaml", ""),
            ("pod.yaml", "kind: Pod\n"),
            ("broken/a.yaml", "a: 1\nb: [\n"),
            ("broken.json", "{]"),
            ("none/README.md", ""),
        ]);
        fs::write(dir.path().join("binary.yaml"), b"\xff").unwrap();
        let refused = |name: &str| names(&dir.path().join(name)).unwrap_err();
        assert_eq!(refused("empty.yaml"), "empty.yaml holds no CustomResourceDefinition");
        assert_eq!(refused("pod.yaml"), "pod.yaml holds no CustomResourceDefinition");
        assert_eq!(refused("none"), "none holds no CustomResourceDefinition");
        assert_eq!(refused("binary.yaml"), "binary.yaml is not UTF-8 text");
        assert!(refused("nowhere").starts_with("nowhere cannot be read: "));
        assert!(refused("broken.json").starts_with("broken.json cannot be read: invalid character ']'"));
        let error = read(&dir.path().join("broken")).unwrap_err();
        assert!(error.location.unwrap().to_string().contains("broken/a.yaml:"), "{}", error.kind);
        let error = read(Path::new("https://example.com/crds.yaml")).unwrap_err().to_string();
        assert!(error.ends_with("download it and name the file"), "{error}");
        fs::File::create(dir.path().join("large.yaml")).unwrap().set_len(MAX_FILE + 1).unwrap();
        assert_eq!(refused("large.yaml"), "large.yaml cannot be read: larger than 64 MiB");
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_lead_out_of_a_folder() {
        use std::os::unix::fs::symlink;
        let dir = folder(&[("c/a.yaml", &crd("a")), ("outside.yaml", &crd("outside"))]);
        let at = |name: &str| dir.path().join(name);
        symlink("a.yaml", at("c/b.yaml")).unwrap();
        symlink(".", at("c/loop")).unwrap();
        assert_eq!(names(&at("c")).unwrap(), ["a c/a.yaml:1:1", "a c/b.yaml:1:1"]);
        symlink("../outside.yaml", at("c/out")).unwrap();
        assert!(names(&at("c")).unwrap_err().starts_with("c/out leads out of the folder of CRDs"));
    }
}
