//! Kubernetes' `quantity` library: `resource.Quantity` as exact billionths.

use std::cmp::Ordering;

use super::Row;
use crate::cel::Failure;
use crate::cel::value::{Data, Opaque, Val};

const NANO: i128 = 1_000_000_000;

/// An amount.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    nanos: i128,
    /// Whether upstream keeps it as a whole number: written without a fraction or a suffix below one.
    integer: bool,
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

/// The library's rows. Comparisons are shared with `semver` by name.
pub const ROWS: &[Row] = &[
    Row::global("quantity", &["(string) -> kubernetes.Quantity"], |_, args| {
        Ok(Val::new(Opaque::Quantity(read(&args[0])?).into()))
    }),
    Row::global("isQuantity", &["(string) -> bool"], |_, args| match read(&args[0]) {
        Err(Failure::NoSuchOverload) => Err(Failure::NoSuchOverload),
        result => Ok(result.is_ok().into()),
    }),
    Row::global("sign", &["(kubernetes.Quantity) -> int"], |_, args| {
        Ok((quantity(&args[0])?.nanos.signum() as i64).into())
    }),
    Row::member("isGreaterThan", &["(kubernetes.Quantity, kubernetes.Quantity) -> bool"], |_, args| {
        Ok(order(args)?.is_gt().into())
    }),
    Row::member("isLessThan", &["(kubernetes.Quantity, kubernetes.Quantity) -> bool"], |_, args| {
        Ok(order(args)?.is_lt().into())
    }),
    Row::member("compareTo", &["(kubernetes.Quantity, kubernetes.Quantity) -> int"], |_, args| {
        Ok((order(args)? as i64).into())
    }),
    Row::member("asApproximateFloat", &["(kubernetes.Quantity) -> double"], |_, args| {
        Ok((quantity(&args[0])?.nanos as f64 / NANO as f64).into())
    }),
    Row::member("isInteger", &["(kubernetes.Quantity) -> bool"], |_, args| Ok(quantity(&args[0])?.integer.into())),
    Row::member("asInteger", &["(kubernetes.Quantity) -> int"], |_, args| {
        let quantity = quantity(&args[0])?;
        let whole = i64::try_from(quantity.nanos / NANO).ok().filter(|_| quantity.integer);
        whole.map(Val::from).ok_or_else(|| Failure::new("cannot convert value to integer"))
    }),
    Row::member(
        "add",
        &[
            "(kubernetes.Quantity, kubernetes.Quantity) -> kubernetes.Quantity",
            "(kubernetes.Quantity, int) -> kubernetes.Quantity",
        ],
        |_, args| combine(args, i128::checked_add),
    ),
    Row::member(
        "sub",
        &[
            "(kubernetes.Quantity, kubernetes.Quantity) -> kubernetes.Quantity",
            "(kubernetes.Quantity, int) -> kubernetes.Quantity",
        ],
        |_, args| combine(args, i128::checked_sub),
    ),
];

fn quantity(value: &Val) -> Result<Quantity, Failure> {
    match &value.data {
        Data::Opaque(opaque) => match **opaque {
            Opaque::Quantity(quantity) => Ok(quantity),
            _ => Err(Failure::NoSuchOverload),
        },
        _ => Err(Failure::NoSuchOverload),
    }
}

/// A quantity of a text, or of a number: the API server turns `cpu: 1` into `"1"` before a policy sees it.
fn read(value: &Val) -> Result<Quantity, Failure> {
    match &value.data {
        Data::String(text) => parse(text),
        Data::Int(value) => Ok(Quantity { nanos: i128::from(*value) * NANO, integer: true }),
        Data::Double(value) if value.is_finite() => parse(&value.to_string()),
        _ => Err(Failure::NoSuchOverload),
    }
}

fn order(args: &[Val]) -> Result<Ordering, Failure> {
    Ok(quantity(&args[0])?.nanos.cmp(&quantity(&args[1])?.nanos))
}

