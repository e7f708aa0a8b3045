//! Where schemas are looked for: `--schema-location`, resolved as kubeconform resolves it.
//!
//! Source: kubeconform v0.8.0, `pkg/registry`. Two things differ: nothing is ever fetched, and a file that cannot be used
//! is an error, where kubeconform goes on to the next location.

mod folder;
mod references;
mod template;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

use super::{Error, Head, Minor, Problem, Validator};
use crate::value::Value;
use folder::Folder;
use template::Template;

/// What a schema that does not name its draft is read as.
const DRAFT_4: &str = "http://json-schema.org/draft-04/schema#";

/// One of the places where schemas are looked for. Of several, the first that has a kind's schema decides.
#[derive(Debug)]
pub enum SchemaLocation {
    /// `default`: Kubernetes' own schemas, which are in the binary.
    Default,
    /// Files of JSON Schemas.
    Files(SchemaFiles),
}

/// Files of JSON Schemas below a folder, and how the path to a kind's file is made.
#[derive(Debug)]
pub struct SchemaFiles {
    template: Template,
    folder: Folder,
    /// The schemas that were looked for, by kind, `apiVersion` and version: executing the template takes longer than
    /// validating an object.
    known: Mutex<HashMap<Key, Option<Arc<Validator>>>>,
}

/// A kind, its apiVersion, and the version of Kubernetes.
type Key = (String, String, Minor);

/// A schema of a file.
#[derive(Debug)]
struct Found {
    /// A document of its own: what it refers to in other files is in it, below `definitions`. `$schema` says its draft.
    schema: Json,
    /// The file, as the location names it.
    path: PathBuf,
}

impl SchemaLocation {
    /// Reads a location: `default`, a folder, or a template of paths such as
    /// `schemas/{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json`.
    ///
    /// A relative path begins in `from`. As in kubeconform, what does not end in `json` is a folder in which files lie as in
    /// its own collection of Kubernetes' schemas.
    ///
    /// # Errors
    /// An address, a template that cannot be executed, a folder that is not there.
    pub fn parse(text: &str, from: &Path) -> Result<Self, Error> {
        if text == "default" {
            return Ok(Self::Default);
        }
        let text = match text.split_once("://") {
            Some(("file", path)) if path.starts_with('/') => path,
            Some((scheme, _)) if !scheme.contains(['/', '{']) => {
                let reason = "an address, and no schema is ever fetched: download it and name the folder";
                return Err(Error::unusable(format!("the schema location {text} is {reason}")));
            }
            _ => text,
        };
        let template = Template::parse(text)?;
        let folder = Folder::open(from, template.base())?;
        Ok(Self::Files(SchemaFiles { template, folder, known: Mutex::default() }))
    }
}

impl SchemaFiles {
    /// What is wrong with an object by the schema of its kind; `None` where the location has no file for it.
    ///
    /// # Errors
    /// A file that is there and cannot be used: no JSON, no schema, too large, outside the folder, or with a reference
    /// that leads nowhere.
    pub(super) fn problems(
        &self,
        object: &Value,
        head: Head<'_>,
        version: Minor,
    ) -> Result<Option<Vec<Problem>>, Error> {
        let key = (head.kind.to_owned(), head.api_version.to_owned(), version);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let validator = match known.get(&key) {
            Some(validator) => validator.clone(),
            None => {
                let found = self.find(head.kind, head.api_version, version)?;
                let validator = found.map(|found| found.compile()).transpose()?.map(Arc::new);
                known.insert(key, validator.clone());
                validator
            }
        };
        drop(known);
        validator.map(|validator| validator.problems(object)).transpose()
    }

    /// The schema of a kind; `None` where the location has no file for it.
    fn find(&self, kind: &str, api_version: &str, version: Minor) -> Result<Option<Found>, Error> {
        let Some(path) = self.template.path(kind, api_version, version)? else { return Ok(None) };
        let Some(file) = self.folder.find(&path)? else { return Ok(None) };
        let mut schema = references::bundle(&self.folder, &file)?;
        if let Json::Object(keywords) = &mut schema {
            keywords.entry("$schema").or_insert_with(|| DRAFT_4.into());
        }
        Ok(Some(Found { schema, path: file.shown }))
    }
}

impl Found {
    fn compile(&self) -> Result<Validator, Error> {
        Validator::new(&self.schema).map_err(|error| Error::unusable(format!("{}: {error}", self.path.display())))
    }
}

#[cfg(test)]
pub(super) mod tests;
