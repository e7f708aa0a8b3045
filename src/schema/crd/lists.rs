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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Path;
    use crate::yaml;

    #[test]
    fn items_of_sets_and_keys_of_maps_are_there_once() {
        let parse = |text: &str| yaml::parse(text, yaml::Options::default()).unwrap();
        let key =
            "{type: object, required: [name], properties: {name: {type: string}, port: {type: integer, default: 80}}}";
        let schema = format!(
            "{{type: object, properties: {{
                set: {{type: array, x-kubernetes-list-type: set, items: {{type: number}}}},
                map: {{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name, port], items: {key}}},
                any: {{type: array, items: {{type: number}}}}}}}}"
        );
        let (schema, root) = (parse(&schema), Path::default());
        let schema = Schema::read(&schema, &Trail::Root(&root)).unwrap();
        for (object, expected) in [
            ("{any: [1, 1], set: [1, 2], map: [{name: a}, {name: b}, {name: a, port: 1}]}", &[][..]),
            // Only the second one is told, and numbers are the same whatever their type.
            ("{set: [1, 2, 1.0, 1]}", &["`set[2]` is the same as `set[0]`: each item of a set may be there once"]),
            (
                "{map: [{name: a, port: 1}, {name: a, port: 1, more: 2}]}",
                &["`map[1]` has the same key as `map[0]`: `name` \"a\", `port` 1"],
            ),
            ("{map: [{}, {}]}", &["`map[1]` has no key, as `map[0]` has none"]),
            ("{map: [a, a]}", &[]),
        ] {
            let mut problems = Vec::new();
            duplicates(&parse(object), &schema, &Trail::Root(&root), &mut problems);
            let said: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
            assert_eq!(said, expected, "{object}");
        }
    }
}
