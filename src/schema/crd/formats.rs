//! The formats that the API server checks in custom resources.
//!
//! Source: kube-openapi's `pkg/validation/strfmt` and `pkg/internal/third_party/govalidator`. The letter of a format's
//! name decides little: dashes in it count for nothing.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::Regex;

use crate::cel::functions::{time, url};

/// A format's name, and whether a text is of it.
type Row = (&'static str, fn(&str) -> bool);

/// All formats.
pub(super) const FORMATS: &[Row] = &[
    ("bsonobjectid", |text| text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit())),
    ("byte", |text| is_base64(text)),
    ("cidr", |text| is_cidr(text)),
    ("creditcard", |text| is_credit_card(text)),
    ("date", is_date),
    ("date-time", is_date_time),
    ("duration", |text| duration(text).is_some()),
    ("email", is_email),
    ("hexcolor", |text| {
        let digits = text.strip_prefix('#').unwrap_or(text);
        matches!(digits.len(), 3 | 6) && digits.bytes().all(|b| b.is_ascii_hexdigit())
    }),
    ("hostname", is_hostname),
    ("ipv4", |text| text.contains('.') && is_ip(text)),
    ("ipv6", |text| text.contains(':') && is_ip(text)),
    ("isbn", |text| is_isbn10(text) || is_isbn13(text)),
    ("isbn10", is_isbn10),
    ("isbn13", is_isbn13),
    ("k8slongname", |text| text.len() <= 253 && text.split('.').all(is_label)),
    ("k8sshortname", |text| text.len() <= 63 && is_label(text)),
    ("mac", is_mac),
    ("password", |_| true),
    ("rgbcolor", |text| {
        static RGB: LazyLock<Option<Regex>> = LazyLock::new(|| {
            let part = r"\s*(?:0|[1-9][0-9]?|1[0-9][0-9]?|2[0-4][0-9]|25[0-5])\s*";
            Regex::new(&format!(r"^(?-u)rgb\({part},{part},{part}\)$")).ok()
        });
        matches(&RGB, text)
    }),
    ("ssn", |text| {
        static SSN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("^[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}$").ok());
        text.len() == 11 && matches(&SSN, text)
    }),
    ("uri", |text| url::parse_plain(text).is_ok()),
    ("uuid", |text| uuid(text).is_some()),
    ("uuid3", |text| uuid(text).is_some_and(|digits| digits[12] == b'3')),
    ("uuid4", |text| uuid(text).is_some_and(|digits| digits[12] == b'4' && b"89ab".contains(&digits[16]))),
    ("uuid5", |text| uuid(text).is_some_and(|digits| digits[12] == b'5' && b"89ab".contains(&digits[16]))),
];

/// The name under which a format is checked; `None` where it is not.
pub(super) fn known(name: &str) -> Option<&'static str> {
    let bare = |name: &str| name.replace('-', "");
    FORMATS.iter().map(|(known, _)| *known).find(|known| bare(known) == bare(name))
}

/// Reads a duration into nanoseconds: as Go does, or numbers with units of other libraries anywhere in the text
/// (`2 days`), which are added up.
pub(super) fn duration(text: &str) -> Option<i64> {
    static PARTS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"([0-9]+)[\t\n\f\r ]*([A-Za-zµ]+)").ok());
    const UNITS: [(&[&str], i64); 8] = [
        (&["ns", "nano"], 1),
        (&["us", "µs", "micro"], 1_000),
        (&["ms", "milli"], 1_000_000),
        (&["s", "sec"], 1_000_000_000),
        (&["m", "min"], 60_000_000_000),
        (&["h", "hr", "hour"], 3_600_000_000_000),
        (&["d", "day"], 86_400_000_000_000),
        (&["w", "wk", "week"], 604_800_000_000_000),
    ];
    if let Ok(nanos) = time::parse_duration(text) {
        return Some(nanos);
    }
    let mut total = None;
    for part in PARTS.as_ref()?.captures_iter(text) {
        let factor: i64 = part.get(1)?.as_str().parse().ok()?;
        let unit = part.get(2)?.as_str().to_lowercase();
        for (names, nanos) in UNITS {
            let begins = names.last().is_some_and(|last| unit.starts_with(last));
            if begins || names.contains(&&*unit) {
                total = Some(total.unwrap_or(0_i64).wrapping_add(factor.wrapping_mul(nanos)));
            }
        }
    }
    total
}

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !text.is_empty()
        && text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && time::parse_timestamp(&format!("{text}T00:00:00Z")).is_ok()
}

/// RFC 3339 by halves: the hour may be 23 at most, and any sign may part the second from its fraction.
fn is_date_time(text: &str) -> bool {
    static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:.[0-9]+)?(?:z|[+-][0-9]{2}:[0-9]{2})$").ok()
    });
    let lower = text.to_lowercase();
    let mut halves = lower.split('t');
    let (date, time) = (halves.next().unwrap_or_default(), halves.next());
    is_date(date) && time.is_some_and(|time| matches(&TIME, time))
}

fn is_email(text: &str) -> bool {
    let text = text.trim();
    let address = match (text.strip_suffix('>'), text.rfind('<')) {
        (Some(inner), Some(open)) => inner.get(open + 1..).unwrap_or_default(),
        (None, None) => text,
        _ => return false,
    };
    let is_atom = |text: &str| {
        let atom = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() || "!#$%&'*+-/=?^_`{|}~".contains(c);
        text.split('.').all(|part| !part.is_empty() && part.chars().all(atom))
    };
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    let literal = domain.strip_prefix('[').and_then(|domain| domain.strip_suffix(']'));
    (quoted || is_atom(local)) && (literal.is_some_and(is_ip) || is_atom(domain))
}

