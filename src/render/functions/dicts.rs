//! Dictionaries.

use std::collections::BTreeMap;

use super::args::Args;
use super::types::strval;
use super::walk::Walk;
use super::{Failure, Host, Row, Type};
use crate::render::any::{Any, List, Map, MapType};

type Call = fn(&mut dyn Host, &[Any]) -> Result<Any, Failure>;

pub(super) const ROWS: &[Row] = &[
    Row::new("dict", &[], dict).variadic(Type::Any),
    Row::new("get", &[Type::Map, Type::String], |_, args| {
        Ok(args.map(0)?.get(args.text(1)?.as_bytes()).unwrap_or_else(|| Any::String("".into())))
    }),
    Row::new("set", &[Type::Map, Type::String, Type::Any], set),
    Row::new("unset", &[Type::Map, Type::String], unset),
    Row::new("hasKey", &[Type::Map, Type::String], |_, args| {
        Ok(Any::Bool(args.map(0)?.entries.borrow().contains_key(args.text(1)?)))
    }),
    Row::new("pluck", &[Type::String], pluck).variadic(Type::Map),
    Row::new("keys", &[], keys).variadic(Type::Map),
    Row::new("values", &[Type::Map], |_, args| {
        Ok(Any::List(List::new(args.map(0)?.entries.borrow().values().cloned().collect())))
    }),
    Row::new("pick", &[Type::Map], pick).variadic(Type::String),
    Row::new("omit", &[Type::Map], omit).variadic(Type::String),
    Row::new("deepCopy", &[Type::Any], DEEP_COPY),
    Row::new("mustDeepCopy", &[Type::Any], DEEP_COPY),
    Row::new("dig", &[], dig).variadic(Type::Any),
];

fn dict(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let mut entries = BTreeMap::new();
    for pair in args.chunks(2) {
        let value = pair.get(1).cloned().unwrap_or_else(|| Any::String("".into()));
        entries.insert(strval(pair.any(0)?)?, value);
    }
    Ok(Any::Map(Map::new(entries)))
}

fn set(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let map = args.map(0)?;
    if map.nil {
        return Err(Failure::new("assignment to entry in nil map"));
    }
    map.insert(args.text(1)?.clone(), args.any(2)?.clone());
    Ok(Any::Map(map))
}

fn unset(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let map = args.map(0)?;
    let removed = map.entries.borrow_mut().remove(args.text(1)?);
    // Only now: what is removed may hold the map itself.
    drop(removed);
    Ok(Any::Map(map))
}

fn pluck(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let key = args.text(0)?.as_bytes();
    let mut found = Vec::new();
    for index in 1..args.len() {
        found.extend(args.map(index)?.get(key));
    }
    Ok(Any::List(List::new(found)))
}

fn keys(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let mut keys = Vec::new();
    for index in 0..args.len() {
        keys.extend(args.map(index)?.entries.borrow().keys().cloned());
    }
    Ok(Any::List(List::strings(keys)))
}

fn pick(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let map = args.map(0)?;
    let mut kept = BTreeMap::new();
    for index in 1..args.len() {
        let key = args.text(index)?;
        if let Some(value) = map.get(key.as_bytes()) {
            kept.insert(key.clone(), value);
        }
    }
    Ok(Any::Map(Map::new(kept)))
}

fn omit(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let mut kept = args.map(0)?.entries.borrow().clone();
    for index in 1..args.len() {
        kept.remove(args.text(index)?);
    }
    Ok(Any::Map(Map::new(kept)))
}

const DEEP_COPY: Call = |_, args| match args.any(0)? {
    Any::Nil => Err(Failure::new("reflect: call of reflect.Value.Type on zero Value")),
    value => deep_copy(value, &mut Walk::default()),
};

/// copystructure's `Copy`: lists and maps anew, everything else as it is.
pub(super) fn deep_copy(value: &Any, walk: &mut Walk) -> Result<Any, Failure> {
    Ok(match value {
        Any::List(list) => {
            walk.enter(list.items.len())?;
            let items = list.items.iter().map(|item| deep_copy(item, walk)).collect::<Result<Vec<_>, _>>()?;
            walk.leave();
            let mut copy = List::of(list.of, items);
            copy.nil = list.nil;
            Any::List(copy)
        }
        Any::Map(map) => {
            let entries = map.entries.borrow();
            walk.enter(entries.len())?;
            let copied = entries.iter().map(|(key, value)| Ok((key.clone(), deep_copy(value, walk)?)));
            let mut copy = Map::new(copied.collect::<Result<_, Failure>>()?).as_type(map.of);
            copy.nil = map.nil;
            walk.leave();
            Any::Map(copy)
        }
        other => other.clone(),
    })
}

fn dig(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let [keys @ .., default, root] = args else {
        return Err(Failure::new("dig needs at least three arguments"));
    };
    if keys.is_empty() {
        return Err(Failure::new("dig needs at least three arguments"));
    }
    let mut current = plain_map(root)?;
    let keys = keys
        .iter()
        .map(|key| match key {
            Any::String(text) => Ok(text.as_bytes()),
            other => Err(not_a(other, "string")),
        })
        .collect::<Result<Vec<_>, _>>()?;
    for (index, key) in keys.iter().enumerate() {
        let Some(step) = current.get(key) else {
            return Ok(default.clone());
        };
        if index + 1 == keys.len() {
            return Ok(step);
        }
        current = plain_map(&step)?;
    }
    Ok(default.clone())
}

/// The type assertion `value.(map[string]interface{})`, which `.Values` does not pass.
fn plain_map(value: &Any) -> Result<Map, Failure> {
    match value {
        Any::Map(map) if map.of == MapType::Interface => Ok(map.clone()),
        other => Err(not_a(other, "map[string]interface {}")),
    }
}

fn not_a(value: &Any, expected: &str) -> Failure {
    let found = match value {
        Any::Nil => "nil",
        other => other.type_name(),
    };
    Failure::new(format!("interface conversion: interface {{}} is {found}, not {expected}"))
}
