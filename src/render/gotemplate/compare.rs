//! `eq`, `lt` and their kin: Go compares values of one basic kind, and integers whatever their sign.

use std::cmp::Ordering;
use std::rc::Rc;

use crate::render::any::Any;
use crate::render::print::sprint_verb;

/// A value that can be compared.
enum Basic<'a> {
    Bool(bool),
    Complex(f64, f64),
    Int(i64),
    Uint(u64),
    Float(f64),
    String(&'a [u8]),
}

fn basic(value: &Any) -> Option<Basic<'_>> {
    Some(match value {
        Any::Bool(value) => Basic::Bool(*value),
        Any::Int(value) | Any::Int64(value) => Basic::Int(*value),
        Any::Uint8(value) => Basic::Uint((*value).into()),
        Any::Uint64(value) => Basic::Uint(*value),
        Any::Float64(value) => Basic::Float(*value),
        Any::Complex(re, im) => Basic::Complex(*re, *im),
        Any::String(text) => Basic::String(text.as_bytes()),
        Any::Nil | Any::Bytes(_) | Any::List(_) | Any::Map(_) | Any::Object(_) => return None,
    })
}

fn incompatible(a: &Any, b: &Any) -> String {
    format!("incompatible types for comparison: {} and {}", a.type_name(), b.type_name())
}

/// Whether the first argument equals one of the others.
pub fn equal(first: &Any, others: &[Any]) -> Result<bool, String> {
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if equal_pair(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal_pair(a: &Any, b: &Any) -> Result<bool, String> {
    match (basic(a), basic(b)) {
        (Some(Basic::Bool(a)), Some(Basic::Bool(b))) => Ok(a == b),
        (Some(Basic::Complex(re, im)), Some(Basic::Complex(re2, im2))) => Ok(re == re2 && im == im2),
        (Some(Basic::Float(a)), Some(Basic::Float(b))) => Ok(a == b),
        (Some(Basic::String(a)), Some(Basic::String(b))) => Ok(a == b),
        (Some(Basic::Int(a)), Some(Basic::Int(b))) => Ok(a == b),
        (Some(Basic::Uint(a)), Some(Basic::Uint(b))) => Ok(a == b),
        (Some(Basic::Int(i)), Some(Basic::Uint(u))) | (Some(Basic::Uint(u)), Some(Basic::Int(i))) => {
            Ok(u64::try_from(i) == Ok(u))
        }
        (None, None) => equal_other(a, b),
        _ if matches!(a, Any::Nil) || matches!(b, Any::Nil) => Ok(false),
        _ => Err(incompatible(a, b)),
    }
}

/// Nil, and what has identity but no order.
fn equal_other(a: &Any, b: &Any) -> Result<bool, String> {
    let shown =
        |value: &Any, verb| sprint_verb(value, verb).map_or_else(|e| e.to_string(), |t| t.to_str().into_owned());
    match (a, b) {
        (Any::Nil, other) | (other, Any::Nil) => Ok(is_nil(other)),
        _ if a.kind() != b.kind() => Err(format!(
            "non-comparable types {}: {}, {}: {}",
            shown(a, 's'),
            a.type_name(),
            b.type_name(),
            shown(b, 'v')
        )),
        _ if is_nil(a) || is_nil(b) => Ok(is_nil(a) == is_nil(b)),
        (Any::Object(a), Any::Object(b)) if matches!(b.kind(), "struct" | "ptr") => {
            Ok(Rc::ptr_eq(a, b) || (b.kind() == "struct" && a.type_name() == b.type_name() && a.print() == b.print()))
        }
        _ => Err(format!("non-comparable type {}: {}", shown(b, 's'), b.type_name())),
    }
}

fn is_nil(value: &Any) -> bool {
    match value {
        Any::Nil => true,
        Any::List(list) => list.nil,
        Any::Map(map) => map.nil,
        _ => false,
    }
}

/// Whether the first argument is less than the second.
pub fn less(a: &Any, b: &Any) -> Result<bool, String> {
    const BAD: &str = "invalid type for comparison";
    match (basic(a).ok_or(BAD)?, basic(b).ok_or(BAD)?) {
        (Basic::Bool(_), Basic::Bool(_)) | (Basic::Complex(..), Basic::Complex(..)) => Err(BAD.into()),
        (Basic::Float(a), Basic::Float(b)) => Ok(a < b),
        (Basic::String(a), Basic::String(b)) => Ok(a < b),
        (Basic::Int(a), Basic::Int(b)) => Ok(a < b),
        (Basic::Uint(a), Basic::Uint(b)) => Ok(a < b),
        (Basic::Int(a), Basic::Uint(b)) => Ok(i128::from(a).cmp(&i128::from(b)) == Ordering::Less),
        (Basic::Uint(a), Basic::Int(b)) => Ok(i128::from(a).cmp(&i128::from(b)) == Ordering::Less),
        _ => Err(incompatible(a, b)),
    }
}

/// Whether the first argument is less than or equal to the second.
pub fn less_or_equal(a: &Any, b: &Any) -> Result<bool, String> {
    Ok(less(a, b)? || equal_pair(a, b)?)
}
