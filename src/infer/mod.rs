//! A values.schema.json from values.yaml: its values and comments, and what templates do with them.
//!
//! What is inferred refuses no values that the chart's own templates take, as far as that can be known: a value that
//! is given away as a whole (`toYaml`) may be anything that fits there, and a default that says nothing (`null`, `""`)
//! takes its types from its uses. What is known better can be said in a comment, with `@schema`.
//!
//! The draft is 7: Helm 3 has known it from its first schemas on, Helm 4 still does, and editors read it best.

mod comments;
mod differences;
mod schema;
mod types;
mod uses;
mod walk;

use std::sync::Arc;

use crate::chart::{Chart, values_file};
use crate::json;
use crate::source::Location;
use crate::usage::Usage;
use crate::value::{Map, Numbers, Value};
use crate::yaml;
pub use differences::differences;

use comments::Comments;
use uses::{Place, Uses};
use walk::Walk;

/// The `$comment` by which a schema of ours is known from one that somebody wrote.
pub const MARK: &str =
    "Inferred by `plimsoll schema infer` from values.yaml and the templates. Say more in comments there.";

/// How much is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Refuse keys that neither values.yaml nor a template has, where templates read by name.
    pub strict: bool,
}

/// Why no schema can be inferred.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An `@schema` comment that cannot be read, or that is no JSON Schema.
    #[error("{problem}")]
    Annotation {
        /// What is wrong.
        problem: String,
        /// The comment.
        location: Location,
    },
    /// values.yaml cannot be read again, or its values cannot be written.
    #[error("values.yaml of {chart}: {problem}")]
    Values {
        /// The chart's name.
        chart: String,
        /// What is wrong.
        problem: String,
    },
}

/// Whether a values.schema.json is one of ours.
pub fn is_inferred(text: &[u8]) -> bool {
    json::parse(text, Numbers::Exact).is_ok_and(|schema| schema.get("$comment").and_then(Value::as_str) == Some(MARK))
}

/// Infers the schema of a chart's values: the text of its values.schema.json. The chart and its usage are those of
/// [`values::overview`](crate::values::overview).
///
/// # Errors
/// An annotation that cannot be read, or is no JSON Schema.
pub fn infer(chart: &Chart, usage: &Usage, options: Options) -> Result<String, Error> {
    let values = |problem: String| Error::Values { chart: chart.name().to_owned(), problem };
    let source = chart.values_yaml.as_ref();
    let documents = source.map(|source| values_file::documents(source)).transpose();
    let documents = documents.map_err(|error| values(error.to_string()))?.unwrap_or_default();
    let outlines = source
        .into_iter()
        .flat_map(|source| documents.iter().map(|document| yaml::outline(&source.text, document.span)));
    let outlines = outlines.collect::<Result<Vec<_>, _>>().map_err(|error| values(error.to_string()))?;
    let own = documents.iter().map(|document| document.value.clone()).reduce(|a, b| values_file::merge(&a, &b));
    let own = own.unwrap_or_default();
    let uses = Uses::of(usage);
    let comments = source.map(Comments::new);
    let schema = Walk::new(chart, &own, comments.as_ref(), options)
        .root(&outlines.iter().collect::<Vec<_>>(), &Place::root(&uses))?;
    let head: [(Arc<str>, Value); 3] = [
        ("$schema".into(), "http://json-schema.org/draft-07/schema#".into()),
        ("$comment".into(), MARK.into()),
        ("title".into(), format!("Values of the chart {}", chart.name()).into()),
    ];
    let schema = schema.to_value();
    let fields = schema.as_map().into_iter().flat_map(Map::marshalled).map(|(key, value)| (key.clone(), value.clone()));
    let schema = Value::from(Map::of_struct(head.into_iter().chain(fields)));
    let text = json::to_json_pretty_raw(&schema).map_err(|error| values(error.to_string()))?;
    Ok(text + "\n")
}
