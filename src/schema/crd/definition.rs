//! One version of a custom resource: what its objects are held to.

use std::sync::OnceLock;

use super::document::{self, Unknown};
use super::node::Flaw;
use super::rules::Rules;
use super::schema::Schema;
use super::trail::Trail;
use super::version::Version;
use super::{declare, defaulting, keywords, lists, structure};
use crate::schema::{Check, Error, ErrorKind, Problem, Validator};
use crate::source::Location;
use crate::value::{Path, Value};
use crate::yaml;

/// A version of a custom resource. Its schema is read when its CRD is added, and compiled when an object needs it.
#[derive(Debug)]
pub struct Definition {
    /// The CRD
    crd: Value,
    location: Location,
    version: Version,
    unknown: Unknown,
    read: OnceLock<Result<Read, Error>>,
    validator: OnceLock<Result<Validator, Error>>,
}

#[derive(Debug)]
struct Read {
    schema: Schema,
    rules: Option<Rules>,
}

impl Definition {
    pub(super) fn new(crd: Value, location: Location, version: Version, unknown: Unknown) -> Self {
        Self { crd, location, version, unknown, read: OnceLock::new(), validator: OnceLock::new() }
    }

    pub(super) fn is_served(&self) -> bool {
        self.version.is_served
    }

    /// What is wrong with an object, as the API server sees it when it is created: it has its defaults, is held to the
    /// schema, and last to the rules, if it is sound enough to be judged by them. Sorted by path.
    ///
    /// # Errors
    /// The schema cannot be used, or makes too much work of the object.
    pub fn problems(&self, object: &Value) -> Result<Vec<Problem>, Error> {
        let Read { schema, rules } = self.read()?;
        // Where unknown fields stay, so does null, and there are no defaults.
        let object = match self.unknown {
            Unknown::AllKept => object.clone(),
            _ => defaulting::defaulted(object, schema),
        };
        let root = Path::default();
        let at = Trail::Root(&root);
        let mut problems = self.validator(schema)?.problems(&object)?;
        lists::duplicates(&object, schema, &at, &mut problems);
        if let Some(rules) = rules
            && is_sound(&object, schema, &problems)
        {
            problems.extend(rules.problems(&object, schema, &at));
        }
        problems.extend(self.version.warning.as_ref().map(|warning| Problem {
            check: Check::DeprecatedApi,
            path: root.key("apiVersion"),
            message: warning.to_string(),
        }));
        problems.sort_by(|a, b| (&a.path, a.check, &a.message).cmp(&(&b.path, b.check, &b.message)));
        Ok(problems)
    }

    /// Reads the schema and compiles its rules, if nobody has yet.
    ///
    /// # Errors
    /// What an API server would refuse in the version. Before CRDs of v1, a schema had to be structural only where unknown
    /// fields did not stay.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self.unknown {
            Unknown::AllKept => Ok(()),
            _ => self.read().map(|_| ()),
        }
    }

    fn read(&self) -> Result<&Read, Error> {
        let read = || {
            let flaw = |flaw: Flaw| unusable(&self.crd, &self.location, &flaw);
            let path = &self.version.schema;
            let at = Trail::Root(path);
            let missing = || Flaw { path: path.clone(), message: "the version has no schema".into() };
            let value = self.crd.follow(path).filter(|value| !matches!(value, Value::Null));
            let schema = Schema::read(value.ok_or_else(missing).map_err(flaw)?, &at).map_err(flaw)?;
            structure::check(&schema, &at).map_err(flaw)?;
            defaulting::check(&schema, &at).map_err(|error| self.located(error))?.map_err(flaw)?;
            let rules = Rules::compile(&schema, true, true).map_err(flaw)?;
            Ok(Read { schema, rules })
        };
        self.read.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    fn validator(&self, schema: &Schema) -> Result<&Validator, Error> {
        let document = || document::document(schema, self.unknown);
        let compile = || keywords::validator(document()).map_err(|error| self.located(error));
        self.validator.get_or_init(compile).as_ref().map_err(Clone::clone)
    }

    /// An error of the schema, at its place.
    fn located(&self, error: Error) -> Error {
        Error { location: Some(locate(&self.crd, &self.location, &self.version.schema)), ..error }
    }
}

/// Whether rules can judge an object: nothing that it must have is missing, and all is of its type.
fn is_sound(object: &Value, schema: &Schema, problems: &[Problem]) -> bool {
    problems.iter().all(|problem| problem.check == Check::UnknownField)
        || problems.iter().all(|problem| problem.check != Check::MissingField)
            && declare::typed(object, schema, true).is_some()
}

/// The error of a CRD that cannot be used.
pub(super) fn unusable(crd: &Value, location: &Location, flaw: &Flaw) -> Error {
    let name = crd.at(["metadata", "name"]).and_then(Value::as_str).unwrap_or("without a name");
    let message = format!("the CustomResourceDefinition {name} cannot be used: {}: {}", flaw.path, flaw.message);
    Error { kind: ErrorKind::Unusable(message), location: Some(locate(crd, location, &flaw.path)) }
}

/// Where a field of a CRD is; for one that is missing, its nearest parent.
fn locate(crd: &Value, document: &Location, path: &Path) -> Location {
    let places = yaml::Places::read(&document.file.text, document.span);
    let span = places.map_or(document.span, |places| places.shown(crd, path));
    Location::new(document.file.clone(), span)
}
