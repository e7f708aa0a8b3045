//! Holding an object to the document of its schema.

use jsonschema::Draft;
use jsonschema::error::ValidationErrorKind;

use super::formats;
use crate::json_schema::{self, Values};
use crate::schema::{Check, Error, ErrorKind, Problem};
use crate::value::Value;

#[derive(Debug)]
pub(super) struct Validator(jsonschema::Validator<Values>);

impl Validator {
    pub fn new(document: &serde_json::Value) -> Result<Self, Error> {
        let options = jsonschema::options_for::<Values>().with_draft(Draft::Draft202012);
        let options = options.should_validate_formats(true).with_pattern_options(json_schema::patterns());
        let options =
            formats::FORMATS.iter().fold(options, |options, (name, check)| options.with_format(*name, *check));
        let built = json_schema::on_large_stack(|| options.build(document));
        let unusable = |what: String| Error { kind: ErrorKind::Unusable(what), location: None };
        let built = built.ok_or_else(|| unusable("cannot be compiled".into()))?;
        built.map(Self).map_err(|error| unusable(error.to_string()))
    }

    pub fn problems(&self, object: &Value) -> Result<Vec<Problem>, Error> {
        let mut problems = Vec::new();
        for error in self.0.iter_errors(object) {
            let tokens = json_schema::tokens(error.instance_path().as_str());
            let path = json_schema::path(&tokens, object);
            match error.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected } => {
                    problems.extend(unexpected.iter().map(|name| Problem {
                        check: Check::UnknownField,
                        path: path.key(name.as_str()),
                        message: error.to_string(),
                    }));
                }
                ValidationErrorKind::Required { property } => problems.push(Problem {
                    check: Check::MissingField,
                    path: path.key(property.as_str().unwrap_or_default()),
                    message: error.to_string(),
                }),
                _ => problems.push(Problem { check: Check::InvalidValue, path, message: error.to_string() }),
            }
        }
        Ok(problems)
    }
}
