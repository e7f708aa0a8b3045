//! Reading the file.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::io;
use std::num::NonZeroUsize;
use std::path::Path as FilePath;
use std::sync::Arc;

use super::{Baseline, Entry, Error, ErrorKind, VERSION};
use crate::bounded;
use crate::finding::Severity;
use crate::fingerprint::Fingerprint;
use crate::source::{Location, SourceFile, Span};
use crate::suggest;
use crate::value::{Map, Path, Value};
use crate::yaml;

/// The largest file in bytes: some 300,000 entries.
const MAX_FILE: u64 = 32 << 20;

impl Baseline {
    /// Reads a baseline: `path` is its name in messages, from the folder `root`.
    ///
    /// # Errors
    /// A file that cannot be read, is too large, newer, or not of the form: one with unknown keys, or the same entry twice.
    pub fn load(root: &FilePath, path: &FilePath) -> Result<Self, Error> {
        let name = path.display().to_string();
        let failed = |kind| Error { kind, location: Location::new(SourceFile::new(name.clone(), ""), Span::default()) };
        let text = bounded::read_text(&root.join(path), MAX_FILE).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => failed(ErrorKind::Missing),
            _ => failed(ErrorKind::File(error.to_string())),
        })?;
        Self::read(&SourceFile::new(name.clone(), text))
    }

    /// Reads the text of a baseline.
    pub fn read(source: &Arc<SourceFile>) -> Result<Self, Error> {
        let at = |kind, span| Error { kind, location: Location::new(source.clone(), span) };
        let options = yaml::Options { strict: true, ..Default::default() };
        let documents = yaml::parse_stream(&source.text, options)
            .map_err(|error| at(ErrorKind::Text(error.to_string()), error.span()))?;
        if let Some(second) = documents.get(1) {
            return Err(at(ErrorKind::Text("a baseline is one document, and here is another one".into()), second.span));
        }
        let root = documents.first().map_or(&Value::Null, |document| &document.value);
        let mut reader = Reader::default();
        reader.file(root).map_err(|(path, kind)| {
            let places = yaml::Places::read(&source.text, Span::new(0, source.text.len()));
            let found = places.map(|places| places.nearest(&path).0);
            at(kind, found.map(|found| found.key.unwrap_or(found.value)).unwrap_or_default())
        })?;
        Ok(Self { entries: reader.entries, source: Some(source.clone()) })
    }
}

/// What is wrong, and where in the document.
type Wrong = (Path, ErrorKind);

#[derive(Default)]
struct Reader {
    entries: BTreeMap<Fingerprint, Entry>,
}

impl Reader {
    fn file(&mut self, root: &Value) -> Result<(), Wrong> {
        let path = Path::default();
        let map = map(root, &path)?;
        // Before all else: a newer file may have other keys.
        match map.get("version") {
            Some(Value::Int(VERSION)) => {}
            Some(Value::Int(newer)) if *newer > VERSION => {
                return Err((path.key("version"), ErrorKind::Newer(*newer)));
            }
            Some(Value::Int(other)) => return Err(form(&path.key("version"), format!("must be 1, not {other}"))),
            Some(other) => {
                return Err(form(&path.key("version"), format!("must be 1, not of type {}", other.type_name())));
            }
            None => return Err(form(&path, "the key version is missing; this form has version: 1")),
        }
        known(map, &path, &["version", "fleet", "releases"])?;
        if let Some(fleet) = map.get("fleet") {
            self.list(None, fleet, &path.key("fleet"))?;
        }
        let releases = path.key("releases");
        match map.get("releases") {
            None | Some(Value::Null) => {}
            Some(value) => {
                for (release, list) in self::map(value, &releases)?.iter() {
                    self.list(Some(release), list, &releases.key(release.clone()))?;
                }
            }
        }
        Ok(())
    }

    fn list(&mut self, release: Option<&str>, list: &Value, path: &Path) -> Result<(), Wrong> {
        let entries = match list {
            Value::Null => &[],
            Value::List(entries) => &**entries,
            other => return Err(form(path, format!("must be a list of entries, not of type {}", other.type_name()))),
        };
        entries.iter().enumerate().try_for_each(|(index, entry)| self.entry(release, entry, path.index(index)))
    }

    fn entry(&mut self, release: Option<&str>, entry: &Value, path: Path) -> Result<(), Wrong> {
        let entry = map(entry, &path)?;
        known(entry, &path, &["policy", "severity", "object", "field", "count"])?;
        let missing = |key| form(&path, format!("the key {key} is missing"));
        let severity = text(entry, "severity", &path)?.ok_or_else(|| missing("severity"))?;
        let severity = Severity::named(&severity)
            .ok_or_else(|| form(&path.key("severity"), format!("must be error, warning or info, not {severity:?}")))?;
        let count = match entry.get("count") {
            None => Some(NonZeroUsize::MIN),
            Some(Value::Int(count)) => usize::try_from(*count).ok().and_then(NonZeroUsize::new),
            Some(_) => None,
        };
        let key = Fingerprint {
            release: release.map(str::to_owned),
            policy: text(entry, "policy", &path)?.ok_or_else(|| missing("policy"))?,
            object: text(entry, "object", &path)?,
            field: text(entry, "field", &path)?,
            number: 0,
        };
        let count = count.ok_or_else(|| form(&path.key("count"), "must be a whole number from 1 on"))?;
        match self.entries.entry(key) {
            Slot::Vacant(slot) => {
                slot.insert(Entry { severity, count, path });
                Ok(())
            }
            Slot::Occupied(slot) => {
                let first = &slot.get().path;
                Err(form(&path, format!("is the same finding as {first}: keep one, with the count of both")))
            }
        }
    }
}

fn form(path: &Path, reason: impl Into<String>) -> Wrong {
    (path.clone(), ErrorKind::Form { path: path.clone(), reason: reason.into() })
}

fn map<'v>(value: &'v Value, path: &Path) -> Result<&'v Map, Wrong> {
    value.as_map().ok_or_else(|| form(path, format!("must be a mapping, not of type {}", value.type_name())))
}

fn text(map: &Map, key: &'static str, path: &Path) -> Result<Option<String>, Wrong> {
    match map.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.to_string())),
        Some(other) => Err(form(&path.key(key), format!("must be a text, not of type {}", other.type_name()))),
    }
}

fn known(map: &Map, path: &Path, keys: &[&str]) -> Result<(), Wrong> {
    let Some((wrong, _)) = map.iter().find(|(key, _)| !keys.contains(&&***key)) else { return Ok(()) };
    let meant = suggest::nearest(wrong, keys.iter().copied()).map(|meant| format!(": did you mean {meant}?"));
    let reason = format!("unknown key{}", meant.unwrap_or_else(|| format!(", expected one of {}", keys.join(", "))));
    let path = path.key(wrong.clone());
    Err(form(&path, reason))
}
