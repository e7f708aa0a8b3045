//! How Go writes and reads quoted strings and numbers (its package `strconv`).

use std::sync::LazyLock;

use regex::Regex;

/// Whether `strconv` and `unicode` count a character as printable: letters, marks, numbers, punctuation, symbols and
/// the ASCII space.
pub fn is_print(c: char) -> bool {
    static PRINTABLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\p{L}\p{M}\p{N}\p{P}\p{S}]").ok());
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    PRINTABLE.as_ref().is_some_and(|class| class.is_match(c.encode_utf8(&mut [0; 4])))
}

/// Whether a character can be part of a name: a letter, a decimal digit or `_`.
pub fn is_alphanumeric(c: char) -> bool {
    static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\p{L}\p{Nd}]").ok());
    if c.is_ascii() {
        return c == '_' || c.is_ascii_alphanumeric();
    }
    NAME.as_ref().is_some_and(|class| class.is_match(c.encode_utf8(&mut [0; 4])))
}

/// The first character of a byte string and its length; `None` for a byte that is not UTF-8 (length 1).
pub fn decode(bytes: &[u8]) -> (Option<char>, usize) {
    let length = match bytes.first() {
        None => return (None, 0),
        Some(0..0x80) => 1,
        Some(0xc2..0xe0) => 2,
        Some(0xe0..0xf0) => 3,
        Some(0xf0..0xf5) => 4,
        Some(_) => return (None, 1),
    };
    let c = bytes.get(..length).and_then(|head| std::str::from_utf8(head).ok()).and_then(|text| text.chars().next());
    (c, if c.is_some() { length } else { 1 })
}

/// A double-quoted Go string literal (`%q`); with `ascii` all other characters are escaped (`%+q`).
pub fn quote(bytes: &[u8], ascii: bool) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    let mut rest = bytes;
    while !rest.is_empty() {
        let (c, length) = decode(rest);
        match c {
            Some(c) => escape(&mut out, c, '"', ascii),
            None => out.push_str(&format!("\\x{:02x}", rest[0])),
        }
        rest = &rest[length..];
    }
    out.push('"');
    out
}

/// A single-quoted Go character literal.
pub fn quote_char(c: char, ascii: bool) -> String {
    let mut out = String::from("'");
    escape(&mut out, c, '\'', ascii);
    out.push('\'');
    out
}

fn escape(out: &mut String, c: char, quote: char, ascii: bool) {
    match c {
        '\\' => out.push_str("\\\\"),
        c if c == quote => {
            out.push('\\');
            out.push(c);
        }
        c if (c.is_ascii() || !ascii) && is_print(c) => out.push(c),
        '\x07' => out.push_str("\\a"),
        '\x08' => out.push_str("\\b"),
        '\x0c' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\x0b' => out.push_str("\\v"),
        '\0'..' ' | '\x7f' => out.push_str(&format!("\\x{:02x}", c as u32)),
        c if (c as u32) < 0x10000 => out.push_str(&format!("\\u{:04x}", c as u32)),
        c => out.push_str(&format!("\\U{:08x}", c as u32)),
    }
}

/// Whether a string can stand between backquotes unchanged.
pub fn can_backquote(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes)
        .is_ok_and(|text| !text.chars().any(|c| matches!(c, '\u{feff}' | '`' | '\x7f') || (c < ' ' && c != '\t')))
}

/// The bytes that a double-quoted or backquoted literal stands for; `None` for invalid syntax.
pub fn unquote(literal: &str) -> Option<Vec<u8>> {
    let quote = literal.chars().next()?;
    let inner = literal.strip_prefix(quote)?.strip_suffix(quote)?;
    match quote {
        '`' => Some(inner.bytes().filter(|b| *b != b'\r').collect()),
        '"' => {
            let mut out = Vec::with_capacity(inner.len());
            let mut rest = inner;
            while !rest.is_empty() {
                let (unit, tail) = unquote_char(rest, '"')?;
                match unit {
                    Unit::Byte(byte) => out.push(byte),
                    Unit::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                }
                rest = tail;
            }
            Some(out)
        }
        _ => None,
    }
}

/// What one element of a literal stands for: `\x` and octal escapes are bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A byte of a string, or the character of that number
    Byte(u8),
    /// A character
    Char(char),
}

