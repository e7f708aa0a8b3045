//! Rendered text as Kubernetes objects: documents, hooks, Helm's order, and positions on demand.

pub mod order;
mod split;
mod stream;

use std::sync::{Arc, OnceLock};

use crate::finding::ObjectRef;
use crate::parallel;
use crate::source::{Location, Origin, SourceFile, SourceMap, Span};
use crate::value::{Map, Path, Value};
use crate::yaml;

pub use stream::{Stream, document, documents, print, selected, show_only};

/// One document of a rendered file, or of a file of plain manifests.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The file that it is in.
    pub file: Arc<SourceFile>,
    /// Its place in the file, without separators and surrounding blanks.
    pub span: Span,
    /// What it holds; `Null` for a document of comments.
    pub value: Value,
    /// The keys that are written more than once; the last one has won.
    pub duplicates: Vec<Path>,
    /// The events of `helm.sh/hook`, if it is a hook: `pre-install`, `test`, …
    pub hook: Option<Vec<&'static str>>,
    map: Option<Arc<SourceMap>>,
    /// Read when they are first asked for.
    places: OnceLock<Option<yaml::Places>>,
}

/// A Kubernetes object of a manifest. A `List` has several.
#[derive(Debug, Clone)]
pub struct Object {
    /// Index of its manifest.
    pub manifest: usize,
    /// The way from the document's root to the object: empty, or `items[n]`.
    pub prefix: Path,
    /// The object.
    pub value: Value,
    /// The keys in it that are written more than once, from its own root.
    pub duplicates: Vec<Path>,
    /// What to call it.
    pub reference: ObjectRef,
}

/// A document that Helm or Kubernetes could not take.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Helm's text where Helm has one.
    pub message: String,
    /// The place in the rendered text.
    pub location: Location,
    /// The places in templates that wrote it, innermost first.
    pub template: Vec<Location>,
}

/// A thread costs as much as reading some kilobytes.
const BYTES_PER_THREAD: usize = 16 << 10;

/// The events that `helm.sh/hook` may name, with the Helm 2 alias of the last.
const EVENTS: [(&str, &str); 10] = [
    ("pre-install", "pre-install"),
    ("post-install", "post-install"),
    ("pre-delete", "pre-delete"),
    ("post-delete", "post-delete"),
    ("pre-upgrade", "pre-upgrade"),
    ("post-upgrade", "post-upgrade"),
    ("pre-rollback", "pre-rollback"),
    ("post-rollback", "post-rollback"),
    ("test", "test"),
    ("test-success", "test"),
];

/// Reads rendered files, given in the order of their names, into Helm's order: manifests by kind, then hooks by kind.
///
/// As in Helm (`SortManifests`), a document whose hook annotation names an unknown event is left out.
pub fn read(files: impl IntoIterator<Item = File>) -> Result<Vec<Manifest>, Error> {
    let files: Vec<File> = files.into_iter().collect();
    let bytes: usize = files.iter().map(|(file, _)| file.text.len()).sum();
    let mut manifests = Vec::new();
    for found in parallel::map(&files, bytes / BYTES_PER_THREAD, |_, file| read_file(file)) {
        manifests.extend(found?);
    }
    manifests.sort_by(|a, b| a.hook.is_some().cmp(&b.hook.is_some()).then_with(|| order::compare(a.kind(), b.kind())));
    Ok(manifests)
}

/// A rendered file, and what wrote it.
pub type File = (Arc<SourceFile>, Option<Arc<SourceMap>>);

fn read_file((file, map): &File) -> Result<Vec<Manifest>, Error> {
    let mut manifests = Vec::new();
    for span in split::split(&file.text) {
        let manifest = Manifest {
            file: file.clone(),
            span,
            value: Value::Null,
            duplicates: Vec::new(),
            hook: None,
            map: map.clone(),
            places: OnceLock::new(),
        };
        manifests.extend(manifest.parse()?);
    }
    Ok(manifests)
}

impl Manifest {
    /// The text of the document.
    pub fn content(&self) -> &str {
        &self.file.text[self.span.start..self.span.end]
    }

