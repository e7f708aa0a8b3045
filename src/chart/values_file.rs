//! Values files: a chart's values.yaml, and those of a user.
//!
//! Source: Helm's `pkg/chart/v2/loader/load.go`, `LoadValues` and `MergeMaps`.

use crate::source::{SourceFile, Span};
use crate::value::Numbers;
use crate::value::{Map, Value};
use crate::yaml;

/// Values are read through JSON: every number is a float.
const OPTIONS: yaml::Options = yaml::Options { strict: false, numbers: Numbers::Floats };

/// A text that is no values file. The texts are Helm's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValuesFileError {
    /// The stream cannot be cut into documents.
    #[error("error reading yaml document: {0}")]
    Stream(#[source] yaml::Error),
    /// A document is no mapping.
    #[error("cannot unmarshal yaml document: {0}")]
    Document(#[source] yaml::Error),
}

impl ValuesFileError {
    /// Where in the file.
    pub fn span(&self) -> Span {
        match self {
            Self::Stream(error) | Self::Document(error) => error.span(),
        }
    }
}

/// Reads a values file: the documents of a stream, each a mapping or nothing, merged into one mapping.
pub fn read(source: &SourceFile) -> Result<Value, ValuesFileError> {
    Ok(merged(&documents(source)?))
}

/// The one mapping that the documents of a values file are merged into.
pub fn merged(documents: &[yaml::Document]) -> Value {
    let values = documents.iter().map(|document| document.value.clone());
    values.reduce(|a, b| merge(&a, &b)).unwrap_or_else(|| Map::default().into())
}

/// The documents of a values file, for those who look for places in it.
pub fn documents(source: &SourceFile) -> Result<Vec<yaml::Document>, ValuesFileError> {
    yaml::parse_split(&source.text, OPTIONS).map_err(|error| match error {
        yaml::Error::Separator { .. } => ValuesFileError::Stream(error),
        _ => ValuesFileError::Document(error),
    })
}

/// Lays one value over another: mappings are merged, of anything else the upper one stays, null too.
pub fn merge(lower: &Value, upper: &Value) -> Value {
    let (Value::Map(low), Value::Map(up)) = (lower, upper) else { return upper.clone() };
    let laid = up.iter().map(|(key, value)| {
        let value = low.get(key).map_or_else(|| value.clone(), |below| merge(below, value));
        (key.clone(), value)
    });
    let kept = low.iter().map(|(key, value)| (key.clone(), value.clone()));
    kept.chain(laid).collect::<Map>().into()
}