/// The first element of the inside of a literal, and the rest; `None` for invalid syntax.
pub fn unquote_char(text: &str, quote: char) -> Option<(Unit, &str)> {
    let mut chars = text.chars();
    let c = chars.next()?;
    if c != '\\' {
        return (c != quote && c != '\n').then_some((Unit::Char(c), chars.as_str()));
    }
    let digits = |rest: &str, count: usize, radix: u32| {
        let digits = rest.get(..count).filter(|digits| digits.chars().all(|c| c.is_digit(radix)))?;
        u32::from_str_radix(digits, radix).ok()
    };
    let escape = chars.next()?;
    let rest = chars.as_str();
    let simple = |c: char| Some((Unit::Char(c), rest));
    match escape {
        'a' => simple('\x07'),
        'b' => simple('\x08'),
        'f' => simple('\x0c'),
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        'v' => simple('\x0b'),
        '\\' => simple('\\'),
        '\'' | '"' if escape == quote => simple(escape),
        'x' => Some((Unit::Byte(digits(rest, 2, 16)? as u8), &rest[2..])),
        'u' => Some((Unit::Char(char::from_u32(digits(rest, 4, 16)?)?), &rest[4..])),
        'U' => Some((Unit::Char(char::from_u32(digits(rest, 8, 16)?)?), &rest[8..])),
        '0'..='7' => {
            let value = digits(&text[1..], 3, 8)?;
            Some((Unit::Byte(u8::try_from(value).ok()?), &text[4..]))
        }
        _ => None,
    }
}

/// No float64 has more decimal digits than this on either side of its point: those that follow are zeros.
const EXACT: usize = 1_100;

/// Significant decimal digits without trailing zeros, and the position of the decimal point before or after them.
/// `digits` rounds to that many; `None` takes the fewest that read back as the same number.
fn decimal(value: f64, digits: Option<usize>) -> (String, i32) {
    let scientific = match digits {
        None => format!("{:e}", value.abs()),
        Some(digits) => format!("{:.*e}", digits.clamp(1, EXACT) - 1, value.abs()),
    };
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let all: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let significant = all.trim_end_matches('0');
    if significant.is_empty() {
        return (String::new(), 0);
    }
    (significant.to_owned(), exponent.parse::<i32>().unwrap_or(0) + 1)
}

/// `strconv.FormatFloat(value, verb, precision, 64)`; `None` is the shortest precision. Verbs: `b e E f g G x X`.
pub fn format_float(value: f64, verb: char, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.into();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let body = match verb {
        'b' => binary(value),
        'x' | 'X' => hexadecimal(value, precision),
        'e' | 'E' => {
            let (digits, point) = decimal(value, precision.map(|p| p + 1));
            scientific(&digits, point, precision.unwrap_or(digits.len().saturating_sub(1)))
        }
        'f' => match precision {
            Some(precision) => {
                let digits = format!("{:.*}", precision.min(EXACT), value.abs());
                digits + &"0".repeat(precision.saturating_sub(EXACT))
            }
            None => format!("{}", value.abs()),
        },
        _ => general(value, precision),
    };
    let body = if matches!(verb, 'E' | 'G' | 'X') { body.to_uppercase() } else { body };
    format!("{sign}{body}")
}

fn exponent(mark: char, value: i32) -> String {
    format!("{mark}{}{:02}", if value < 0 { '-' } else { '+' }, value.abs())
}

fn scientific(digits: &str, point: i32, precision: usize) -> String {
    let (first, rest) = digits.split_at_checked(1).unwrap_or(("0", ""));
    let exp = if digits.is_empty() { 0 } else { point - 1 };
    let dot = if precision > 0 { "." } else { "" };
    let zeros = "0".repeat(precision.saturating_sub(rest.len()));
    format!("{first}{dot}{rest}{zeros}{}", exponent('e', exp))
}

fn general(value: f64, precision: Option<usize>) -> String {
    let (digits, point) = decimal(value, precision.map(|p| p.max(1)));
    let count = digits.len() as i32;
    let threshold = match precision {
        None => 6,
        Some(precision) => {
            let precision = precision.max(1) as i32;
            if precision > count && count >= point { count } else { precision }
        }
    };
    let exp = point - 1;
    if exp < -4 || exp >= threshold {
        return scientific(&digits, point, digits.len().saturating_sub(1));
    }
    if point <= 0 {
        if digits.is_empty() {
            return "0".into();
        }
        return format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize));
    }
    match digits.split_at_checked(point as usize) {
        Some((whole, "")) => whole.to_owned(),
        Some((whole, fraction)) => format!("{whole}.{fraction}"),
        None => format!("{digits:0<width$}", width = point as usize),
    }
}

