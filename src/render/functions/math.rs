//! Arithmetic: sprig's integers wrap as Go's do, its floats go through decimals.

use super::args::Args;
use super::cast::{parse_int, parse_int_or_nearest, to_float, to_int};
use super::decimal::Decimal;
use super::strings::text;
use super::types::sprint;
use super::{Failure, Host, Row, Type};
use crate::render::any::{Any, Elem, List};

pub(super) const ROWS: &[Row] = &[
    Row::new("atoi", &[Type::String], |_, args| Ok(Any::Int(parse_int_or_nearest(&args.text(0)?.to_str())))),
    Row::new("int", &[Type::Any], |_, args| Ok(Any::Int(to_int(args.any(0)?)))),
    Row::new("int64", &[Type::Any], |_, args| Ok(Any::Int64(to_int(args.any(0)?)))),
    Row::new("float64", &[Type::Any], |_, args| Ok(Any::Float64(to_float(args.any(0)?)))),
    Row::new("toDecimal", &[Type::Any], |_, args| {
        Ok(Any::Int64(parse_int(&sprint(args.any(0)?)?.to_str(), 8).unwrap_or(0)))
    }),
    Row::new("add1", &[Type::Any], |_, args| Ok(Any::Int64(to_int(args.any(0)?).wrapping_add(1)))),
    Row::new("add", &[], |_, args| Ok(Any::Int64(args.iter().map(to_int).fold(0, i64::wrapping_add))))
        .variadic(Type::Any),
    Row::new("sub", &[Type::Any, Type::Any], |_, args| {
        Ok(Any::Int64(to_int(args.any(0)?).wrapping_sub(to_int(args.any(1)?))))
    }),
    Row::new("mul", &[Type::Any], |_, args| Ok(Any::Int64(args.iter().map(to_int).fold(1, i64::wrapping_mul))))
        .variadic(Type::Any),
    Row::new("div", &[Type::Any, Type::Any], |_, args| divide(args, i64::wrapping_div)),
    Row::new("mod", &[Type::Any, Type::Any], |_, args| divide(args, i64::wrapping_rem)),
    Row::new("add1f", &[Type::Any], |_, args| decimals(&[args.any(0)?.clone(), Any::Int(1)], |a, b| Ok(a.add(&b)))),
    Row::new("addf", &[], |_, args| {
        let terms: Vec<Any> = [Any::Float64(0.0)].iter().chain(args).cloned().collect();
        decimals(&terms, |a, b| Ok(a.add(&b)))
    })
    .variadic(Type::Any),
    Row::new("subf", &[Type::Any], |_, args| decimals(args, |a, b| Ok(a.sub(&b)))).variadic(Type::Any),
    Row::new("mulf", &[Type::Any], |_, args| decimals(args, |a, b| Ok(a.mul(&b)))).variadic(Type::Any),
    Row::new("divf", &[Type::Any], |_, args| decimals(args, |a, b| a.div(&b))).variadic(Type::Any),
    Row::new("max", &[Type::Any], |_, args| Ok(Any::Int64(args.iter().map(to_int).fold(i64::MIN, i64::max))))
        .variadic(Type::Any),
    Row::new("biggest", &[Type::Any], |_, args| Ok(Any::Int64(args.iter().map(to_int).fold(i64::MIN, i64::max))))
        .variadic(Type::Any),
    Row::new("min", &[Type::Any], |_, args| Ok(Any::Int64(args.iter().map(to_int).fold(i64::MAX, i64::min))))
        .variadic(Type::Any),
    Row::new("maxf", &[Type::Any], |_, args| extreme(args, |a, b| a > b)).variadic(Type::Any),
    Row::new("minf", &[Type::Any], |_, args| extreme(args, |a, b| a < b)).variadic(Type::Any),
    Row::new("floor", &[Type::Any], |_, args| Ok(Any::Float64(to_float(args.any(0)?).floor()))),
    Row::new("ceil", &[Type::Any], |_, args| Ok(Any::Float64(to_float(args.any(0)?).ceil()))),
    Row::new("round", &[Type::Any, Type::Int], round).variadic(Type::Float64),
    Row::new("until", &[Type::Int], |host, args| {
        let stop = args.int(0)?;
        range(host, 0, stop, if stop < 0 { -1 } else { 1 }).map(integers)
    }),
    Row::new("untilStep", &[Type::Int, Type::Int, Type::Int], |host, args| {
        range(host, args.int(0)?, args.int(1)?, args.int(2)?).map(integers)
    }),
    Row::new("seq", &[], seq).variadic(Type::Int),
];

