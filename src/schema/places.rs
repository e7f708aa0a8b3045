//! The schema locations of a run, with the schemas that were found there.

use std::collections::HashMap;
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::bundle::Bundle;
use super::definitions::Definitions;
use super::location::{SchemaFiles, SchemaLocation};
use super::{Error, ErrorKind, Head, Minor, Problem, Validator};
use crate::value::Value;

/// Where schemas are looked for, in order. What was found in files is compiled once.
#[derive(Debug)]
pub(super) struct Places {
    all: Vec<SchemaLocation>,
    compiled: Mutex<HashMap<Key, Arc<OnceLock<Compiled>>>>,
}

/// Of a location, a version of Kubernetes and a kind.
type Key = (usize, Minor, String, String);

/// The schema of a file, if there is one.
type Compiled = Result<Option<Validator>, Error>;

impl Places {
    /// The binary alone, where none is given.
    pub(super) fn new(mut all: Vec<SchemaLocation>) -> Self {
        if all.is_empty() {
            all.push(SchemaLocation::Default);
        }
        Self { all, compiled: Mutex::default() }
    }

    /// Whether Kubernetes' own schemas are among them.
    pub(super) fn have_default(&self) -> bool {
        self.all.iter().any(|place| matches!(place, SchemaLocation::Default))
    }

    /// What is wrong with an object, by the first place that has its schema; `None` where none has.
    ///
    /// # Errors
    /// A schema that cannot be used; a version of Kubernetes that the binary does not have, where no other place has the
    /// schema.
    pub(super) fn problems(&self, object: &Value, head: Head, version: Minor) -> Result<Option<Vec<Problem>>, Error> {
        let mut no_version = None;
        for (index, place) in self.all.iter().enumerate() {
            let found = match place {
                SchemaLocation::Default => match own(object, head, version) {
                    Err(error @ Error { kind: ErrorKind::UnknownVersion { .. }, .. }) => {
                        no_version = Some(error);
                        None
                    }
                    found => found?,
                },
                SchemaLocation::Files(files) => {
                    let compiled = self.compiled(index, head, version);
                    let compiled = compiled.get_or_init(|| compile(files, head, version)).as_ref();
                    let validator = compiled.map_err(Clone::clone)?;
                    validator.as_ref().map(|validator| validator.problems(object)).transpose()?
                }
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        no_version.map_or(Ok(None), Err)
    }

    fn compiled(&self, index: usize, head: Head, version: Minor) -> Arc<OnceLock<Compiled>> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (index, version, head.api_version.to_owned(), head.kind.to_owned());
        compiled.entry(key).or_default().clone()
    }
}

/// What is wrong by Kubernetes' own schema.
fn own(object: &Value, head: Head, version: Minor) -> Result<Option<Vec<Problem>>, Error> {
    let Some(name) = Bundle::embedded()?.definition(version, head.api_version, head.kind)? else { return Ok(None) };
    let Some(definitions) = Definitions::of(version)? else { return Ok(None) };
    definitions.get(name).validator()?.problems(object).map(Some)
}

fn compile(files: &SchemaFiles, head: Head, version: Minor) -> Compiled {
    let Some(found) = files.find(head.kind, head.api_version, &version.to_string())? else { return Ok(None) };
    Validator::new(&found.schema).map(Some).map_err(|error| in_file(&found.path, error))
}

fn in_file(path: &FilePath, error: Error) -> Error {
    match error.kind {
        ErrorKind::Unusable(message) => Error::unusable(format!("{}: {message}", path.display())),
        _ => error,
    }
}