/// Mantissa and exponent of a finite number, the mantissa as an integer.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let mantissa = bits & ((1 << 52) - 1);
    match (bits >> 52) as i32 & 0x7ff {
        0 => (mantissa, -1022),
        exp => (mantissa | (1 << 52), exp - 1023),
    }
}

fn binary(value: f64) -> String {
    let (mantissa, exp) = parts(value);
    format!("{mantissa}p{:+}", exp - 52)
}

fn hexadecimal(value: f64, precision: Option<usize>) -> String {
    let (mut mantissa, mut exp) = parts(value);
    if mantissa == 0 {
        exp = 0;
    }
    mantissa <<= 60 - 52;
    while mantissa != 0 && mantissa & (1 << 60) == 0 {
        mantissa <<= 1;
        exp -= 1;
    }
    if let Some(precision) = precision.filter(|p| *p < 15) {
        let shift = precision as u32 * 4;
        let extra = (mantissa << shift) & ((1 << 60) - 1);
        mantissa >>= 60 - shift;
        if extra | (mantissa & 1) > 1 << 59 {
            mantissa += 1;
        }
        mantissa <<= 60 - shift;
        if mantissa & (1 << 61) != 0 {
            mantissa >>= 1;
            exp += 1;
        }
    }
    let mut out = format!("0x{}", (mantissa >> 60) & 1);
    mantissa <<= 4;
    let mut digit = || {
        let digit = char::from_digit((mantissa >> 60) as u32 & 15, 16).unwrap_or('0');
        mantissa <<= 4;
        (digit, mantissa)
    };
    match precision {
        None => {
            let mut fraction = String::new();
            for _ in 0..15 {
                fraction.push(digit().0);
            }
            let fraction = fraction.trim_end_matches('0');
            if !fraction.is_empty() {
                out.push('.');
                out.push_str(fraction);
            }
        }
        Some(0) => {}
        Some(precision) => {
            out.push('.');
            out.extend((0..precision).map(|i| if i < 15 { digit().0 } else { '0' }));
        }
    }
    out + &exponent('p', exp)
}

/// Whether underscores stand only between digits (or after a base prefix), as in Go's literals.
fn underscores_ok(text: &str) -> bool {
    let body = text.trim_start_matches(['+', '-']);
    let (body, hex, mut last) = match body.get(..2) {
        Some("0x" | "0X") => (&body[2..], true, '0'),
        Some("0b" | "0B" | "0o" | "0O") => (&body[2..], false, '0'),
        _ => (body, false, '^'),
    };
    for c in body.chars() {
        let kind = match c {
            '0'..='9' => '0',
            'a'..='f' | 'A'..='F' if hex => '0',
            '_' if last != '0' => return false,
            '_' => '_',
            _ if last == '_' => return false,
            _ => '!',
        };
        last = kind;
    }
    last != '_'
}

