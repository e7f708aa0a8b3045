//! Operators, equality, order, and how values print.

use std::cmp::Ordering;
use std::sync::Arc;

use super::Failure;
use super::eval::Budget;
use super::functions::{Row, time};
use super::keyed;
use super::value::{Data, Key, List, Map, Opaque, Origin, Val};
use crate::number;

/// Comparisons of one value nested in another deeper than this are refused.
const DEPTH: usize = 128;

/// What can be compared by order.
const ORDERED: &[&str] = &[
    "(bool, bool) -> bool",
    "(int, int) -> bool",
    "(int, double) -> bool",
    "(int, uint) -> bool",
    "(uint, uint) -> bool",
    "(uint, double) -> bool",
    "(uint, int) -> bool",
    "(double, double) -> bool",
    "(double, int) -> bool",
    "(double, uint) -> bool",
    "(string, string) -> bool",
    "(bytes, bytes) -> bool",
    "(timestamp, timestamp) -> bool",
    "(duration, duration) -> bool",
];

/// The operators, under the names that the syntax tree gives them.
pub const ROWS: &[Row] = &[
    Row::global("_==_", &["(A, A) -> bool"], |budget, args| equal(budget, &args[0], &args[1]).map(Val::from_bool)),
    Row::global("_!=_", &["(A, A) -> bool"], |budget, args| {
        equal(budget, &args[0], &args[1]).map(|same| Val::from_bool(!same))
    }),
    Row::global("_<_", ORDERED, |budget, args| compare(budget, &args[0], &args[1]).map(|o| Val::from_bool(o.is_lt()))),
    Row::global("_<=_", ORDERED, |budget, args| compare(budget, &args[0], &args[1]).map(|o| Val::from_bool(o.is_le()))),
    Row::global("_>_", ORDERED, |budget, args| compare(budget, &args[0], &args[1]).map(|o| Val::from_bool(o.is_gt()))),
    Row::global("_>=_", ORDERED, |budget, args| compare(budget, &args[0], &args[1]).map(|o| Val::from_bool(o.is_ge()))),
    Row::global("@in", &["(A, list(A)) -> bool", "(A, map(A, B)) -> bool"], |budget, args| {
        contains(budget, &args[0], &args[1])
    }),
    Row::global("!_", &["(bool) -> bool"], |_, args| match args[0].data {
        Data::Bool(value) => Ok((!value).into()),
        _ => Err(Failure::NoSuchOverload),
    }),
    Row::global("-_", &["(double) -> double", "(int) -> int"], |_, args| match args[0].data {
        Data::Int(value) => value.checked_neg().map(Val::from).ok_or_else(int_overflow),
        Data::Double(value) => Ok((-value).into()),
        _ => Err(Failure::NoSuchOverload),
    }),
    Row::global(
        "_+_",
        &[
            "(bytes, bytes) -> bytes",
            "(double, double) -> double",
            "(duration, duration) -> duration",
            "(duration, timestamp) -> timestamp",
            "(timestamp, duration) -> timestamp",
            "(int, int) -> int",
            "(list(A), list(A)) -> list(A)",
            "(string, string) -> string",
            "(uint, uint) -> uint",
        ],
        |budget, args| add(budget, &args[0], &args[1]),
    ),
    Row::global(
        "_-_",
        &[
            "(double, double) -> double",
            "(duration, duration) -> duration",
            "(int, int) -> int",
            "(timestamp, duration) -> timestamp",
            "(timestamp, timestamp) -> duration",
            "(uint, uint) -> uint",
        ],
        |_, args| subtract(&args[0], &args[1]),
    ),
    Row::global("_*_", &["(double, double) -> double", "(int, int) -> int", "(uint, uint) -> uint"], |_, args| {
        arithmetic(&args[0], &args[1], i64::checked_mul, u64::checked_mul, Some(|a, b| a * b))
    }),
    Row::global("_/_", &["(double, double) -> double", "(int, int) -> int", "(uint, uint) -> uint"], |_, args| {
        nonzero(&args[1], "division by zero")?;
        arithmetic(&args[0], &args[1], i64::checked_div, u64::checked_div, Some(|a, b| a / b))
    }),
    Row::global("_%_", &["(int, int) -> int", "(uint, uint) -> uint"], |_, args| {
        nonzero(&args[1], "modulus by zero")?;
        arithmetic(&args[0], &args[1], i64::checked_rem, u64::checked_rem, None)
    }),
];

impl Val {
    pub(super) fn from_bool(value: bool) -> Val {
        value.into()
    }
}

/// `int` out of its range.
pub fn int_overflow() -> Failure {
    Failure::new("integer overflow")
}

/// `uint` out of its range.
pub fn uint_overflow() -> Failure {
    Failure::new("unsigned integer overflow")
}

fn nonzero(divisor: &Val, message: &str) -> Result<(), Failure> {
    match divisor.data {
        Data::Int(0) | Data::Uint(0) => Err(Failure::new(message)),
        _ => Ok(()),
    }
}

