//! `merge` and its kin: mergo 1.0's `Merge` and `MergeWithOverwrite` over maps, in place and without copying values.

use super::args::Args;
use super::defaults::is_empty;
use super::walk::Walk;
use super::{Failure, Row, Type};
use crate::render::any::{Any, Map, Text};

pub(super) const ROWS: &[Row] = &[
    Row::new("merge", &[Type::Map], |_, args| merge_all(args, false)).variadic(Type::Map),
    Row::new("mustMerge", &[Type::Map], |_, args| merge_all(args, false)).variadic(Type::Map),
    Row::new("mergeOverwrite", &[Type::Map], |_, args| merge_all(args, true)).variadic(Type::Map),
    Row::new("mustMergeOverwrite", &[Type::Map], |_, args| merge_all(args, true)).variadic(Type::Map),
];

fn merge_all(args: &[Any], overwrite: bool) -> Result<Any, Failure> {
    let mut into = args.map(0)?;
    for index in 1..args.len() {
        let from = args.map(index)?;
        if into.nil && !from.nil {
            into = Map::new(Default::default());
        }
        merge(&into, &from, overwrite, &mut Walk::default())?;
    }
    Ok(Any::Map(into))
}

/// mergo's `deepMerge` of one map into another.
fn merge(into: &Map, from: &Map, overwrite: bool, walk: &mut Walk) -> Result<(), Failure> {
    // A copy, since both may be one map.
    let entries: Vec<_> = from.entries.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    walk.enter(entries.len())?;
    for (key, value) in entries {
        let old = into.get(key.as_bytes());
        match &value {
            Any::Nil => {
                if overwrite {
                    put(into, from, key, Any::Nil)?;
                }
                continue;
            }
            Any::Map(inner) => {
                if let Some(Any::Map(target)) = &old
                    && !target.nil
                {
                    merge(target, inner, overwrite, walk)?;
                }
            }
            // Neither a list nor the like replaces one that has elements, unless all is overwritten.
            Any::List(_) | Any::Bytes(_) if overwrite => put(into, from, key.clone(), value.clone())?,
            _ => {}
        }
        // Asked only now: an empty map may just have been filled.
        if let Some(old) = old.as_ref().filter(|old| !is_empty(old)) {
            match (&value, old) {
                (Any::List(_) | Any::Bytes(_), _) | (Any::Map(_), Any::Map(_)) => continue,
                _ if !overwrite => continue,
                _ => {}
            }
        }
        put(into, from, key, value)?;
    }
    walk.leave();
    Ok(())
}

/// Sets a key, as far as the static types of the maps allow.
fn put(into: &Map, from: &Map, key: Text, value: Any) -> Result<(), Failure> {
    if !into.of.holds_interfaces() && from.of != into.of {
        return Err(Failure::new(format!(
            "reflect.Value.SetMapIndex: value of type {} is not assignable to type {}",
            if from.of.holds_interfaces() { "interface {}" } else { value.type_name() },
            into.of.zero().type_name(),
        )));
    }
    into.insert(key, value);
    Ok(())
}
