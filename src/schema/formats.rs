//! Formats that are Kubernetes' own, or that its code reads in its own way.

use crate::cel::functions::quantity::is_quantity;

/// A name, and whether a text is of that format.
type Format = (&'static str, fn(&str) -> bool);

/// Formats of texts. Those of numbers are ranges.
pub(super) const FORMATS: &[Format] = &[
    ("byte", is_base64),
    ("int-or-string", |_| true),
    ("kubernetes-micro-time", |text| is_time(text, true)),
    ("kubernetes-time", |text| is_time(text, false)),
    // `Quantity.UnmarshalJSON` takes blanks around it.
    ("quantity", |text| is_quantity(text.trim())),
];

/// What to write for a format, as far as there is more to say than its name.
pub(super) fn describe(format: &str) -> Option<&'static str> {
    Some(match format {
        "byte" => "text in base64",
        "int-or-string" => "an integer or a string",
        "date-time" | "kubernetes-time" => "a time such as \"2026-01-31T12:00:00Z\"",
        "kubernetes-micro-time" => "a time such as \"2026-01-31T12:00:00.000000Z\"",
        "quantity" => "a quantity such as 500m, 2 or 1Gi",
        "ipv4" => "an IPv4 address",
        "ipv6" => "an IPv6 address",
        "email" => "an email address",
        "hostname" => "a host name",
        "uri" => "a URI",
        "uuid" => "a UUID",
        "date" => "a date such as \"2026-01-31\"",
        "duration" => "a duration such as 1h30m",
        _ => return None,
    })
}

/// `base64.StdEncoding`, as encoding/json reads a `[]byte`: line breaks are skipped, padding is needed.
fn is_base64(text: &str) -> bool {
    let symbols: Vec<u8> = text.bytes().filter(|byte| !b"\r\n".contains(byte)).collect();
    let padding = symbols.iter().rev().take_while(|byte| **byte == b'=').count();
    let data = symbols.iter().take(symbols.len() - padding);
    symbols.len().is_multiple_of(4)
        && padding <= 2
        && data.into_iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte))
}

/// What Go's `time.Parse` takes for `time.RFC3339`, and for the layout of `metav1.MicroTime`, which wants six digits of
/// the second. Unlike RFC 3339 it takes an hour of one digit, and a comma for the point.
fn is_time(text: &str, micro: bool) -> bool {
    let read = || {
        let mut rest = text;
        let mut number = |digits: usize, most: u32, then: &str| {
            let (number, tail) = rest.split_at_checked(digits)?;
            let tail = tail.strip_prefix(then)?;
            let number: u32 = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
            rest = if number <= most { tail } else { return None };
            Some(number)
        };
        let (year, month, day) = (number(4, 9999, "-")?, number(2, 12, "-")?, number(2, 31, "T")?);
        let _hour = number(2, 23, ":").or_else(|| number(1, 9, ":"))?;
        let _minutes_and_seconds = (number(2, 59, ":")?, number(2, 59, "")?);
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            0 => return None,
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let fraction = rest.strip_prefix(['.', ',']).map_or(0, digits);
        if micro && fraction < 6 {
            return None;
        }
        let fraction = if micro { 6 } else { fraction };
        let zone = if fraction > 0 { rest.get(1 + fraction..)? } else { rest };
        ((1..=days).contains(&day) && is_zone(zone)).then_some(())
    };
    read().is_some()
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// `Z`, `+02:00`; Go is generous with the range.
fn is_zone(text: &str) -> bool {
    let two = |text: Option<&str>, most: u32| {
        text.filter(|text| digits(text) == 2)
            .and_then(|text| text.parse().ok())
            .is_some_and(|number: u32| number <= most)
    };
    text == "Z"
        || text.len() == 6
            && text.starts_with(['+', '-'])
            && text.get(3..4) == Some(":")
            && two(text.get(1..3), 24)
            && two(text.get(4..6), 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    /// What the API server's code reads: tests/peers/formats records it.
    #[test]
    fn texts_are_read_as_by_the_api_server() {
        let answers = include_str!("../../tests/fixtures/formats.jsonl");
        for line in answers.lines() {
            let answer: serde_json::Value = serde_json::from_str(line).unwrap();
            let (_, check) = FORMATS.iter().find(|(name, _)| answer["format"] == *name).unwrap();
            assert_eq!(answer["valid"], check(answer["text"].as_str().unwrap()), "{line}");
        }
        assert!(answers.lines().count() > 200);
    }
}