    /// `kind`, or nothing.
    pub fn kind(&self) -> &str {
        field(&self.value, "kind").and_then(Value::as_str).unwrap_or_default()
    }

    /// The objects in the document: none, one, or the items of a `List`.
    pub fn objects(&self, manifest: usize, namespace: &str) -> Vec<Object> {
        let object = |prefix: Path, value: &Value| Object {
            manifest,
            duplicates: self.duplicates.iter().filter_map(|path| path.below(&prefix)).collect(),
            prefix,
            value: value.clone(),
            reference: reference(value, namespace),
        };
        match self.value.get("items").and_then(Value::as_list) {
            Some(items) if self.kind().ends_with("List") => {
                let root = Path::default().key("items");
                items.iter().enumerate().map(|(index, item)| object(root.index(index), &self.item(item))).collect()
            }
            _ if self.value.as_map().is_some() => vec![object(Path::default(), &self.value)],
            _ => Vec::new(),
        }
    }

    /// An item of this list. Those of a `PodList` need not say that they are Pods: apimachinery says it for them
    /// (`decodeToList`).
    fn item(&self, item: &Value) -> Value {
        let says = |field: &str| item.get(field).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
        let (kind, version) = (self.kind().strip_suffix("List"), field(&self.value, "apiVersion"));
        match (item, kind, version) {
            (Value::Map(fields), Some(kind), Some(version))
                if !kind.is_empty() && !says("kind") && !says("apiVersion") =>
            {
                let mut fields = Map::clone(fields);
                fields.insert("kind", kind.into());
                fields.insert("apiVersion", version.clone());
                fields.into()
            }
            _ => item.clone(),
        }
    }

    /// Where a field is in the rendered text; for one that is missing, its nearest parent: see [`yaml::Places::shown`].
    pub fn locate(&self, path: &Path) -> Location {
        let places = self.places.get_or_init(|| yaml::Places::read(&self.file.text, self.span));
        let span = places.as_ref().map_or(self.span, |places| places.shown(&self.value, path));
        Location::new(self.file.clone(), span)
    }

    /// Where an object is: the whole document, or its place in a `List`.
    pub fn place(&self, object: &Object) -> Location {
        if object.prefix.0.is_empty() {
            Location::new(self.file.clone(), self.span)
        } else {
            self.locate(&object.prefix)
        }
    }

