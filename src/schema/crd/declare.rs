//! The types of a custom resource in CEL, and its values.
//!
//! Source: the API server's `pkg/cel/common/{schemas,valuesunstructured}.go` and `pkg/cel/escaping.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use super::formats;
use super::schema::{Additional, Kind, ListType, Schema};
use crate::cel::functions::time;
use crate::cel::types::{Struct, Type};
use crate::cel::value::{Data, Key, Keyed, List, Val};
use crate::value::Value;

/// The words that are no names in CEL.
const RESERVED: [&str; 21] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// The type of a schema's values; `None` where rules cannot see them. `name` is the way to them.
pub(super) fn declare(schema: &Schema, is_resource: bool, name: &str) -> Option<Type> {
    if schema.int_or_string {
        return Some(Type::Dyn);
    }
    match schema.kind? {
        Kind::Array => {
            let items = schema.items.as_deref()?;
            Some(Type::list(declare(items, items.embedded, &format!("{name}.@idx"))?))
        }
        Kind::Object => match &schema.additional {
            Some(Additional::Each(each)) => {
                Some(Type::map(Type::String, declare(each, each.embedded, &format!("{name}.@elem"))?))
            }
            _ => Some(Type::Struct(Arc::new(object(schema, is_resource, name)))),
        },
        Kind::String => Some(match schema.format.as_deref() {
            Some("byte") => Type::Bytes,
            Some("duration") => Type::Duration,
            Some("date" | "date-time") => Type::Timestamp,
            _ => Type::String,
        }),
        Kind::Boolean => Some(Type::Bool),
        Kind::Number => Some(Type::Double),
        Kind::Integer => Some(Type::Int),
    }
}

fn object(schema: &Schema, is_resource: bool, name: &str) -> Struct {
    let mut fields: BTreeMap<Arc<str>, Type> = BTreeMap::new();
    for (field, of_field) in &schema.properties {
        if let Some(escaped) = escape(field)
            && let Some(declared) = declare(of_field, of_field.embedded, &format!("{name}.{escaped}"))
        {
            fields.insert(escaped, declared);
        }
    }
    if is_resource && !declares_head(schema) {
        let names = ["name", "generateName"].map(|name| (Arc::from(name), Type::String));
        let metadata = Struct { name: format!("{name}.metadata").into(), fields: names.into() };
        fields.extend(["apiVersion", "kind"].map(|name| (Arc::from(name), Type::String)));
        fields.insert("metadata".into(), Type::Struct(Arc::new(metadata)));
    }
    Struct { name: name.into(), fields }
}

/// Whether a schema says itself all that rules can see of every resource; then it may show more of the metadata.
fn declares_head(schema: &Schema) -> bool {
    let is = |schema: &Schema, name: &str, kind| schema.properties.get(name).is_some_and(|of| of.kind == Some(kind));
    let metadata = schema.properties.get("metadata");
    is(schema, "kind", Kind::String)
        && is(schema, "apiVersion", Kind::String)
        && is(schema, "metadata", Kind::Object)
        && metadata.is_some_and(|of| is(of, "name", Kind::String) && is(of, "generateName", Kind::String))
}

/// A value as rules see it; `None` where it is not of its schema's type, which has been told then.
pub(super) fn typed(value: &Value, schema: &Schema, is_resource: bool) -> Option<Val> {
    let data = match value {
        Value::Null if schema.nullable => Data::Null,
        Value::String(text) if schema.int_or_string => Data::String(text.clone()),
        Value::Int(number) if schema.int_or_string => Data::Int(*number),
        _ if schema.int_or_string => return None,
        _ => match (schema.kind, value) {
            // Nobody sees what has no type.
            (None, _) => return Some(Val::plain(value, None)),
            (Some(Kind::Object), Value::Map(map)) => {
                let seen = map.iter().filter_map(|(name, value)| field(name, value, schema, is_resource));
                let entries: Option<BTreeMap<Key, Val>> = seen.collect();
                return Some(Val::map(entries?, None));
            }
            (Some(Kind::Array), Value::List(items)) => list(items, schema)?,
            (Some(Kind::String), Value::String(text)) => scalar(text, schema.format.as_deref())?,
            (Some(Kind::Number), Value::Int(number)) => Data::Double(*number as f64),
            (Some(Kind::Number), Value::Float(number)) => Data::Double(*number),
            (Some(Kind::Integer), Value::Int(number)) => Data::Int(*number),
            (Some(Kind::Boolean), Value::Bool(value)) => Data::Bool(*value),
            _ => return None,
        },
    };
    Some(Val::new(data))
}

/// A field of an object or an entry of a map; outside `None` where rules do not see it, inside where it is wrong.
fn field(name: &Arc<str>, value: &Value, schema: &Schema, is_resource: bool) -> Option<Option<(Key, Val)>> {
    if let Some(Additional::Each(each)) = &schema.additional {
        return Some(typed(value, each, each.embedded).map(|value| (Key::String(name.clone()), value)));
    }
    // Of an object, what is `null` is as good as left out.
    if matches!(value, Value::Null) {
        return None;
    }
    let key = Key::String(escape(name)?);
    if is_resource && matches!(&**name, "apiVersion" | "kind" | "metadata") {
        return Some(Some((key, Val::plain(value, None))));
    }
    let of_field = schema.properties.get(name)?;
    Some(typed(value, of_field, of_field.embedded).map(|value| (key, value)))
}

fn list(items: &[Value], schema: &Schema) -> Option<Data> {
    let of_items = schema.items.as_deref()?;
    let items: Option<Vec<Val>> = items.iter().map(|item| typed(item, of_items, of_items.embedded)).collect();
    let items = items?;
    let keyed = |keys: &[Arc<str>]| {
        let keys = keys.iter().map(|key| escape(key).unwrap_or_else(|| key.clone())).collect();
        Data::List(List::Keyed(Arc::new(Keyed { items: items.clone(), keys })))
    };
    Some(match &schema.list {
        ListType::Atomic => Data::List(List::Computed(items.into())),
        ListType::Set => keyed(&[]),
        ListType::Map(keys) => keyed(keys),
    })
}

fn scalar(text: &Arc<str>, format: Option<&str>) -> Option<Data> {
    Some(match format {
        Some("byte") => Data::Bytes(URL_SAFE.decode(&**text).or_else(|_| STANDARD.decode(&**text)).ok()?.into()),
        Some("duration") => Data::Duration(formats::duration(text)?),
        Some("date") => Data::Timestamp(time::parse_timestamp(&format!("{text}T00:00:00Z")).ok()?),
        Some("date-time") => Data::Timestamp(time::parse_timestamp(text).ok()?),
        _ => Data::String(text.clone()),
    })
}

/// The name that a field has in expressions; `None` where it can have none.
pub(super) fn escape(name: &str) -> Option<Arc<str>> {
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if RESERVED.contains(&name) {
        return Some(format!("__{name}__").into());
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./".contains(&b)) {
        return None;
    }
    let escaped = name.replace("__", "__underscores__");
    Some(escaped.replace('.', "__dot__").replace('-', "__dash__").replace('/', "__slash__").into())
}