fn combine(args: &[Val], with: fn(i128, i128) -> Option<i128>) -> Result<Val, Failure> {
    let a = quantity(&args[0])?;
    let b = match args[1].data {
        Data::Int(value) => Quantity { nanos: i128::from(value) * NANO, integer: true },
        _ => quantity(&args[1])?,
    };
    let nanos = with(a.nanos, b.nanos).ok_or_else(|| Failure::new("quantity overflow"))?;
    let integer = a.integer && b.integer && i64::try_from(nanos / NANO).is_ok();
    Ok(Val::new(Opaque::Quantity(Quantity { nanos, integer }).into()))
}

/// Whether a text is a quantity (`resource.ParseQuantity`).
pub fn is_quantity(text: &str) -> bool {
    parse(text).is_ok()
}

/// `[+-]digits[.digits][suffix]`: a decimal suffix (`m`, `k`, `M`, …), a binary one (`Ki`, …) or an exponent.
fn parse(text: &str) -> Result<Quantity, Failure> {
    let format =
        || Failure::new("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let after = |text: &str, wanted: fn(char) -> bool| text.find(|c| !wanted(c)).unwrap_or(text.len());
    let whole_end = after(rest, |c| c.is_ascii_digit());
    let (whole, tail) = rest.split_at(whole_end);
    let (fraction, suffix) = match tail.strip_prefix('.') {
        Some(tail) => tail.split_at(after(tail, |c| c.is_ascii_digit())),
        None => ("", tail),
    };
    let letters = after(suffix, |c| "eEinumkKMGTP".contains(c));
    let exponent = suffix.get(letters..).unwrap_or_default();
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if text.is_empty() || exponent.bytes().any(|b| !b.is_ascii_digit()) {
        return Err(format());
    }
    let number = rest.get(..rest.len() - suffix.len()).unwrap_or_default();
    let (factor, power, binary) = scale(suffix).ok_or_else(|| Failure::new("unable to parse quantity's suffix"))?;
    // Upstream takes no digits for zero, unless the suffix needs its exact arithmetic.
    let is_exact = power < -9 || factor > 1 << 40;
    if is_exact && !number.bytes().any(|b| b.is_ascii_digit()) {
        return Err(Failure::new("unable to parse numeric part of quantity"));
    }
    let mut nanos: i128 = 0;
    // Billionths below the last kept one are rounded up, away from zero.
    let mut inexact = false;
    let digits = whole.trim_start_matches('0').bytes().chain(fraction.bytes());
    for digit in digits {
        nanos = nanos.saturating_mul(10).saturating_add(i128::from(digit - b'0'));
    }
    let mut exponent = power + 9 - i32::try_from(fraction.len()).unwrap_or(i32::MAX);
    nanos = nanos.saturating_mul(factor);
    while exponent > 0 && nanos != 0 && nanos < i128::MAX / 10 {
        nanos = nanos.saturating_mul(10);
        exponent -= 1;
    }
    while exponent < 0 && nanos != 0 {
        inexact |= nanos % 10 != 0;
        nanos /= 10;
        exponent += 1;
    }
    nanos = nanos.saturating_add(i128::from(inexact));
    // Upstream keeps a number as an integer while its digits surely fit.
    let digits = i32::try_from(whole.trim_start_matches('0').len().max(1) + fraction.len()).unwrap_or(i32::MAX);
    let room = if binary { 15 - digits - factor.ilog2() as i32 * 3 / 10 - 1 } else { 18 - digits };
    let places = i32::try_from(fraction.len()).unwrap_or(i32::MAX);
    let whole_number = if binary { fraction.is_empty() } else { power >= places };
    let integer = room >= 0 && whole_number && i64::try_from(nanos / NANO).is_ok();
    Ok(Quantity { nanos: if negative { -nanos } else { nanos }, integer })
}

/// A suffix's factor, its power of ten, and whether it is binary.
fn scale(suffix: &str) -> Option<(i128, i32, bool)> {
    let binary = |bits: u32| Some((1_i128 << bits, 0, true));
    let decimal = |power: i32| Some((1, power, false));
    match suffix {
        "" => decimal(0),
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            decimal(power.clamp(-100, 100))
        }
    }
}
