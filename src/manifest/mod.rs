//! Rendered text as Kubernetes objects: documents, hooks, Helm's order, and positions on demand.

mod order;
mod split;
mod stream;

use std::sync::Arc;

use crate::finding::ObjectRef;
use crate::source::{Location, Origin, SourceFile, SourceMap, Span};
use crate::value::{Path, Step, Value};
use crate::yaml;

pub use stream::{Stream, print, show_only};

/// One document of a rendered file, or of a file of plain manifests.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The file that it is in.
    pub file: Arc<SourceFile>,
    /// Its place in the file, without separators and surrounding blanks.
    pub span: Span,
    /// What it holds; `Null` for a document of comments.
    pub value: Value,
    /// The events of `helm.sh/hook`, if it is a hook: `pre-install`, `test`, …
    pub hook: Option<Vec<&'static str>>,
    map: Option<Arc<SourceMap>>,
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
pub fn read(files: impl IntoIterator<Item = (Arc<SourceFile>, Option<Arc<SourceMap>>)>) -> Result<Vec<Manifest>, Error> {
    let mut manifests = Vec::new();
    for (file, map) in files {
        for span in split::split(&file.text) {
            let manifest = Manifest { file: file.clone(), span, value: Value::Null, hook: None, map: map.clone() };
            manifests.extend(manifest.parse()?);
        }
    }
    manifests.sort_by(|a, b| a.hook.is_some().cmp(&b.hook.is_some()).then_with(|| order::compare(a.kind(), b.kind())));
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
            prefix,
            value: value.clone(),
            reference: reference(value, namespace),
        };
        match self.value.get("items").and_then(Value::as_list) {
            Some(items) if self.kind().ends_with("List") => {
                let root = Path::default().key("items");
                items.iter().enumerate().map(|(index, item)| object(root.index(index), item)).collect()
            }
            _ if self.value.as_map().is_some() => vec![object(Path::default(), &self.value)],
            _ => Vec::new(),
        }
    }

    /// Where a field is in the rendered text; for one that is missing, its nearest parent.
    ///
    /// A map entry is shown at its key, so that the line is the one that a reader would look for.
    pub fn locate(&self, path: &Path) -> Location {
        let mut path = path.clone();
        loop {
            if let Some(place) = yaml::locate(self.content(), 0, &path) {
                let is_container = matches!(self.value.follow(&path), Some(Value::Map(_) | Value::List(_)));
                let span = match (place.key, path.0.last()) {
                    (Some(key), Some(Step::Key(_))) if is_container => key,
                    (Some(key), Some(Step::Key(_))) => Span::new(key.start, place.value.end),
                    _ => place.value,
                };
                return self.location(span);
            }
            match path.parent() {
                Some(parent) => path = parent,
                None => return self.location(Span::new(0, 0)),
            }
        }
    }

    /// What wrote a place of the rendered text. `None` without a source map.
    pub fn origin(&self, place: &Location) -> Option<Origin<'_>> {
        self.map.as_deref()?.origin(place.span.start)
    }

    fn location(&self, span: Span) -> Location {
        Location::new(self.file.clone(), Span::new(self.span.start + span.start, self.span.start + span.end))
    }

    /// Parses the document and reads its head; `None` for a hook of an unknown event.
    fn parse(mut self) -> Result<Option<Self>, Error> {
        self.value = yaml::parse(self.content()).map_err(|error| self.error(error.to_string(), error.span()))?;
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

    /// Holds the head to Go's types (`SimpleHead`) and returns the hook annotation.
    fn check_head(&self) -> Result<Option<Arc<str>>, Error> {
        let wrong = |value: &Value, path: &Path, expected: &str| {
            let target = if path.0.is_empty() {
                format!("value of type {expected}")
            } else {
                format!("struct field SimpleHead.{} of type {expected}", path.to_string())
            };
            let found = go_json_kind(value);
            let message = format!("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go {target}");
            let place = self.locate(path);
            self.error(message, Some(Span::new(place.span.start - self.span.start, place.span.end - self.span.start)))
        };
        let root = Path::default();
        match &self.value {
            Value::Null => return Ok(None),
            Value::Map(_) => {}
            other => return Err(wrong(other, &root, "util.SimpleHead")),
        }
        let text = |value: Option<&Value>, path: Path| match value {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(wrong(other, &path, "string")),
        };
        text(field(&self.value, "apiVersion"), root.key("apiVersion"))?;
        text(field(&self.value, "kind"), root.key("kind"))?;
        let at = root.key("metadata");
        let metadata = match field(&self.value, "metadata") {
            None | Some(Value::Null) => return Ok(None),
            Some(map @ Value::Map(_)) => map,
            Some(other) => return Err(wrong(other, &at, "struct { Name string \"json:\\\"name\\\"\"; Annotations map[string]string \"json:\\\"annotations\\\"\" }")),
        };
        text(field(metadata, "name"), at.key("name"))?;
        let at = at.key("annotations");
        match field(metadata, "annotations") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Map(annotations)) => {
                for (_, value) in annotations.iter() {
                    text(Some(value), at.clone())?;
                }
                text(annotations.get("helm.sh/hook"), at)
            }
            Some(other) => Err(wrong(other, &at, "map[string]string")),
        }
    }

    fn error(&self, reason: String, span: Option<Span>) -> Error {
        let location = self.location(span.unwrap_or_default());
        let template = self.origin(&location).map(|origin| origin.chain).unwrap_or_default();
        Error { message: format!("YAML parse error on {}: {reason}", self.file.name), location, template }
    }
}

/// A field of Go's JSON decoder: the exact key, or one that differs in case only.
fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let map = value.as_map()?;
    map.get(name).or_else(|| map.iter().rev().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

fn go_json_kind(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "bool",
        other => other.type_name(),
    }
}

/// What to call an object; an object without a namespace belongs to the release's.
fn reference(value: &Value, namespace: &str) -> ObjectRef {
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