    /// What wrote a place of the rendered text. `None` without a source map.
    pub fn origin(&self, place: &Location) -> Option<Origin<'_>> {
        self.map.as_deref()?.origin(place.span.start)
    }

    /// The values keys that were printed into a place of the rendered text.
    pub fn keys(&self, place: &Location) -> impl Iterator<Item = &Path> {
        self.map.as_deref().into_iter().flat_map(|map| map.keys(place.span))
    }

    /// Parses the document and reads its head; `None` for a hook of an unknown event.
    fn parse(mut self) -> Result<Option<Self>, Error> {
        let read = yaml::parse_with_duplicates(self.content(), yaml::Options::default());
        (self.value, self.duplicates) = read.map_err(|error| {
            let Span { start, end } = error.span();
            self.error(&error.to_string(), Span::new(self.span.start + start, self.span.start + end))
        })?;
        let head = self.check_head()?;
        if let Some(named) = head {
            let events = named.split(',').map(|name| {
                let name = name.trim().to_lowercase();
                EVENTS.iter().find(|(known, _)| *known == name).map(|(_, event)| *event)
            });
            match events.collect() {
                Some(events) => self.hook = Some(events),
                None => return Ok(None),
            }
        }
        Ok(Some(self))
    }

    /// Holds the head to Go's types (`SimpleHead`) and returns the hook annotation. Scalars become text, as in
    /// sigs.k8s.io/yaml.
    fn check_head(&self) -> Result<Option<String>, Error> {
        let metadata_type =
            r#"struct { Name string "json:\"name\""; Annotations map[string]string "json:\"annotations\"" }"#;
        let root = Path::default();
        match &self.value {
            Value::Null => return Ok(None),
            Value::Map(_) => {}
            other => return Err(self.wrong_type(other, &root, "util.SimpleHead")),
        }
        for name in ["apiVersion", "kind"] {
            self.check_text(field(&self.value, name), root.key(name))?;
        }
        let at = root.key("metadata");
        let metadata = match field(&self.value, "metadata") {
            None | Some(Value::Null) => return Ok(None),
            Some(map @ Value::Map(_)) => map,
            Some(other) => return Err(self.wrong_type(other, &at, metadata_type)),
        };
        self.check_text(field(metadata, "name"), at.key("name"))?;
        let at = at.key("annotations");
        let annotations = match field(metadata, "annotations") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Map(annotations)) => annotations,
            Some(other) => return Err(self.wrong_type(other, &at, "map[string]string")),
        };
        for (_, value) in annotations.iter() {
            self.check_text(Some(value), at.clone())?;
        }
        Ok(annotations.get("helm.sh/hook").map(|hook| match hook {
            Value::String(text) => text.to_string(),
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => value.to_string(),
            Value::Null | Value::List(_) | Value::Map(_) => String::new(),
        }))
    }

    fn check_text(&self, value: Option<&Value>, path: Path) -> Result<(), Error> {
        match value {
            Some(other @ (Value::List(_) | Value::Map(_))) => Err(self.wrong_type(other, &path, "string")),
            _ => Ok(()),
        }
    }

    /// encoding/json's text for a value that a Go type cannot hold.
    fn wrong_type(&self, value: &Value, path: &Path, expected: &str) -> Error {
        let target = match path.0.len() {
            0 => format!("value of type {expected}"),
            1 => format!("struct field SimpleHead.{path} of type {expected}"),
            _ => format!("struct field .{path} of type {expected}"),
        };
        let found = if matches!(value, Value::Bool(_)) { "bool" } else { value.type_name() };
        let message = format!("json: cannot unmarshal {found} into Go {target}");
        self.error(&format!("error unmarshaling JSON: while decoding JSON: {message}"), self.locate(path).span)
    }

    fn error(&self, reason: &str, span: Span) -> Error {
        let location = Location::new(self.file.clone(), span);
        let template = self.origin(&location).map(|origin| origin.chain).unwrap_or_default();
        Error { message: format!("YAML parse error on {}: {reason}", self.file.name), location, template }
    }
}

