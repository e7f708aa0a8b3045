//! values.schema.json, of a chart and its subcharts.
//!
//! Source: Helm's `pkg/chart/common/util/jsonschema.go`. No schema is ever fetched: Helm would ask any host, and read
//! any file, that a `$ref` names.

mod report;
mod words;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ReferencingError, Retrieve, Uri, ValidationError, Validator};
use serde_json::Value as Json;

use crate::chart::{Chart, File};
use crate::value::{Numbers, Path, Value};
use crate::{json, json_schema};
use report::Report;

/// What references are relative to, as in Helm.
const BASE: &str = "file:///values.schema.json";

/// Values that do not meet the schemas of their charts. Prints what Helm prints.
#[derive(Debug, Clone)]
pub struct SchemaError {
    /// The charts at fault, a parent before its subcharts.
    pub charts: Vec<ChartSchemaError>,
}

/// Values that do not meet the schema of one chart.
#[derive(Debug, Clone)]
pub struct ChartSchemaError {
    /// The chart, or its alias.
    pub chart: String,
    /// What Helm says, over several lines.
    pub text: String,
    /// The same as data; nothing where the schema itself is at fault.
    pub problems: Vec<Problem>,
}

/// One value that does not meet a schema.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The way to it, from the root chart's values.
    pub path: Path,
    /// What is wrong: `got string, want number`.
    pub message: String,
}

impl SchemaError {
    /// Where the check itself fails, the values have not passed it.
    fn unchecked(chart: &Chart) -> Self {
        let text = "unable to validate schema".to_string();
        Self { charts: vec![ChartSchemaError { chart: chart.name().to_string(), text, problems: Vec::new() }] }
    }
}

impl std::error::Error for SchemaError {}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("values don't meet the specifications of the schema(s) in the following chart(s):\n")?;
        self.charts.iter().try_for_each(|chart| write!(f, "{}:\n{}", chart.chart, chart.text))
    }
}

/// The schemas of charts, each compiled once for any number of releases.
#[derive(Debug, Default)]
pub struct Schemas(Mutex<HashMap<usize, Arc<Known>>>);

/// A schema's file, which keeps its address, and what became of it.
#[derive(Debug)]
struct Known {
    file: File,
    compiled: OnceLock<Result<Compiled, String>>,
}

/// A schema, and what checks values by it.
#[derive(Debug)]
struct Compiled {
    schema: Json,
    /// Compiled when the first values are found to be no too much work.
    validator: OnceLock<Result<Validator, String>>,
}

impl Schemas {
    fn known(&self, file: &File) -> Arc<Known> {
        let new = || Arc::new(Known { file: file.clone(), compiled: OnceLock::new() });
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(file.bytes().as_ptr().addr()).or_insert_with(new).clone()
    }
}

impl Known {
    fn compiled(&self) -> Result<&Compiled, String> {
        self.compiled.get_or_init(|| Compiled::read(self.file.bytes())).as_ref().map_err(Clone::clone)
    }
}

impl Compiled {
    fn read(text: &[u8]) -> Result<Self, String> {
        let schema: Json = serde_json::from_slice(text).map_err(|error| syntax_error(text, &error))?;
        if json_schema::is_too_deep(&schema) {
            return Err("the schema takes too long to check".to_string());
        }
        Ok(Self { schema, validator: OnceLock::new() })
    }

    /// What is wrong with values; or what is wrong with the schema, in Helm's words.
    fn check(&self, values: &Value) -> Result<Option<Report>, String> {
        json_schema::check(&self.schema, values, Draft::default(), BASE)?;
        let build = || options().build(&self.schema).map_err(|error| schema_error(&self.schema, error));
        let validator = self.validator.get_or_init(build).as_ref().map_err(Clone::clone)?;
        let values = to_json(values);
        let errors: Vec<ValidationError> = validator.iter_errors(&values).collect();
        Ok(if errors.is_empty() { None } else { Some(Report::new(&self.schema, &values, &errors)) })
    }
}

/// Checks the values of a release against the schemas of all its charts.
pub(super) fn check(chart: &Chart, values: &Value, schemas: &Schemas) -> Result<(), SchemaError> {
    let mut charts = Vec::new();
    if has_schema(chart) {
        let work = || check_chart(chart, values, schemas, &Path::default(), &mut charts);
        json_schema::on_large_stack(work).ok_or_else(|| SchemaError::unchecked(chart))?;
    }
    if charts.is_empty() { Ok(()) } else { Err(SchemaError { charts }) }
}

