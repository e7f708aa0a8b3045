//! Fields, keys and elements, with cel-go's answers where there are none.

use std::sync::Arc;

use super::Failure;
use super::ops;
use super::value::{Data, Key, Origin, Val};
use crate::value::Step;

/// `operand.field`, or `operand.?field`: what is no map has no fields.
pub(super) fn select(operand: &Val, field: &Arc<str>, optional: bool) -> Result<Val, Failure> {
    let origin = operand.origin.as_ref();
    let none = || Val::none().traced(Origin::step(origin, || Step::Key(field.clone())));
    match &operand.data {
        Data::Map(map) => match (map.get(&Key::String(field.clone()), origin), optional) {
            (Some(value), false) => Ok(value),
            (Some(value), true) => Ok(Val::some(value)),
            (None, false) => Err(Failure::NoSuchKey(field.to_string())),
            (None, true) => Ok(none()),
        },
        // Once something is optional, all below it is.
        Data::Optional(Some(inner)) => select(inner, field, true),
        Data::Optional(None) => Ok(none()),
        Data::List(_) => Err(no_element("string")),
        _ if optional => Ok(none()),
        _ => Err(Failure::NoSuchKey(field.to_string())),
    }
}

/// `has(operand.field)`; what is not there comes from where it would be.
pub(super) fn has(operand: &Val, field: &Arc<str>) -> Result<Val, Failure> {
    let found = match &operand.data {
        Data::Map(map) => map.get(&Key::String(field.clone()), None).is_some(),
        Data::Optional(Some(inner)) => return has(inner, field),
        Data::List(_) => return Err(no_element("string")),
        _ => false,
    };
    Ok(Val::traced(found.into(), Origin::step(operand.origin.as_ref(), || Step::Key(field.clone()))))
}

/// `operand[key]`, or `operand[?key]`.
pub(super) fn index(operand: &Val, key: &Val, optional: bool) -> Result<Val, Failure> {
    let origin = operand.origin.as_ref();
    let wrap = |value: Val| if optional { Val::some(value) } else { value };
    match &operand.data {
        Data::Map(map) => {
            let name = Key::of(key).ok_or(Failure::NoSuchOverload)?;
            match map.get(&name, origin) {
                Some(value) => Ok(wrap(value)),
                None => {
                    let text = ops::display(key);
                    if !optional {
                        return Err(Failure::NoSuchKey(text));
                    }
                    Ok(Val::none().traced(Origin::step(origin, || Step::Key(text.as_str().into()))))
                }
            }
        }
        Data::List(list) => {
            let wanted = match (Key::of(key), &key.data) {
                (Some(Key::Int(wanted)), _) => wanted,
                (_, Data::Double(wanted)) => {
                    return Err(Failure::Other(format!("unsupported index value {wanted} in list")));
                }
                _ => return Err(no_element(key.type_name())),
            };
            let found = usize::try_from(wanted).ok().and_then(|index| list.get(index, origin));
            match found {
                Some(value) => Ok(wrap(value)),
                None if optional => Ok(Val::none().traced(origin.cloned())),
                None => Err(Failure::Other(format!("index out of bounds: {wanted}"))),
            }
        }
        Data::Optional(Some(inner)) => index(inner, key, true),
        Data::Optional(None) => Ok(Val::none().traced(origin.cloned())),
        _ if optional => Ok(Val::none().traced(origin.cloned())),
        _ => Err(Failure::NoSuchKey(ops::display(key))),
    }
}

fn no_element(kind: &str) -> Failure {
    Failure::Other(format!("unsupported index type '{kind}' in list"))
}