fn is_hostname(text: &str) -> bool {
    static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let one = r"[a-zA-Z0-9\p{S}\p{L}]";
        let label = format!(r"{one}(?:-?{one}{{0,62}})?");
        let dotted = format!(r"{one}(?:[a-zA-Z0-9\-\p{{S}}\p{{L}}]{{0,61}}{one})?\.");
        Regex::new(&format!(r"^(?:(?:{label})|(?:{dotted})+(?:[a-zA-Z\p{{L}}]){{2,63}})$")).ok()
    });
    text.len() <= 255 && text.split('.').all(|label| label.len() <= 63) && matches(&NAME, text)
}

/// An address, with leading zeros in its numbers if need be.
fn is_ip(text: &str) -> bool {
    match text.rsplit_once(':') {
        Some((head, tail)) if tail.contains('.') => {
            plain_ipv4(tail).is_some_and(|tail| format!("{head}:{tail}").parse::<Ipv6Addr>().is_ok())
        }
        Some(_) => text.parse::<Ipv6Addr>().is_ok(),
        None => plain_ipv4(text).is_some(),
    }
}

fn plain_ipv4(text: &str) -> Option<Ipv4Addr> {
    let numbers: Vec<&str> = text.split('.').collect();
    let plain = |number: &&str| match number.trim_start_matches('0') {
        "" if !number.is_empty() => "0".to_owned(),
        plain => plain.to_owned(),
    };
    let plain: Vec<String> = numbers.iter().map(plain).collect();
    plain.join(".").parse().ok()
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let longest = if address.contains(':') { 128 } else { 32 };
    let all_digits = bits.bytes().all(|b| b.is_ascii_digit());
    is_ip(address) && all_digits && bits.parse::<u32>().is_ok_and(|bits| bits <= longest)
}

fn is_credit_card(text: &str) -> bool {
    static CARD: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let kinds = [
            "4[0-9]{12}(?:[0-9]{3})?",
            "5[1-5][0-9]{14}",
            "6(?:011|5[0-9][0-9])[0-9]{12}",
            "3[47][0-9]{13}",
            "3(?:0[0-5]|[68][0-9])[0-9]{11}",
            "(?:2131|1800|35[0-9]{3})[0-9]{11}",
        ];
        Regex::new(&format!("^(?:{})$", kinds.join("|"))).ok()
    });
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let weigh = |(place, digit): (usize, u8)| {
        let digit = u32::from(digit - b'0');
        match (place % 2, digit * 2) {
            (0, _) => digit,
            (_, doubled) => doubled % 10 + doubled / 10,
        }
    };
    let sum: u32 = digits.bytes().rev().enumerate().map(weigh).sum();
    matches(&CARD, &digits) && sum.is_multiple_of(10)
}

fn is_isbn10(text: &str) -> bool {
    let text: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'-').collect();
    let Some((last, digits)) = text.split_last().filter(|(_, digits)| digits.len() == 9) else { return false };
    let check = if *last == b'X' { 10 } else { u32::from(last.wrapping_sub(b'0')) };
    let sum: u32 = digits.iter().enumerate().map(|(i, b)| (i as u32 + 1) * u32::from(b.wrapping_sub(b'0'))).sum();
    let all_digits = digits.iter().all(u8::is_ascii_digit) && (*last == b'X' || last.is_ascii_digit());
    all_digits && (sum + 10 * check).is_multiple_of(11)
}

fn is_isbn13(text: &str) -> bool {
    let text: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'-').collect();
    let all_digits = text.len() == 13 && text.iter().all(u8::is_ascii_digit);
    let weigh = |(i, b): (usize, &u8)| (if i % 2 == 0 { 1 } else { 3 }) * u32::from(b - b'0');
    all_digits && text.iter().enumerate().map(weigh).sum::<u32>().is_multiple_of(10)
}

/// A name of lower-case letters, digits and dashes, with no dash at its ends.
fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = [text.as_bytes().first(), text.as_bytes().last()];
    text.bytes().all(|b| inner(b) || b == b'-') && ends.iter().all(|end| end.is_some_and(|b| inner(*b)))
}

/// Six, eight or twenty bytes: pairs of digits with `:` or `-`, fours with `.`, or with nothing between them.
fn is_mac(text: &str) -> bool {
    let parts = |sign: char, digits: usize| {
        let parts: Vec<&str> = text.split(sign).collect();
        let good = |part: &&str| part.len() == digits && part.bytes().all(|b| b.is_ascii_hexdigit());
        parts.iter().all(good) && matches!(parts.len() * digits / 2, 6 | 8 | 20)
    };
    let bare = text.bytes().all(|b| b.is_ascii_hexdigit()) && matches!(text.len(), 12 | 16 | 40);
    bare || parts(':', 2) || parts('-', 2) || parts('.', 4)
}

/// The digits of a UUID, whose dashes may each be left out.
fn uuid(text: &str) -> Option<[u8; 32]> {
    let mut rest = text;
    let mut digits = Vec::with_capacity(32);
    for (i, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        rest = if i > 0 { rest.strip_prefix('-').unwrap_or(rest) } else { rest };
        let part = rest.get(..length).filter(|part| part.bytes().all(|b| b.is_ascii_hexdigit()))?;
        digits.extend(part.bytes().map(|b| b.to_ascii_lowercase()));
        rest = rest.get(length..)?;
    }
    if rest.is_empty() { digits.try_into().ok() } else { None }
}
