//! Reading documents strictly: every field must be known, every error has a place.

use std::sync::Arc;

use super::{Error, ErrorKind};
use crate::manifest::{Manifest, Object};
use crate::source::{Location, SourceFile, Span};
use crate::value::{Numbers, Path, Value};
use crate::{json, yaml};

/// A document of a file.
#[derive(Debug, Clone)]
pub struct Document {
    file: Arc<SourceFile>,
    span: Span,
    /// The way to the value from the root of what is written there: empty, but for an item of a `List`.
    prefix: Path,
    value: Value,
    /// Whether the value is another one than that which was written.
    rewritten: bool,
}

/// A value of a document, and the way to it.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    document: &'a Document,
    /// The value.
    pub value: &'a Value,
    /// The way to it from the document's root.
    pub path: Path,
}

/// Reads all documents of a file that are not empty.
pub fn documents(file: &Arc<SourceFile>) -> Result<Vec<Document>, Error> {
    let options = yaml::Options { strict: true, ..Default::default() };
    let documents = yaml::parse_stream(&file.text, options)
        .map_err(|error| Error::new(ErrorKind::Yaml(error.to_string()), Location::new(file.clone(), error.span())))?;
    let documents = documents.into_iter().filter(|document| !matches!(document.value, Value::Null));
    Ok(documents
        .map(|d| Document {
            file: file.clone(),
            span: d.span,
            prefix: Path::default(),
            value: d.value,
            rewritten: false,
        })
        .collect())
}

impl Document {
    /// A document whose value, in the span of a file's text, is known as JSON.
    pub fn of_json(file: &Arc<SourceFile>, span: Span, value: &str) -> Result<Self, Error> {
        let value = json::parse(value, Numbers::default())
            .map_err(|error| Error::new(ErrorKind::Document(error.to_string()), Location::new(file.clone(), span)))?;
        Ok(Self { file: file.clone(), span, prefix: Path::default(), value, rewritten: false })
    }

    /// A document that a manifest has.
    pub fn of_manifest(manifest: &Manifest, object: &Object) -> Self {
        let (file, prefix, value) = (manifest.file.clone(), object.prefix.clone(), object.value.clone());
        Self { file, span: manifest.span, prefix, value, rewritten: false }
    }

    /// The document as a whole.
    pub fn root(&self) -> Node<'_> {
        Node { document: self, value: &self.value, path: Path::default() }
    }

    /// A file that is no YAML.
    #[cfg(feature = "rego")]
    pub fn whole(file: &Arc<SourceFile>) -> Self {
        let span = Span::new(0, file.text.len());
        Self { file: file.clone(), span, prefix: Path::default(), value: Value::Null, rewritten: false }
    }

    /// A document made from this one: what is wrong with it is shown in this one's text.
    pub fn rewritten(&self, value: Value) -> Self {
        Self { value, rewritten: true, ..self.clone() }
    }

    /// Where a value was written, or its nearest parent.
    pub fn locate(&self, path: &Path) -> Location {
        let places = yaml::Places::read(&self.file.text, self.span);
        let span = places.map_or(self.span, |places| places.nearest(&self.prefix.join(path)).0.value);
        Location::new(self.file.clone(), span)
    }

    /// Where a part of a text value was written.
    ///
    /// Folding and indentation change blanks only, so the place is found by counting the characters that are none.
    pub fn locate_within(&self, path: &Path, part: Span) -> Location {
        let whole = self.locate(path);
        if self.rewritten {
            return whole;
        }
        let Some(text) = self.value.follow(path).and_then(Value::as_str) else { return whole };
        let raw = self.file.text.get(whole.span.start..whole.span.end).unwrap_or_default();
        let skip = match raw.as_bytes().first() {
            Some(b'|' | b'>') => raw.find('\n').unwrap_or(0),
            Some(b'"' | b'\'') => 1,
            _ => 0,
        };
        let body = raw.get(skip..).unwrap_or_default();
        let solid = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
        let before = solid(text.get(..part.start).unwrap_or_default());
        let length = solid(text.get(part.start..part.end).unwrap_or_default()).max(1);
        let mut inked = body.char_indices().filter(|(_, c)| !c.is_whitespace());
        // The end of a text is right after its last character.
        let start = inked.nth(before).map_or(body.trim_end().len(), |(start, _)| start);
        let end = body.get(start..).and_then(|rest| {
            let (at, c) = rest.char_indices().filter(|(_, c)| !c.is_whitespace()).nth(length - 1)?;
            Some(start + at + c.len_utf8())
        });
        let base = whole.span.start + skip;
        Location::new(self.file.clone(), Span::new(base + start, base + end.unwrap_or(body.len())))
    }
}

