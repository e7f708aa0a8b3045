//! Emptiness and what stands in for it.

use super::args::Args;
use super::{Failure, Host, Row, Type};
use crate::render::any::Any;

pub(super) const ROWS: &[Row] = &[
    Row::new("default", &[Type::Any], default).variadic(Type::Any),
    Row::new("empty", &[Type::Any], |_, args| Ok(Any::Bool(is_empty(args.any(0)?)))),
    Row::new("coalesce", &[], |_, args| Ok(args.iter().find(|value| !is_empty(value)).cloned().unwrap_or_default()))
        .variadic(Type::Any),
    Row::new("all", &[], |_, args| Ok(Any::Bool(!args.iter().any(is_empty)))).variadic(Type::Any),
    Row::new("any", &[], |_, args| Ok(Any::Bool(!args.iter().all(is_empty)))).variadic(Type::Any),
    Row::new("ternary", &[Type::Any, Type::Any, Type::Bool], |_, args| {
        Ok(args.any(usize::from(!args.bool(2)?))?.clone())
    }),
];

/// sprig's `empty`: nil, zero, false, or nothing in it. A struct never is.
pub(super) fn is_empty(value: &Any) -> bool {
    !value.truth()
}

/// Only the first given value is looked at, as in sprig.
fn default(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    match args.get(1) {
        Some(given) if !is_empty(given) => Ok(given.clone()),
        _ => Ok(args.any(0)?.clone()),
    }
}