/// A field of Go's JSON decoder: the exact key, or one that differs in case only.
fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let map = value.as_map()?;
    map.get(name).or_else(|| map.iter().rev().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// What to call an object; an object without a namespace belongs to the release's, if that is not empty.
pub fn reference(value: &Value, namespace: &str) -> ObjectRef {
    let text = |keys: &[&str]| value.at(keys.iter().copied()).and_then(Value::as_str).unwrap_or_default().to_owned();
    let named = text(&["metadata", "namespace"]);
    ObjectRef {
        api_version: text(&["apiVersion"]),
        kind: text(&["kind"]),
        namespace: match (named.is_empty(), namespace.is_empty()) {
            (false, _) => Some(named),
            (true, false) => Some(namespace.to_owned()),
            (true, true) => None,
        },
        name: text(&["metadata", "name"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<Manifest>, Error> {
        read([(SourceFile::new("c/templates/a.yaml", text), None)])
    }

    /// The texts are what Helm 4.1.4 printed.
    #[test]
    fn heads_of_the_wrong_type_fail_as_in_helm() {
        let message = |text| read_text(text).unwrap_err().message;
        let prefix = "YAML parse error on c/templates/a.yaml: error unmarshaling JSON: while decoding JSON: json: ";
        let cases = [
            ("foo", "cannot unmarshal string into Go value of type util.SimpleHead"),
            (
                "metadata: {annotations: []}",
                "cannot unmarshal array into Go struct field .metadata.annotations of type map[string]string",
            ),
            (
                "metadata: 3",
                r#"cannot unmarshal number into Go struct field SimpleHead.metadata of type struct { Name string "json:\"name\""; Annotations map[string]string "json:\"annotations\"" }"#,
            ),
        ];
        for (text, reason) in cases {
            assert_eq!(message(text), format!("{prefix}{reason}"));
        }
        for text in ["kind: 3", "metadata: {name: 4}", "metadata: {annotations: {a: 1}}", "# nothing"] {
            assert!(read_text(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn hooks_come_last_and_unknown_ones_not_at_all() {
        let text = "kind: A\nmetadata: {annotations: {helm.sh/hook: test-success}}\n---\nkind: B\n---\nKind: C\n\
                    metadata: {annotations: {helm.sh/hook: nope}}\n---\nkind: Namespace\n";
        let manifests = read_text(text).unwrap();
        assert_eq!(manifests.iter().map(Manifest::kind).collect::<Vec<_>>(), ["Namespace", "B", "A"]);
        assert_eq!(manifests[2].hook, Some(vec!["test"]));
    }

    #[test]
    fn threads_change_neither_the_order_nor_the_first_error() {
        let padding = format!("# {}\n", "x".repeat(1000));
        let file = |n| (SourceFile::new(format!("c/{n:03}.yaml"), format!("{padding}kind: A\nindex: {n}\n")), None);
        let broken = |n| (SourceFile::new(format!("c/{n:03}.yaml"), format!("{padding}[{n}\n")), None);
        let numbers: Vec<_> =
            read((0..69).map(file)).unwrap().iter().map(|it| it.value.get("index").cloned()).collect();
        assert_eq!(numbers, (0..69).map(|n| Some(Value::Int(n))).collect::<Vec<_>>());
        let error = read((0..200).map(|n| if n % 70 == 69 { broken(n) } else { file(n) })).unwrap_err();
        assert_eq!(error.location.file.name, "c/069.yaml");
    }

    #[test]
    fn fields_are_found_in_their_file_and_missing_ones_at_their_parent() {
        let manifests = read_text("a: 1\n---\nkind: Pod\nspec:\n  containers:\n  - image: x\n").unwrap();
        let at = |path: &Path| manifests[0].locate(path).to_string();
        let image = Path::default().key("spec").key("containers").index(0).key("image");
        assert_eq!(at(&image), "c/templates/a.yaml:6:5");
        assert_eq!(at(&image.parent().unwrap().key("resources").key("limits")), "c/templates/a.yaml:6:5");
        assert_eq!(at(&Path::default().key("spec").key("volumes")), "c/templates/a.yaml:4:1");
    }

    #[test]
    fn a_key_written_twice_is_shown_where_it_won() {
        let text =
            "kind: List\nitems:\n- {kind: Pod}\n- kind: Pod\n  spec:\n    a: 1\n    b: 2\n    a: 3\n  spec: {a: 4}\n";
        let manifests = read_text(text).unwrap();
        let objects = manifests[0].objects(0, "ns");
        assert!(objects[0].duplicates.is_empty());
        let places: Vec<_> = objects[1]
            .duplicates
            .iter()
            .map(|path| {
                let place = manifests[0].locate(&objects[1].prefix.join(path));
                format!("{path} {place}")
            })
            .collect();
        assert_eq!(places, ["spec c/templates/a.yaml:9:3"]);
    }

    #[test]
    fn lists_have_objects() {
        let manifests = read_text("kind: List\nitems:\n- {kind: Pod, metadata: {name: p}}\n- {kind: Pod}\n").unwrap();
        let objects = manifests[0].objects(0, "ns");
        assert_eq!(objects[0].reference.to_string(), "Pod ns/p");
        assert_eq!(objects[1].prefix.to_string(), "items[1]");
        let text = "apiVersion: v1\nkind: PodList\nitems:\n- {metadata: {name: p}}\n- {kind: A, apiVersion: b}\n- c\n";
        let objects = read_text(text).unwrap()[0].objects(0, "ns");
        assert_eq!(objects[0].reference.to_string(), "Pod ns/p");
        assert_eq!(objects[0].value.get("apiVersion"), Some(&"v1".into()));
        assert_eq!(objects[1].reference.kind, "A");
        assert_eq!(objects[2].value, "c".into());
    }
}
