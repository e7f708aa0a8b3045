//! Lists: Kubernetes' own functions, and cel-go's `lists` extension, version 3.

use std::cmp::Ordering;

use super::{Row, int};
use crate::cel::Failure;
use crate::cel::eval::Budget;
use crate::cel::ops::{self, equal};
use crate::cel::value::{Data, Val};

/// The deepest nesting that `flatten` follows.
const DEPTH: i64 = 64;

/// `min` and `max`: of everything that has an order.
const EXTREMES: &[&str] = &[
    "(list(int)) -> int",
    "(list(uint)) -> uint",
    "(list(double)) -> double",
    "(list(bool)) -> bool",
    "(list(duration)) -> duration",
    "(list(timestamp)) -> timestamp",
    "(list(string)) -> string",
    "(list(bytes)) -> bytes",
];

/// The library's rows.
pub const ROWS: &[Row] = &[
    Row::member(
        "isSorted",
        &[
            "(list(int)) -> bool",
            "(list(uint)) -> bool",
            "(list(double)) -> bool",
            "(list(bool)) -> bool",
            "(list(duration)) -> bool",
            "(list(timestamp)) -> bool",
            "(list(string)) -> bool",
            "(list(bytes)) -> bool",
        ],
        |budget, args| {
            let items = items(budget, &args[0])?;
            if items.first().is_some_and(|first| ops::order(first, first).is_none()) {
                return Err(Failure::NoSuchOverload);
            }
            for pair in items.windows(2) {
                // What cannot be compared is in order.
                if let [a, b] = pair
                    && ops::order(a, b).flatten().is_some_and(Ordering::is_gt)
                {
                    return Ok(false.into());
                }
            }
            Ok(true.into())
        },
    ),
    Row::member(
        "sum",
        &["(list(int)) -> int", "(list(uint)) -> uint", "(list(double)) -> double", "(list(duration)) -> duration"],
        |budget, args| {
            let add = ops::ROWS.iter().find(|row| row.name == "_+_").ok_or(Failure::NoSuchOverload)?.call;
            let mut items = items(budget, &args[0])?.into_iter();
            let Some(mut sum) = items.next() else { return Ok(0.into()) };
            if !matches!(sum.data, Data::Int(_) | Data::Uint(_) | Data::Double(_) | Data::Duration(_)) {
                return Err(Failure::NoSuchOverload);
            }
            for item in items {
                sum = add(budget, &[sum, item])?;
            }
            Ok(sum.traced(None))
        },
    ),
    Row::member("min", EXTREMES, |budget, args| extreme(budget, &args[0], "min", Ordering::Less)),
    Row::member("max", EXTREMES, |budget, args| extreme(budget, &args[0], "max", Ordering::Greater)),
    Row::member("indexOf", &["(list(A), A) -> int"], |budget, args| {
        for (i, item) in items(budget, &args[0])?.iter().enumerate() {
            if equal(budget, item, &args[1])? {
                return Ok((i as i64).into());
            }
        }
        Ok((-1).into())
    }),
    Row::member("lastIndexOf", &["(list(A), A) -> int"], |budget, args| {
        for (i, item) in items(budget, &args[0])?.iter().enumerate().rev() {
            if equal(budget, item, &args[1])? {
                return Ok((i as i64).into());
            }
        }
        Ok((-1).into())
    }),
    Row::member("slice", &["(list(A), int, int) -> list(A)"], |budget, args| {
        let (items, start, end) = (items(budget, &args[0])?, int(&args[1])?, int(&args[2])?);
        let refuse = |why: String| Failure::Other(format!("cannot slice({start}, {end}), {why}"));
        let (Ok(from), Ok(to)) = (usize::try_from(start), usize::try_from(end)) else {
            return Err(refuse("negative indexes not supported".into()));
        };
        if from > to {
            return Err(refuse("start index must be less than or equal to end index".into()));
        }
        let part = items.get(from..to).ok_or_else(|| refuse(format!("list is length {}", items.len())))?;
        Ok(Val::list(part.to_vec(), args[0].origin.as_ref()))
    }),
    Row::member("flatten", &["(list(list(A))) -> list(A)"], |budget, args| flatten(budget, &args[0], 1)),
    Row::member("flatten", &["(list(dyn), int) -> list(dyn)"], |budget, args| {
        flatten(budget, &args[0], int(&args[1])?)
    }),
    Row::member(
        "sort",
        &[
            "(list(int)) -> list(int)",
            "(list(uint)) -> list(uint)",
            "(list(double)) -> list(double)",
            "(list(bool)) -> list(bool)",
            "(list(duration)) -> list(duration)",
            "(list(timestamp)) -> list(timestamp)",
            "(list(string)) -> list(string)",
            "(list(bytes)) -> list(bytes)",
        ],
        |budget, args| {
            let keyed = items(budget, &args[0])?.into_iter().map(|item| (item.clone(), item)).collect();
            Ok(Val::list(ops::sort_by_key(budget, keyed)?, args[0].origin.as_ref()))
        },
    ),
    Row::member("reverse", &["(list(A)) -> list(A)"], |budget, args| {
        let mut items = items(budget, &args[0])?;
        items.reverse();
        Ok(Val::list(items, args[0].origin.as_ref()))
    }),
    Row::member("distinct", &["(list(A)) -> list(A)"], |budget, args| {
        let mut kept: Vec<Val> = Vec::new();
        let items = items(budget, &args[0])?;
        // What the API server counts.
        budget.charge(items.len().saturating_mul(items.len()).saturating_mul(2))?;
        'items: for item in items {
            for known in &kept {
                if equal(budget, known, &item)? {
                    continue 'items;
                }
            }
            kept.push(item);
        }
        Ok(Val::list(kept, args[0].origin.as_ref()))
    }),
    Row::global("lists.range", &["(int) -> list(int)"], |budget, args| {
        let count = int(&args[0])?.max(0);
        budget.charge(usize::try_from(count).unwrap_or(usize::MAX))?;
        Ok(Val::list((0..count).map(Val::from).collect(), None))
    }),
    Row::member("first", &["(list(A)) -> optional_type(A)"], |_, args| {
        let list = args[0].as_list().ok_or(Failure::NoSuchOverload)?;
        Ok(list.get(0, args[0].origin.as_ref()).map_or(Val::none(), Val::some))
    }),
    Row::member("last", &["(list(A)) -> optional_type(A)"], |_, args| {
        let list = args[0].as_list().ok_or(Failure::NoSuchOverload)?;
        let last = list.len().checked_sub(1).and_then(|last| list.get(last, args[0].origin.as_ref()));
        Ok(last.map_or(Val::none(), Val::some))
    }),
];

