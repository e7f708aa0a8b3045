//! Kubernetes schemas, offline: what objects of each kind look like in each version of Kubernetes.
//!
//! The schemas of Kubernetes itself are in the binary ([`bundle`]); those of custom resources come from CRDs ([`crd`])
//! and from folders of JSON Schemas ([`location`]). Objects are held to them as the API server would with
//! `fieldValidation=Strict`. Nothing is ever fetched.

pub mod bundle;
pub mod crd;
pub mod crd_files;
mod definitions;
pub mod deprecation;
mod elsewhere;
mod error;
mod explain;
mod formats;
mod kinds;
pub mod location;
mod minor;
mod problem;
#[cfg(test)]
mod tests;
mod validate;
mod words;

pub use error::{Error, ErrorKind};
pub use minor::Minor;
pub use problem::{Check, Problem};
pub use validate::Validator;

use std::borrow::Cow;
use std::sync::Arc;

use crate::source::Location;
use crate::value::{Path, Value};
use bundle::Bundle;
use crd::CustomResources;
use location::SchemaLocation;

/// The schemas that the objects of a run are held to. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Schemas {
    /// The version of Kubernetes that objects are meant for; none is the newest.
    version: Option<Minor>,
    /// The version that the cluster is to be upgraded to.
    target: Option<Minor>,
    /// Where schemas are looked for, if not only in the binary.
    locations: Arc<[SchemaLocation]>,
    /// What CRDs define.
    custom: CustomResources,
}

/// What an object says that it is.
#[derive(Debug, Clone, Copy)]
struct Head<'o> {
    api_version: &'o str,
    kind: &'o str,
}

impl Schemas {
    /// The schemas of Kubernetes: of the version that objects are meant for, the newest where it is left out, and of
    /// the one that the cluster is to be upgraded to. Whether it is in the binary is seen when an object is judged.
    pub fn new(version: Option<Minor>, target: Option<Minor>) -> Self {
        Self { version, target, ..Self::default() }
    }

    /// The same for another version, where one is named.
    #[must_use]
    pub fn of_version(self, version: Option<Minor>) -> Self {
        Self { version: version.or(self.version), ..self }
    }

    /// Looks for schemas in these places, in this order; in the binary alone where there is none.
    #[must_use]
    pub fn with_locations(self, locations: Vec<SchemaLocation>) -> Self {
        Self { locations: locations.into(), ..self }
    }

    /// Takes the custom resources of a CRD too, if no other one has them; `place` is where it is written, its document
    /// where it has one to itself. What is no CRD is passed over.
    ///
    /// # Errors
    /// An API server would refuse the CRD.
    pub fn add_crd(&mut self, object: &Value, place: impl FnOnce() -> Location) -> Result<(), Error> {
        if crd::is_crd(object) { self.custom.add(object, &place()) } else { Ok(()) }
    }

    /// Holds an object to its schema. `duplicates` are the keys in it that are written more than once. Problems come in
    /// the order of their fields.
    ///
    /// # Errors
    /// A schema that cannot be used, a rule that cannot be evaluated: what could not be checked has not passed.
    pub fn judge(&self, object: &Value, duplicates: &[Path]) -> Result<Vec<Problem>, Error> {
        let mut problems: Vec<Problem> = duplicates.iter().map(written_again).collect();
        match head(object) {
            Err(wrong) => problems.extend(wrong),
            Ok(head) => {
                let version = match self.version {
                    Some(version) => version,
                    None => Bundle::embedded()?.newest(),
                };
                let now = self.judge_at(object, head, version, false)?;
                let then = match self.target.filter(|target| *target != version) {
                    Some(target) => self.judge_at(object, head, target, true)?,
                    None => Vec::new(),
                };
                let is_new = |problem: &Problem| {
                    now.iter().all(|known| (known.check, &known.path) != (problem.check, &problem.path))
                };
                let then = then.into_iter().filter(is_new).collect::<Vec<_>>();
                problems.extend(now);
                problems.extend(then);
            }
        }
        problems.sort_by(|a, b| (&a.path, a.check).cmp(&(&b.path, b.check)));
        Ok(problems)
    }

