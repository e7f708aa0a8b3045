//! The defaults of a schema, and what becomes of `null`.
//!
//! Source: apiextensions-apiserver, `pkg/apiserver/schema/defaulting/{algorithm,prunenulls}.go`, in the order of
//! `unstructuredSchemaCoercer` and `unstructuredDefaulter`.

use std::sync::Arc;

use super::schema::{Additional, Schema};
use crate::value::{Map, Value};

/// The object with its defaults. A `null` where there can be none is as good as nothing: it is replaced by the default,
/// and taken away from a map where there is no default.
pub(super) fn defaulted(value: &Value, schema: &Schema) -> Value {
    match value {
        Value::Map(map) => Value::Map(defaulted_map(map, schema)),
        Value::List(items) => match &schema.items {
            Some(of_items) => {
                items.iter().map(|item| defaulted(or_default(item, of_items), of_items)).collect::<Vec<_>>().into()
            }
            None => value.clone(),
        },
        _ => value.clone(),
    }
}

fn defaulted_map(map: &Arc<Map>, schema: &Schema) -> Arc<Map> {
    let said = !schema.properties.is_empty() || matches!(schema.additional, Some(Additional::Each(_)));
    if !said {
        return map.clone();
    }
    let given = map.iter().filter_map(|(name, value)| {
        let Some(of_field) = schema.field(name) else { return Some((name.clone(), value.clone())) };
        let value = or_default(value, of_field);
        let goes = matches!(value, Value::Null) && !of_field.nullable;
        (!goes).then(|| (name.clone(), defaulted(value, of_field)))
    });
    let left_out = schema.properties.iter().filter(|(name, _)| map.get(name).is_none());
    let left_out = left_out.filter_map(|(name, of_field)| {
        let default = of_field.default.as_ref()?;
        Some((name.clone(), defaulted(default, of_field)))
    });
    Arc::new(given.chain(left_out).collect())
}

/// The value, or the default in place of a `null` that cannot be.
fn or_default<'a>(value: &'a Value, schema: &'a Schema) -> &'a Value {
    match (value, &schema.default) {
        (Value::Null, Some(default)) if !schema.nullable => default,
        _ => value,
    }
}
