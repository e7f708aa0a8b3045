//! The keywords of custom resources' schemas whose meaning is the API server's: its formats, and Go's regular expressions.

use std::sync::{Arc, OnceLock};

use jsonschema::paths::Location;
use jsonschema::{Draft, Keyword, ValidationError};
use regex::Regex;
use serde_json::{Map, Value as Json};

use super::formats;
use crate::cel::patterns;
use crate::json_schema::Values;
use crate::schema::bundle::Bundle;
use crate::schema::definitions::Definitions;
use crate::schema::validate::{self, Options};
use crate::schema::{Error, ErrorKind, Validator};
use crate::value::Value;

/// Compiles the document of a custom resource's schema.
pub(super) fn validator(document: Json) -> Result<Validator, Error> {
    static OPTIONS: OnceLock<Result<(Options, &Definitions), Error>> = OnceLock::new();
    let (options, definitions) = OPTIONS.get_or_init(options).as_ref().map_err(Clone::clone)?;
    Validator::of_custom_resource(options, document, definitions)
}

fn options() -> Result<(Options, &'static Definitions), Error> {
    let definitions = Definitions::of(Bundle::embedded()?.newest())?;
    let none = || Error { kind: ErrorKind::Bundle("it has no versions".into()), location: None };
    let definitions = definitions.ok_or_else(none)?;
    // The last draft that checks formats.
    let options = definitions.referred(validate::options().with_draft(Draft::Draft7));
    let options = formats::FORMATS.iter().fold(options, |options, (name, check)| options.with_format(*name, *check));
    Ok((options.with_keyword("pattern", pattern), definitions))
}

/// A pattern, compiled when a text first meets it.
struct Pattern {
    text: String,
    compiled: OnceLock<Result<Arc<Regex>, String>>,
}

fn pattern<'a>(
    _: &'a Map<String, Json>,
    pattern: &'a Json,
    _: Location,
) -> Result<Box<dyn for<'i> Keyword<'i, Values>>, ValidationError<'a>> {
    let text = pattern.as_str().unwrap_or_default().to_owned();
    Ok(Box::new(Pattern { text, compiled: OnceLock::new() }))
}

impl<'i> Keyword<'i, Values> for Pattern {
    /// The error has the pattern.
    fn validate(&self, part: &'i Value) -> Result<(), ValidationError<'i>> {
        let good = Keyword::is_valid(self, part);
        if good { Ok(()) } else { Err(ValidationError::custom(self.text.as_str())) }
    }

    fn is_valid(&self, part: &'i Value) -> bool {
        let matches = |text: &str| {
            let compiled = self.compiled.get_or_init(|| patterns::compile(&self.text));
            compiled.as_ref().is_ok_and(|pattern| pattern.is_match(text))
        };
        part.as_str().is_none_or(matches)
    }
}