impl<'a> Node<'a> {
    /// An error about this value.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Document(message.into()), self.document.locate(&self.path))
    }

    /// An error about a key of this mapping.
    pub fn error_at_key(&self, key: &str, message: impl Into<String>) -> Error {
        let Document { file, span, .. } = self.document;
        let path = self.document.prefix.join(&self.path.key(key));
        let key = yaml::locate(&file.text, *span, &path).and_then(|place| place.key);
        let place = key.map_or_else(|| self.location(), |span| Location::new(file.clone(), span));
        Error::new(ErrorKind::Document(message.into()), place)
    }

    /// Where it was written.
    pub fn location(&self) -> Location {
        self.document.locate(&self.path)
    }

    /// An error about a value that should be something else.
    pub fn wrong(&self, wanted: &str) -> Error {
        let name = if self.path.0.is_empty() { "the document".to_owned() } else { self.path.to_string() };
        self.error(format!("{name}: expected {wanted}, found {}", self.value.type_name()))
    }

    /// The value of a key as a node.
    pub fn child(&self, key: &str, value: &'a Value) -> Self {
        Self { document: self.document, value, path: self.path.key(key) }
    }

    /// Refuses what is no mapping, and keys that are not among those known.
    pub fn only(&self, known: &[&str]) -> Result<(), Error> {
        let map = self.value.as_map().ok_or_else(|| self.wrong("a mapping"))?;
        match map.iter().find(|(key, _)| !known.contains(&&***key)) {
            None => Ok(()),
            Some((key, _)) => {
                let path = self.path.key(key.clone());
                Err(self.error_at_key(key, format!("unknown field {path}; known are {}", known.join(", "))))
            }
        }
    }

    /// The value of a key, if it is there and not null.
    pub fn get(&self, key: &str) -> Option<Node<'a>> {
        let value = self.value.get(key).filter(|value| !matches!(value, Value::Null))?;
        Some(self.child(key, value))
    }

    /// The value of a key that must be there.
    pub fn need(&self, key: &str) -> Result<Node<'a>, Error> {
        self.get(key).ok_or_else(|| self.error(format!("{} is missing", self.path.key(key))))
    }

    /// The value as text.
    pub fn text(&self) -> Result<&'a str, Error> {
        self.value.as_str().ok_or_else(|| self.wrong("a string"))
    }

    /// The value as one of some texts.
    pub fn is_one_of(&self, known: &[&str]) -> Result<&'a str, Error> {
        let text = self.text()?;
        if known.contains(&text) {
            return Ok(text);
        }
        let expected = if let [one, other] = known { format!("{one} or {other}") } else { known.join(", ") };
        Err(self.error(format!("{}: expected {expected}, found {text:?}", self.path)))
    }

    /// The text of a key, one of some, or nothing.
    pub fn one_of(&self, key: &str, known: &[&str]) -> Result<Option<&'a str>, Error> {
        self.get(key).map(|node| node.is_one_of(known)).transpose()
    }

    /// The text of a key, or nothing.
    pub fn text_of(&self, key: &str) -> Result<Option<&'a str>, Error> {
        self.get(key).map(|node| node.text()).transpose()
    }

    /// The elements of a key's list; none where it is missing.
    pub fn list_of(&self, key: &str) -> Result<Vec<Node<'a>>, Error> {
        let Some(node) = self.get(key) else { return Ok(Vec::new()) };
        let items = node.value.as_list().ok_or_else(|| node.wrong("a list"))?;
        let element = |(index, value)| Node { document: node.document, value, path: node.path.index(index) };
        Ok(items.iter().enumerate().map(element).collect())
    }

    /// The texts of a key's list; none where it is missing.
    pub fn texts_of(&self, key: &str) -> Result<Vec<String>, Error> {
        self.list_of(key)?.iter().map(|node| node.text().map(str::to_owned)).collect()
    }

    /// The entries of a key's mapping to text; none where it is missing.
    pub fn pairs_of(&self, key: &str) -> Result<Vec<(String, String)>, Error> {
        let Some(node) = self.get(key) else { return Ok(Vec::new()) };
        let map = node.value.as_map().ok_or_else(|| node.wrong("a mapping"))?;
        map.iter().map(|(key, value)| Ok((key.to_string(), node.child(key, value).text()?.to_owned()))).collect()
    }
}