/// `strconv.ParseInt(text, 0, 64)` without a limit to 64 bits: sign by prefix, base by prefix, underscores.
pub fn parse_int(text: &str) -> Option<i128> {
    let (negative, body) = match text.strip_prefix('-') {
        Some(body) => (true, body),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match body.get(..2) {
        Some("0x" | "0X") => (16, &body[2..]),
        Some("0b" | "0B") => (2, &body[2..]),
        Some("0o" | "0O") => (8, &body[2..]),
        _ if body.len() > 1 && body.starts_with('0') => (8, &body[1..]),
        _ => (10, body),
    };
    if digits.is_empty() || digits.starts_with(['+', '-']) || !underscores_ok(text) {
        return None;
    }
    let value = i128::from_str_radix(&digits.replace('_', ""), radix).ok()?;
    Some(if negative { -value } else { value })
}

/// `strconv.ParseFloat(text, 64)` for the literals that a lexer lets through; `None` for bad syntax or overflow.
pub fn parse_float(text: &str) -> Option<f64> {
    if text.contains('_') && !underscores_ok(text) {
        return None;
    }
    let plain = text.replace('_', "");
    let body = plain.trim_start_matches(['+', '-']);
    let value = match body.strip_prefix("0x").or(body.strip_prefix("0X")) {
        Some(hex) => {
            let value = parse_hexadecimal(hex)?;
            if plain.starts_with('-') { -value } else { value }
        }
        None if body.starts_with(|c: char| c.is_ascii_digit() || c == '.') => plain.parse().ok()?,
        None => return None,
    };
    value.is_finite().then_some(value)
}

fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() {
        return None;
    }
    let trimmed = digits.trim_start_matches('0');
    // More digits than a float64 can hold only matter by being there: keep 30 and fold the rest into the last bit.
    let kept = trimmed.get(..30.min(trimmed.len()))?;
    let mut value = if kept.is_empty() { 0 } else { u128::from_str_radix(kept, 16).ok()? };
    let dropped = &trimmed[kept.len()..];
    if dropped.bytes().any(|b| b != b'0') {
        value |= 1;
    }
    let exp: i32 = exponent.parse::<i32>().ok()?.clamp(-100_000, 100_000);
    let exp = exp - 4 * i32::try_from(fraction.len()).ok()? + 4 * i32::try_from(dropped.len()).ok()?;
    // Two steps, since the power alone may leave the range.
    let half = exp / 2;
    Some(value as f64 * 2f64.powi(half) * 2f64.powi(exp - half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_go_writes_them() {
        for (value, verb, precision, expected) in [
            (0.0, 'g', None, "0"),
            (100000.0, 'g', None, "100000"),
            (1e6, 'g', None, "1e+06"),
            (1.23456789e8, 'g', None, "1.23456789e+08"),
            (1e-5, 'g', None, "1e-05"),
            (0.0001, 'g', None, "0.0001"),
            (1234.5, 'g', Some(3), "1.23e+03"),
            (1234.5, 'g', Some(10), "1234.5"),
            (100.0, 'g', Some(3), "100"),
            (100.0, 'g', Some(2), "1e+02"),
            (0.0, 'e', Some(6), "0.000000e+00"),
            (1234.5, 'E', Some(2), "1.23E+03"),
            (1e-10, 'e', Some(6), "1.000000e-10"),
            (2.5, 'f', Some(0), "2"),
            (-1.5, 'x', None, "-0x1.8p+00"),
            (1.0, 'x', Some(3), "0x1.000p+00"),
            (1.5, 'f', Some(3), "1.500"),
            (1.5, 'b', None, "6755399441055744p-52"),
            (f64::INFINITY, 'g', None, "+Inf"),
        ] {
            assert_eq!(format_float(value, verb, precision), expected, "{value} {verb} {precision:?}");
        }
    }

    #[test]
    fn any_precision_is_written() {
        assert_eq!(format_float(0.1, 'f', Some(100_000)).len(), 100_002);
        assert_eq!(format_float(0.1, 'e', Some(100_000)).len(), 100_006);
        assert_eq!(format_float(0.1, 'x', Some(100_000)).len(), 100_008);
        assert_eq!(format_float(0.1, 'g', Some(100_000)), format_float(0.1, 'g', Some(1_000)));
    }

    #[test]
    fn integers_are_read_by_prefix() {
        for (text, expected) in [
            ("0x1F", Some(31)),
            ("0X_ff", Some(255)),
            ("017", Some(15)),
            ("1_000", Some(1000)),
            ("-9223372036854775808", Some(i64::MIN.into())),
            ("08", None),
            ("1__0", None),
            ("1_", None),
            ("+-1", None),
        ] {
            assert_eq!(parse_int(text), expected, "{text}");
        }
        assert_eq!(parse_float("0x1p4"), Some(16.0));
        assert_eq!(parse_float("0x.8p1"), Some(1.0));
        assert_eq!(parse_float("1e999"), None);
    }

    #[test]
    fn literals_round_trip() {
        assert_eq!(unquote(r#""a\tb\"\\ \u00e9 \x41 \101 \xff""#), Some(b"a\tb\"\\ \xc3\xa9 A A \xff".to_vec()));
        assert_eq!(unquote(r#""\q""#), None);
        assert_eq!(unquote("`a\r\nb`"), Some(b"a\nb".to_vec()));
        assert_eq!(quote("é☃\u{200b}\u{feff}\u{1}".as_bytes(), false), r#""é☃\u200b\ufeff\x01""#);
        assert_eq!(quote("é\u{1f600}".as_bytes(), true), r#""\u00e9\U0001f600""#);
        assert_eq!(quote(b"\xff", false), r#""\xff""#);
    }
}
