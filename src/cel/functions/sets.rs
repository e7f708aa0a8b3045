//! Lists as sets: cel-go's `sets` extension.

use super::Row;
use crate::cel::Failure;
use crate::cel::eval::Budget;
use crate::cel::ops::equal;
use crate::cel::value::Val;

/// The library's rows.
pub const ROWS: &[Row] = &[
    Row::global("sets.contains", &["(list(A), list(A)) -> bool"], |budget, args| {
        let (set, part) = pair(args)?;
        contains(budget, &set, &part).map(Val::from)
    }),
    Row::global("sets.equivalent", &["(list(A), list(A)) -> bool"], |budget, args| {
        let (a, b) = pair(args)?;
        Ok((contains(budget, &a, &b)? && contains(budget, &b, &a)?).into())
    }),
    Row::global("sets.intersects", &["(list(A), list(A)) -> bool"], |budget, args| {
        let (a, b) = pair(args)?;
        for item in &b {
            if has(budget, &a, item)? {
                return Ok(true.into());
            }
        }
        Ok(false.into())
    }),
];

fn pair(args: &[Val]) -> Result<(Vec<Val>, Vec<Val>), Failure> {
    Ok((args[0].items().ok_or(Failure::NoSuchOverload)?, args[1].items().ok_or(Failure::NoSuchOverload)?))
}

fn has(budget: &Budget, set: &[Val], item: &Val) -> Result<bool, Failure> {
    for known in set {
        if equal(budget, known, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn contains(budget: &Budget, set: &[Val], part: &[Val]) -> Result<bool, Failure> {
    for item in part {
        if !has(budget, set, item)? {
            return Ok(false);
        }
    }
    Ok(true)
}
