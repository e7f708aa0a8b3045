//! Template values as plain data, as `json.Marshal` sees them.

use std::sync::Arc;

use super::Failure;
use super::encoding::base64;
use super::runes;
use super::walk::Walk;
use crate::render::any::{Any, Text};
use crate::value::{Map, Value};

/// What a nil slice or map becomes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Nils {
    /// `null`: JSON, and `toYaml`, which goes through it
    Null,
    /// `[]` and `{}`: go-yaml (`toYamlPretty`)
    Empty,
}

/// A value as plain data. Fails for complex numbers and for what is too large or too deep.
pub fn to_value(value: &Any, nils: Nils) -> Result<Value, Failure> {
    convert(value, nils, &mut Walk::default())
}

fn convert(value: &Any, nils: Nils, walk: &mut Walk) -> Result<Value, Failure> {
    Ok(match value {
        Any::Nil => Value::Null,
        Any::Bool(value) => Value::Bool(*value),
        Any::Int(value) | Any::Int64(value) => Value::Int(*value),
        Any::Uint8(value) => Value::Int(i64::from(*value)),
        Any::Uint64(value) => i64::try_from(*value).map_or(Value::Float(*value as f64), Value::Int),
        Any::Float64(value) => Value::Float(*value),
        Any::Complex(..) => return Err(Failure::new("json: unsupported type: complex128")),
        Any::String(text) => Value::String(utf8(text, walk)?),
        Any::Bytes(bytes) if nils == Nils::Null => {
            walk.charge(bytes.as_bytes().len())?;
            Value::from(base64(bytes.as_bytes()))
        }
        Any::Bytes(bytes) => {
            walk.enter(bytes.as_bytes().len())?;
            walk.leave();
            Value::from(bytes.as_bytes().iter().map(|&b| Value::Int(i64::from(b))).collect::<Vec<_>>())
        }
        Any::List(list) if list.nil && nils == Nils::Null => Value::Null,
        Any::Map(map) if map.nil && nils == Nils::Null => Value::Null,
        Any::List(list) => {
            walk.enter(list.items.len())?;
            let items = list.items.iter().map(|item| convert(item, nils, walk)).collect::<Result<Vec<_>, _>>()?;
            walk.leave();
            Value::from(items)
        }
        Any::Map(map) => {
            let entries = map.entries.borrow();
            walk.enter(entries.len())?;
            let converted = entries.iter().map(|(key, value)| Ok((utf8(key, walk)?, convert(value, nils, walk)?)));
            let converted = converted.collect::<Result<Map, Failure>>()?;
            walk.leave();
            Value::from(converted)
        }
        Any::Object(object) => object.to_value(),
    })
}

/// Text as JSON can hold it: each byte that is not UTF-8 becomes U+FFFD.
fn utf8(text: &Text, walk: &mut Walk) -> Result<Arc<str>, Failure> {
    let bytes = text.as_bytes();
    walk.charge(bytes.len())?;
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => runes::runes(bytes).map(|(c, _)| c).collect::<String>().into(),
    })
}
