//! References between the files of a folder: what a schema refers to becomes a part of it.
//!
//! So the validator meets documents that are whole. Only what is reached is taken: of a file with all of Kubernetes'
//! definitions, those of one kind.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;

use serde_json::{Map, Value as Json};

use super::folder::{self, Folder, Place};
use crate::schema::Error;

/// The largest schema, with all that it refers to: its texts in bytes, and [`VALUE`] for each value.
const MAX_SIZE: usize = 64 << 20;
/// What a value takes besides its text.
const VALUE: usize = 32;

/// Keywords whose values are data.
const DATA: [&str; 5] = ["const", "default", "enum", "example", "examples"];
/// Keywords whose values have names for keys.
const NAMED: [&str; 6] =
    ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"];

/// A schema of a file, with all that it refers to.
///
/// # Errors
/// No schema, a reference that leads nowhere, to another host or out of the folder; too much.
pub(super) fn bundle(folder: &Folder, file: &Place) -> Result<Json, Error> {
    let mut bundle = Bundle { folder, root: file, names: HashMap::new(), waiting: VecDeque::new(), size: 0 };
    let root = folder::read(file)?;
    if !root.is_object() {
        return Err(Error::unusable(format!("{} is no schema: expected an object", file.shown.display())));
    }
    let Json::Object(mut root) = bundle.schema(&root, file, true)? else { return Ok(Json::Null) };
    let mut parts = Map::new();
    while let Some((name, file, pointer)) = bundle.waiting.pop_front() {
        let document = folder.shared(&file)?;
        let part = document.pointer(&pointer).filter(|part| part.is_object() || part.is_boolean());
        let missing = || Error::unusable(format!("{} has no schema at #{pointer}", file.shown.display()));
        let part = part.ok_or_else(missing)?;
        parts.insert(name, bundle.schema(part, &file, pointer.is_empty())?);
    }
    if !parts.is_empty() {
        match root.get_mut("definitions") {
            Some(Json::Object(own)) => own.extend(parts),
            _ => {
                root.insert("definitions".to_owned(), parts.into());
            }
        }
    }
    Ok(root.into())
}

struct Bundle<'f> {
    folder: &'f Folder,
    root: &'f Place,
    /// What parts of other files are called below `definitions`.
    names: HashMap<(PathBuf, String), String>,
    waiting: VecDeque<(String, Place, String)>,
    size: usize,
}

impl Bundle<'_> {
    /// A schema whose references lead to parts of the bundle.
    fn schema(&mut self, schema: &Json, file: &Place, is_file: bool) -> Result<Json, Error> {
        let Json::Object(keywords) = schema else { return self.each(schema, file) };
        let mut out = Map::new();
        for (keyword, value) in keywords {
            self.count(keyword.len())?;
            let value = match (keyword.as_str(), value) {
                ("$ref", Json::String(reference)) => self.reference(reference, file)?.into(),
                // The file's path is its name.
                ("$id" | "id", Json::String(_)) if is_file => continue,
                ("$id" | "id", Json::String(id)) if !id.starts_with('#') => {
                    let (file, keyword) = (file.shown.display(), keyword.as_str());
                    return Err(Error::unusable(format!(
                        "{file}: a schema inside a schema has an {keyword} of its own, {id:?}"
                    )));
                }
                ("$dynamicRef" | "$recursiveRef", Json::String(reference))
                    if file.real != self.root.real || !reference.starts_with('#') =>
                {
                    let file = file.shown.display();
                    return Err(Error::unusable(format!("{file}: {keyword} leads from one file to another: use $ref")));
                }
                (keyword, value) if DATA.contains(&keyword) => self.data(value)?,
                (keyword, Json::Object(named)) if NAMED.contains(&keyword) => {
                    let schemas =
                        named.iter().map(|(name, schema)| Ok((name.clone(), self.schema(schema, file, false)?)));
                    schemas.collect::<Result<Map<_, _>, Error>>()?.into()
                }
                (_, value) => self.schema(value, file, false)?,
            };
            out.insert(keyword.clone(), value);
        }
        Ok(out.into())
    }

    /// A list of schemas, or a plain value.
    fn each(&mut self, value: &Json, file: &Place) -> Result<Json, Error> {
        let Json::Array(items) = value else { return self.data(value) };
        self.count(0)?;
        let items = items.iter().map(|item| self.schema(item, file, false));
        Ok(Json::Array(items.collect::<Result<_, _>>()?))
    }

    /// A value that is no schema.
    fn data(&mut self, value: &Json) -> Result<Json, Error> {
        self.count(size(value))?;
        Ok(value.clone())
    }

    fn count(&mut self, bytes: usize) -> Result<(), Error> {
        self.size += bytes + VALUE;
        if self.size <= MAX_SIZE {
            return Ok(());
        }
        let (file, most) = (self.root.shown.display(), MAX_SIZE >> 20);
        Err(Error::unusable(format!("{file}: the schema and what it refers to take more than {most} MiB")))
    }

    /// What a reference of a file is in the bundle.
    fn reference(&mut self, reference: &str, file: &Place) -> Result<String, Error> {
        let wrong = |reason: &str| Error::unusable(format!("{}: $ref {reference:?} {reason}", file.shown.display()));
        let (path, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        if path.is_empty() && file.real == self.root.real || path.starts_with("http://json-schema.org/draft-") {
            return Ok(reference.to_owned());
        }
        if path.contains(':') {
            return Err(wrong(
                "is an address: no schema is ever fetched; download it, and refer to it as a file beside this one",
            ));
        }
        let not_text = || wrong("is not UTF-8 text");
        let (path, pointer) = (decoded(path).ok_or_else(not_text)?, decoded(fragment).ok_or_else(not_text)?);
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return Err(wrong("names an anchor of another file: use a JSON pointer, #/definitions/…"));
        }
        let target = match path.as_str() {
            "" => file.clone(),
            path => self.folder.beside(file, path)?.ok_or_else(|| wrong("leads to no file"))?,
        };
        if target.real == self.root.real {
            return Ok(format!("#{fragment}"));
        }
        let next = self.names.len();
        let known = self.names.entry((target.real.clone(), pointer.clone())).or_insert_with(|| {
            let name = format!("file:{next}");
            self.waiting.push_back((name.clone(), target, pointer));
            name
        });
        Ok(format!("#/definitions/{known}"))
    }
}

/// How much a value takes, by the measure of [`MAX_SIZE`].
fn size(value: &Json) -> usize {
    let inner = match value {
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().map(size).sum(),
        Json::Object(map) => map.iter().map(|(key, value)| key.len() + size(value)).sum(),
        _ => 0,
    };
    inner + VALUE
}

/// A part of an address without percent signs; `None` where it is no text then.
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok()
}
