//! What a plain scalar means: the rules of go-yaml v2 (`resolve.go`).

use crate::number::{self, Integer};

/// The prefix that `!!` stands for.
pub(super) const LONG: &str = "tag:yaml.org,2002:";

/// What a scalar stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer that only fits `uint64`
    Uint(u64),
    Float(f64),
    /// Looks like a time, stays text
    Timestamp,
    Text,
}

impl Scalar {
    fn tag(self) -> &'static str {
        match self {
            Self::Null => "!!null",
            Self::Bool(_) => "!!bool",
            Self::Int(_) | Self::Uint(_) => "!!int",
            Self::Float(_) => "!!float",
            Self::Timestamp => "!!timestamp",
            Self::Text => "!!str",
        }
    }
}

/// Whether a tag is `!!name`.
pub(super) fn is_tag(tag: &str, name: &str) -> bool {
    tag.strip_prefix(LONG) == Some(name)
}

/// The meaning of a plain or tagged scalar; the error is go-yaml's text.
///
/// Unknown tags make text of everything.
pub(super) fn resolve(tag: Option<&str>, text: &str) -> Result<Scalar, String> {
    let name = match tag {
        None => return Ok(plain(text)),
        Some(tag) => tag.strip_prefix(LONG).unwrap_or_default(),
    };
    match (name, if name == "timestamp" { plain(text) } else { tagged(text) }) {
        ("bool", found @ Scalar::Bool(_))
        | ("int", found @ (Scalar::Int(_) | Scalar::Uint(_)))
        | ("float", found @ Scalar::Float(_))
        | ("null", found @ Scalar::Null)
        | ("timestamp", found @ Scalar::Timestamp) => Ok(found),
        ("float", Scalar::Int(value)) => Ok(Scalar::Float(value as f64)),
        ("bool" | "int" | "float" | "null" | "timestamp", found) => {
            Err(format!("cannot decode {} `{text}` as a !!{name}", found.tag()))
        }
        _ => Ok(Scalar::Text),
    }
}

/// The meaning of an untagged plain scalar.
pub(super) fn plain(text: &str) -> Scalar {
    if is_timestamp(text) { Scalar::Timestamp } else { tagged(text) }
}

fn tagged(text: &str) -> Scalar {
    let Some(first) = text.bytes().next() else { return Scalar::Null };
    match first {
        b'+' | b'-' | b'0'..=b'9' | b'.' => word(text).or_else(|| number(text)).unwrap_or(Scalar::Text),
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
            word(text).unwrap_or(Scalar::Text)
        }
        _ => Scalar::Text,
    }
}

fn word(text: &str) -> Option<Scalar> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Scalar::Bool(false),
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

fn number(text: &str) -> Option<Scalar> {
    if text.starts_with('.') {
        return number::parse_float(&go_underscores(text)?).map(Scalar::Float);
    }
    let without: String;
    let digits = if text.contains('_') {
        without = text.replace('_', "");
        &without
    } else {
        text
    };
    let integer = |found| match found {
        Integer::Signed(value) => Scalar::Int(value),
        Integer::Unsigned(value) => Scalar::Uint(value),
    };
    if let Some(found) = number::parse_integer(digits, 0) {
        return Some(integer(found));
    }
    if is_float(digits)
        && let Some(value) = number::parse_float(digits)
    {
        return Some(Scalar::Float(value));
    }
    // Reached with a second sign only: `0b+1`.
    let binary = match digits.strip_prefix("-0b") {
        Some(rest) if rest.starts_with(['+', '-']) => return None,
        Some(rest) => format!("-{rest}"),
        None => digits.strip_prefix("0b")?.to_owned(),
    };
    number::parse_integer(&binary, 2).map(integer)
}

/// go-yaml's `yamlStyleFloat`: `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let mantissa = digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    mantissa && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

/// Go's rule for underscores in numbers without a prefix: between digits only. Returns the text without them.
fn go_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let between = bytes.iter().enumerate().all(|(i, b)| *b != b'_' || digit(i.checked_sub(1)) && digit(Some(i + 1)));
    between.then(|| text.replace('_', ""))
}

/// Whether go-yaml takes a text for a time: `2001-1-2`, `2001-1-2 3:4:5.6`, `2001-1-2T3:4:5Z`, `…t3:4:5,6+01:00`.
pub(super) fn is_timestamp(text: &str) -> bool {
    let Some((year, rest)) = text.split_at_checked(4) else { return false };
    if !year.bytes().all(|b| b.is_ascii_digit()) || !rest.starts_with('-') {
        return false;
    }
    date(year, &rest[1..]).is_some_and(|rest| match rest.as_bytes().first() {
        None => true,
        Some(b'T' | b't') => clock(&rest[1..]).is_some_and(is_zone),
        Some(b' ') => clock(rest.trim_start_matches(' ')).is_some_and(str::is_empty),
        Some(_) => false,
    })
}

/// Month and day; returns what follows.
fn date<'a>(year: &str, text: &'a str) -> Option<&'a str> {
    let (month, rest) = two_digits(text)?;
    let (day, rest) = two_digits(rest.strip_prefix('-')?)?;
    let year: u32 = year.parse().ok()?;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&day).then_some(rest)
}

/// Hours, minutes, seconds and their fraction; returns what follows.
fn clock(text: &str) -> Option<&str> {
    let (hour, rest) = two_digits(text)?;
    let (minute, rest) = two_digits(rest.strip_prefix(':')?)?;
    let (second, rest) = two_digits(rest.strip_prefix(':')?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = rest.strip_prefix(['.', ',']).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    Some(fraction.map_or(rest, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit())))
}

fn is_zone(text: &str) -> bool {
    match text.as_bytes() {
        b"Z" => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] if [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()) => {
            (h1 - b'0') * 10 + (h2 - b'0') <= 24 && (m1 - b'0') * 10 + (m2 - b'0') <= 60
        }
        _ => false,
    }
}

/// A number of one or two digits, and what follows.
fn two_digits(text: &str) -> Option<(u32, &str)> {
    let length = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(length);
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_go_yaml_says() {
        for (text, expected) in [
            ("", Scalar::Null),
            ("off", Scalar::Bool(false)),
            ("0777", Scalar::Int(0o777)),
            ("0o7", Scalar::Int(7)),
            ("08", Scalar::Float(8.0)),
            ("1_000", Scalar::Int(1000)),
            ("0b+1", Scalar::Int(1)),
            ("-0b1", Scalar::Int(-1)),
            ("1:30", Scalar::Text),
            ("1e400", Scalar::Text),
            (".5", Scalar::Float(0.5)),
            ("._5", Scalar::Text),
            (".", Scalar::Text),
            ("18446744073709551615", Scalar::Uint(u64::MAX)),
            ("2001-02-29", Scalar::Text),
            ("2000-2-29", Scalar::Timestamp),
            ("2001-12-14t21:59:43.10-05:00", Scalar::Timestamp),
            ("2001-12-14 21:59:43.10 -5", Scalar::Text),
            ("<<", Scalar::Text),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    fn tags_convert_or_fail() {
        assert_eq!(resolve(Some("tag:yaml.org,2002:float"), "3"), Ok(Scalar::Float(3.0)));
        assert_eq!(resolve(Some("tag:yaml.org,2002:str"), "3"), Ok(Scalar::Text));
        assert_eq!(resolve(Some("!mine"), "3"), Ok(Scalar::Text));
        assert_eq!(
            resolve(Some("tag:yaml.org,2002:int"), "abc"),
            Err("cannot decode !!str `abc` as a !!int".to_owned())
        );
    }
}