fn arithmetic(
    a: &Val,
    b: &Val,
    int: fn(i64, i64) -> Option<i64>,
    uint: fn(u64, u64) -> Option<u64>,
    double: Option<fn(f64, f64) -> f64>,
) -> Result<Val, Failure> {
    match (&a.data, &b.data, double) {
        (Data::Int(a), Data::Int(b), _) => int(*a, *b).map(Val::from).ok_or_else(int_overflow),
        (Data::Uint(a), Data::Uint(b), _) => uint(*a, *b).map(|n| Val::new(Data::Uint(n))).ok_or_else(uint_overflow),
        (Data::Double(a), Data::Double(b), Some(double)) => Ok(double(*a, *b).into()),
        _ => Err(Failure::NoSuchOverload),
    }
}

fn add(budget: &Budget, a: &Val, b: &Val) -> Result<Val, Failure> {
    match (&a.data, &b.data) {
        (Data::String(x), Data::String(y)) => {
            budget.charge_text(x.len() + y.len())?;
            Ok([&**x, &**y].concat().into())
        }
        (Data::Bytes(x), Data::Bytes(y)) => {
            budget.charge_text(x.len() + y.len())?;
            Ok(Val::new(Data::Bytes([&**x, &**y].concat().into())))
        }
        (Data::List(List::Keyed(x)), Data::List(y)) => keyed::add(budget, x, y),
        // A long list grown by small steps is paid for each time it is copied.
        (Data::List(x), Data::List(y)) if y.is_empty() => Ok(Val::new(Data::List(x.clone())).traced(a.origin.clone())),
        (Data::List(x), Data::List(y)) if x.is_empty() => Ok(Val::new(Data::List(y.clone())).traced(b.origin.clone())),
        (Data::List(x), Data::List(y)) => {
            budget.charge(x.len() + y.len())?;
            let items = x.iter(a.origin.as_ref()).chain(y.iter(b.origin.as_ref())).collect();
            Ok(Val::list(items, Origin::join([a, b].into_iter()).as_ref()))
        }
        (Data::Duration(_) | Data::Timestamp(_), _) | (_, Data::Timestamp(_)) => time::add(a, b),
        _ => arithmetic(a, b, i64::checked_add, u64::checked_add, Some(|a, b| a + b)),
    }
}

fn subtract(a: &Val, b: &Val) -> Result<Val, Failure> {
    match &a.data {
        Data::Duration(_) | Data::Timestamp(_) => time::subtract(a, b),
        _ => arithmetic(a, b, i64::checked_sub, u64::checked_sub, Some(|a, b| a - b)),
    }
}

fn contains(budget: &Budget, item: &Val, container: &Val) -> Result<Val, Failure> {
    match &container.data {
        Data::List(list) => {
            for other in list.iter(None) {
                if equal(budget, item, &other)? {
                    return Ok(true.into());
                }
            }
            Ok(false.into())
        }
        Data::Map(map) => Ok(Key::of(item).is_some_and(|key| map.get(&key, None).is_some()).into()),
        _ => Err(Failure::NoSuchOverload),
    }
}

/// CEL's `==`: values of different types are different, numbers are equal by value.
pub fn equal(budget: &Budget, a: &Val, b: &Val) -> Result<bool, Failure> {
    equal_within(budget, a, b, DEPTH)
}

