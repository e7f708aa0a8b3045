//! Lists that are sets or maps: no element or key stands there twice.
//!
//! Source: apiextensions-apiserver, `pkg/apiserver/schema/listtype/validation.go`.

use std::collections::HashMap;
use std::sync::Arc;

use super::node::describe;
use super::schema::{ListType, Schema};
use super::trail::Trail;
use crate::json;
use crate::schema::words::field;
use crate::schema::{Check, Problem};
use crate::value::{Map, Value};

/// What stands twice in the sets and maps of a value.
pub(super) fn duplicates(value: &Value, schema: &Schema, at: &Trail<'_>, problems: &mut Vec<Problem>) {
    match value {
        Value::Map(map) => {
            for (name, value) in map.iter() {
                if let Some(of_field) = schema.field(name) {
                    duplicates(value, of_field, &at.key(name), problems);
                }
            }
        }
        Value::List(items) => {
            of_list(items, schema, at, problems);
            if let Some(of_items) = &schema.items {
                for (i, item) in items.iter().enumerate() {
                    duplicates(item, of_items, &at.index(i), problems);
                }
            }
        }
        _ => {}
    }
}

fn of_list(items: &[Value], schema: &Schema, at: &Trail<'_>, problems: &mut Vec<Problem>) {
    match &schema.list {
        ListType::Atomic => {}
        ListType::Set => again(items.iter(), at, problems, |_, item, first| {
            format!("{item} is the same as {first}: each item of a set may be there once")
        }),
        // What is no map is refused by its type.
        ListType::Map(_) if !items.iter().all(|item| matches!(item, Value::Map(_) | Value::Null)) => {}
        ListType::Map(names) => {
            let keys: Vec<Value> = items.iter().map(|item| key(item, names)).collect();
            again(keys.iter(), at, problems, |key, item, first| {
                let key = key.as_map().into_iter().flat_map(Map::iter);
                let key: Vec<String> = key.map(|(name, value)| format!("`{name}` {}", plain(value))).collect();
                match key.is_empty() {
                    true => format!("{item} has no key, as {first} has none"),
                    false => format!("{item} has the same key as {first}: {}", key.join(", ")),
                }
            });
        }
    }
}

/// The second one of each that stands there again; more of the same are not told. `message` has the item, and the names of
/// it and of the first one.
fn again<'a>(
    items: impl Iterator<Item = &'a Value>,
    at: &Trail<'_>,
    problems: &mut Vec<Problem>,
    message: impl Fn(&Value, &str, &str) -> String,
) {
    let mut seen: HashMap<String, (usize, usize)> = HashMap::new();
    for (i, item) in items.enumerate() {
        // Numbers are the same whatever their type, as they are in JSON.
        let (first, times) = seen.entry(json::to_json_raw(item).unwrap_or_default()).or_insert((i, 0));
        *times += 1;
        if *times == 2 {
            let (path, first) = (at.index(i).path(), at.index(*first).path());
            let message = message(item, &field(&path), &field(&first));
            problems.push(Problem { check: Check::InvalidValue, path, message });
        }
    }
}

/// The part of an item that tells it from others.
fn key(item: &Value, names: &[Arc<str>]) -> Value {
    let of = |name: &Arc<str>| Some((name.clone(), item.get(name)?.clone()));
    names.iter().filter_map(of).collect::<Map>().into()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        other => describe(other),
    }
}
