//! Regular expressions: the standard library's `matches`, Kubernetes' `find` and `findAll`.

use std::sync::Arc;

use regex::Regex;

use super::{Row, int, text};
use crate::cel::Failure;
use crate::cel::eval::Budget;
use crate::cel::value::{Data, Opaque, Val};

/// The library's rows.
pub const ROWS: &[Row] = &[
    Row::member("matches", &["(string, string) -> bool"], matches),
    Row::global("matches", &["(string, string) -> bool"], matches),
    Row::member("find", &["(string, string) -> string"], |budget, args| {
        let (text, pattern) = both(budget, args)?;
        Ok(pattern.find(text).map_or("", |found| found.as_str()).into())
    }),
    Row::member("findAll", &["(string, string) -> list(string)"], |budget, args| find_all(budget, args, -1)),
    Row::member("findAll", &["(string, string, int) -> list(string)"], |budget, args| {
        find_all(budget, args, int(&args[2])?)
    }),
];

fn both<'a>(budget: &Budget, args: &'a [Val]) -> Result<(&'a str, Arc<Regex>), Failure> {
    let text = text(&args[0])?;
    let pattern = match &args[1].data {
        Data::Opaque(opaque) => match &**opaque {
            Opaque::Regex(literal) => literal.regex().map_err(Failure::Other)?,
            _ => return Err(Failure::NoSuchOverload),
        },
        Data::String(pattern) => budget.pattern(pattern)?,
        _ => return Err(Failure::NoSuchOverload),
    };
    // Linear in the text, times the length of the pattern: the factors are cel-go's.
    budget.charge((1 + text.len()).div_ceil(10).saturating_mul(pattern.as_str().len().div_ceil(4)))?;
    Ok((text, pattern))
}

fn matches(budget: &Budget, args: &[Val]) -> Result<Val, Failure> {
    let (text, pattern) = both(budget, args)?;
    Ok(pattern.is_match(text).into())
}

fn find_all(budget: &Budget, args: &[Val], limit: i64) -> Result<Val, Failure> {
    let (text, pattern) = both(budget, args)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let found = pattern.find_iter(text).take(limit).map(|found| Val::from(found.as_str())).collect();
    Ok(Val::list(found, args[0].origin.as_ref()))
}
