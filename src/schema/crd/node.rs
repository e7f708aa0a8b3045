//! Reading a CRD: values of the types that its API declares, or what is wrong and where.

use std::sync::Arc;

use super::trail::Trail;
use crate::value::{Map, Path, Value};

/// What is wrong with a CRD, and at which of its fields.
#[derive(Debug, Clone)]
pub(super) struct Flaw {
    pub path: Path,
    pub message: String,
}

/// A map of a CRD, and the way to it.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    map: &'a Map,
    pub at: &'a Trail<'a>,
}

impl<'a> Node<'a> {
    pub fn new(value: &'a Value, at: &'a Trail<'a>) -> Result<Self, Flaw> {
        value.as_map().map(|map| Self { map, at }).ok_or_else(|| wrong(at, "a map", value))
    }

    /// The flaw that a field is.
    pub fn flaw(&self, key: &str, message: impl Into<String>) -> Flaw {
        Flaw { path: self.at.key(key).path(), message: message.into() }
    }

    /// The value of a field; `null` is no value.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !matches!(value, Value::Null))
    }

    /// A text that is not empty: Go's zero values are no values.
    pub fn text(&self, key: &str) -> Result<Option<&'a Arc<str>>, Flaw> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(other) => Err(wrong(&self.at.key(key), "a string", other)),
        }
    }

    /// A text that must be there.
    pub fn need(&self, key: &str) -> Result<&'a Arc<str>, Flaw> {
        self.text(key)?.ok_or_else(|| self.flaw(key, format!("`{key}` is missing")))
    }

    /// A flag; what is left out is `None`.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, Flaw> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(wrong(&self.at.key(key), "a boolean", other)),
        }
    }

    /// A number.
    pub fn number(&self, key: &str) -> Result<Option<&'a Value>, Flaw> {
        match self.get(key) {
            Some(number @ (Value::Int(_) | Value::Float(_))) => Ok(Some(number)),
            Some(other) => Err(wrong(&self.at.key(key), "a number", other)),
            None => Ok(None),
        }
    }

    /// A count.
    pub fn count(&self, key: &str) -> Result<Option<i64>, Flaw> {
        match self.get(key) {
            Some(Value::Int(number)) => Ok(Some(*number)),
            Some(other) => Err(wrong(&self.at.key(key), "an integer", other)),
            None => Ok(None),
        }
    }

    /// A list; one that is left out is empty.
    pub fn list(&self, key: &str) -> Result<&'a [Value], Flaw> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Value::List(items)) => Ok(items),
            Some(other) => Err(wrong(&self.at.key(key), "a list", other)),
        }
    }

    /// A list of texts.
    pub fn texts(&self, key: &str) -> Result<Vec<Arc<str>>, Flaw> {
        let list = self.at.key(key);
        let text = |(i, item): (usize, &Value)| match item {
            Value::String(text) => Ok(text.clone()),
            other => Err(wrong(&list.index(i), "a string", other)),
        };
        self.list(key)?.iter().enumerate().map(text).collect()
    }
}

/// The flaw of a value that is of another type.
pub(super) fn wrong(at: &Trail<'_>, wanted: &str, found: &Value) -> Flaw {
    Flaw { path: at.path(), message: format!("expected {wanted}, found {}", describe(found)) }
}

/// A value in a message: texts and numbers as they are, the rest by type.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => crate::number::general(*number),
        Value::String(text) if text.chars().count() <= 60 => format!("the string {text:?}"),
        Value::String(_) => "a long string".into(),
        Value::List(_) => "a list".into(),
        Value::Map(_) => "a map".into(),
    }
}