    /// Holds an object to one version of Kubernetes, which may be the one that a cluster is to be upgraded to.
    fn judge_at(&self, object: &Value, head: Head, version: Minor, is_target: bool) -> Result<Vec<Problem>, Error> {
        if (head.api_version, head.kind) == ("v1", "List") {
            return Ok(kinds::still_a_list(object));
        }
        let api = deprecation::problem(head.api_version, head.kind, version, is_target);
        let found = match self.held_to(object, head, version, is_target)? {
            Some(problems) => problems,
            None if api.as_ref().is_some_and(|problem| problem.check == Check::RemovedApi) => Vec::new(),
            None => vec![self.unknown_kind(head, version)?],
        };
        let in_target = |problem: Problem| match problem.check {
            Check::UnknownKind => problem,
            _ if is_target => Problem { message: format!("in Kubernetes {version}: {}", problem.message), ..problem },
            _ => problem,
        };
        let deprecated = api.into_iter().chain(deprecation::field::problems(object, version));
        Ok(deprecated.chain(found.into_iter().map(in_target)).collect())
    }

    /// What is wrong with an object by the first schema that there is for it; `None` where there is none. What the user
    /// names comes before what a chart brings.
    fn held_to(
        &self,
        object: &Value,
        head: Head,
        version: Minor,
        is_target: bool,
    ) -> Result<Option<Vec<Problem>>, Error> {
        let mut no_version = None;
        for location in self.locations() {
            let problems = match location {
                SchemaLocation::Default => definitions::problems(object, head, version),
                SchemaLocation::Files(files) => files.problems(object, head, version),
            };
            match problems {
                // Another location may have it.
                Err(error) if matches!(error.kind, ErrorKind::UnknownVersion { .. }) => no_version = Some(error),
                Ok(None) => {}
                found => return found,
            }
        }
        let (group, name) = head.api_version.split_once('/').unwrap_or(("", head.api_version));
        match self.custom.find(group, name, head.kind) {
            // It is the same in every version of Kubernetes.
            Some(_) if is_target => Ok(Some(Vec::new())),
            Some(definition) => definition.problems(object).map(Some),
            None => no_version.map_or(Ok(None), Err),
        }
    }

    fn locations(&self) -> &[SchemaLocation] {
        if self.locations.is_empty() { &[SchemaLocation::Default] } else { &self.locations }
    }

    fn unknown_kind(&self, head: Head, version: Minor) -> Result<Problem, Error> {
        let is_own = |location: &SchemaLocation| matches!(location, SchemaLocation::Default);
        let own = self.locations().iter().any(is_own).then(|| Bundle::embedded()?.kinds(version)).transpose()?;
        let of = own.is_some().then_some(version);
        let own = own.into_iter().flatten().map(|known| (Cow::from(known.api_version), known.kind));
        let custom = self.custom.kinds().map(|(group, version, kind)| (format!("{group}/{version}").into(), kind));
        Ok(kinds::unknown(head, of, &own.chain(custom).collect::<Vec<_>>()))
    }
}

/// What an object says that it is, or why that cannot be told.
fn head(object: &Value) -> Result<Head<'_>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut text = |field: &str| {
        let path = Path::default().key(field);
        let wrong = match object.get(field) {
            Some(Value::String(text)) if !text.is_empty() => return &**text,
            None | Some(Value::Null | Value::String(_)) => Problem {
                check: Check::MissingField,
                message: format!("`{field}` is missing: without it nobody knows what this is"),
                path,
            },
            Some(other) => Problem {
                check: Check::InvalidValue,
                message: format!("`{field}` must be a string, found {}", words::show(other)),
                path,
            },
        };
        problems.push(wrong);
        ""
    };
    let head = Head { api_version: text("apiVersion"), kind: text("kind") };
    if problems.is_empty() { Ok(head) } else { Err(problems) }
}

fn written_again(path: &Path) -> Problem {
    let message = format!("{} is written more than once: the last one wins", words::field(path));
    Problem { check: Check::DuplicateKey, path: path.clone(), message }
}
