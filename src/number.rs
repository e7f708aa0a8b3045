//! Numbers and quoted text as Go's `strconv` reads and prints them.

use std::fmt::Write;
use std::sync::OnceLock;

use regex::Regex;

/// The shortest decimal digits that give a float back, and the exponent of ten of the first digit.
struct Shortest {
    negative: bool,
    digits: String,
    exponent: i32,
}

impl Shortest {
    /// `None` for what has no digits: infinities and NaN.
    fn new(scientific: &str) -> Option<Self> {
        let (mantissa, exponent) = scientific.split_once('e')?;
        let negative = mantissa.starts_with('-');
        let digits = mantissa.chars().filter(char::is_ascii_digit).collect();
        Some(Self { negative, digits, exponent: exponent.parse().ok()? })
    }

    /// Go's `%e`: at least two digits of exponent.
    fn scientific(&self) -> String {
        let (first, rest) = self.digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if self.exponent < 0 { '-' } else { '+' };
        format!("{}{first}{point}{rest}e{sign}{:02}", self.sign(), self.exponent.abs())
    }

    /// Go's `%f`.
    fn positional(&self) -> String {
        let mut text = self.sign().to_owned();
        let whole = self.exponent + 1;
        if whole <= 0 {
            text.push_str("0.");
            text.extend(std::iter::repeat_n('0', whole.unsigned_abs() as usize));
            text.push_str(&self.digits);
        } else {
            let whole = whole as usize;
            let (left, right) = self.digits.split_at(whole.min(self.digits.len()));
            text.push_str(left);
            text.extend(std::iter::repeat_n('0', whole - left.len()));
            if !right.is_empty() {
                let _ = write!(text, ".{right}");
            }
        }
        text
    }

    /// Go's `%g`.
    fn general(&self) -> String {
        if (-4..6).contains(&self.exponent) { self.positional() } else { self.scientific() }
    }

    fn sign(&self) -> &'static str {
        if self.negative { "-" } else { "" }
    }
}

/// `strconv.FormatFloat(value, 'g', -1, 64)`: `1.5`, `1e+06`, `+Inf`, `NaN`.
pub fn general(value: f64) -> String {
    Shortest::new(&format!("{value:e}")).map_or_else(|| special(value), |digits| digits.general())
}

/// `strconv.FormatFloat(value, 'g', -1, 32)`: with the digits of a `float32`.
pub fn general32(value: f64) -> String {
    let value = value as f32;
    Shortest::new(&format!("{value:e}")).map_or_else(|| special(value.into()), |digits| digits.general())
}

/// A float as Go's `encoding/json` writes it; infinities and NaN as `strconv` does, though JSON has none.
pub fn json(value: f64) -> String {
    let Some(digits) = Shortest::new(&format!("{value:e}")) else { return special(value) };
    if value == 0.0 || (1e-6..1e21).contains(&value.abs()) {
        return digits.positional();
    }
    let text = digits.scientific();
    match text.strip_suffix(|c: char| c.is_ascii_digit()) {
        // `e-09` becomes `e-9`, but `e+21` stays.
        Some(init) if init.ends_with("e-0") => text.replace("e-0", "e-"),
        _ => text,
    }
}

fn special(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf",
        f64::NEG_INFINITY => "-Inf",
        _ => "NaN",
    }
    .to_owned()
}

/// An integer of 64 bits, with or without sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integer {
    /// Fits `int64`.
    Signed(i64),
    /// Fits `uint64` only.
    Unsigned(u64),
}

/// `strconv.ParseInt`, then `strconv.ParseUint`; base 0 takes the base from the prefix (`0x`, `0o`, `0b`, `0`).
///
/// Underscores are not accepted: who allows them takes them out before.
pub fn parse_integer(text: &str, base: u32) -> Option<Integer> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (base, digits) = if base == 0 { prefix(digits) } else { (base, digits) };
    // Rust would accept a second sign here.
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, base).ok()?;
    match (negative, i64::try_from(magnitude)) {
        (false, Ok(value)) => Some(Integer::Signed(value)),
        (true, Ok(value)) => Some(Integer::Signed(-value)),
        (true, Err(_)) => (magnitude == i64::MIN.unsigned_abs()).then_some(Integer::Signed(i64::MIN)),
        // `ParseUint` takes no sign.
        (false, Err(_)) => (!text.starts_with('+')).then_some(Integer::Unsigned(magnitude)),
    }
}

fn prefix(digits: &str) -> (u32, &str) {
    match digits.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    }
}

/// `strconv.ParseFloat` for decimal text: `None` for what is no number or too large.
pub fn parse_float(text: &str) -> Option<f64> {
    if !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// `strconv.Quote`.
pub fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if is_print(c) => out.push(c),
            '\0'..='\u{7f}' => _ = write!(out, "\\x{:02x}", u32::from(c)),
            '\u{80}'..='\u{ffff}' => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => _ = write!(out, "\\U{:08x}", u32::from(c)),
        }
    }
    out.push('"');
    out
}

/// `unicode.IsPrint`.
fn is_print(c: char) -> bool {
    static PRINT: OnceLock<Option<Regex>> = OnceLock::new();
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    let print = PRINT.get_or_init(|| Regex::new(r"^[\p{L}\p{M}\p{N}\p{P}\p{S}]$").ok());
    print.as_ref().is_some_and(|print| print.is_match(c.encode_utf8(&mut [0; 4])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_in_go() {
        for (value, g, j) in [
            (0.0, "0", "0"),
            (-0.0, "-0", "-0"),
            (1.0, "1", "1"),
            (1.5, "1.5", "1.5"),
            (100000.0, "100000", "100000"),
            (1e6, "1e+06", "1000000"),
            (1234567.25, "1.23456725e+06", "1234567.25"),
            (1e20, "1e+20", "100000000000000000000"),
            (1e21, "1e+21", "1e+21"),
            (1e-5, "1e-05", "0.00001"),
            (1e-7, "1e-07", "1e-7"),
            (1.5e-10, "1.5e-10", "1.5e-10"),
            (0.0001, "0.0001", "0.0001"),
            (5e-324, "5e-324", "5e-324"),
            (f64::INFINITY, "+Inf", "+Inf"),
        ] {
            assert_eq!((general(value).as_str(), json(value).as_str()), (g, j));
        }
        assert_eq!(general32(0.1), "0.1");
    }

    #[test]
    fn integers_read_as_in_go() {
        for (text, value) in [
            ("0", Some(Integer::Signed(0))),
            ("-0x1F", Some(Integer::Signed(-31))),
            ("0o17", Some(Integer::Signed(15))),
            ("017", Some(Integer::Signed(15))),
            ("08", None),
            ("0x", None),
            ("+-1", None),
            ("9223372036854775808", Some(Integer::Unsigned(1 << 63))),
            ("+9223372036854775808", None),
            ("-9223372036854775808", Some(Integer::Signed(i64::MIN))),
            ("é", None),
        ] {
            assert_eq!(parse_integer(text, 0), value, "{text}");
        }
    }
}
