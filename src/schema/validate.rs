//! Holding an object to a JSON Schema.

use jsonschema::{Draft, Retrieve, Uri, ValidationError, ValidationOptions};
use serde_json::Value as Document;

use super::definitions::Definitions;
use super::elsewhere::Elsewhere;
use super::explain::Explainer;
use super::{Error, ErrorKind, Problem, formats};
use crate::json_schema::{self, Values};
use crate::value::{Path, Value};

/// A JSON Schema, compiled.
#[derive(Debug)]
pub struct Validator {
    compiled: jsonschema::Validator<Values>,
    schema: Document,
    /// Whether there is nothing to bound.
    is_linear: bool,
    /// Where its keyword `definition` looks.
    definitions: Option<&'static Definitions>,
}

/// What references are relative to: the validator's own choice.
const BASE: &str = "json-schema:///";

/// How schemas are compiled.
pub(super) type Options = ValidationOptions<'static, std::sync::Arc<dyn Retrieve>, Values>;

impl Validator {
    /// Compiles a JSON Schema document. One that names no draft is of draft 4, as for kubeconform, of which OpenAPI's
    /// schemas are a dialect: formats are checked.
    ///
    /// # Errors
    /// It is no JSON Schema, refers to what is not in it, or is too deep.
    pub fn new(schema: &Document) -> Result<Self, Error> {
        let draft = if schema.get("$schema").is_some() { None } else { Some(Draft::Draft4) };
        let options = draft.into_iter().fold(options(), ValidationOptions::with_draft);
        // kubeconform's library knows them in every draft in which it checks formats.
        let known = json_schema::formats::FORMATS.iter();
        let options = known.fold(options, |options, (name, check)| options.with_format(*name, *check));
        let options = options.with_format("duration", is_duration);
        Self::compile(&options, schema.clone(), None, false)
    }

    /// Compiles the schema of a custom resource.
    ///
    /// # Errors
    /// It is too deep, or a pattern in it too large.
    pub(super) fn of_custom_resource(
        options: &Options,
        schema: Document,
        definitions: &'static Definitions,
    ) -> Result<Self, Error> {
        Self::compile(options, schema, Some(definitions), false)
    }

    /// Compiles one of Kubernetes' own definitions, of which all are known to be in order.
    pub(super) fn of_definition(
        options: &Options,
        schema: Document,
        definitions: &'static Definitions,
    ) -> Result<Self, Error> {
        Self::compile(options, schema, Some(definitions), true)
    }

    fn compile(
        options: &Options,
        schema: Document,
        definitions: Option<&'static Definitions>,
        is_known: bool,
    ) -> Result<Self, Error> {
        if json_schema::is_too_deep(&schema) {
            return Err(unusable("it is too deep"));
        }
        let is_linear = is_known || json_schema::is_linear(&schema);
        let build = || options.build(&schema).map_err(|error| unusable(wrong_schema(&error)));
        let compiled = match is_known {
            true => build(),
            false => json_schema::on_large_stack(build).unwrap_or_else(|| Err(unusable("it cannot be compiled"))),
        }?;
        Ok(Self { compiled, schema, is_linear, definitions })
    }

    /// What is wrong with an object, in the order of its fields.
    ///
    /// # Errors
    /// The schema makes so much work of the object that nobody would wait for it.
    pub fn problems(&self, object: &Value) -> Result<Vec<Problem>, Error> {
        let judge = || {
            if self.is_valid(object) {
                return Ok(Vec::new());
            }
            let elsewhere = Elsewhere { root: &self.schema, definitions: self.definitions };
            let mut explainer = Explainer::new(object, elsewhere);
            explainer.explain(self, object, &Path::default())?;
            Ok(explainer.problems())
        };
        if self.is_linear {
            return judge();
        }
        let bounded = || {
            json_schema::check(&self.schema, object, Draft::Draft4, BASE).map_err(unusable)?;
            judge()
        };
        json_schema::on_large_stack(bounded).unwrap_or_else(|| Err(unusable("it cannot be checked")))
    }

    /// Whether there is nothing wrong.
    pub(super) fn is_valid(&self, part: &Value) -> bool {
        self.compiled.is_valid(part)
    }

    /// The validator's errors.
    pub(super) fn errors<'v>(&'v self, part: &'v Value) -> impl Iterator<Item = ValidationError<'v>> {
        self.compiled.iter_errors(part)
    }

    /// The part of the schema that a JSON pointer leads to.
    pub(super) fn schema(&self, pointer: &str) -> Option<&Document> {
        self.schema.pointer(pointer)
    }

    /// The definitions that its keyword `definition` names.
    pub(super) fn definitions(&self) -> Option<&'static Definitions> {
        self.definitions
    }
}

/// The options of all schemas.
pub(super) fn options() -> Options {
    let options =
        jsonschema::options_for::<Values>().with_retriever(Nowhere).with_pattern_options(json_schema::patterns());
    formats::FORMATS.iter().fold(options, |options, (name, check)| options.with_format(*name, *check))
}

/// Durations as the API server reads them, and those of ISO 8601: kubeconform takes both.
fn is_duration(text: &str) -> bool {
    super::crd::duration(text).is_some() || json_schema::formats::is_duration(text)
}

/// Fetches nothing.
struct Nowhere;

impl Retrieve for Nowhere {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Document, Box<dyn std::error::Error + Send + Sync>> {
        Err(format!("{uri} is not in the schema, and nothing is ever fetched").into())
    }
}

fn wrong_schema(error: &ValidationError) -> String {
    let place = error.instance_path().as_str();
    let place = if place.is_empty() { String::new() } else { format!("at {place}: ") };
    format!("{place}{error}")
}

fn unusable(why: impl AsRef<str>) -> Error {
    Error { kind: ErrorKind::Unusable(format!("the schema cannot be used: {}", why.as_ref())), location: None }
}
