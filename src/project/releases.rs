//! The form of the project file's releases.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::error::{Error, ErrorKind};
use super::expand::{Entry, Name};
use super::file::kube_version;
use super::glob::Glob;
use super::locate;
use super::release::Release;
use crate::policy::Profile;
use crate::source::SourceFile;
use crate::value::Path as Field;
use crate::values::{Inputs, set_text};

/// One release, or one for each of some files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", expecting = "a mapping")]
pub(super) struct Form {
    for_each: Option<String>,
    name: String,
    namespace: Option<String>,
    chart: String,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    set: Sets,
    #[serde(default)]
    set_string: Sets,
    #[serde(default)]
    set_file: Sets,
    #[serde(default)]
    set_json: Vec<String>,
    #[serde(default)]
    set_literal: Vec<String>,
    profiles: Option<Vec<Profile>>,
    kube_version: Option<String>,
    #[serde(default)]
    api_versions: Vec<String>,
    seed: Option<u64>,
}

/// What a flag says: texts as on the command line, or keys and values.
#[derive(Debug, Default)]
struct Sets(Vec<String>);

impl<'de> Deserialize<'de> for Sets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SetsVisitor)
    }
}

struct SetsVisitor;

impl<'de> Visitor<'de> for SetsVisitor {
    type Value = Sets;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of keys to values, or a list of key=value")
    }

    fn visit_unit<E>(self) -> Result<Sets, E> {
        Ok(Sets::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Sets, A::Error> {
        let mut sets = Sets::default();
        while let Some(text) = list.next_element()? {
            sets.0.push(text);
        }
        Ok(sets)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sets, A::Error> {
        let mut sets = Sets::default();
        while let Some((key, value)) = map.next_entry::<String, String>()? {
            sets.0.push(set_text::pair(&key, &value));
        }
        Ok(sets)
    }
}

impl Form {
    /// Reads what texts mean. Paths begin in `folder`.
    pub(super) fn resolve(self, source: &Arc<SourceFile>, field: Field, folder: &Path) -> Result<Entry, Error> {
        let folder_name = folder.to_string_lossy();
        let inputs = Inputs {
            files: self.values.iter().map(|path| beside(folder, path)).collect(),
            set_json: self.set_json,
            set: self.set.0,
            set_string: self.set_string.0,
            set_file: self.set_file.0.iter().map(|text| set_text::files_in(&folder_name, text)).collect(),
            set_literal: self.set_literal,
        };
        let for_each = self.for_each.map(|text| {
            let glob = Glob::new(&text).map_err(|error| {
                let field = field.key("forEach");
                let place = locate(source, &field);
                Error::new(ErrorKind::ForEach { field, glob: text.clone(), error }, place)
            })?;
            Ok((text, glob))
        });
        let for_each = for_each.transpose()?;
        let name = |key: &str, text: String| {
            Name::new(key, text, for_each.is_some()).map_err(|reason| {
                let field = field.key(key);
                let place = locate(source, &field);
                Error::new(ErrorKind::Name { field, file: None, reason }, place)
            })
        };
        let place = locate(source, &field.key(if for_each.is_some() { "forEach" } else { "name" }));
        Ok(Entry {
            name: name("name", self.name)?,
            namespace: name("namespace", self.namespace.unwrap_or_else(|| "default".to_owned()))?,
            model: Release {
                name: String::new(),
                namespace: String::new(),
                chart: chart(self.chart, source, &field.key("chart"), folder)?,
                inputs,
                profiles: self.profiles,
                kube_version: kube_version(source, &field.key("kubeVersion"), self.kube_version)?,
                api_versions: self.api_versions,
                seed: self.seed,
                place,
            },
            for_each,
            field,
        })
    }
}

/// A file's name as the command line would have it, where `-` is standard input.
pub(super) fn beside(folder: &Path, path: &str) -> String {
    match folder.join(path).to_string_lossy() {
        name if name == "-" => "./-".to_owned(),
        name => name.into_owned(),
    }
}

/// A chart in a folder or a .tgz.
fn chart(text: String, source: &Arc<SourceFile>, field: &Field, folder: &Path) -> Result<PathBuf, Error> {
    if text.is_empty() || text.contains("://") {
        let message = format!("{field}: {text:?}, expected a folder or a .tgz: no chart is fetched");
        return Err(Error::new(ErrorKind::Text(message), locate(source, field)));
    }
    Ok(folder.join(text))
}
