//! What is the same to the API server.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::kinds::group_version;
use crate::value::{Map, Value};

/// A value that is compared with others, and found again among many.
///
/// As for [`Value`], numbers are the same whatever their type. But NaN is the same as itself: what nobody has changed is
/// no difference.
#[derive(Debug, Clone, Copy)]
pub(super) struct Same<'a>(pub(super) &'a Value);

impl PartialEq for Same<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            (Value::Float(a), Value::Float(b)) => a == b || a.is_nan() && b.is_nan(),
            (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().map(Same).eq(b.iter().map(Same)),
            (Value::Map(a), Value::Map(b)) => {
                let entries = |map| Map::iter(map).map(|(key, value)| (key, Same(value)));
                Arc::ptr_eq(a, b) || a.len() == b.len() && entries(a).eq(entries(b))
            }
            (a, b) => a == b,
        }
    }
}

impl Eq for Same<'_> {}

impl Hash for Same<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.0 {
            Value::Null => state.write_u8(0),
            Value::Bool(value) => value.hash(state),
            // Equal numbers of both types are the same float.
            Value::Int(value) => hash_float(*value as f64, state),
            Value::Float(value) => hash_float(*value, state),
            Value::String(text) => text.hash(state),
            Value::List(items) => {
                state.write_usize(items.len());
                items.iter().for_each(|item| Same(item).hash(state));
            }
            Value::Map(map) => {
                state.write_usize(map.len());
                for (key, value) in map.iter() {
                    key.hash(state);
                    Same(value).hash(state);
                }
            }
        }
    }
}

fn hash_float(value: f64, state: &mut impl Hasher) {
    let value = match value {
        _ if value.is_nan() => f64::NAN,
        // -0 is 0.
        _ if value == 0.0 => 0.0,
        _ => value,
    };
    state.write_u64(value.to_bits());
}

/// An object without the fields that are null: to the API server they are not there.
///
/// That is sure only of the kinds that it is built with. A custom resource may say that null is a value of its own, and
/// keeps them.
pub(super) fn without_nulls(object: &Value) -> Value {
    let version = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let (group, _) = group_version(version);
    let is_built_in = !group.contains('.') || group.ends_with(".k8s.io");
    let cleaned = if is_built_in { cleaned(object) } else { None };
    cleaned.unwrap_or_else(|| object.clone())
}

/// Nothing where there is nothing to be taken away.
fn cleaned(value: &Value) -> Option<Value> {
    match value {
        Value::List(items) => {
            let each: Vec<Option<Value>> = items.iter().map(cleaned).collect();
            each.iter().any(Option::is_some).then(|| {
                let each = each.into_iter().zip(items.iter());
                each.map(|(cleaned, item)| cleaned.unwrap_or_else(|| item.clone())).collect::<Vec<_>>().into()
            })
        }
        Value::Map(map) => {
            let each: Vec<Option<Value>> = map.iter().map(|(_, value)| cleaned(value)).collect();
            let is_null = |value: &Value| matches!(value, Value::Null);
            let has_null = map.iter().any(|(_, value)| is_null(value));
            (has_null || each.iter().any(Option::is_some)).then(|| {
                let each = each.into_iter().zip(map.iter()).filter(|(_, (_, value))| !is_null(value));
                let each = each.map(|(cleaned, (key, value))| (key.clone(), cleaned.unwrap_or_else(|| value.clone())));
                each.collect::<Map>().into()
            })
        }
        _ => None,
    }
}