fn has_schema(chart: &Chart) -> bool {
    chart.schema.is_some() || chart.dependencies.iter().any(|subchart| has_schema(subchart))
}

fn check_chart(chart: &Chart, values: &Value, schemas: &Schemas, path: &Path, found: &mut Vec<ChartSchemaError>) {
    if let Some(schema) = &chart.schema {
        let known = schemas.known(schema);
        let (text, problems) = match known.compiled().and_then(|compiled| compiled.check(values)) {
            Ok(None) => (String::new(), Vec::new()),
            Ok(Some(report)) => (format!("{report}\n"), report.problems(values, path)),
            Err(reason) => (reason, Vec::new()),
        };
        if !text.is_empty() {
            found.push(ChartSchemaError { chart: chart.name().to_string(), text, problems });
        }
    }
    for subchart in &chart.dependencies {
        if let Some(values @ Value::Map(_)) = values.get(subchart.name()) {
            check_chart(subchart, values, schemas, &path.key(subchart.name()), found);
        }
    }
}

fn options<'i>() -> jsonschema::ValidationOptions<'i> {
    let options = jsonschema::options();
    let options =
        json_schema::formats::FORMATS.iter().fold(options, |options, (name, check)| options.with_format(*name, *check));
    options
        .with_retriever(Nowhere)
        .with_base_uri(BASE)
        .with_pattern_options(json_schema::patterns())
        // Upstream checks content only when asked to.
        .without_content_encoding_support("base64")
        .without_content_media_type_support("application/json")
}

/// Fetches nothing.
struct Nowhere;

impl Retrieve for Nowhere {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Json, Box<dyn std::error::Error + Send + Sync>> {
        // Helm takes a name that cannot be resolved for a schema that allows everything.
        if uri.scheme().as_str() == "urn" { Ok(Json::Bool(true)) } else { Err("schemas are never fetched".into()) }
    }
}

/// Why a schema cannot be used.
fn schema_error(schema: &Json, error: ValidationError) -> String {
    match error.kind() {
        ValidationErrorKind::Referencing(ReferencingError::PointerToNowhere { pointer }) => {
            format!("json-pointer in \"file:///values.schema.json#{pointer}\" not found")
        }
        ValidationErrorKind::Referencing(ReferencingError::Unretrievable { uri, source }) => {
            format!("failing loading {uri:?}: {source}")
        }
        ValidationErrorKind::Referencing(ReferencingError::UnknownSpecification { specification }) => {
            format!("failing loading {specification:?}: schemas are never fetched")
        }
        ValidationErrorKind::Referencing(other) => other.to_string(),
        _ => {
            let name = schema["$schema"].as_str().unwrap_or("https://json-schema.org/draft/2020-12/schema");
            let meta = jsonschema::meta::validator_for(schema).ok();
            let mut errors: Vec<ValidationError> = meta.iter().flat_map(|meta| meta.iter_errors(schema)).collect();
            if errors.is_empty() {
                errors.push(error);
            }
            let report = Report::new(&Json::Null, schema, &errors);
            format!(
                "\"file:///values.schema.json#\" is not valid against metaschema: jsonschema validation failed with \
                 '{}#'\n{report}",
                name.trim_end_matches('#')
            )
        }
    }
}

/// What Go's `json.Decoder` says of a text that is not one JSON value.
fn syntax_error(text: &[u8], error: &serde_json::Error) -> String {
    match json::parse_prefix(text, Numbers::Floats) {
        Err(json::Error::End { .. }) if text.iter().all(u8::is_ascii_whitespace) => "EOF".to_string(),
        Err(json::Error::End { .. }) => "unexpected EOF".to_string(),
        Err(other) => other.to_string(),
        Ok((_, end)) if !text[end..].trim_ascii().is_empty() => "invalid character after top-level value".to_string(),
        Ok(_) => error.to_string(),
    }
}

/// Values as JSON. Whole numbers are integers, for old drafts know the difference.
fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => (*value).into(),
        Value::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => (*value as i64).into(),
        Value::Float(value) => (*value).into(),
        Value::String(text) => Json::String(text.to_string()),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(map) => Json::Object(map.iter().map(|(key, value)| (key.to_string(), to_json(value))).collect()),
    }
}