fn items(budget: &Budget, list: &Val) -> Result<Vec<Val>, Failure> {
    let list = list.items().ok_or(Failure::NoSuchOverload)?;
    budget.charge(list.len())?;
    Ok(list)
}

fn extreme(budget: &Budget, list: &Val, name: &str, wanted: Ordering) -> Result<Val, Failure> {
    let mut items = items(budget, list)?.into_iter();
    let Some(mut best) = items.next() else { return Err(Failure::Other(format!("{name} called on empty list"))) };
    for item in items {
        // What cannot be compared is passed over.
        if ops::order(&item, &best).flatten() == Some(wanted) {
            best = item;
        }
    }
    if ops::order(&best, &best).is_some() { Ok(best) } else { Err(Failure::NoSuchOverload) }
}

fn flatten(budget: &Budget, list: &Val, depth: i64) -> Result<Val, Failure> {
    if depth < 0 {
        return Err(Failure::new("level must be non-negative"));
    }
    let mut flat = Vec::new();
    flatten_into(budget, list, depth.min(DEPTH), &mut flat)?;
    Ok(Val::list(flat, list.origin.as_ref()))
}

fn flatten_into(budget: &Budget, list: &Val, depth: i64, flat: &mut Vec<Val>) -> Result<(), Failure> {
    for item in items(budget, list)? {
        match item.data {
            Data::List(_) if depth > 0 => flatten_into(budget, &item, depth - 1, flat)?,
            _ => flat.push(item),
        }
    }
    Ok(())
}
