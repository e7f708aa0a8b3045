//! Optional values: cel-go's `optional` library.

use super::Row;
use crate::cel::Failure;
use crate::cel::value::{Data, Val};

/// The library's rows.
pub const ROWS: &[Row] = &[
    Row::global("optional.of", &["(A) -> optional_type(A)"], |_, args| Ok(Val::some(args[0].clone()))),
    Row::global("optional.none", &["() -> optional_type(A)"], |_, _| Ok(Val::none())),
    Row::global("optional.ofNonZeroValue", &["(A) -> optional_type(A)"], |_, args| {
        Ok(if is_zero(&args[0]) { Val::none() } else { Val::some(args[0].clone()) })
    }),
    Row::member("hasValue", &["(optional_type(A)) -> bool"], |_, args| match &args[0].data {
        Data::Optional(inner) => Ok(inner.is_some().into()),
        _ => Err(Failure::NoSuchOverload),
    }),
    Row::member("value", &["(optional_type(A)) -> A"], |_, args| match &args[0].data {
        Data::Optional(Some(inner)) => Ok((**inner).clone()),
        Data::Optional(None) => Err(Failure::new("optional.none() dereference")),
        _ => Err(Failure::NoSuchOverload),
    }),
    Row::member("or", &["(optional_type(A), optional_type(A)) -> optional_type(A)"], |_, args| match args {
        [missing, other] => Ok(instead(other, missing)),
        _ => args.first().cloned().ok_or(Failure::NoSuchOverload),
    }),
    Row::member("orValue", &["(optional_type(A), A) -> A"], |_, args| match args {
        [missing, other] => Ok(instead(other, missing)),
        [Val { data: Data::Optional(Some(inner)), .. }] => Ok((**inner).clone()),
        _ => args.first().cloned().ok_or(Failure::NoSuchOverload),
    }),
    Row::global("optional.unwrap", &["(list(optional_type(A))) -> list(A)"], |_, args| unwrap(&args[0])),
    Row::member("unwrapOpt", &["(list(optional_type(A))) -> list(A)"], |_, args| unwrap(&args[0])),
];

/// Whether `or` or `orValue` needs no more than its receiver: an optional with a value, or what is none at all, which
/// cel-go passes on as it is.
pub fn needs_no_other(row: &Row, receiver: &Val) -> bool {
    matches!(row.name, "or" | "orValue") && !matches!(receiver.data, Data::Optional(None))
}

/// What stands in for a missing value comes from where that would have been.
fn instead(value: &Val, missing: &Val) -> Val {
    let origin = value.origin.clone().or_else(|| missing.origin.clone());
    value.clone().traced(origin)
}

fn is_zero(value: &Val) -> bool {
    match &value.data {
        Data::Null | Data::Optional(None) => true,
        Data::Bool(value) => !value,
        Data::Int(value) => *value == 0,
        Data::Uint(value) => *value == 0,
        Data::Double(value) => *value == 0.0,
        Data::String(text) => text.is_empty(),
        Data::Bytes(bytes) => bytes.is_empty(),
        Data::List(list) => list.is_empty(),
        Data::Map(map) => map.is_empty(),
        Data::Duration(nanos) => *nanos == 0,
        Data::Timestamp(_) | Data::Type(_) | Data::Optional(Some(_)) | Data::Opaque(_) => false,
    }
}

fn unwrap(list: &Val) -> Result<Val, Failure> {
    let mut present = Vec::new();
    for item in list.items().ok_or(Failure::NoSuchOverload)? {
        match item.data {
            Data::Optional(Some(inner)) => present.push((*inner).clone()),
            Data::Optional(None) => {}
            _ => return Err(Failure::NoSuchOverload),
        }
    }
    Ok(Val::list(present, list.origin.as_ref()))
}
