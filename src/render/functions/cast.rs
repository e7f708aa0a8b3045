//! Go conversions: `strconv`'s parsing, and spf13/cast 1.7's `ToInt64` and `ToFloat64`, which never fail.

use super::time;
use crate::render::any::Any;

/// Why `strconv` refuses a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberError {
    /// `invalid syntax`
    Syntax,
    /// `value out of range`; `strconv` returns the nearest number with it.
    Range(i64),
}

/// `cast.ToInt64` and `cast.ToInt`.
pub(super) fn to_int(value: &Any) -> i64 {
    match value {
        Any::Int(value) | Any::Int64(value) => *value,
        Any::Float64(value) => truncate(*value),
        Any::Bool(value) => i64::from(*value),
        Any::String(text) => std::str::from_utf8(text.as_bytes())
            .ok()
            .and_then(|text| parse_int(trim_zero_decimal(text), 0).ok())
            .unwrap_or(0),
        Any::Uint8(value) => i64::from(*value),
        Any::Uint64(value) => *value as i64,
        Any::Object(object) => time::ordinal(&**object).unwrap_or(0),
        _ => 0,
    }
}

/// `cast.ToFloat64`.
pub(super) fn to_float(value: &Any) -> f64 {
    match value {
        Any::Int(value) | Any::Int64(value) => *value as f64,
        Any::Float64(value) => *value,
        Any::Bool(value) => f64::from(u8::from(*value)),
        Any::String(text) => std::str::from_utf8(text.as_bytes()).ok().and_then(parse_float).unwrap_or(0.0),
        Any::Uint8(value) => f64::from(*value),
        Any::Uint64(value) => *value as f64,
        Any::Object(object) => time::ordinal(&**object).unwrap_or(0) as f64,
        _ => 0.0,
    }
}

/// `int64(f)` as amd64 does it: what does not fit is the smallest integer.
pub(super) fn truncate(value: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&value) { value as i64 } else { i64::MIN }
}

/// `strconv.ParseInt(text, base, 64)`; base 0 reads prefixes and underscores.
pub(super) fn parse_int(text: &str, base: u32) -> Result<i64, NumberError> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let mut radix = base;
    let mut rest = digits;
    if base == 0 {
        let lower = digits.get(..2).map(str::to_ascii_lowercase);
        (radix, rest) = match lower.as_deref() {
            Some("0b") if digits.len() > 2 => (2, &digits[2..]),
            Some("0o") if digits.len() > 2 => (8, &digits[2..]),
            Some("0x") if digits.len() > 2 => (16, &digits[2..]),
            _ if digits.starts_with('0') => (8, digits),
            _ => (10, digits),
        };
        if digits.contains('_') && !underscores_separate_digits(digits) {
            return Err(NumberError::Syntax);
        }
    }
    if rest.is_empty() {
        return Err(NumberError::Syntax);
    }
    let mut value: Option<u64> = Some(0);
    for c in rest.chars() {
        if c == '_' && base == 0 {
            continue;
        }
        let digit = c.to_digit(radix).ok_or(NumberError::Syntax)?;
        value = value.and_then(|value| value.checked_mul(radix.into())?.checked_add(digit.into()));
    }
    let limit = 1u64 << 63;
    match (value, negative) {
        (Some(value), false) if value < limit => Ok(value as i64),
        (Some(value), true) if value <= limit => Ok((value as i64).wrapping_neg()),
        (_, false) => Err(NumberError::Range(i64::MAX)),
        (_, true) => Err(NumberError::Range(i64::MIN)),
    }
}

/// What `strconv.ParseInt(text, 10, 64)` returns beside an error that nobody looks at.
pub(super) fn parse_int_or_nearest(text: &str) -> i64 {
    match parse_int(text, 10) {
        Ok(value) | Err(NumberError::Range(value)) => value,
        Err(NumberError::Syntax) => 0,
    }
}

/// `strconv.ParseFloat(text, 64)` where it succeeds.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    if matches!(&*lower, "inf" | "infinity" | "nan") {
        // Go has no signed NaN here.
        return if lower == "nan" && unsigned.len() != text.len() {
            None
        } else {
            text.to_ascii_lowercase().parse().ok()
        };
    }
    if unsigned.contains('_') && !underscores_separate_digits(unsigned) {
        return None;
    }
    if let Some(hex) = lower.strip_prefix("0x") {
        let value = hex_float(&hex.replace('_', ""))?;
        return Some(if text.starts_with('-') { -value } else { value });
    }
    // Rust reads `1.` and `.5` as Go does; its words for infinity are dealt with.
    if !lower.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'+' | b'-' | b'_')) {
        return None;
    }
    text.replace('_', "").parse::<f64>().ok().filter(|value| value.is_finite())
}

/// `1.8p3`: hexadecimal digits and a binary exponent, which is required.
fn hex_float(text: &str) -> Option<f64> {
    let (digits, exponent) = text.split_once('p')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0_f64;
    for c in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(c.to_digit(16)?);
    }
    let scale = exponent.checked_sub(i32::try_from(fraction.len()).ok()?.checked_mul(4)?)?;
    Some(value * 2.0_f64.powi(scale)).filter(|value| value.is_finite())
}

/// Go's rule for `_` in numbers: between digits, or between a base prefix and a digit.
fn underscores_separate_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    let prefixed = bytes.len() >= 2 && bytes[0] == b'0' && matches!(bytes[1].to_ascii_lowercase(), b'b' | b'o' | b'x');
    let hex = prefixed && bytes[1].eq_ignore_ascii_case(&b'x');
    let mut last = if prefixed { '0' } else { '^' };
    for &b in bytes.iter().skip(if prefixed { 2 } else { 0 }) {
        let digit = b.is_ascii_digit() || hex && b.is_ascii_hexdigit();
        match (b, last) {
            _ if digit => last = '0',
            (b'_', '0') => last = '_',
            (b'_', _) | (_, '_') => return false,
            _ => last = '!',
        }
    }
    last != '_'
}

/// `1.00` as `1`: cast drops a decimal part of zeros only.
fn trim_zero_decimal(text: &str) -> &str {
    match text.rsplit_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_parse_as_in_go() {
        for (text, expected) in [
            ("42", Some(42)),
            ("0x1F", Some(31)),
            ("010", Some(8)),
            ("08", None),
            ("1_000", Some(1000)),
            ("1__0", None),
            ("_1", None),
            ("0x_1", Some(1)),
            ("0x", None),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("", None),
            ("+", None),
            ("+7", Some(7)),
        ] {
            assert_eq!(parse_int(text, 0).ok(), expected, "{text}");
        }
        assert_eq!(parse_int("99999999999999999999", 10), Err(NumberError::Range(i64::MAX)));
        assert_eq!(to_int(&Any::String("5.00".into())), 5);
        assert_eq!(to_int(&Any::String(".0".into())), 0);
        assert_eq!(to_int(&Any::Float64(1e30)), i64::MIN);
    }

    #[test]
    fn floats_parse_as_in_go() {
        for (text, expected) in [
            ("1.5", Some(1.5)),
            ("1e3", Some(1000.0)),
            (".5", Some(0.5)),
            ("0x1p4", Some(16.0)),
            ("1e999", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(parse_float(text), expected, "{text}");
        }
        assert_eq!(parse_float("-Infinity"), Some(f64::NEG_INFINITY));
    }
}
