//! Our values as the validator sees them, so that no object is copied to be checked.

use std::borrow::Cow;

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, JsonNumber, Node, NodeIdentity, Object};
use serde_json::{Number, Value as Document};

use crate::number;
use crate::value::{Map, Value};

/// [`Value`] as what a schema is held against. Errors name the place of what is wrong: their instance is null where it
/// is a list or a map.
#[derive(Debug)]
pub struct Values;

impl Json for Values {
    type Node<'a> = &'a Value;
    type PreparedKey = String;
    type StringBuffer = Value;

    // A look-up is a search by halves.
    const KEYS_PER_LOOKUP: usize = 2;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(buffer: &mut Value, string: &str, f: impl FnOnce(&Value) -> T) -> T {
        *buffer = string.into();
        f(buffer)
    }
}

impl<'a> Node<'a, Values> for &'a Value {
    type Object = &'a Map;
    type Array = &'a [Value];
    type Number = &'a Value;

    fn as_object(&self) -> Option<&'a Map> {
        self.as_map()
    }

    fn as_array(&self) -> Option<&'a [Value]> {
        self.as_list()
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        Value::as_str(self).map(Cow::Borrowed)
    }

    fn as_number(&self) -> Option<&'a Value> {
        matches!(self, Value::Int(_) | Value::Float(_)).then_some(self)
    }

    fn as_boolean(&self) -> Option<bool> {
        self.as_bool()
    }

    fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    fn json_type(&self) -> JsonType {
        match self {
            Value::Null => JsonType::Null,
            Value::Bool(_) => JsonType::Boolean,
            Value::Int(_) | Value::Float(_) => JsonType::Number,
            Value::String(_) => JsonType::String,
            Value::List(_) => JsonType::Array,
            Value::Map(_) => JsonType::Object,
        }
    }

    fn equals_value(&self, expected: &Document) -> bool {
        match (self, expected) {
            (Value::List(items), Document::Array(others)) => {
                items.len() == others.len() && items.iter().zip(others).all(|(item, other)| item.equals_value(other))
            }
            (Value::Map(map), Document::Object(others)) => {
                map.len() == others.len()
                    && map.iter().all(|(key, item)| others.get(&**key).is_some_and(|other| item.equals_value(other)))
            }
            (Value::List(_) | Value::Map(_), _) => false,
            _ => jsonschema::json::cmp::equal(&self.to_value(), expected),
        }
    }

    fn to_value(&self) -> Cow<'a, Document> {
        Cow::Owned(match self {
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::String(text) => Document::String(text.to_string()),
            Value::Null | Value::List(_) | Value::Map(_) => Document::Null,
        })
    }

    fn identity(&self) -> Option<NodeIdentity> {
        Some(NodeIdentity::new(std::ptr::from_ref::<Value>(self) as usize))
    }
}

impl<'a> Object<'a, Values> for &'a Map {
    type Node = &'a Value;
    type MemberName = &'a str;
    type MembersIter = Box<dyn Iterator<Item = (&'a str, &'a Value)> + 'a>;

    fn len(&self) -> usize {
        Map::len(self)
    }

    fn get(&self, key: &String) -> Option<&'a Value> {
        Map::get(self, key)
    }

    fn members(&self) -> Self::MembersIter {
        Box::new(self.iter().map(|(key, value)| (&**key, value)))
    }
}

impl<'a> Array<'a, Values> for &'a [Value] {
    type Node = &'a Value;
    type ElementsIter = std::slice::Iter<'a, Value>;

    fn len(&self) -> usize {
        <[Value]>::len(self)
    }

    fn elements(&self) -> Self::ElementsIter {
        (*self).iter()
    }

    fn is_unique(&self) -> bool {
        super::first_repeated(self).is_none()
    }
}

/// A number; of any other value, none.
impl JsonNumber for &Value {
    fn as_u64(&self) -> Option<u64> {
        self.as_i64().and_then(|value| value.try_into().ok())
    }

    fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Int(value) => Some(*value),
            _ => None,
        }
    }

    fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Int(value) => Some(*value as f64),
            Value::Float(value) => Some(*value),
            _ => None,
        }
    }

    fn as_str(&self) -> Cow<'_, str> {
        match self {
            Value::Int(value) => value.to_string().into(),
            _ => number::json(self.as_f64().unwrap_or_default()).into(),
        }
    }

    fn to_number(&self) -> Cow<'_, Number> {
        let float = || self.as_f64().and_then(Number::from_f64);
        Cow::Owned(self.as_i64().map(Number::from).or_else(float).unwrap_or(Number::from(0)))
    }

    fn is_integer(&self) -> bool {
        self.as_f64().is_some_and(|value| value.fract() == 0.0)
    }

    fn is_written_as_integer(&self) -> bool {
        self.is_integer()
    }
}