fn divide(args: &[Any], operation: fn(i64, i64) -> i64) -> Result<Any, Failure> {
    match to_int(args.any(1)?) {
        0 => Err(Failure::new("runtime error: integer divide by zero")),
        divisor => Ok(Any::Int64(operation(to_int(args.any(0)?), divisor))),
    }
}

/// sprig's `execDecimalOp`: from left to right.
fn decimals(args: &[Any], operation: fn(Decimal, Decimal) -> Result<Decimal, Failure>) -> Result<Any, Failure> {
    let mut terms = args.iter().map(|value| Decimal::from_float(to_float(value)));
    let first = terms.next().ok_or_else(|| Failure::new("too few arguments"))??;
    terms.try_fold(first, |total, term| operation(total, term?)?.checked()).map(|total| Any::Float64(total.to_float()))
}

/// `math.Max` or `math.Min` of all: NaN wins over every number, and infinity over NaN.
fn extreme(args: &[Any], beats: fn(f64, f64) -> bool) -> Result<Any, Failure> {
    let best = if beats(1.0, 0.0) { f64::INFINITY } else { f64::NEG_INFINITY };
    let choose = |a: f64, b: f64| {
        if a == best || b == best {
            best
        } else if a.is_nan() || b.is_nan() {
            f64::NAN
        } else if a == 0.0 && b == 0.0 {
            // The sign of zero counts: -0 is less than 0.
            if a.is_sign_negative() == beats(0.0, 1.0) { a } else { b }
        } else if beats(b, a) {
            b
        } else {
            a
        }
    };
    args.iter().map(to_float).reduce(choose).map(Any::Float64).ok_or_else(|| Failure::new("too few arguments"))
}

fn round(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let round_on = if let Some(Any::Float64(value)) = args.get(2) { *value } else { 0.5 };
    let power = power_of_ten(args.int(1)?);
    let digits = power * to_float(args.any(0)?);
    let rounded = if digits.fract() >= round_on { digits.ceil() } else { digits.floor() };
    Ok(Any::Float64(rounded / power))
}

/// `math.Pow(10, exponent)`, by Go's own repeated squaring, whose last bit can differ from the platform's.
fn power_of_ten(exponent: i64) -> f64 {
    let (mut mantissa, mut binary) = (1.0_f64, 0_i64);
    let (mut square, mut square_binary) = (0.625_f64, 4_i64);
    let mut left = exponent.unsigned_abs();
    if left == 1 {
        return if exponent > 0 { 10.0 } else { 1.0 / 10.0 };
    }
    while left != 0 {
        if square_binary > 1 << 12 {
            binary += square_binary;
            break;
        }
        if left & 1 == 1 {
            mantissa *= square;
            binary += square_binary;
        }
        square *= square;
        square_binary <<= 1;
        if square < 0.5 {
            square += square;
            square_binary -= 1;
        }
        left >>= 1;
    }
    if exponent < 0 {
        (mantissa, binary) = (1.0 / mantissa, -binary);
    }
    // In two steps: the power of two alone may overflow or vanish.
    let half = (binary / 2).clamp(-1000, 1000);
    mantissa * 2.0_f64.powi(half as i32) * 2.0_f64.powi((binary - half).clamp(-1100, 1100) as i32)
}

/// sprig's `untilStep`.
fn range(host: &mut dyn Host, start: i64, stop: i64, step: i64) -> Result<Vec<i64>, Failure> {
    if step == 0 || (stop < start) != (step < 0) {
        return Ok(Vec::new());
    }
    let count = start.abs_diff(stop).div_ceil(step.unsigned_abs());
    host.allocate(usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(size_of::<Any>()))?;
    Ok((0..count as i64).map(|index| start.wrapping_add(index.wrapping_mul(step))).collect())
}

fn integers(numbers: Vec<i64>) -> Any {
    Any::List(List::of(Elem::Int, numbers.into_iter().map(Any::Int)))
}

fn seq(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let numbers = (0..args.len()).map(|index| args.int(index)).collect::<Result<Vec<_>, _>>()?;
    let towards = |start: i64, end: i64| if end < start { -1 } else { 1 };
    let (start, end, step) = match *numbers {
        [end] => (1, end, towards(1, end)),
        [start, end] => (start, end, towards(start, end)),
        [start, step, end] if end >= start || step <= 0 => (start, end, step),
        _ => return text(""),
    };
    let numbers = range(host, start, end.wrapping_add(towards(start, end)), step)?;
    let words: Vec<String> = numbers.iter().map(i64::to_string).collect();
    text(words.join(" "))
}