fn equal_within(budget: &Budget, a: &Val, b: &Val, depth: usize) -> Result<bool, Failure> {
    budget.charge(1)?;
    let deeper = depth.checked_sub(1).ok_or_else(|| Failure::new("the values are nested too deeply to compare"))?;
    Ok(match (&a.data, &b.data) {
        (Data::Null, Data::Null) => true,
        (Data::Bool(a), Data::Bool(b)) => a == b,
        (Data::String(a), Data::String(b)) => a == b,
        (Data::Bytes(a), Data::Bytes(b)) => a == b,
        (Data::Duration(a), Data::Duration(b)) => a == b,
        (Data::Timestamp(a), Data::Timestamp(b)) => a == b,
        (Data::Type(a), Data::Type(b)) => a == b,
        (Data::List(List::Plain(a)), Data::List(List::Plain(b))) if Arc::ptr_eq(a, b) => true,
        (Data::List(List::Keyed(a)), Data::List(b)) => keyed::equal(budget, a, b)?,
        (Data::List(a), Data::List(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter(None).zip(b.iter(None)) {
                if !equal_within(budget, &a, &b, deeper)? {
                    return Ok(false);
                }
            }
            true
        }
        (Data::Map(Map::Plain(a)), Data::Map(Map::Plain(b))) if Arc::ptr_eq(a, b) => true,
        (Data::Map(a), Data::Map(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (key, a) in a.entries(None) {
                let Some(b) = Key::of(&key).and_then(|key| b.get(&key, None)) else { return Ok(false) };
                if !equal_within(budget, &a, &b, deeper)? {
                    return Ok(false);
                }
            }
            true
        }
        (Data::Optional(a), Data::Optional(b)) => match (a, b) {
            (Some(a), Some(b)) => equal_within(budget, a, b, deeper)?,
            (a, b) => a.is_none() && b.is_none(),
        },
        (Data::Opaque(a), Data::Opaque(b)) => match (&**a, &**b) {
            (Opaque::Ip(a), Opaque::Ip(b)) => a == b,
            (Opaque::Cidr(a), Opaque::Cidr(b)) => a == b,
            (Opaque::Url(a), Opaque::Url(b)) => a == b,
            (Opaque::Quantity(a), Opaque::Quantity(b)) => a == b,
            (Opaque::Semver(a), Opaque::Semver(b)) => a.precedence(b).is_eq(),
            (Opaque::Format(a), Opaque::Format(b)) => a.name == b.name,
            _ => false,
        },
        _ => matches!(numeric(a, b), Some(Some(Ordering::Equal))),
    })
}

/// The order of two numbers: `None` where one is no number, `Some(None)` with a NaN.
fn numeric(a: &Val, b: &Val) -> Option<Option<Ordering>> {
    Some(match (&a.data, &b.data) {
        (Data::Int(a), Data::Int(b)) => Some(a.cmp(b)),
        (Data::Uint(a), Data::Uint(b)) => Some(a.cmp(b)),
        (Data::Double(a), Data::Double(b)) => a.partial_cmp(b),
        (Data::Int(a), Data::Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Data::Uint(a), Data::Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Data::Int(a), Data::Double(b)) => (*a as f64).partial_cmp(b),
        (Data::Double(a), Data::Int(b)) => a.partial_cmp(&(*b as f64)),
        (Data::Uint(a), Data::Double(b)) => (*a as f64).partial_cmp(b),
        (Data::Double(a), Data::Uint(b)) => a.partial_cmp(&(*b as f64)),
        _ => return None,
    })
}

/// CEL's `<`: between numbers of any types, and between two of another ordered type.
pub fn compare(budget: &Budget, a: &Val, b: &Val) -> Result<Ordering, Failure> {
    match (&a.data, &b.data) {
        (Data::Bool(a), Data::Bool(b)) => Ok(a.cmp(b)),
        (Data::String(a), Data::String(b)) => {
            budget.charge_text(a.len().min(b.len()))?;
            Ok(a.cmp(b))
        }
        (Data::Bytes(a), Data::Bytes(b)) => Ok(a.cmp(b)),
        (Data::Duration(a), Data::Duration(b)) => Ok(a.cmp(b)),
        (Data::Timestamp(a), Data::Timestamp(b)) => Ok(a.cmp(b)),
        _ => match numeric(a, b) {
            Some(order) => order.ok_or_else(|| Failure::new("NaN values cannot be ordered")),
            None => Err(Failure::NoSuchOverload),
        },
    }
}

/// Sorts values by keys that must be of one ordered type. Stable.
pub fn sort_by_key(budget: &Budget, mut keyed: Vec<(Val, Val)>) -> Result<Vec<Val>, Failure> {
    if let Some((first, _)) = keyed.first() {
        if order(first, first).is_none() {
            return Err(Failure::new("list elements must be comparable"));
        }
        if keyed.iter().any(|(key, _)| key.type_name() != first.type_name()) {
            return Err(Failure::new("list elements must have the same type"));
        }
    }
    // What the API server counts, though this sorts faster.
    budget.charge(keyed.len().saturating_mul(keyed.len()).saturating_mul(2))?;
    keyed.sort_by(|(a, _), (b, _)| order(a, b).flatten().unwrap_or(Ordering::Equal));
    Ok(keyed.into_iter().map(|(_, value)| value).collect())
}

/// The order of two values: `None` where they have none, `Some(None)` with a NaN.
pub fn order(a: &Val, b: &Val) -> Option<Option<Ordering>> {
    numeric(a, b).or_else(|| same_type_order(a, b).map(Some))
}

fn same_type_order(a: &Val, b: &Val) -> Option<Ordering> {
    match (&a.data, &b.data) {
        (Data::Bool(a), Data::Bool(b)) => Some(a.cmp(b)),
        (Data::String(a), Data::String(b)) => Some(a.cmp(b)),
        (Data::Bytes(a), Data::Bytes(b)) => Some(a.cmp(b)),
        (Data::Duration(a), Data::Duration(b)) => Some(a.cmp(b)),
        (Data::Timestamp(a), Data::Timestamp(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// A scalar as error texts show it.
pub fn display(value: &Val) -> String {
    match &value.data {
        Data::Null => "null".into(),
        Data::Bool(value) => value.to_string(),
        Data::Int(value) => value.to_string(),
        Data::Uint(value) => value.to_string(),
        Data::Double(value) => number::general(*value),
        Data::String(text) => text.to_string(),
        _ => value.type_name().into(),
    }
}
