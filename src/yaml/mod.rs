//! YAML as Helm reads and writes it.
//!
//! Reading is sigs.k8s.io/yaml: go-yaml v2 decides what scalars mean, then the value goes through JSON, so that keys
//! become text and infinities are refused. Where Go's order of maps decides (the keys `1` and `"1"` in one mapping, the
//! first of several unsupported keys), the order of the document does here. Strict reading refuses `1` beside `"1"` too.
//!
//! A text goes from `scanner` (tokens) through `parser` (events) and `tree` (nodes with places) to `decode`
//! (values), `locate` (places) or `outline` (keys in their order). Bounded are the length of a text (64 MiB), its nesting
//! ([`MAX_DEPTH`](crate::value::MAX_DEPTH)), the values of a document (4 million) and, as in go-yaml, what aliases
//! expand to. Beyond that, two differences from go-yaml are known: it loses characters behind a doubled byte order mark,
//! and it forgives a null key in a value that a second key replaces.

mod cursor;
mod decode;
mod emit;
mod error;
mod golang;
mod key;
mod locate;
mod order;
mod outline;
mod parser;
mod properties;
mod scalar;
mod scanner;
mod split;
mod style;
mod text;
mod tree;
mod write;

pub use error::Error;
pub use locate::{Located, Places, locate};
pub use outline::{Content, Entry, Outline, outline};
pub use split::parse_split;
pub use write::{WriteError, to_yaml, to_yaml_pretty};

use crate::source::Span;
use crate::value::{Map, Numbers, Path, Value};
use tree::Documents;

/// How values are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Refuse a key that is given twice (`UnmarshalStrict`). Otherwise the last one wins.
    pub strict: bool,
    /// What numbers become.
    pub numbers: Numbers,
}

/// One document of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its bytes, from the line of the first directive, `---` or content to the end of the content.
    pub span: Span,
    /// What it says; an empty document is null.
    pub value: Value,
}

/// Reads the first document; a text without one is null. What follows is not looked at.
pub fn parse(text: &str, options: Options) -> Result<Value, Error> {
    parse_with_duplicates(text, options).map(|(value, _)| value)
}

/// Like [`parse`], with the keys that are written more than once in one mapping, of which the last one has won. What
/// overrides a key from a merge (`<<`) is no second one.
pub fn parse_with_duplicates(text: &str, options: Options) -> Result<(Value, Vec<Path>), Error> {
    match Documents::new(text)?.next()? {
        Some(tree) => decode::decode(&tree, options),
        None => Ok((Value::Null, Vec::new())),
    }
}

/// Reads the first document as a mapping, as `fromYaml` does; null is an empty one.
pub fn parse_map(text: &str, options: Options) -> Result<Map, Error> {
    match parse(text, options)? {
        Value::Map(map) => Ok((*map).clone()),
        Value::Null => Ok(Map::default()),
        other => Err(wrong_type(text, &other, "map[string]interface {}")),
    }
}

/// Reads the first document as a sequence, as `fromYamlArray` does; null is an empty one.
pub fn parse_list(text: &str, options: Options) -> Result<Vec<Value>, Error> {
    match parse(text, options)? {
        Value::List(items) => Ok(items.to_vec()),
        Value::Null => Ok(Vec::new()),
        other => Err(wrong_type(text, &other, "[]interface {}")),
    }
}

/// Reads all documents of a stream, by YAML's own rules for where one ends.
pub fn parse_stream(text: &str, options: Options) -> Result<Vec<Document>, Error> {
    let mut documents = Documents::new(text)?;
    let mut found = Vec::new();
    while let Some(tree) = documents.next()? {
        found.push(Document { span: tree.span, value: decode::decode(&tree, options)?.0 });
    }
    Ok(found)
}

fn wrong_type(text: &str, found: &Value, wanted: &'static str) -> Error {
    Error::Type { found: found.go_json_type(), wanted, span: Span::new(0, text.len()) }
}
