//! Types, kinds, equality and the text of values, as reflection and `fmt` see them.

use super::args::Args;
use super::walk::Walk;
use super::{Failure, Row, Type};
use crate::render::any::{Any, List, Map, Text};
use crate::render::print;

pub(super) const ROWS: &[Row] = &[
    Row::new("typeOf", &[Type::Any], |_, args| Ok(Any::String(args.any(0)?.type_name().into()))),
    Row::new("typeIs", &[Type::String, Type::Any], |_, args| {
        Ok(Any::Bool(args.text(0)?.as_bytes() == args.any(1)?.type_name().as_bytes()))
    }),
    Row::new("typeIsLike", &[Type::String, Type::Any], |_, args| {
        let name = args.any(1)?.type_name();
        let target = args.text(0)?.as_bytes();
        Ok(Any::Bool(target == name.as_bytes() || Some(target) == name.strip_prefix('*').map(str::as_bytes)))
    }),
    Row::new("kindOf", &[Type::Any], |_, args| Ok(Any::String(args.any(0)?.kind().into()))),
    Row::new("kindIs", &[Type::String, Type::Any], |_, args| {
        Ok(Any::Bool(args.text(0)?.as_bytes() == args.any(1)?.kind().as_bytes()))
    }),
    Row::new("deepEqual", &[Type::Any, Type::Any], |_, args| {
        Ok(Any::Bool(deep_equal(args.any(0)?, args.any(1)?, &mut Walk::default())?))
    }),
];

/// `fmt.Sprint` of one value.
pub(super) fn sprint(value: &Any) -> Result<Text, Failure> {
    print::sprint_verb(value, 'v').map_err(|error| Failure::new(error.to_string()))
}

/// sprig's `strval`: the text of a value.
pub(super) fn strval(value: &Any) -> Result<Text, Failure> {
    match value {
        Any::String(text) | Any::Bytes(text) => Ok(text.clone()),
        other => sprint(other),
    }
}

/// `reflect.DeepEqual`: types must agree, nil and empty slices differ, and what is shared is equal unseen.
pub(super) fn deep_equal(a: &Any, b: &Any, walk: &mut Walk) -> Result<bool, Failure> {
    Ok(match (a, b) {
        (Any::Nil, Any::Nil) => true,
        (Any::Bool(a), Any::Bool(b)) => a == b,
        (Any::Int(a), Any::Int(b)) | (Any::Int64(a), Any::Int64(b)) => a == b,
        (Any::Uint8(a), Any::Uint8(b)) => a == b,
        (Any::Uint64(a), Any::Uint64(b)) => a == b,
        (Any::Float64(a), Any::Float64(b)) => a == b,
        (Any::Complex(a, x), Any::Complex(b, y)) => a == b && x == y,
        (Any::String(a), Any::String(b)) | (Any::Bytes(a), Any::Bytes(b)) => a == b,
        (Any::List(a), Any::List(b)) => lists_equal(a, b, walk)?,
        (Any::Map(a), Any::Map(b)) => maps_equal(a, b, walk)?,
        (Any::Object(a), Any::Object(b)) => {
            std::rc::Rc::ptr_eq(a, b) || a.type_name() == b.type_name() && a.to_value() == b.to_value()
        }
        _ => false,
    })
}

fn lists_equal(a: &List, b: &List, walk: &mut Walk) -> Result<bool, Failure> {
    if a.of != b.of || a.nil != b.nil || a.items.len() != b.items.len() {
        return Ok(false);
    }
    if std::rc::Rc::ptr_eq(&a.items, &b.items) {
        return Ok(true);
    }
    walk.enter(a.items.len())?;
    for (a, b) in a.items.iter().zip(b.items.iter()) {
        if !deep_equal(a, b, walk)? {
            return Ok(false);
        }
    }
    walk.leave();
    Ok(true)
}

fn maps_equal(a: &Map, b: &Map, walk: &mut Walk) -> Result<bool, Failure> {
    if a.of != b.of || a.nil != b.nil {
        return Ok(false);
    }
    if std::rc::Rc::ptr_eq(&a.entries, &b.entries) {
        return Ok(true);
    }
    let (a, b) = (a.entries.borrow(), b.entries.borrow());
    if a.len() != b.len() {
        return Ok(false);
    }
    walk.enter(a.len())?;
    for ((key, a), (other, b)) in a.iter().zip(b.iter()) {
        if key != other || !deep_equal(a, b, walk)? {
            return Ok(false);
        }
    }
    walk.leave();
    Ok(true)
}
