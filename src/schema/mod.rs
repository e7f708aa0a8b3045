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
mod places;
mod problem;
#[cfg(test)]
mod tests;
mod validate;
mod words;

pub use error::{Error, ErrorKind};
pub use minor::Minor;
pub use problem::{Check, Problem};
pub use validate::Validator;

use std::sync::Arc;

use crate::source::Location;
use crate::value::{Path, Value};
use bundle::Bundle;
use crd::CustomResources;
use location::SchemaLocation;
use places::Places;

/// The schemas that the objects of a run are held to. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Schemas {
    /// The version of Kubernetes that objects are meant for; none is the newest.
    version: Option<Minor>,
    /// The version that the cluster is to be upgraded to.
    target: Option<Minor>,
    custom: CustomResources,
    places: Arc<Places>,
}

/// What an object says that it is.
#[derive(Debug, Clone, Copy)]
struct Head<'o> {
    api_version: &'o str,
    kind: &'o str,
}

/// Those of the newest version of Kubernetes.
impl Default for Schemas {
    fn default() -> Self {
        Self::new(None, None)
    }
}

impl Schemas {
    /// The schemas of Kubernetes: of the version that objects are meant for, the newest where it is left out, and of
    /// the one that the cluster is to be upgraded to. Whether it is in the binary is seen when an object is judged.
    pub fn new(version: Option<Minor>, target: Option<Minor>) -> Self {
        Self { version, target, custom: CustomResources::default(), places: Arc::new(Places::new(Vec::new())) }
    }

    /// Takes the custom resources of a CustomResourceDefinition too; `place` is where it is written.
    ///
    /// # Errors
    /// A definition that an API server would refuse.
    pub fn add_crd(&mut self, crd: &Value, place: &Location) -> Result<(), Error> {
        self.custom.add(crd, place)
    }

    /// Looks for schemas in these places, in this order; in the binary alone where there is none.
    pub fn set_locations(&mut self, locations: Vec<SchemaLocation>) {
        self.places = Arc::new(Places::new(locations));
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
            // Programs put objects together in it; it is no kind of the API.
            Ok(Head { api_version: "v1", kind: "List" }) => problems.extend(kinds::still_a_list(object)),
            Ok(head) => {
                let newest = || Bundle::embedded().map(Bundle::newest);
                let version = self.version.map_or_else(newest, Ok)?;
                let now = self.judge_at(object, head, version, false)?;
                let then = match self.target.filter(|target| *target != version) {
                    Some(target) => self.judge_at(object, head, target, true)?,
                    None => Vec::new(),
                };
                let is_new = |problem: &Problem| {
                    now.iter().all(|known| (known.check, &known.path) != (problem.check, &problem.path))
                };
                let then: Vec<Problem> = then.into_iter().filter(is_new).collect();
                problems.extend(now.into_iter().chain(then));
            }
        }
        problems.sort_by(|a, b| (&a.path, a.check).cmp(&(&b.path, b.check)));
        Ok(problems)
    }

    /// Holds an object to one version of Kubernetes, which may be the one that a cluster is to be upgraded to.
    fn judge_at(&self, object: &Value, head: Head, version: Minor, is_target: bool) -> Result<Vec<Problem>, Error> {
        let Head { api_version, kind } = head;
        let api = deprecation::problem(api_version, kind, version, is_target);
        let is_removed = api.as_ref().is_some_and(|problem| problem.check == Check::RemovedApi);
        let (group, of_group) = api_version.split_once('/').unwrap_or(("", api_version));
        let found = match self.custom.find(group, of_group, kind) {
            // It is the same in every version of Kubernetes.
            Some(_) if is_target => Some(Vec::new()),
            Some(custom) => Some(custom.problems(object)?),
            None => self.places.problems(object, head, version)?,
        };
        let in_target = |problem: Problem| match is_target {
            true => Problem { message: format!("in Kubernetes {version}: {}", problem.message), ..problem },
            false => problem,
        };
        let mut problems: Vec<Problem> = api.into_iter().collect();
        problems.extend(deprecation::field::problems(object, version));
        match found {
            Some(found) => problems.extend(found.into_iter().map(in_target)),
            None if is_removed => {}
            None => problems.push(self.unknown_kind(head, version)?),
        }
        Ok(problems)
    }

    fn unknown_kind(&self, head: Head, version: Minor) -> Result<Problem, Error> {
        let own: Vec<bundle::Kind> =
            if self.places.have_default() { Bundle::embedded()?.kinds(version)?.collect() } else { Vec::new() };
        let custom = self.custom.kinds().map(|(group, version, kind)| (format!("{group}/{version}"), kind));
        let custom: Vec<(String, &str)> = custom.collect();
        let known = own.iter().map(|own| (own.api_version, own.kind));
        let known = known.chain(custom.iter().map(|(api_version, kind)| (api_version.as_str(), *kind)));
        let of = self.places.have_default().then_some(version);
        Ok(kinds::unknown(head, of, known))
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
